//! What all builds of one run share.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all builds of one run share.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Secrets that a RUN may mount (`--secret`).
    pub secrets: Vec<Secret>,
    /// Agents that a RUN may mount (`--ssh`).
    pub ssh: Vec<Ssh>,
    /// Whether the builder's caches are left aside (`--no-cache`).
    pub no_cache: bool,
    /// What a RUN may do beyond the usual, as `allow:` of rings.yaml says it: `network=host`, `security=insecure`,
    /// `device` (SEC-A8).
    pub allow: BTreeSet<String>,
    /// Set when everything is to stop.
    pub cancel: Cancel,
}

/// A secret: where it comes from, never what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The id by which a RUN mounts it.
    pub id: String,
    /// Where it comes from.
    pub source: SecretSource,
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file.
    File(PathBuf),
    /// An environment variable of ringshift's own.
    Env(String),
}

/// An ssh agent or key, by the id under which a RUN mounts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// The id; `default` where none is said.
    pub id: String,
    /// Sockets or key files; none for the agent of `SSH_AUTH_SOCK`.
    pub paths: Vec<PathBuf>,
}

/// A wish to stop, shared by all threads of a run.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks everything to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether to stop.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
