//! Sources from git's objects at a commit: what is hashed is what is built (B8).
//!
//! The working copy, the index, filters and configuration do not matter here, nor whether there is a
//! working copy. Trees are read when they are asked for, once.

mod beside;
mod sums;

use super::{Item, Kind, SourceTree, TreeError, lfs};
use crate::cache::ContentIds;
use crate::git::objects::TreeEntry;
use crate::git::{GitError, Objects, Repository};
use crate::model::{CommitId, Digest, RepoPath};
use beside::Beside;
use git2::Oid;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

type Folder = Arc<Entries>;

/// The entries of a folder, sorted by name.
#[derive(Debug)]
struct Entries {
    all: Vec<TreeEntry>,
    /// Of each entry the size and digest, once they are known.
    measured: Vec<OnceLock<(u64, Digest)>>,
}

impl Entries {
    fn new(all: Vec<TreeEntry>) -> Self {
        let measured = all.iter().map(|_| OnceLock::new()).collect();
        Self { all, measured }
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        self.all
            .binary_search_by(|entry| entry.name.as_slice().cmp(name))
            .ok()
    }
}

/// The tree of a commit.
#[derive(Debug)]
pub struct GitTree {
    objects: Arc<Objects>,
    contents: Arc<ContentIds>,
    root: Oid,
    folders: RwLock<HashMap<RepoPath, Option<Folder>>>,
    beside: Option<Beside>,
}

impl GitTree {
    /// The tree of a commit; digests are remembered while it lives.
    ///
    /// # Errors
    /// [`GitError::MissingCommit`].
    pub fn open(repository: &Repository, commit: &CommitId) -> Result<Self, GitError> {
        Ok(Self::new(
            repository.objects().clone(),
            repository.tree_id(commit)?,
        ))
    }

    /// The tree with an id.
    pub fn new(objects: Arc<Objects>, root: Oid) -> Self {
        Self {
            objects,
            root,
            contents: Arc::default(),
            folders: RwLock::default(),
            beside: None,
        }
    }

    /// The same tree with digests remembered in `contents`.
    #[must_use]
    pub fn with_contents(self, contents: Arc<ContentIds>) -> Self {
        Self { contents, ..self }
    }

    /// The same tree with a working copy beside it, whose files spare the unpacking of blobs where
    /// they are those very blobs.
    #[must_use]
    pub fn with_working_copy(self, root: Option<&Path>) -> Self {
        Self {
            beside: root.and_then(Beside::open),
            ..self
        }
    }

    /// Git's id of what stands at the path: a tree's covers all below it with names and modes, a blob's
    /// the content alone, a submodule's is its commit. `None` when nothing stands there.
    ///
    /// # Errors
    /// [`TreeError`] when the tree cannot be read.
    pub fn identity(&self, path: &RepoPath) -> Result<Option<Oid>, TreeError> {
        if path.is_root() {
            return Ok(Some(self.root));
        }
        let found = self.find(path)?;
        Ok(found.map(|(folder, at)| folder.all[at].id))
    }

    /// The folder that the entry at a path stands in, and its place there; `None` when there is none. Not for
    /// the root.
    fn find(&self, path: &RepoPath) -> Result<Option<(Folder, usize)>, TreeError> {
        // Asked for every file: what is known is found without a path of its own.
        let known = path.parent_bytes().and_then(|parent| self.known(parent));
        let folder = match (known, path.parent()) {
            (Some(known), _) => known,
            (None, Some(parent)) => self.folder(&parent)?,
            (None, None) => return Ok(None),
        };
        Ok(folder.and_then(|folder| folder.find(path.name()).map(|at| (folder, at))))
    }

    /// The entries of a folder; `None` when no folder stands there. Goes down without recursion, so that
    /// a deep path costs no stack.
    fn folder(&self, path: &RepoPath) -> Result<Option<Folder>, TreeError> {
        if let Some(known) = self.known(path.as_bytes()) {
            return Ok(known);
        }
        super::limit::check(path)?;
        let mut at = RepoPath::root();
        let mut folder = self.load(&at, self.root)?;
        for name in path.components() {
            at = at.child(name);
            folder = match folder.find(name).map(|place| &folder.all[place]) {
                Some(entry) if entry.kind == Kind::Directory => self.load(&at, entry.id)?,
                _ => {
                    self.remember(path, None);
                    return Ok(None);
                }
            };
        }
        Ok(Some(folder))
    }

    fn load(&self, path: &RepoPath, id: Oid) -> Result<Folder, TreeError> {
        if let Some(Some(known)) = self.known(path.as_bytes()) {
            return Ok(known);
        }
        let entries = self.objects.tree(id).map_err(|e| io(path, &e))?;
        let folder = Arc::new(Entries::new(entries));
        self.remember(path, Some(folder.clone()));
        Ok(folder)
    }

    fn known(&self, path: &[u8]) -> Option<Option<Folder>> {
        let folders = self.folders.read().unwrap_or_else(PoisonError::into_inner);
        folders.get(path).cloned()
    }

