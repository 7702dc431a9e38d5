//! What differs between a commit and the working copy.

use super::{GitError, Repository};
use crate::model::{CommitId, RepoPath};
use git2::{Delta, DiffOptions};

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// In both, with another content, mode or kind.
    Changed,
    /// Known to git, but not in the commit.
    Added,
    /// In the commit, but not in the working copy.
    Deleted,
    /// Not known to git, and not ignored.
    Untracked,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Where.
    pub path: RepoPath,
    /// How.
    pub difference: Difference,
}

impl Repository {
    /// The files that differ between the commit and the working copy, sorted by path; those that git
    /// ignores apart. The index is read and not written.
    ///
    /// # Errors
    /// [`GitError::Bare`], [`GitError::MissingCommit`], [`GitError::Unsupported`] for a split or sparse
    /// index, or that of reading.
    pub fn changes(&self, commit: &CommitId) -> Result<Vec<Change>, GitError> {
        self.require_workdir()?;
        let repo = self.lock();
        let found = repo
            .find_commit(self.oid(commit)?)
            .map_err(|e| self.missing(commit, e))?;
        let mut options = DiffOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_typechange(true)
            .skip_binary_check(true)
            .ignore_submodules(true);
        let tree = found.tree()?;
        repo.index().map_err(|e| GitError::Unsupported {
            path: self.common_dir().into(),
            reason: format!("its index cannot be read ({})", e.message()),
        })?;
        let diff = repo.diff_tree_to_workdir_with_index(Some(&tree), Some(&mut options))?;
        let mut changes: Vec<Change> = diff.deltas().filter_map(|delta| change(&delta)).collect();
        changes.sort();
        changes.dedup();
        Ok(changes)
    }

    /// Of [`Repository::changes`], those at or below one of the paths.
    ///
    /// # Errors
    /// As [`Repository::changes`].
    pub fn status(&self, commit: &CommitId, paths: &[RepoPath]) -> Result<Vec<Change>, GitError> {
        let mut changes = self.changes(commit)?;
        changes.retain(|change| paths.iter().any(|path| change.path.starts_with(path)));
        Ok(changes)
    }
}

fn change(delta: &git2::DiffDelta<'_>) -> Option<Change> {
    let difference = match delta.status() {
        Delta::Added => Difference::Added,
        Delta::Deleted => Difference::Deleted,
        Delta::Untracked => Difference::Untracked,
        Delta::Modified | Delta::Typechange | Delta::Conflicted | Delta::Unreadable => Difference::Changed,
        _ => return None,
    };
    let path = delta.new_file().path_bytes().or(delta.old_file().path_bytes())?;
    Some(Change {
        path: RepoPath::clean(path),
        difference,
    })
}
