//! What plans ask of a clone: which commits contain which, and which fixes would be lost (M6, M7).

use crate::model::{CommitId, ImageName, Revision};
use crate::state::Timestamp;

/// A commit that one side has and the other lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostCommit {
    /// Its id.
    pub id: CommitId,
    /// Its first line.
    pub summary: String,
    /// Its author's name.
    pub author: String,
    /// Its author's time.
    pub time: Timestamp,
}

/// The clone cannot say.
#[derive(Debug, thiserror::Error)]
pub enum CommitsError {
    /// A commit is not in this clone.
    #[error("commit {commit} is not in this clone")]
    Missing {
        /// Which one.
        commit: CommitId,
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// There is no clone here at all.
    #[error("there is no git repository here")]
    NoClone,
    /// It is there, but cannot be read or understood.
    #[error("cannot compare commits")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A clone of the project.
pub trait Commits {
    /// Whether `commit` is `ancestor` or has it among its ancestors.
    ///
    /// # Errors
    /// [`CommitsError`] when the clone lacks one of them.
    fn contains(&self, commit: &CommitId, ancestor: &CommitId) -> Result<bool, CommitsError>;

    /// The commits of `theirs` that `ours` lacks, that touch what the image reads, and whose patch
    /// is not among the commits of `ours` that `theirs` lacks (M7). Newest first.
    ///
    /// # Errors
    /// [`CommitsError`] when the clone lacks one of them.
    fn lost(
        &self,
        image: &ImageName,
        theirs: &CommitId,
        ours: &CommitId,
    ) -> Result<Vec<LostCommit>, CommitsError>;

    /// HEAD, when there is one.
    ///
    /// # Errors
    /// [`CommitsError`] when the clone cannot be read.
    fn head(&self) -> Result<Option<CommitId>, CommitsError>;

    /// The revision of an image at a commit; `None` when the project has no such image there.
    ///
    /// # Errors
    /// [`CommitsError`] when the clone lacks the commit.
    fn revision_at(&self, image: &ImageName, commit: &CommitId) -> Result<Option<Revision>, CommitsError>;
}
