//! Sources from git's objects at a commit: what is hashed is what is built (B8).
//!
//! The working copy, the index, filters and configuration do not matter here, nor whether there is a
//! working copy. Trees are read when they are asked for, once.

mod beside;

use super::{Item, Kind, SourceTree, TreeError, lfs};
use crate::cache::ContentIds;
use crate::git::objects::TreeEntry;
use crate::git::{GitError, Objects, Repository};
use crate::model::{CommitId, Digest, RepoPath};
use git2::Oid;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

type Folder = Arc<Vec<TreeEntry>>;

/// The tree of a commit.
#[derive(Debug)]
pub struct GitTree {
    objects: Arc<Objects>,
    contents: Arc<ContentIds>,
    root: Oid,
    folders: RwLock<HashMap<RepoPath, Option<Folder>>>,
    beside: Option<PathBuf>,
    /// Sizes of blobs that were read beside the packs.
    sizes: RwLock<HashMap<Oid, u64>>,
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
            sizes: RwLock::default(),
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
            beside: root.map(Path::to_path_buf),
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
        self.find(path, |entry| entry.id)
    }

    /// What `f` takes of the entry at a path; `None` when there is none. Not for the root.
    fn find<T>(&self, path: &RepoPath, f: impl FnOnce(&TreeEntry) -> T) -> Result<Option<T>, TreeError> {
        let Some(parent) = path.parent() else {
            return Ok(None);
        };
        let Some(folder) = self.folder(&parent)? else {
            return Ok(None);
        };
        let place = folder.binary_search_by(|entry| entry.name.as_slice().cmp(path.name()));
        Ok(place.ok().map(|at| f(&folder[at])))
    }

    /// The entries of a folder; `None` when no folder stands there. Goes down without recursion, so that
    /// a deep path costs no stack.
    fn folder(&self, path: &RepoPath) -> Result<Option<Folder>, TreeError> {
        if let Some(known) = self.known(path) {
            return Ok(known);
        }
        super::limit::check(path)?;
        let mut at = RepoPath::root();
        let mut folder = self.load(&at, self.root)?;
        for name in path.components() {
            let place = folder.binary_search_by(|entry| entry.name.as_slice().cmp(name));
            at = at.child(name);
            folder = match place.ok().map(|i| &folder[i]) {
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
        if let Some(Some(known)) = self.known(path) {
            return Ok(known);
        }
        let folder = Arc::new(self.objects.tree(id).map_err(|e| io(path, &e))?);
        self.remember(path, Some(folder.clone()));
        Ok(folder)
    }

    fn known(&self, path: &RepoPath) -> Option<Option<Folder>> {
        let folders = self.folders.read().unwrap_or_else(PoisonError::into_inner);
        folders.get(path).cloned()
    }

    fn remember(&self, path: &RepoPath, folder: Option<Folder>) {
        let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        folders.insert(path.clone(), folder);
    }

    fn blob(&self, path: &RepoPath, wanted: &'static str, good: fn(Kind) -> bool) -> Result<Oid, TreeError> {
        if path.is_root() {
            return Err(TreeError::wrong_kind(path, Kind::Directory, wanted));
        }
        match self.find(path, |entry| (entry.kind, entry.id))? {
            None => Err(TreeError::Missing(path.clone())),
            Some((kind, id)) if good(kind) => Ok(id),
            Some((kind, _)) => Err(TreeError::wrong_kind(path, kind, wanted)),
        }
    }

    fn digest(&self, path: &RepoPath, id: Oid) -> Result<Digest, TreeError> {
        let key = id.as_bytes().try_into().ok();
        if let Some(known) = key.and_then(|key| self.contents.get(&key)) {
            return Ok(known);
        }
        let near = self
            .beside
            .as_ref()
            .and_then(|root| beside::digest(root, path, id));
        if let Some((_, size)) = near {
            self.sizes
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id, size);
        } else {
            self.check_size(path, id)?;
        }
        // A pointer is never remembered, so that what is remembered is none.
        let look = |bytes: &[u8]| (!lfs::is_pointer(bytes)).then(|| Digest::of(bytes));
        let digest = match near {
            Some((digest, _)) => Some(digest),
            None => self.objects.with_blob(id, look).map_err(|e| io(path, &e))?,
        };
        let digest = digest.ok_or_else(|| TreeError::LfsPointer(path.clone()))?;
        if let Some(key) = key {
            self.contents.insert(key, digest);
        }
        Ok(digest)
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
        self.find(path, |entry| entry.kind)
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
        Ok(folder.iter().map(item).collect())
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        let id = self.blob(path, "a regular file", Kind::is_file)?;
        self.check_size(path, id)?;
        let bytes = self.objects.blob(id).map_err(|e| io(path, &e))?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        let id = self.blob(path, "a symbolic link", |kind| kind == Kind::Link)?;
        self.check_size(path, id)?;
        self.objects.blob(id).map_err(|e| io(path, &e))
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        let id = self.blob(path, "a file or link", |kind| {
            kind.is_file() || kind == Kind::Link
        })?;
        self.digest(path, id)
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        let id = self.blob(path, "a regular file", Kind::is_file)?;
        let known = self
            .sizes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .copied();
        known.map_or_else(|| self.objects.size(id).map_err(|e| io(path, &e)), Ok)
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
