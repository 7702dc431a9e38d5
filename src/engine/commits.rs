//! What plans ask of a clone, answered by git and by the project at each commit.

use super::failure::Failure;
use super::project::Loaded;
use crate::git::{GitError, PatchId, Repository};
use crate::model::{CommitId, ImageName, Revision};
use crate::plan::{Commits, CommitsError, LostCommit};
use crate::state::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Loads the project at a commit; `None` where that commit has no rings.yaml that can be read.
pub type AtCommit = dyn Fn(&CommitId) -> Result<Arc<Loaded>, Failure> + Send + Sync;

/// More commits than these between two releases are not compared one by one.
const MOST: usize = 10_000;

/// The revisions of all images at one commit.
type Revisions = Arc<BTreeMap<ImageName, Revision>>;

/// A clone.
pub struct Clone {
    repository: Option<Arc<Repository>>,
    at_commit: Box<AtCommit>,
    known: Mutex<BTreeMap<CommitId, Option<Revisions>>>,
}

impl Clone {
    /// The clone at hand; `None`: there is none, and every question stays open.
    pub fn new(repository: Option<Arc<Repository>>, at_commit: Box<AtCommit>) -> Self {
        Self {
            repository,
            at_commit,
            known: Mutex::default(),
        }
    }

    fn git(&self) -> Result<&Repository, CommitsError> {
        self.repository.as_deref().ok_or(CommitsError::NoClone)
    }

    fn touches(&self, image: &ImageName, commit: &CommitId) -> Result<bool, CommitsError> {
        let parents = self.git()?.parents(commit).map_err(open)?;
        let Some(parent) = parents.first() else {
            return Ok(true);
        };
        let (here, there) = (self.revisions(commit)?, self.revisions(parent)?);
        Ok(match (here, there) {
            (Some(here), Some(there)) => here.get(image) != there.get(image),
            _ => true,
        })
    }

    /// All revisions at a commit: none where it has no rings.yaml; `None` where its project cannot be
    /// understood, so that such a commit counts as touching every image.
    fn revisions(&self, commit: &CommitId) -> Result<Option<Revisions>, CommitsError> {
        if let Some(all) = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(commit)
        {
            return Ok(all.clone());
        }
        let all = match (self.at_commit)(commit) {
            Ok(loaded) => {
                let images = loaded.sources.images.iter();
                Some(Arc::new(
                    images
                        .map(|(name, source)| (name.clone(), source.revision))
                        .collect(),
                ))
            }
            Err(Failure::Git(error)) => return Err(open(error)),
            Err(Failure::Request { .. }) => Some(Revisions::default()),
            Err(Failure::Project(_) | Failure::Tree(_)) => None,
            Err(other) => return Err(CommitsError::Failed(Box::new(other))),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(commit.clone(), all.clone());
        Ok(all)
    }

    fn describe(&self, id: CommitId) -> Result<LostCommit, CommitsError> {
        let info = self.git()?.info(&id).map_err(open)?;
        Ok(LostCommit {
            id,
            summary: info.summary,
            author: info.author,
            time: Timestamp(info.time),
        })
    }
}

/// A git error as an open question.
fn open(error: GitError) -> CommitsError {
    match error {
        GitError::MissingCommit { commit, shallow } => CommitsError::Missing { commit, shallow },
        GitError::CutOff(commit) => CommitsError::Missing {
            commit,
            shallow: true,
        },
        other => CommitsError::Failed(Box::new(other)),
    }
}

impl Commits for Clone {
    fn contains(&self, commit: &CommitId, ancestor: &CommitId) -> Result<bool, CommitsError> {
        self.git()?.is_ancestor(ancestor, commit).map_err(open)
    }

    fn lost(
        &self,
        image: &ImageName,
        theirs: &CommitId,
        ours: &CommitId,
    ) -> Result<Vec<LostCommit>, CommitsError> {
        let git = self.git()?;
        let mut candidates = Vec::new();
        for commit in git.commits_not_in(theirs, ours, MOST).map_err(open)? {
            if self.touches(image, &commit)? {
                candidates.push(commit);
            }
        }
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let mut have: BTreeSet<PatchId> = BTreeSet::new();
        for commit in git.commits_not_in(ours, theirs, MOST).map_err(open)? {
            have.extend(git.patch_id(&commit).map_err(open)?);
        }
        let mut lost = Vec::new();
        for commit in candidates.into_iter().rev() {
            let patch = git.patch_id(&commit).map_err(open)?;
            if patch.is_none_or(|patch| !have.contains(&patch)) {
                lost.push(self.describe(commit)?);
            }
        }
        Ok(lost)
    }

    fn head(&self) -> Result<Option<CommitId>, CommitsError> {
        match self.git()?.head() {
            Ok(head) => Ok(Some(head)),
            Err(GitError::Unborn) => Ok(None),
            Err(other) => Err(open(other)),
        }
    }

    fn revision_at(&self, image: &ImageName, commit: &CommitId) -> Result<Option<Revision>, CommitsError> {
        Ok(self.revisions(commit)?.and_then(|all| all.get(image).copied()))
    }
}
