//! buildah and podman, which build the same way.

use super::Command;
use super::end::Ending;
use super::process::Call;
use super::request::Request;
use crate::builder::{BuildError, Cancel};
use crate::model::{BuilderKind, Digest};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How many bytes of a file with an id are read.
const ID_LIMIT: u64 = 4 << 10;

/// Builds, pushes, and takes the image off the machine's storage again.
///
/// `--layers=false`: their cache takes no notice of what a bind mount holds (containerfile 0.8).
pub(super) fn buildah(
    command: &Command,
    request: &Request<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Digest>, BuildError> {
    let closed = request.closed;
    let configured = registries(request).map_err(|what| command.program(what))?;
    let id_file = closed.folder().join("image.id");
    let mut call = start(command, &configured);
    call.arg("build").args(&command.args);
    // Docker's format: OCI's has no HEALTHCHECK, ONBUILD and SHELL. Ringshift keeps them all the same.
    call.args(["--layers=false", "--force-rm", "--format=docker"]);
    if command.found.kind == BuilderKind::Buildah || command.found.at_least(4, 0) {
        call.arg("--identity-label=false");
    }
    call.arg("--file").arg(closed.container_file());
    call.arg("--ignorefile").arg(closed.ignore_file());
    call.arg("--iidfile").arg(&id_file);
    for (name, folder) in closed.named() {
        let mut pair = OsString::from(format!("{name}="));
        pair.push(folder);
        call.arg("--build-context").arg(pair);
    }
    call.arg("--platform").arg(request.platform.to_string());
    for (name, value) in &request.args {
        call.arg("--build-arg").arg(format!("{name}={value}"));
    }
    if request.no_cache {
        call.arg("--no-cache");
    }
    call.args(request.handed.flags());
    if request.handed.needs_agent() {
        call.hand_on("SSH_AUTH_SOCK");
    }
    call.arg(closed.context());
    let built = call.ending(Ending::Below).run(request.cancel, say);
    let id = super::look::small_file(&id_file, ID_LIMIT).ok();
    let id = id
        .and_then(|id| String::from_utf8(id).ok())
        .map(|id| id.trim().to_owned());
    let kept = Kept {
        command,
        configured: &configured,
        id,
    };
    built.map_err(|failed| command.failed(request, failed))?;
    let Some(reference) = &request.push else {
        return Ok(None);
    };
    let id = kept
        .id
        .as_deref()
        .ok_or_else(|| command.program("ended well, but told no image".into()))?;
    let digest_file = closed.folder().join("image.digest");
    let mut call = start(command, &configured);
    call.arg("push").arg("--format=v2s2");
    call.arg("--digestfile")
        .arg(&digest_file)
        .arg(id)
        .arg(format!("docker://{reference}"));
    call.run(request.cancel, say)
        .map_err(|failed| command.unpushed(failed))?;
    let digest = super::look::small_file(&digest_file, ID_LIMIT).ok();
    let digest = digest.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok());
    digest
        .map(Some)
        .ok_or_else(|| command.program("ended well, but told no digest of what it pushed".into()))
}

/// A call that knows the registry which is served.
fn start(command: &Command, configured: &Path) -> Call {
    let mut call = command.found.call();
    call.args(&command.engine)
        .env("CONTAINERS_REGISTRIES_CONF", configured);
    call
}

/// An image in the machine's storage, which is taken off it in the end.
struct Kept<'a> {
    command: &'a Command,
    configured: &'a Path,
    id: Option<String>,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let Some(id) = self
            .id
            .as_ref()
            .filter(|id| !id.is_empty() && !id.starts_with('-'))
        else {
            return;
        };
        let mut call = start(self.command, self.configured);
        call.args(["rmi", "--force"]).arg(id);
        // Also when everything is to stop. What cannot be taken off does no harm.
        let _left = call.run(&Cancel::default(), &mut |_| {});
    }
}

/// The user's own list of registries, the one that is served, which has no certificate, and those on this machine that
/// images from outside come from: they are spoken to without TLS, as `lock` does.
fn registries(request: &Request<'_>) -> Result<PathBuf, String> {
    let mut text = super::look::user_registries().unwrap_or_default();
    let own = |host: &&String| text.contains(&format!("\"{host}\""));
    let plain = request.plain.iter().filter(|host| !own(host));
    let hosts: Vec<String> = plain.chain([&request.host]).cloned().collect();
    for host in hosts {
        text.push_str(&format!(
            "\n[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"
        ));
    }
    let path = request.closed.folder().join("registries.conf");
    super::look::write(&path, &text).map_err(|error| format!("cannot be configured: {error}"))?;
    Ok(path)
}
