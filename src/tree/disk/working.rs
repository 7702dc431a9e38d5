//! The working copy as git sees it: tracked files, and untracked ones that are not ignored (B8).

use super::beneath::{Beneath, Raw};
use super::{Entry, Select, Walker};
use crate::cache::FileIds;
use crate::git::objects::kind_of;
use crate::git::{GitError, Repository};
use crate::model::{Digest, RepoPath};
use crate::tree::{Item, Kind, SourceTree, TreeError, lfs};
use git2::Oid;
use rustix::fs::FileType;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Bound;
use std::sync::Arc;

/// The working copy of a repository.
///
/// Folders exist as far as files do, modes are those that git would record, submodules and other
/// repositories inside are not entered (SEC-A6). A file that a sparse checkout left out is read from
/// git's objects.
#[derive(Debug)]
pub struct WorkingCopy {
    walker: Walker<Tracked>,
}

impl WorkingCopy {
    /// The working copy; the index is read now, folders when they are asked for.
    ///
    /// # Errors
    /// [`GitError::Bare`], [`GitError::Unsupported`] for an index that cannot be read.
    pub fn open(repository: Arc<Repository>) -> Result<Self, GitError> {
        let workdir = repository.require_workdir()?.to_path_buf();
        let disk = Beneath::open(&workdir).map_err(|e| GitError::Unsupported {
            path: workdir,
            reason: e.to_string(),
        })?;
        let select = Tracked::read(repository)?;
        Ok(Self {
            walker: Walker::new(disk, select),
        })
    }

    /// The same tree with digests remembered in `ids`.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<FileIds>) -> Self {
        self.walker.ids = ids;
        self
    }

    /// The blob of a file that the sparse checkout left out, when it is one.
    fn absent(&self, path: &RepoPath, entry: &Entry) -> Option<Oid> {
        match entry.stat {
            Some(_) => None,
            None => self
                .walker
                .select
                .absent
                .get(path.as_bytes())
                .map(|known| known.blob),
        }
    }

    fn blob(&self, path: &RepoPath, id: Oid) -> Result<Vec<u8>, TreeError> {
        let objects = self.walker.select.repository.objects();
        objects
            .blob(id)
            .map_err(|e| TreeError::io(path, std::io::Error::other(e.message().to_owned())))
    }
}

/// An entry of the index.
#[derive(Debug, Clone, Copy)]
struct Known {
    mode: u32,
    blob: Oid,
}

/// What git's index and ignore files say.
#[derive(Debug)]
struct Tracked {
    repository: Arc<Repository>,
    known: BTreeMap<Vec<u8>, Known>,
    /// Those of them that a sparse checkout leaves out.
    absent: BTreeMap<Vec<u8>, Known>,
    /// Whether the modes on the disk mean anything (`core.fileMode`).
    file_mode: bool,
}

impl Tracked {
    fn read(repository: Arc<Repository>) -> Result<Self, GitError> {
        let (mut known, mut absent) = (BTreeMap::new(), BTreeMap::new());
        for file in repository.tracked()? {
            let value = Known {
                mode: file.mode,
                blob: file.id,
            };
            if file.absent {
                absent.insert(file.path.clone(), value);
            }
            known.insert(file.path, value);
        }
        let file_mode = repository.has_file_modes();
        Ok(Self {
            repository,
            known,
            absent,
            file_mode,
        })
    }

    /// Whether git tracks anything below the path.
    fn tracks_below(&self, path: &RepoPath) -> bool {
        has_below(&self.known, path)
    }

    fn ignored(&self, path: &RepoPath, folder: bool) -> Result<bool, TreeError> {
        let answer = self.repository.is_ignored(path, folder);
        answer.map_err(|e| TreeError::io(path, std::io::Error::other(e)))
    }

    /// An entry that the tree has, or nothing.
    fn judge(&self, disk: &Beneath, path: &RepoPath, raw: &Raw) -> Result<Option<Entry>, TreeError> {
        if raw.kind == FileType::Directory {
            return Ok(self.judge_folder(disk, path)?.map(|kind| Entry {
                name: raw.name.clone(),
                kind,
                stat: None,
            }));
        }
        let known = self.known.get(path.as_bytes());
        let file = matches!(raw.kind, FileType::RegularFile | FileType::Symlink);
        if known.is_none() && (!file || self.ignored(path, false)?) {
            return Ok(None);
        }
        let Some(look) = disk.look(path).map_err(|e| TreeError::io(path, e))? else {
            return Ok(None);
        };
        let mut kind = look.kind(0o100);
        if let (false, Kind::File { executable }) = (self.file_mode, &mut kind) {
            *executable = known.is_some_and(|known| known.mode & 0o100 != 0);
        }
        Ok(Some(Entry {
            name: raw.name.clone(),
            kind,
            stat: Some(look.stat),
        }))
    }

    fn judge_folder(&self, disk: &Beneath, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        if let Some(known) = self.known.get(path.as_bytes()) {
            let kind = kind_of(known.mode).filter(|kind| *kind == Kind::Submodule);
            return Ok(kind.or(Some(Kind::Directory)));
        }
        if !self.tracks_below(path) {
            if self.ignored(path, true)? {
                return Ok(None);
            }
            let inner = disk
                .look(&path.child(b".git"))
                .map_err(|e| TreeError::io(path, e))?;
            if inner.is_some() {
                return Ok(Some(Kind::Submodule));
            }
        }
        Ok(self.shows_any(disk, path)?.then_some(Kind::Directory))
    }

