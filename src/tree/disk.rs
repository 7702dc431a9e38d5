//! Sources from the disk: a bare folder, or the working copy of a git repository.
//!
//! Every folder is opened from the one above it, never through a link, so nothing outside the root is
//! ever read (SEC-A1); what is no file, link or folder is never opened (SEC-A3). A listing is read once
//! and then stays; a content that changes after it was hashed is found by whoever checks the digest of
//! what [`SourceTree::open`] yields (SEC-A2).

mod beneath;
mod working;

pub use working::WorkingCopy;

use super::{Item, Kind, SourceTree, TreeError, lfs, limit};
use crate::cache::FileIds;
use crate::cache::file_ids::Stat;
use crate::model::{Digest, RepoPath};
use beneath::{Beneath, Raw};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A folder, with all that lies in it; a file is executable when anyone may execute it.
#[derive(Debug)]
pub struct DiskTree(Walker<Everything>);

impl DiskTree {
    /// The tree whose root is `folder`. Links on the way to `folder` itself are followed.
    ///
    /// # Errors
    /// [`TreeError::Io`] when it is no folder or cannot be read.
    pub fn open(folder: &Path) -> Result<Self, TreeError> {
        let root = Beneath::open(folder).map_err(|e| TreeError::io(&RepoPath::root(), e))?;
        Ok(Self(Walker::new(root, Everything)))
    }

    /// The tree whose root is the folder at `path` below `root`; no link on the way is followed.
    ///
    /// # Errors
    /// [`TreeError::Missing`] when no folder is there, [`TreeError::Io`].
    pub fn beneath(root: &Path, path: &RepoPath) -> Result<Self, TreeError> {
        let above = Beneath::open(root).map_err(|e| TreeError::io(&RepoPath::root(), e))?;
        let folder = above.descend(path).map_err(|e| TreeError::io(path, e))?;
        let folder = folder.ok_or_else(|| TreeError::Missing(path.clone()))?;
        Ok(Self(Walker::new(folder, Everything)))
    }

    /// The same tree with digests remembered in `ids`.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<FileIds>) -> Self {
        self.0.ids = ids;
        self
    }
}

/// One entry that a walker shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: Vec<u8>,
    kind: Kind,
    /// Of a file.
    stat: Option<Stat>,
}

type Folder = Arc<Vec<Entry>>;

/// Which of the entries of a folder belong to the tree, and as what.
trait Select: Send + Sync {
    fn select(&self, disk: &Beneath, at: &RepoPath, found: Vec<Raw>) -> Result<Vec<Entry>, TreeError>;

    /// Whether anything of the tree may lie in a folder that is not on the disk.
    fn has_absent(&self, _at: &RepoPath) -> bool {
        false
    }
}

/// Everything that is there.
#[derive(Debug)]
struct Everything;

impl Select for Everything {
    fn select(&self, disk: &Beneath, at: &RepoPath, found: Vec<Raw>) -> Result<Vec<Entry>, TreeError> {
        let shown = found.into_iter().map(|raw| {
            let path = at.child(&raw.name);
            let found = disk.look(&path).map_err(|e| TreeError::io(&path, e))?;
            Ok(found.map(|look| Entry {
                name: raw.name,
                kind: look.kind(0o111),
                stat: Some(look.stat),
            }))
        });
        shown.filter_map(Result::transpose).collect()
    }
}

/// Reads folders when they are asked for, once, and hashes contents, once.
#[derive(Debug)]
struct Walker<S> {
    disk: Beneath,
    select: S,
    ids: Arc<FileIds>,
    folders: Mutex<HashMap<RepoPath, Option<Folder>>>,
    digests: Mutex<HashMap<RepoPath, Digest>>,
}

impl<S: Select> Walker<S> {
    fn new(disk: Beneath, select: S) -> Self {
        Self {
            disk,
            select,
            ids: Arc::default(),
            folders: Mutex::default(),
            digests: Mutex::default(),
        }
    }

    /// The entries of a folder; `None` when the tree has no folder there.
    fn folder(&self, path: &RepoPath) -> Result<Option<Folder>, TreeError> {
        if let Some(known) = self
            .folders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
        {
            return Ok(known.clone());
        }
        limit::check(path)?;
        let folder = match self.shows_folder(path)? {
            true => self.load(path)?,
            false => None,
        };
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(folders.entry(path.clone()).or_insert(folder).clone())
    }

    /// Whether the tree itself, not only the disk, has a folder at the path. At most as many calls deep
    /// as a path may have components.
    fn shows_folder(&self, path: &RepoPath) -> Result<bool, TreeError> {
        Ok(path.is_root()
            || self
                .entry(path)?
                .is_some_and(|entry| entry.kind == Kind::Directory))
    }

