#![expect(
    clippy::disallowed_methods,
    reason = "edge: files and variables that hold secrets"
)]
//! `--secret` and `--ssh`: what a RUN may mount. Values are read only to keep them out of what is told.

use super::builder::usage;
use super::reason;
use ringshift::builder::{Secret, SecretSource, Ssh};
use ringshift::engine::Failure;
use ringshift::engine::execute::Scrub;
use std::path::{Path, PathBuf};

/// The largest secret, in bytes: BuildKit's own limit.
const LARGEST: u64 = 500 << 10;
/// How a secret is written.
const FORM: &str = "id=ID,src=FILE or id=ID,env=VARIABLE";

/// The secrets and agents of one run.
#[derive(Debug, Default)]
pub struct Secrets {
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// The agents and keys.
    pub ssh: Vec<Ssh>,
    /// What of them nobody may read.
    pub scrub: Scrub,
}

/// Reads the flags; files are relative to `directory`.
///
/// # Errors
/// What is wrong with a flag, a file that cannot be read, a variable that is not set.
pub fn read(directory: &Path, secrets: &[String], ssh: &[String]) -> Result<Secrets, Failure> {
    let mut found = Secrets::default();
    let mut values = Vec::new();
    for text in secrets {
        let secret = parse(directory, text)?;
        if found.secrets.iter().any(|other| other.id == secret.id) {
            return Err(usage(
                format!("--secret: the id `{}` is given twice", secret.id),
                FORM,
            ));
        }
        values.push(value(&secret)?);
        found.secrets.push(secret);
    }
    for text in ssh {
        let ssh = agent(directory, text)?;
        if found.ssh.iter().any(|other| other.id == ssh.id) {
            return Err(usage(
                format!("--ssh: the id `{}` is given twice", ssh.id),
                "give each id once",
            ));
        }
        let keys = ssh.paths.iter().filter(|path| path.is_file());
        values.extend(keys.filter_map(|path| std::fs::read(path).ok()));
        found.ssh.push(ssh);
    }
    found.scrub = Scrub::new(values.iter().map(Vec::as_slice));
    Ok(found)
}

fn parse(directory: &Path, text: &str) -> Result<Secret, Failure> {
    let wrong = |what: String| usage(format!("--secret: {what}"), FORM);
    let (mut id, mut source) = (None, None);
    for part in text.split(',') {
        let Some((key, value)) = part.split_once('=') else {
            // What stands here may be the secret itself, and is not repeated (SEC-C1).
            return Err(wrong("a part has no `=`".into()));
        };
        let old = match key {
            "id" => id.replace(value).is_some(),
            "src" | "source" => {
                let file = SecretSource::File(directory.join(value));
                source.replace(file).is_some()
            }
            "env" => source.replace(SecretSource::Env(value.into())).is_some(),
            "type" if matches!(value, "file" | "env") => false,
            _ => return Err(wrong(format!("`{key}` is not known"))),
        };
        if old || value.is_empty() {
            return Err(wrong(format!("`{key}` is empty, or says again what was said")));
        }
    }
    let id = id.filter(|id| is_id(id)).map(String::from);
    let id = id.ok_or_else(|| wrong("it has no id of letters, digits, `.`, `_`, `-`".into()))?;
    let source = source.ok_or_else(|| wrong(format!("where does `{id}` come from?")))?;
    Ok(Secret { id, source })
}

/// Whether a RUN can name it, and a builder's program takes it as it is (SEC-A12).
fn is_id(id: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    !id.is_empty() && !id.starts_with('-') && id.chars().all(good)
}

fn value(secret: &Secret) -> Result<Vec<u8>, Failure> {
    let id = &secret.id;
    match &secret.source {
        SecretSource::Env(name) => {
            let value = std::env::var_os(name).ok_or_else(|| {
                Failure::request(
                    format!("--secret: the variable {name} of the secret `{id}` is not set"),
                    format!("set {name}, or name a file: id={id},src=FILE"),
                )
            })?;
            Ok(std::os::unix::ffi::OsStringExt::into_vec(value))
        }
        SecretSource::File(path) => {
            let bad = |why: String| {
                Failure::request(
                    format!(
                        "--secret: cannot read {} of the secret `{id}`: {why}",
                        path.display()
                    ),
                    "name a file that is there; a path is relative to the working directory",
                )
            };
            let meta = std::fs::metadata(path).map_err(|error| bad(reason(&error)))?;
            if !meta.is_file() {
                return Err(bad("it is no file".into()));
            }
            if meta.len() > LARGEST {
                return Err(bad(format!("it is larger than {} KiB", LARGEST >> 10)));
            }
            std::fs::read(path).map_err(|error| bad(reason(&error)))
        }
    }
}

fn agent(directory: &Path, text: &str) -> Result<Ssh, Failure> {
    let (id, paths) = match text.split_once('=') {
        Some((id, paths)) => (id, paths.split(',').map(|path| directory.join(path)).collect()),
        None => (text, Vec::<PathBuf>::new()),
    };
    if !is_id(id) {
        return Err(usage(
            "--ssh: it has no id",
            "default, or id=PATH of a socket or a key",
        ));
    }
    if let Some(missing) = paths.iter().find(|path| !path.exists()) {
        return Err(Failure::request(
            format!("--ssh: {} of `{id}` does not exist", missing.display()),
            "name a socket or a key; a path is relative to the working directory",
        ));
    }
    if paths.is_empty() && std::env::var_os("SSH_AUTH_SOCK").is_none_or(|socket| socket.is_empty()) {
        return Err(Failure::request(
            format!("--ssh: `{id}` means the agent of SSH_AUTH_SOCK, which is not set"),
            "eval $(ssh-agent); ssh-add; or name a key: --ssh default=PATH",
        ));
    }
    let id = id.to_owned();
    Ok(Ssh { id, paths })
}