    fn remember(&self, path: &RepoPath, folder: Option<Folder>) {
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        folders.insert(path.clone(), folder);
    }

    /// The entry of a blob: its folder and its place there.
    fn blob(
        &self,
        path: &RepoPath,
        wanted: &'static str,
        good: fn(Kind) -> bool,
    ) -> Result<(Folder, usize), TreeError> {
        if path.is_root() {
            return Err(TreeError::wrong_kind(path, Kind::Directory, wanted));
        }
        let (folder, at) = self.find(path)?.ok_or_else(|| TreeError::Missing(path.clone()))?;
        match folder.all[at].kind {
            kind if good(kind) => Ok((folder, at)),
            kind => Err(TreeError::wrong_kind(path, kind, wanted)),
        }
    }

    fn blob_id(
        &self,
        path: &RepoPath,
        wanted: &'static str,
        good: fn(Kind) -> bool,
    ) -> Result<Oid, TreeError> {
        let (folder, at) = self.blob(path, wanted, good)?;
        Ok(folder.all[at].id)
    }

    /// Size and digest of a blob, looked for once for each entry.
    fn measured(&self, path: &RepoPath, folder: &Entries, at: usize) -> Result<(u64, Digest), TreeError> {
        if let Some(known) = folder.measured[at].get() {
            return Ok(*known);
        }
        let found = self.measure_blob(path, folder.all[at].id)?;
        Ok(*folder.measured[at].get_or_init(|| found))
    }

    fn measure_blob(&self, path: &RepoPath, id: Oid) -> Result<(u64, Digest), TreeError> {
        let key = id.as_bytes().try_into().ok();
        if let Some(known) = key.and_then(|key| self.contents.get(&key)) {
            let size = self.objects.size(id).map_err(|e| io(path, &e))?;
            return Ok((size, known));
        }
        let near = self.beside.as_ref().and_then(|beside| beside.measure(path, id));
        let found = match near {
            Some(found) => found,
            None => {
                self.check_size(path, id)?;
                // A pointer is never remembered, so that what is remembered is none.
                let look =
                    |bytes: &[u8]| (!lfs::is_pointer(bytes)).then(|| (bytes.len() as u64, Digest::of(bytes)));
                let found = self.objects.with_blob(id, look).map_err(|e| io(path, &e))?;
                found.ok_or_else(|| TreeError::LfsPointer(path.clone()))?
            }
        };
        if let Some(key) = key {
            self.contents.insert(key, found.1);
        }
        Ok(found)
    }

    fn check_size(&self, path: &RepoPath, id: Oid) -> Result<(), TreeError> {
        let size = self.objects.size(id).map_err(|e| io(path, &e))?;
        super::limit::check_size(path, size)
    }
}

impl SourceTree for GitTree {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        if path.is_root() {
            return Ok(Some(Kind::Directory));
        }
        let found = self.find(path)?;
        Ok(found.map(|(folder, at)| folder.all[at].kind))
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        let Some(folder) = self.folder(path)? else {
            let kind = self.kind(path)?.ok_or_else(|| TreeError::Missing(path.clone()))?;
            return Err(TreeError::wrong_kind(path, kind, "a folder"));
        };
        let item = |entry: &TreeEntry| Item {
            name: entry.name.clone(),
            kind: entry.kind,
        };
        Ok(folder.all.iter().map(item).collect())
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        let id = self.blob_id(path, "a regular file", Kind::is_file)?;
        self.check_size(path, id)?;
        let bytes = self.objects.blob(id).map_err(|e| io(path, &e))?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        let id = self.blob_id(path, "a symbolic link", |kind| kind == Kind::Link)?;
        self.check_size(path, id)?;
        self.objects.blob(id).map_err(|e| io(path, &e))
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        let good = |kind: Kind| kind.is_file() || kind == Kind::Link;
        let (folder, at) = self.blob(path, "a file or link", good)?;
        Ok(self.measured(path, &folder, at)?.1)
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        let (folder, at) = self.blob(path, "a regular file", Kind::is_file)?;
        match folder.measured[at].get() {
            Some((size, _)) => Ok(*size),
            None => self.objects.size(folder.all[at].id).map_err(|e| io(path, &e)),
        }
    }

    fn measure(&self, path: &RepoPath) -> Result<(u64, Digest), TreeError> {
        let (folder, at) = self.blob(path, "a regular file", Kind::is_file)?;
        self.measured(path, &folder, at)
    }
}

fn io(path: &RepoPath, error: &git2::Error) -> TreeError {
    let (kind, message) = match error.code() {
        git2::ErrorCode::NotFound => (
            std::io::ErrorKind::NotFound,
            "its object is not in this clone (a partial clone lacks some: git fetch --refetch)".into(),
        ),
        _ => (std::io::ErrorKind::InvalidData, error.message().to_owned()),
    };
    TreeError::io(path, std::io::Error::new(kind, message))
}
