//! rings.lock of a project, and what container files ask of it.

use super::resolver::Resolver;
use super::{Origin, config_file};
use crate::config::lock;
use crate::config::{Lock, Project};
use crate::containerfile::BaseFacts;
use crate::engine::Failure;
use crate::model::{Platform, Problems, Reference, RepoPath, Severity, Source, Span};
use crate::tree::{SourceTree, TreeError};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The most bytes of rings.lock (SEC-A10).
const LIMIT: u64 = 1 << 20;

/// An outside image on a platform.
pub type Asked = (Reference, Platform);

/// A lock, and the images that reachable stages asked for so far.
#[derive(Debug, Default)]
pub struct Locks {
    lock: Lock,
    asked: Mutex<BTreeSet<Asked>>,
}

impl Locks {
    /// Nobody has asked anything yet.
    pub fn new(lock: Lock) -> Self {
        Self {
            lock,
            asked: Mutex::default(),
        }
    }

    /// rings.lock beside the rings.yaml at `config`; without it, nothing is locked.
    ///
    /// # Errors
    /// [`Failure::Project`] with all that is wrong with it.
    pub fn read(tree: &dyn SourceTree, config: &RepoPath) -> Result<Self, Failure> {
        let path = path(config);
        let bytes = match tree.read(&path, LIMIT) {
            Ok(bytes) => bytes,
            Err(TreeError::Missing(_)) => return Ok(Self::default()),
            Err(TreeError::Limit { .. }) => {
                let source = Source::new(path.to_string(), "");
                let problem = source.problem(Span::start(), "too-large", "the file is larger than 1 MiB");
                let hint = "`ringshift lock --update` writes it anew";
                return Err(Failure::Project(problem.hint(hint).into()));
            }
            Err(other) => return Err(other.into()),
        };
        let lock = lock::read(&bytes, &path.to_string()).map_err(Failure::Project)?;
        Ok(Self::new(lock))
    }

    /// The lock.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// What is known of an image, which is remembered as asked for.
    pub fn base(&self, reference: &Reference, platform: &Platform) -> BaseFacts {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert((reference.clone(), platform.clone()));
        self.lock.facts(reference, platform)
    }

    /// The images that were asked for.
    pub fn asked(&self) -> BTreeSet<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// rings.lock beside a rings.yaml.
pub fn path(config: &RepoPath) -> RepoPath {
    config.parent().unwrap_or_default().child(lock::FILE.as_bytes())
}

/// What is wrong with two files, of which the first may be right: all at once.
pub fn both<T>(first: Result<T, Failure>, second: Failure) -> Failure {
    match (first, second) {
        (Err(Failure::Project(first)), Failure::Project(second)) => {
            let all = first.into_vec().into_iter().chain(second.clone().into_vec());
            Failure::Project(Problems::of(all.collect()).unwrap_or(second))
        }
        (Err(first), _) => first,
        (Ok(_), second) => second,
    }
}

/// The project of rings.yaml alone.
pub(in crate::engine) fn project_of(origin: &Origin) -> Result<Project, Failure> {
    Ok(config_file::read(&*origin.tree, &origin.config)?.0)
}

/// Resolves every image on every platform, so that the lock knows what is asked of it.
pub(in crate::engine) fn resolve(
    project: &Project,
    tree: &dyn SourceTree,
    locks: &Locks,
) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for platform in &project.platforms {
        Resolver::new(project, tree, platform, locks).all(&mut problems)?;
    }
    problems.retain(|problem| problem.severity == Severity::Error);
    match Problems::of(problems) {
        Some(problems) => Err(Failure::Project(problems)),
        None => Ok(()),
    }
}
