//! What a commit changes, as an id that survives rebasing: two commits have the same patch exactly
//! when `git cherry` says so (semantics M7).
//!
//! Git takes, file by file in order of path, a header with the names, then the lines of the diff with
//! three lines of context; white space and line numbers do not count.

use super::objects::TreeEntry;
use super::{GitError, Objects, Repository};
use crate::model::{CommitId, Digest, RepoPath};
use crate::tree::Kind;
use git2::{DiffOptions, Oid};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The identity of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatchId(pub Digest);

/// A file before and after.
type Pair = (Option<TreeEntry>, Option<TreeEntry>);

/// Trees deeper than this are refused (SEC-A4).
const DEPTH: usize = 128;
/// Git's limit for looking into a file.
const LARGE: u64 = 512 << 20;

impl Repository {
    /// The patch of a commit against its first parent; `None` for merges, which have none.
    ///
    /// # Errors
    /// [`GitError::MissingCommit`], [`GitError::CutOff`] at the edge of a shallow clone.
    pub fn patch_id(&self, commit: &CommitId) -> Result<Option<PatchId>, GitError> {
        if self.parents(commit)?.len() > 1 {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        for (path, pair) in self.pairs(commit)? {
            hash_pair(&mut hash, self.objects(), &path, &pair)?;
        }
        Ok(Some(PatchId(Digest::from_bytes(hash.finalize().into()))))
    }

    /// The paths that a commit changes against its first parent, sorted.
    ///
    /// # Errors
    /// As [`Repository::patch_id`].
    pub fn touched(&self, commit: &CommitId) -> Result<Vec<RepoPath>, GitError> {
        Ok(self.pairs(commit)?.into_keys().collect())
    }

    fn pairs(&self, commit: &CommitId) -> Result<BTreeMap<RepoPath, Pair>, GitError> {
        if self.is_boundary(commit) {
            return Err(GitError::CutOff(commit.clone()));
        }
        let before = match self.parents(commit)?.first() {
            Some(parent) => Some(self.tree_id(parent)?),
            None => None,
        };
        let mut pairs = BTreeMap::new();
        let after = Some(self.tree_id(commit)?);
        compare(self.objects(), &RepoPath::root(), before, after, 0, &mut pairs)?;
        Ok(pairs)
    }
}

/// Adds the files that differ below a folder.
fn compare(
    objects: &Objects,
    at: &RepoPath,
    before: Option<Oid>,
    after: Option<Oid>,
    depth: usize,
    pairs: &mut BTreeMap<RepoPath, Pair>,
) -> Result<(), GitError> {
    if before == after {
        return Ok(());
    }
    if depth > DEPTH {
        return Err(git2::Error::from_str(&format!("folders deeper than {DEPTH} at {at}")).into());
    }
    for (name, (old, new)) in side_by_side(objects, before, after)? {
        if old == new {
            continue;
        }
        let path = at.child(&name);
        let folder = |e: &Option<TreeEntry>| e.as_ref().filter(|e| e.kind == Kind::Directory).map(|e| e.id);
        compare(objects, &path, folder(&old), folder(&new), depth + 1, pairs)?;
        let file = |e: Option<TreeEntry>| e.filter(|e| e.kind != Kind::Directory);
        let pair = (file(old), file(new));
        if pair != (None, None) {
            pairs.insert(path, pair);
        }
    }
    Ok(())
}

fn side_by_side(
    objects: &Objects,
    before: Option<Oid>,
    after: Option<Oid>,
) -> Result<BTreeMap<Vec<u8>, Pair>, git2::Error> {
    let mut both: BTreeMap<Vec<u8>, Pair> = BTreeMap::new();
    for entry in before.map(|id| objects.tree(id)).transpose()?.unwrap_or_default() {
        let name = entry.name.clone();
        both.entry(name).or_default().0 = Some(entry);
    }
    for entry in after.map(|id| objects.tree(id)).transpose()?.unwrap_or_default() {
        let name = entry.name.clone();
        both.entry(name).or_default().1 = Some(entry);
    }
    Ok(both)
}

fn hash_pair(hash: &mut Sha256, objects: &Objects, path: &RepoPath, pair: &Pair) -> Result<(), GitError> {
    let name = without_space(path.as_bytes());
    for part in [b"diff--gita/".as_slice(), &name, b"b/", &name] {
        hash.update(part);
    }
    match pair {
        (None, Some(new)) => hash.update(format!("newfilemode{:06o}", mode(new.kind))),
        (Some(old), None) => hash.update(format!("deletedfilemode{:06o}", mode(old.kind))),
        (Some(old), Some(new)) if old.kind != new.kind => {
            hash.update(format!(
                "oldmode{:06o}newmode{:06o}",
                mode(old.kind),
                mode(new.kind)
            ));
        }
        _ => {}
    }
    let old = Side::read(objects, pair.0.as_ref())?;
    let new = Side::read(objects, pair.1.as_ref())?;
    let (Some(before), Some(after)) = (old.text, new.text) else {
        hash.update(old.id.to_string());
        hash.update(new.id.to_string());
        return Ok(());
    };
    for (sign, letter, entry) in [("---", "a/", &pair.0), ("+++", "b/", &pair.1)] {
        hash.update(sign);
        match entry {
            None => hash.update("/dev/null"),
            Some(_) => {
                hash.update(letter);
                hash.update(&name);
            }
        }
    }
    hash_lines(hash, &before, &after)
}

/// One side of a pair; no text when it is binary.
struct Side {
    id: Oid,
    text: Option<Vec<u8>>,
}

impl Side {
    fn read(objects: &Objects, entry: Option<&TreeEntry>) -> Result<Self, git2::Error> {
        let Some(entry) = entry else {
            return Ok(Self {
                id: Oid::ZERO_SHA1,
                text: Some(Vec::new()),
            });
        };
        let text = match entry.kind {
            Kind::Submodule => Some(format!("Subproject commit {}\n", entry.id).into_bytes()),
            _ if objects.size(entry.id)? > LARGE => None,
            _ => Some(objects.blob(entry.id)?).filter(|bytes| !is_binary(bytes)),
        };
        Ok(Self { id: entry.id, text })
    }
}

/// Git calls a file binary that has a NUL among its first 8,000 bytes.
fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8000)].contains(&0)
}

fn hash_lines(hash: &mut Sha256, before: &[u8], after: &[u8]) -> Result<(), GitError> {
    let mut options = DiffOptions::new();
    options
        .context_lines(3)
        .interhunk_lines(0)
        .force_text(true)
        .indent_heuristic(false);
    let patch = git2::Patch::from_buffers(before, None, after, None, Some(&mut options))?;
    for hunk in 0..patch.num_hunks() {
        for line in 0..patch.num_lines_in_hunk(hunk)? {
            let line = patch.line_in_hunk(hunk, line)?;
            match line.origin() {
                sign @ ('+' | '-') => hash.update([sign as u8]),
                ' ' => {}
                _ => continue,
            }
            hash.update(without_space(line.content()));
        }
    }
    Ok(())
}

fn without_space(bytes: &[u8]) -> Vec<u8> {
    let space = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
    bytes.iter().copied().filter(|b| !space(b)).collect()
}

fn mode(kind: Kind) -> u32 {
    match kind {
        Kind::File { executable: false } => 0o100_644,
        Kind::File { executable: true } => 0o100_755,
        Kind::Link => 0o120_000,
        Kind::Submodule => 0o160_000,
        Kind::Directory | Kind::Special => 0,
    }
}
