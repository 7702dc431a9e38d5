//! `docker build`, in the mode that client and daemon have.

use super::Command;
use super::process::Call;
use super::request::Request;
use super::turn;
use crate::builder::{BuildError, Cancel};
use crate::model::Digest;

/// Builds under a name in the daemon's storage, pushes that, and takes it off again.
pub(super) fn docker(
    command: &Command,
    request: &Request<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Digest>, BuildError> {
    let closed = request.closed;
    let buildkit = !command.found.is_classic();
    // Held while the classic builder is at work, from the build to the removal of its name: let go of after `kept`,
    // which is made later. BuildKit keeps its cache elsewhere, so its builds go on side by side.
    let _one_at_a_time = (!buildkit).then(|| turn::hold(request.cancel));
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
    let kept = request.push.as_ref().map(|reference| Kept {
        command,
        reference,
        cancel: request.cancel,
    });
    if let Some(reference) = &request.push {
        call.arg("--tag").arg(reference);
    }
    call.arg(closed.context());
    call.run(request.cancel, say)
        .map_err(|failed| command.failed(request, failed))?;
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
    pushed.map_err(|failed| command.unpushed(failed))?;
    Ok(digest)
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
    cancel: &'a Cancel,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        // A classic build that ends here holds the turn already.
        let buildkit = !self.command.found.is_classic();
        let _turn = buildkit.then(|| turn::hold(self.cancel));
        let mut call = start(self.command);
        // The layers are the cache of the next build.
        call.args(["rmi", "--no-prune"]).arg(self.reference);
        let _left = call.run(&Cancel::default(), &mut |_| {});
    }
}
