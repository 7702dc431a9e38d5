//! `docker build`, in the mode that client and daemon have.

use super::Command;
use super::process::Call;
use super::request::Request;
use crate::builder::{BuildError, Cancel};
use crate::model::Digest;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while the classic builder is at work, from the build to the removal of its name; and by others while they remove
/// an image.
///
/// Its cache are the images in the daemon's storage. It looks at all of them, and fails when one that it saw is gone
/// before its turn comes.
static CLASSIC: Mutex<()> = Mutex::new(());

/// Builds under a name in the daemon's storage, pushes that, and takes it off again.
pub(super) fn docker(
    command: &Command,
    request: &Request<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Digest>, BuildError> {
    let closed = request.closed;
    let buildkit = !command.found.is_classic();
    // Let go of after `kept`, which is made later.
    let _one_at_a_time = turn(buildkit);
    let mut call = start(command);
    call.arg("build").args(&command.args);
    if buildkit {
        call.arg("--progress=plain");
    } else {
        call.arg("--force-rm");
    }
    call.arg("--file").arg(closed.container_file());
    if buildkit {
        call.arg("--platform").arg(request.platform.to_string());
        call.args(request.handed.flags());
        if request.handed.needs_agent() {
            call.hand_on("SSH_AUTH_SOCK");
        }
        for right in &request.allow {
            call.arg("--allow").arg(right);
        }
        for (name, folder) in closed.named() {
            call.arg("--build-context")
                .arg(format!("{name}={}", folder.display()));
        }
    }
    for (name, value) in &request.args {
        call.arg("--build-arg").arg(format!("{name}={value}"));
    }
    if request.no_cache {
        call.arg("--no-cache");
    }
    let kept = request.push.as_ref().map(|reference| Kept { command, reference });
    if let Some(reference) = &request.push {
        call.arg("--tag").arg(reference);
    }
    call.arg(closed.context());
    call.run(request.cancel, say)
        .map_err(|failed| command.failed(failed))?;
    let Some(reference) = kept.as_ref().map(|kept| kept.reference) else {
        return Ok(None);
    };
    let mut digest = None;
    let mut call = start(command);
    call.arg("push").arg(reference);
    let pushed = call.run(request.cancel, &mut |line| {
        digest = told(line).or(digest);
        say(line);
    });
    pushed.map_err(|failed| command.failed(failed))?;
    Ok(digest)
}

/// The turn of a classic build. BuildKit keeps its cache elsewhere, so its builds go on side by side.
fn turn(buildkit: bool) -> Option<MutexGuard<'static, ()>> {
    (!buildkit).then(hold)
}

fn hold() -> MutexGuard<'static, ()> {
    CLASSIC.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `built: digest: sha256:… size: 1234`, the last line of a push.
fn told(line: &str) -> Option<Digest> {
    let (_, rest) = line.split_once("digest: ")?;
    rest.split(' ').next()?.parse().ok()
}

fn start(command: &Command) -> Call {
    let mut call = command.found.call();
    let buildkit = if command.found.is_classic() { "0" } else { "1" };
    call.args(&command.engine).env("DOCKER_BUILDKIT", buildkit);
    call
}

/// A name in the daemon's storage, which is taken off it in the end.
struct Kept<'a> {
    command: &'a Command,
    reference: &'a String,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        // A classic build that ends here holds the turn already.
        let _turn = (!self.command.found.is_classic()).then(hold);
        let mut call = start(self.command);
        // The layers are the cache of the next build.
        call.args(["rmi", "--no-prune"]).arg(self.reference);
        let _left = call.run(&Cancel::default(), &mut |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_builds_wait_for_each_other_and_others_do_not() {
        let first = turn(false);
        assert!(CLASSIC.try_lock().is_err());
        assert!(turn(true).is_none());
        drop(first);
        assert!(turn(false).is_some());
    }
}
