#![expect(clippy::disallowed_methods, reason = "edge: looks at the working copy")]
//! A quick proof that the working copy is what a commit holds; where it fails, [`Repository::changes`]
//! says what differs.
//!
//! Every tracked file is looked at once, folder by folder and in parallel, and compared with what the
//! index remembers of it; git's rule for files as young as the index is kept. Whether the index is what
//! the commit holds is remembered by the index's own checksum.

use super::{GitError, Repository};
use crate::cache::Remembered;
use crate::model::{CommitId, RepoPath};
use git2::IndexEntry;
use rayon::prelude::*;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const SKIP_WORKTREE: u16 = 1 << 14;
const GITLINK: u32 = 0o160_000;

/// The tracked entries of one folder, and its tracked subfolders.
#[derive(Default)]
struct Folder {
    files: Vec<IndexEntry>,
    folders: BTreeSet<Vec<u8>>,
}

impl Repository {
    /// Whether the working copy certainly is what `commit` holds. `false` proves nothing.
    ///
    /// # Errors
    /// [`GitError`] when the commit is not here.
    pub fn is_certainly_clean(&self, commit: &CommitId, results: &Remembered) -> Result<bool, GitError> {
        let workdir = self.require_workdir()?.to_path_buf();
        let tree = self.tree_id(commit)?;
        let Some((folders, path)) = self.by_folder() else {
            return Ok(false);
        };
        let Some((written, checksum)) = stamp(&path) else {
            return Ok(false);
        };
        let key = format!("index is tree\n{checksum}\n{tree}\n");
        if results.get(key.as_bytes()).is_none() {
            if !self.index_is(tree)? {
                return Ok(false);
            }
            // What cannot be remembered is found out again.
            let _ = results.put(key.as_bytes(), b"yes");
        }
        let untracked: Option<Vec<(RepoPath, bool)>> = folders
            .par_iter()
            .map(|(at, folder)| look(&workdir, at, folder, written))
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

    fn by_folder(&self) -> Option<(BTreeMap<Vec<u8>, Folder>, PathBuf)> {
        let index = self.lock().index().ok()?;
        let path = index.path()?.to_path_buf();
        let mut folders: BTreeMap<Vec<u8>, Folder> = BTreeMap::new();
        folders.insert(Vec::new(), Folder::default());
        let mut entries = index.iter().peekable();
        while let Some(first) = entries.next() {
            let parent = first.path[..parent_length(&first)].to_vec();
            // Neighbours mostly stand in one folder.
            let mut files = vec![first];
            while let Some(next) = entries.next_if(|next| next.path[..parent_length(next)] == parent) {
                files.push(next);
            }
            add_above(&mut folders, &parent);
            folders.entry(parent).or_default().files.extend(files);
        }
        Some((folders, path))
    }

    fn index_is(&self, tree: git2::Oid) -> Result<bool, GitError> {
        let repo = self.lock();
        let (tree, index) = (repo.find_tree(tree)?, repo.index()?);
        Ok(repo
            .diff_tree_to_index(Some(&tree), Some(&index), None)?
            .deltas()
            .len()
            == 0)
    }
}

/// The length of the path of the folder that an entry stands in.
fn parent_length(entry: &IndexEntry) -> usize {
    entry.path.iter().rposition(|b| *b == b'/').unwrap_or(0)
}

/// Every folder on the way to `path` knows the next one.
fn add_above(folders: &mut BTreeMap<Vec<u8>, Folder>, path: &[u8]) {
    let mut at = path;
    while !at.is_empty() {
        let split = at.iter().rposition(|b| *b == b'/');
        let (above, name) = match split {
            Some(i) => (&at[..i], &at[i + 1..]),
            None => (&at[..0], at),
        };
        if !folders
            .entry(above.to_vec())
            .or_default()
            .folders
            .insert(name.to_vec())
        {
            return;
        }
        at = above;
    }
}

/// When the index was written (seconds, nanoseconds), and its checksum.
fn stamp(path: &Path) -> Option<((i64, i64), String)> {
    let mut file = std::fs::File::open(path).ok()?;
    let stat = rustix::fs::fstat(&file).ok()?;
    let mut checksum = [0; 20];
    file.seek(SeekFrom::End(-20)).ok()?;
    file.read_exact(&mut checksum).ok()?;
    let written = (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).ok()?);
    // An index without checksum (`index.skipHash`) names nothing.
    (checksum != [0; 20]).then(|| (written, crate::model::digest::hex(&checksum)))
}

/// What of a folder git does not track, each with whether it is a folder; `None` when a tracked file
/// may have changed.
fn look(workdir: &Path, at: &[u8], folder: &Folder, written: (i64, i64)) -> Option<Vec<(RepoPath, bool)>> {
    let path = workdir.join(std::ffi::OsStr::from_bytes(at));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = rustix::fs::open(&path, flags, Mode::empty()).ok()?;
    let mut names: BTreeSet<&[u8]> = folder.folders.iter().map(Vec::as_slice).collect();
    for entry in &folder.files {
        let name = entry.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        names.insert(name);
        if entry.flags_extended & SKIP_WORKTREE != 0 || entry.mode == GITLINK {
            continue;
        }
        let stat = rustix::fs::statat(&open, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        if !is_same(entry, &stat, written) {
            return None;
        }
    }
    let base = RepoPath::clean(at);
    let mut untracked = Vec::new();
    for item in Dir::new(open).ok()? {
        let item = item.ok()?;
        let name = item.file_name().to_bytes();
        let own = at.is_empty() && name == b".git";
        if !own && !matches!(name, b"." | b"..") && !names.contains(name) {
            untracked.push((base.child(name), item.file_type().is_dir()));
        }
    }
    Some(untracked)
}

/// Whether a file is what the index remembers, and is older than the index (git's racy rule).
fn is_same(entry: &IndexEntry, stat: &Stat, written: (i64, i64)) -> bool {
    let mtime = (
        i64::from(entry.mtime.seconds()),
        i64::from(entry.mtime.nanoseconds()),
    );
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
        && size & 0xffff_ffff == u64::from(entry.file_size)
        && mtime.0 == stat.st_mtime & 0xffff_ffff
        && (mtime.1 == 0 || mtime.1 == nanoseconds)
        && (entry.ino == 0 || u64::from(entry.ino) == stat.st_ino & 0xffff_ffff)
        && (stat.st_mtime, nanoseconds) < written
}
