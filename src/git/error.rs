//! What may be wrong with a repository, in words for someone who can act.

use crate::model::CommitId;
use std::path::{Path, PathBuf};

/// The git repository could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Neither the folder nor one above it is a repository.
    #[error("{} is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// A feature of git that libgit2 does not know, or a folder of someone else.
    #[error("cannot open the git repository of {}: {reason}", path.display())]
    Unsupported {
        /// The folder that was asked for.
        path: PathBuf,
        /// What libgit2 says.
        reason: String,
    },
    /// There is no working copy.
    #[error("the repository is bare: it has no working copy")]
    Bare,
    /// No commit has been made yet.
    #[error("the repository has no commit yet")]
    Unborn,
    /// The text names no commit.
    #[error("`{0}` names no commit")]
    UnknownRevision(String),
    /// An abbreviated id fits more than one object.
    #[error("`{0}` fits more than one commit")]
    AmbiguousRevision(String),
    /// The commit is not in this clone.
    #[error("commit {} is not in this clone", commit.short())]
    MissingCommit {
        /// Which.
        commit: CommitId,
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// History ends at the edge of a shallow clone before the question is answered.
    #[error("the history of commit {} is cut off: this clone is shallow", .0.short())]
    CutOff(CommitId),
    /// More commits than the caller allowed.
    #[error("more than {0} commits lie between the two")]
    TooMany(usize),
    /// The object store is damaged, incomplete or unreadable.
    #[error("cannot read the git repository")]
    Objects(#[source] git2::Error),
}

impl GitError {
    /// One line on how to mend it, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotARepository(_) => Some("run it in a git repository, or make one with `git init`"),
            Self::Unsupported { reason, .. } if reason.contains("owned") => {
                Some("if you trust it: git config --global --add safe.directory <its folder>")
            }
            Self::Unsupported { reason, .. } if reason.contains("mandatory extension") => {
                Some("git update-index --no-split-index; git sparse-checkout reapply --no-sparse-index")
            }
            Self::Unsupported { .. } => None,
            Self::Bare => Some("name a commit, or run it in a working copy"),
            Self::Unborn => Some("commit something first"),
            Self::UnknownRevision(_) => Some(
                "give a commit id, a branch or a tag, with `~2` or `^` behind it if you like; or `git fetch`",
            ),
            Self::AmbiguousRevision(_) => Some("give more digits"),
            Self::MissingCommit { shallow: false, .. } => Some("fetch it: git fetch --all"),
            Self::MissingCommit { shallow: true, .. } | Self::CutOff(_) => {
                Some("fetch the whole history: git fetch --unshallow (in CI: fetch-depth 0)")
            }
            Self::TooMany(_) => None,
            Self::Objects(_) => Some("see what `git fsck` says"),
        }
    }

    pub(super) fn opening(dir: &Path, error: git2::Error) -> Self {
        match error.code() {
            git2::ErrorCode::NotFound => Self::NotARepository(dir.into()),
            _ => Self::Unsupported {
                path: dir.into(),
                reason: error.message().into(),
            },
        }
    }

    pub(super) fn head(error: &git2::Error) -> Self {
        match error.code() {
            git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound => Self::Unborn,
            _ => Self::Objects(git2::Error::from_str(error.message())),
        }
    }
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::Objects(error)
    }
}
