//! BuildKit, by buildctl and by buildx.

use super::Command;
use super::process::Call;
use super::request::Request;
use crate::builder::BuildError;
use crate::model::{BuilderKind, Digest};
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;

/// How many bytes of a metadata file are read.
const METADATA_LIMIT: u64 = 4 << 20;

/// `buildctl build`; the daemon is the one of `BUILDKIT_HOST`, or where engine arguments say.
pub(super) fn buildctl(
    command: &Command,
    request: &Request<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Digest>, BuildError> {
    let closed = request.closed;
    let mut call = command.found.call();
    call.args(&command.engine).arg("build").args(&command.args);
    call.args(["--progress=plain", "--frontend=dockerfile.v0"]);
    call.arg("--local").arg(pair("context", &closed.context()));
    call.arg("--local")
        .arg(pair("dockerfile", &closed.container_folder()));
    for (number, (name, folder)) in closed.named().iter().enumerate() {
        call.arg("--local").arg(pair(&format!("named{number}"), folder));
        call.arg("--opt")
            .arg(format!("context:{name}=local:named{number}"));
    }
    call.arg("--opt").arg(format!("platform={}", request.platform));
    for (name, value) in &request.args {
        call.arg("--opt").arg(format!("build-arg:{name}={value}"));
    }
    for right in &request.allow {
        call.arg("--allow").arg(right);
    }
    common(&mut call, request);
    layers(&mut call, request, ["--import-cache", "--export-cache"]);
    ended(command, request, &call, say)
}

/// `docker buildx build`, or buildx on its own.
pub(super) fn buildx(
    command: &Command,
    request: &Request<'_>,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Digest>, BuildError> {
    let closed = request.closed;
    let mut call = command.found.call();
    call.args(&command.engine)
        .args(command.found.verbs())
        .arg("build")
        .args(&command.args);
    call.args(["--progress=plain", "--provenance=false", "--sbom=false"]);
    call.arg("--file").arg(closed.container_file());
    for (name, folder) in closed.named() {
        call.arg("--build-context").arg(pair(name, folder));
    }
    call.arg("--platform").arg(request.platform.to_string());
    for (name, value) in &request.args {
        call.arg("--build-arg").arg(format!("{name}={value}"));
    }
    for right in &request.allow {
        call.arg("--allow").arg(right);
    }
    common(&mut call, request);
    layers(&mut call, request, ["--cache-from", "--cache-to"]);
    call.arg(closed.context());
    ended(command, request, &call, say)
}

/// What both know by the same words.
fn common(call: &mut Call, request: &Request<'_>) {
    if request.no_cache {
        call.arg("--no-cache");
    }
    call.args(request.handed.flags());
    if request.handed.needs_agent() {
        call.hand_on("SSH_AUTH_SOCK");
    }
    if let Some(reference) = &request.push {
        call.arg("--metadata-file").arg(metadata(request));
        call.arg("--output");
        call.arg(format!(
            "type=image,name={reference},push=true,oci-mediatypes=true"
        ));
    }
}

/// Layers for other machines: read and written, but for those that a secret was mounted into. A registry that cannot be
/// written to fails no build.
fn layers(call: &mut Call, request: &Request<'_>, [from, to]: [&str; 2]) {
    let Some(reference) = request.layers.as_ref().filter(|_| !request.mounts_secrets) else {
        return;
    };
    if !request.no_cache {
        call.arg(from).arg(format!("type=registry,ref={reference}"));
    }
    call.arg(to);
    call.arg(format!(
        "type=registry,ref={reference},mode=max,ignore-error=true"
    ));
}

fn metadata(request: &Request<'_>) -> std::path::PathBuf {
    request.closed.folder().join("metadata.json")
}

fn ended(
    command: &Command,
    request: &Request<'_>,
    call: &Call,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Digest>, BuildError> {
    call.run(request.cancel, say)
        .map_err(|failed| command.failed(request, failed))?;
    if request.push.is_none() {
        return Ok(None);
    }
    let unread = |what: &str| command.program(format!("ended well, but {what}"));
    let bytes = super::look::small_file(&metadata(request), METADATA_LIMIT)
        .map_err(|error| unread(&format!("its metadata file cannot be read: {error}")))?;
    let json: Value = serde_json::from_slice(&bytes).map_err(|_| unread("its metadata file is no JSON"))?;
    let digest = json.get("containerimage.digest").and_then(Value::as_str);
    match digest.and_then(|digest| digest.parse().ok()) {
        Some(digest) => Ok(Some(digest)),
        None if command.found.kind == BuilderKind::Buildx => Err(unread(
            "its metadata names no digest; a builder of another driver does (docker buildx create --use)",
        )),
        None => Err(unread("its metadata names no digest")),
    }
}

/// `name=path`.
fn pair(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push("=");
    text.push(path);
    text
}
