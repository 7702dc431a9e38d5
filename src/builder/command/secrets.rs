//! Secrets and agents for a RUN: by files, never in arguments (SEC-C2).

#![expect(
    clippy::disallowed_methods,
    reason = "edge: reads the variables that hold secrets"
)]

use crate::builder::closed::Closed;
use crate::builder::{BuildError, Job, SecretSource, StepError};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is handed to a builder.
#[derive(Debug, Default)]
pub(super) struct Handed {
    /// Ids, and the files that hold the secrets.
    pub(super) secrets: Vec<(String, PathBuf)>,
    /// Ids, and the sockets or keys of each.
    pub(super) ssh: Vec<(String, Vec<PathBuf>)>,
}

impl Handed {
    /// `--secret` and `--ssh`, as all builders have them.
    pub(super) fn flags(&self) -> Vec<String> {
        let secrets = self.secrets.iter().flat_map(|(id, path)| {
            let value = format!("id={id},src={}", path.display());
            ["--secret".to_owned(), value]
        });
        let ssh = self.ssh.iter().flat_map(|(id, paths)| {
            let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            let value = match paths.is_empty() {
                true => id.clone(),
                false => format!("{id}={}", paths.join(",")),
            };
            ["--ssh".to_owned(), value]
        });
        secrets.chain(ssh).collect()
    }

    /// Whether an agent of ringshift's own environment is asked for.
    pub(super) fn needs_agent(&self) -> bool {
        self.ssh.iter().any(|(_, paths)| paths.is_empty())
    }
}

/// Makes the secrets of a session ready. All come to lie in private files of the laid out folder, which goes with
/// it: a variable is not handed on, and a pipe can be read but once.
pub(super) fn hand(job: &Job<'_>, closed: &Closed) -> Result<Handed, BuildError> {
    let mut handed = Handed::default();
    for (number, secret) in job.session.secrets.iter().enumerate() {
        plain_id(&secret.id)?;
        let path = closed.folder().join(format!("secret-{number}"));
        let bytes = match &secret.source {
            SecretSource::File(file) => std::fs::read(file)
                .map_err(|error| lost(&secret.id, &format!("{}: {error}", file.display())))?,
            SecretSource::Env(name) => {
                let value = std::env::var_os(name);
                let value = value.ok_or_else(|| lost(&secret.id, &format!("{name} is not set")))?;
                std::os::unix::ffi::OsStringExt::into_vec(value)
            }
        };
        private(&path, &bytes).map_err(|error| lost(&secret.id, &error.to_string()))?;
        handed.secrets.push((secret.id.clone(), path));
    }
    for ssh in &job.session.ssh {
        plain_id(&ssh.id)?;
        handed.ssh.push((ssh.id.clone(), ssh.paths.clone()));
    }
    Ok(handed)
}

fn private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

fn lost(id: &str, why: &str) -> BuildError {
    StepError::Value(format!("the secret {id} cannot be read: {why}")).at(1)
}

/// An id stands between commas and equals signs.
fn plain_id(id: &str) -> Result<(), BuildError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    match !id.is_empty() && id.chars().all(plain) && !id.starts_with('-') {
        true => Ok(()),
        false => Err(StepError::Value(format!(
            "`{}` cannot be the id of a secret: letters, digits, `.`, `-`, `_`, `/`",
            id.escape_debug()
        ))
        .at(1)),
    }
}