    /// Whether a folder holds any file of the tree, at any depth; looks no further than the first.
    fn shows_any(&self, disk: &Beneath, top: &RepoPath) -> Result<bool, TreeError> {
        if self.first_is_there(disk, top)? {
            return Ok(true);
        }
        let mut todo = vec![top.clone()];
        while let Some(at) = todo.pop() {
            if has_below(&self.absent, &at) {
                return Ok(true);
            }
            // Deeper than any path may be: whoever goes there is told so.
            if crate::tree::limit::check(&at).is_err() {
                return Ok(true);
            }
            let found = disk
                .list(&at)
                .map_err(|e| TreeError::io(&at, e))?
                .unwrap_or_default();
            for raw in found.iter().filter(|raw| raw.name != b".git") {
                let path = at.child(&raw.name);
                if self.known.contains_key(path.as_bytes()) {
                    return Ok(true);
                }
                match raw.kind {
                    FileType::Directory if self.tracks_below(&path) || !self.ignored(&path, true)? => {
                        todo.push(path);
                    }
                    FileType::RegularFile | FileType::Symlink if !self.ignored(&path, false)? => {
                        return Ok(true);
                    }
                    _ => {}
                }
            }
        }
        Ok(false)
    }

    /// The quick answer for nearly every folder: the first file that git tracks below it is there.
    fn first_is_there(&self, disk: &Beneath, at: &RepoPath) -> Result<bool, TreeError> {
        let Some((tail, _)) = below(&self.known, at).next() else {
            return Ok(false);
        };
        let path = at.join(&RepoPath::clean(tail));
        let found = disk.look(&path).map_err(|e| TreeError::io(&path, e))?;
        Ok(found.is_some_and(|look| look.file_type != FileType::Directory))
    }

    /// Adds what a sparse checkout left out of a folder.
    fn add_absent(&self, at: &RepoPath, entries: &mut Vec<Entry>) {
        let mut missing: BTreeMap<Vec<u8>, Kind> = BTreeMap::new();
        for (tail, known) in below(&self.absent, at) {
            let mut parts = tail.split(|b| *b == b'/');
            let Some(name) = parts.next() else { continue };
            let kind = match parts.next() {
                Some(_) => Some(Kind::Directory),
                None => kind_of(known.mode),
            };
            missing.extend(kind.map(|kind| (name.to_vec(), kind)));
        }
        for entry in entries.iter() {
            missing.remove(&entry.name);
        }
        entries.extend(missing.into_iter().map(|(name, kind)| Entry {
            name,
            kind,
            stat: None,
        }));
    }
}

/// The entries below a folder, keyed by their path from the root.
fn below<'a, T>(
    map: &'a BTreeMap<Vec<u8>, T>,
    at: &RepoPath,
) -> impl Iterator<Item = (&'a [u8], &'a T)> + use<'a, T> {
    let mut prefix = at.as_bytes().to_vec();
    if !at.is_root() {
        prefix.push(b'/');
    }
    let from = map.range::<[u8], _>((Bound::Included(prefix.as_slice()), Bound::Unbounded));
    from.map_while(move |(path, value)| Some((path.strip_prefix(prefix.as_slice())?, value)))
}

fn has_below<T>(map: &BTreeMap<Vec<u8>, T>, at: &RepoPath) -> bool {
    below(map, at).next().is_some()
}

impl Select for Tracked {
    fn select(&self, disk: &Beneath, at: &RepoPath, found: Vec<Raw>) -> Result<Vec<Entry>, TreeError> {
        let mut entries = Vec::with_capacity(found.len());
        for raw in found.iter().filter(|raw| raw.name != b".git") {
            entries.extend(self.judge(disk, &at.child(&raw.name), raw)?);
        }
        if !self.absent.is_empty() {
            self.add_absent(at, &mut entries);
        }
        Ok(entries)
    }

    fn has_absent(&self, at: &RepoPath) -> bool {
        has_below(&self.absent, at)
    }
}

impl SourceTree for WorkingCopy {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        self.walker.kind(path)
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        self.walker.list(path)
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        let entry = self.walker.expect(path, "a regular file", Kind::is_file)?;
        match self.absent(path, &entry) {
            Some(blob) => Ok(Box::new(Cursor::new(self.blob(path, blob)?))),
            None => Ok(Box::new(self.walker.open(path)?)),
        }
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        let entry = self
            .walker
            .expect(path, "a symbolic link", |kind| kind == Kind::Link)?;
        match self.absent(path, &entry) {
            Some(blob) => self.blob(path, blob),
            None => self.walker.link(path),
        }
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        let good = |kind: Kind| kind.is_file() || kind == Kind::Link;
        let entry = self.walker.expect(path, "a file or link", good)?;
        match (self.absent(path, &entry), entry.kind) {
            (Some(blob), _) => match self.blob(path, blob)? {
                bytes if lfs::is_pointer(&bytes) => Err(TreeError::LfsPointer(path.clone())),
                bytes => Ok(Digest::of(&bytes)),
            },
            (None, Kind::Link) => Ok(Digest::of(&self.walker.link(path)?)),
            _ => self.walker.digest(path, &entry),
        }
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        let entry = self.walker.expect(path, "a regular file", Kind::is_file)?;
        match (self.absent(path, &entry), entry.stat) {
            (Some(blob), _) => Ok(self.blob(path, blob)?.len() as u64),
            (None, stat) => Ok(stat.map_or(0, |stat| stat.size)),
        }
    }
}
