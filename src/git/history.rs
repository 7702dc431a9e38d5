//! Which commits stand behind which. In a shallow clone a question that the missing history could
//! answer otherwise is an error, never a guess.

use super::{GitError, Repository, id};
use crate::model::CommitId;
use git2::{Oid, Sort};

impl Repository {
    /// Whether `commit` is here.
    pub fn has_commit(&self, commit: &CommitId) -> bool {
        let Ok(oid) = self.oid(commit) else { return false };
        self.lock().find_commit(oid).is_ok()
    }

    /// Whether `old` is `new`, or an ancestor of it.
    ///
    /// # Errors
    /// [`GitError::MissingCommit`], [`GitError::CutOff`].
    pub fn is_ancestor(&self, old: &CommitId, new: &CommitId) -> Result<bool, GitError> {
        let (a, b) = (self.present(old)?, self.present(new)?);
        if self.reaches(b, a)? {
            return Ok(true);
        }
        // What lies behind a boundary that `new` reaches may be `old`, unless `old` stands on it.
        self.check_boundary(new, b, a)?;
        Ok(false)
    }

    /// The commits that `of` reaches and `without` does not, no merges, parents first.
    ///
    /// # Errors
    /// [`GitError::TooMany`] when there are more than `cap`, [`GitError::MissingCommit`],
    /// [`GitError::CutOff`].
    pub fn commits_not_in(
        &self,
        of: &CommitId,
        without: &CommitId,
        cap: usize,
    ) -> Result<Vec<CommitId>, GitError> {
        let (w, v) = (self.present(of)?, self.present(without)?);
        self.check_boundary(of, w, v)?;
        let found = self.walk_between(w, v, cap)?;
        if !found.is_empty() {
            self.check_boundary(without, v, w)?;
        }
        Ok(found)
    }

    fn walk_between(&self, of: Oid, without: Oid, cap: usize) -> Result<Vec<CommitId>, GitError> {
        let repo = self.lock();
        let mut walk = repo.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME | Sort::REVERSE)?;
        walk.push(of)?;
        walk.hide(without)?;
        let mut found = Vec::new();
        for oid in walk {
            let oid = oid?;
            if repo.find_commit(oid)?.parent_count() > 1 {
                continue;
            }
            if found.len() == cap {
                return Err(GitError::TooMany(cap));
            }
            found.push(id(oid)?);
        }
        Ok(found)
    }

    /// Whether the parents of the commit were not fetched.
    pub(super) fn is_boundary(&self, commit: &CommitId) -> bool {
        self.oid(commit).is_ok_and(|oid| self.shallow.contains(&oid))
    }

    /// An error when history that is not here could add to what `from` reaches and `other` does not.
    fn check_boundary(&self, name: &CommitId, from: Oid, other: Oid) -> Result<(), GitError> {
        for edge in &self.shallow {
            if self.reaches(from, *edge)? && !self.reaches(other, *edge)? {
                return Err(GitError::CutOff(name.clone()));
            }
        }
        Ok(())
    }

    fn reaches(&self, from: Oid, to: Oid) -> Result<bool, GitError> {
        if from == to {
            return Ok(true);
        }
        let repo = self.lock();
        match repo.graph_descendant_of(from, to) {
            Ok(answer) => Ok(answer),
            // A boundary may name a commit that was collected since.
            Err(e) if e.code() == git2::ErrorCode::NotFound && repo.find_commit(to).is_err() => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    fn present(&self, commit: &CommitId) -> Result<Oid, GitError> {
        let oid = self.oid(commit)?;
        self.lock()
            .find_commit(oid)
            .map_err(|e| self.missing(commit, e))?;
        Ok(oid)
    }
}
