//! A quick proof that the working copy is what a commit holds; where it fails, [`Repository::changes`]
//! says what differs.
//!
//! Every tracked file is looked at once, folder by folder and in parallel, and compared with what the
//! index remembers of it; git's rule for files as young as the index is kept.

use super::index_file::{Entry, IndexFile};
use super::{GitError, Repository};
use crate::cache::Remembered;
use crate::model::{CommitId, RepoPath};
use rayon::prelude::*;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const GITLINK: u32 = 0o160_000;

/// The tracked entries of one folder by name, and its tracked subfolders.
#[derive(Default)]
struct Folder<'i> {
    files: Vec<(&'i [u8], &'i Entry)>,
    folders: BTreeSet<&'i [u8]>,
}

impl Repository {
    /// Whether the working copy certainly is what `commit` holds. `false` proves nothing.
    ///
    /// # Errors
    /// [`GitError`] when the commit is not here.
    pub fn is_certainly_clean(&self, commit: &CommitId, results: &Remembered) -> Result<bool, GitError> {
        let workdir = self.require_workdir()?.to_path_buf();
        let tree = self.tree_id(commit)?;
        let path = self.lock().path().join("index");
        let Some(index) = IndexFile::read(&path) else {
            return Ok(false);
        };
        if !self.index_is(&index, tree, results)? {
            return Ok(false);
        }
        let untracked: Option<Vec<(RepoPath, bool)>> = by_folder(&index)
            .par_iter()
            .map(|(at, folder)| look(&workdir, at, folder, index.written))
            .reduce(
                || Some(Vec::new()),
                |a, b| Some(a?.into_iter().chain(b?).collect()),
            );
        let Some(untracked) = untracked else {
            return Ok(false);
        };
        for (path, folder) in untracked {
            if !self.is_ignored(&path, folder)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the index holds what a tree holds: by the tree that git has kept in it, else by comparing the two,
    /// once for each index.
    fn index_is(&self, index: &IndexFile, tree: git2::Oid, results: &Remembered) -> Result<bool, GitError> {
        if let Some(kept) = index.tree {
            return Ok(kept == tree);
        }
        let key = format!("index is tree\n{}\n{tree}\n", index.checksum);
        if results.get(key.as_bytes()).is_some() {
            return Ok(true);
        }
        let same = {
            let repo = self.lock();
            let (tree, index) = (repo.find_tree(tree)?, repo.index()?);
            let diff = repo.diff_tree_to_index(Some(&tree), Some(&index), None)?;
            diff.deltas().len() == 0
        };
        if same {
            // What cannot be remembered is found out again.
            let _ = results.put(key.as_bytes(), b"yes");
        }
        Ok(same)
    }
}

fn by_folder(index: &IndexFile) -> BTreeMap<&[u8], Folder<'_>> {
    let mut folders: BTreeMap<&[u8], Folder<'_>> = BTreeMap::from([(&b""[..], Folder::default())]);
    let split = |entry: &Entry| split(index.path(entry));
    for run in index.entries.chunk_by(|a, b| split(a).0 == split(b).0) {
        let Some(first) = run.first() else { continue };
        let (parent, _) = split(first);
        add_above(&mut folders, parent);
        let files = run.iter().map(|entry| (split(entry).1, entry));
        folders.entry(parent).or_default().files.extend(files);
    }
    folders
}

/// A path as the folder it stands in and its name there.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    }
}

/// Every folder on the way to `path` knows the next one.
fn add_above<'i>(folders: &mut BTreeMap<&'i [u8], Folder<'i>>, path: &'i [u8]) {
    let mut at = path;
    while !at.is_empty() {
        let (above, name) = split(at);
        if !folders.entry(above).or_default().folders.insert(name) {
            return;
        }
        at = above;
    }
}

/// What of a folder git does not track, each with whether it is a folder; `None` when a tracked file
/// may have changed.
fn look(
    workdir: &Path,
    at: &[u8],
    folder: &Folder<'_>,
    written: (i64, i64),
) -> Option<Vec<(RepoPath, bool)>> {
    let path = workdir.join(std::ffi::OsStr::from_bytes(at));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = rustix::fs::open(&path, flags, Mode::empty()).ok()?;
    for (name, entry) in &folder.files {
        if entry.absent || entry.mode == GITLINK {
            continue;
        }
        let stat = rustix::fs::statat(&open, *name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        if !is_same(entry, &stat, written) {
            return None;
        }
    }
    // Entries are sorted by path, so those of one folder are sorted by name.
    let tracks = |name: &[u8]| {
        let file = folder.files.binary_search_by_key(&name, |(name, _)| *name);
        file.is_ok() || folder.folders.contains(name)
    };
    let base = RepoPath::clean(at);
    let mut untracked = Vec::new();
    for item in Dir::new(open).ok()? {
        let item = item.ok()?;
        let name = item.file_name().to_bytes();
        let own = at.is_empty() && name == b".git";
        if !own && !matches!(name, b"." | b"..") && !tracks(name) {
            untracked.push((base.child(name), item.file_type().is_dir()));
        }
    }
    Some(untracked)
}

/// Whether a file is what the index remembers, and is older than the index (git's racy rule).
fn is_same(entry: &Entry, stat: &Stat, written: (i64, i64)) -> bool {
    let mtime = (i64::from(entry.modified.0), i64::from(entry.modified.1));
    let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(-1);
    let executable = stat.st_mode & 0o100 != 0;
    let kind = match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::Symlink => 0o120_000,
        rustix::fs::FileType::RegularFile if executable => 0o100_755,
        rustix::fs::FileType::RegularFile => 0o100_644,
        _ => 0,
    };
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    kind == entry.mode
        && size & 0xffff_ffff == u64::from(entry.size)
        && mtime.0 == stat.st_mtime & 0xffff_ffff
        && (mtime.1 == 0 || mtime.1 == nanoseconds)
        && (entry.inode == 0 || u64::from(entry.inode) == stat.st_ino & 0xffff_ffff)
        && (stat.st_mtime, nanoseconds) < written
}