    fn load(&self, path: &RepoPath) -> Result<Option<Folder>, TreeError> {
        let found = match self.disk.list(path).map_err(|e| TreeError::io(path, e))? {
            Some(found) => found,
            None if self.select.has_absent(path) => Vec::new(),
            None => return Ok(None),
        };
        let mut entries = self.select.select(&self.disk, path, found)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(Arc::new(entries)))
    }

    /// What the tree has at a path; not for the root.
    fn entry(&self, path: &RepoPath) -> Result<Option<Entry>, TreeError> {
        limit::check(path)?;
        let Some(parent) = path.parent() else {
            return Ok(None);
        };
        let Some(folder) = self.folder(&parent)? else {
            return Ok(None);
        };
        let place = folder.binary_search_by(|entry| entry.name.as_slice().cmp(path.name()));
        Ok(place.ok().map(|at| folder[at].clone()))
    }

    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        if path.is_root() {
            return Ok(Some(Kind::Directory));
        }
        Ok(self.entry(path)?.map(|entry| entry.kind))
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        let Some(folder) = self.folder(path)? else {
            let kind = self.kind(path)?.ok_or_else(|| TreeError::Missing(path.clone()))?;
            return Err(TreeError::wrong_kind(path, kind, "a folder"));
        };
        let item = |entry: &Entry| Item {
            name: entry.name.clone(),
            kind: entry.kind,
        };
        Ok(folder.iter().map(item).collect())
    }

    /// The entry at a path, of the wanted kind.
    fn expect(
        &self,
        path: &RepoPath,
        wanted: &'static str,
        good: fn(Kind) -> bool,
    ) -> Result<Entry, TreeError> {
        if path.is_root() {
            return Err(TreeError::wrong_kind(path, Kind::Directory, wanted));
        }
        match self.entry(path)? {
            None => Err(TreeError::Missing(path.clone())),
            Some(entry) if good(entry.kind) => Ok(entry),
            Some(entry) => Err(TreeError::wrong_kind(path, entry.kind, wanted)),
        }
    }

    fn open(&self, path: &RepoPath) -> Result<File, TreeError> {
        let (file, stat) = self.disk.open_file(path).map_err(|e| TreeError::io(path, e))?;
        limit::check_size(path, stat.size)?;
        Ok(file)
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        self.disk.read_link(path).map_err(|e| TreeError::io(path, e))
    }

    /// SHA-256 of a file's content. One that changes while it is read is not remembered for other runs.
    fn digest(&self, path: &RepoPath, entry: &Entry) -> Result<Digest, TreeError> {
        if let Some(known) = self
            .digests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
        {
            return Ok(*known);
        }
        let remembered = entry.stat.and_then(|stat| self.ids.get(path.as_bytes(), &stat));
        let digest = match remembered {
            Some(digest) => digest,
            None => self.hash(path)?,
        };
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*digests.entry(path.clone()).or_insert(digest))
    }

    fn hash(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        let io = |e: io::Error| TreeError::io(path, e);
        let (file, before) = self.disk.open_file(path).map_err(io)?;
        limit::check_size(path, before.size)?;
        let mut head = Vec::new();
        let start = (&file).take(lfs::LONGEST as u64 + 1).read_to_end(&mut head);
        start.map_err(io)?;
        if lfs::is_pointer(&head) {
            return Err(TreeError::LfsPointer(path.clone()));
        }
        let digest = hash_all(&mut head.as_slice().chain(&file), limit::FILE).map_err(io)?;
        let after = beneath::stat_of(&file).map_err(io)?;
        if before == after {
            self.ids.insert(path.as_bytes(), &after, beneath::now(), digest);
        }
        Ok(digest)
    }
}

/// SHA-256 of a stream in constant memory; an error when it is longer than `limit`.
fn hash_all(stream: &mut impl Read, limit: u64) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) => return Ok(Digest::from_bytes(hash.finalize().into())),
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        total += read as u64;
        if total > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        hash.update(&buffer[..read]);
    }
}

impl SourceTree for DiskTree {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        self.0.kind(path)
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        self.0.list(path)
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        self.0.expect(path, "a regular file", Kind::is_file)?;
        Ok(Box::new(self.0.open(path)?))
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        self.0
            .expect(path, "a symbolic link", |kind| kind == Kind::Link)?;
        self.0.link(path)
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        let entry = self.0.expect(path, "a file or link", |kind| {
            kind.is_file() || kind == Kind::Link
        })?;
        match entry.kind {
            Kind::Link => Ok(Digest::of(&self.0.link(path)?)),
            _ => self.0.digest(path, &entry),
        }
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        let entry = self.0.expect(path, "a regular file", Kind::is_file)?;
        Ok(entry.stat.map_or(0, |stat| stat.size))
    }
}
