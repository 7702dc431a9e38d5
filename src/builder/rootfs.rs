//! The file system of a stage: entries only, contents by reference.
//!
//! All that COPY, ADD and WORKDIR do to a stage happens here, by the rules of a real file system
//! below a root: links are followed inside the root and never leave it.

use super::content::Content;
use crate::model::RepoPath;
use std::collections::{BTreeMap, BTreeSet};

/// How many links one path may run through.
const LINK_LIMIT: usize = 255;

/// Names an entry; two names of one entry are hard links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(usize);

/// Mode, owner and the like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// The permission bits with setuid, setgid and sticky: at most `0o7777`.
    pub mode: u32,
    /// The user.
    pub uid: u64,
    /// The group.
    pub gid: u64,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Extended attributes, by name.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Meta {
    /// Mode `mode`, owned by root, of no time.
    pub fn plain(mode: u32) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone)]
pub enum Body {
    /// A folder with its entries.
    Folder(BTreeMap<Vec<u8>, Id>),
    /// A regular file.
    File {
        /// Where its bytes are.
        content: Content,
        /// How many.
        size: u64,
    },
    /// A symbolic link and its text.
    Link(Vec<u8>),
    /// A FIFO or device of a base image, kept as it is.
    Special {
        /// The type of a tar header: `3`, `4` or `6`.
        tag: u8,
        /// Major and minor number.
        device: (u32, u32),
    },
}

/// An entry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Mode, owner, …
    pub meta: Meta,
    /// What it is.
    pub body: Body,
}

/// The files of the image do not allow what an instruction asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// A folder stands where a file should go (rule 44).
    #[error("/{0} is a folder; a file cannot replace it")]
    FileOverFolder(RepoPath),
    /// Something else stands where a folder is needed (rule 44).
    #[error("/{0} is not a folder")]
    NotAFolder(RepoPath),
    /// Nothing stands where something is needed.
    #[error("/{0} does not exist")]
    Missing(RepoPath),
    /// A path runs through too many links.
    #[error("/{0} runs through more than {LINK_LIMIT} links")]
    LinkLoop(RepoPath),
    /// A hard link's target is no file.
    #[error("/{0} cannot have a hard link")]
    HardLink(RepoPath),
}

/// The merged files of a stage, and what changed in it since the last layer.
#[derive(Debug, Clone)]
pub struct Rootfs {
    entries: Vec<Entry>,
    changed: BTreeSet<RepoPath>,
    erased: BTreeSet<RepoPath>,
}

const ROOT: Id = Id(0);

impl Default for Rootfs {
    fn default() -> Self {
        Self {
            entries: vec![Entry {
                meta: Meta::plain(0o755),
                body: Body::Folder(BTreeMap::new()),
            }],
            changed: BTreeSet::new(),
            erased: BTreeSet::new(),
        }
    }
}

impl Rootfs {
    /// The entry that `id` names.
    pub fn entry(&self, id: Id) -> &Entry {
        &self.entries[id.0]
    }

    /// What stands at `path`; no link is followed.
    pub fn find(&self, path: &RepoPath) -> Option<Id> {
        path.components()
            .try_fold(ROOT, |at, name| match &self.entry(at).body {
                Body::Folder(names) => names.get(name).copied(),
                _ => None,
            })
    }

    /// The entry at `path`; no link is followed.
    pub fn at(&self, path: &RepoPath) -> Option<&Entry> {
        self.find(path).map(|id| self.entry(id))
    }

    /// Whether a folder stands at `path`.
    pub fn is_folder(&self, path: &RepoPath) -> bool {
        matches!(self.at(path).map(|e| &e.body), Some(Body::Folder(_)))
    }

    /// The path that `raw` leads to when `scope` is the root: links are followed, at the end too
    /// when `last`; what does not exist is taken as written (rules 41, 44).
    ///
    /// # Errors
    /// [`FilesError::LinkLoop`].
    pub fn resolve(&self, scope: &RepoPath, raw: &[u8], last: bool) -> Result<RepoPath, FilesError> {
        let mut todo: Vec<Vec<u8>> = raw.split(|b| *b == b'/').rev().map(Into::into).collect();
        let mut done = RepoPath::root();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    done = done.parent().unwrap_or_default();
                    continue;
                }
                _ => {}
            }
            let next = done.child(&name);
            let follow = last || todo.iter().any(|t| !matches!(t.as_slice(), b"" | b"."));
            match self.at(&scope.join(&next)).map(|e| &e.body) {
                Some(Body::Link(text)) if follow => {
                    links += 1;
                    if links > LINK_LIMIT {
                        return Err(FilesError::LinkLoop(scope.join(&RepoPath::clean(raw))));
                    }
                    if text.starts_with(b"/") {
                        done = RepoPath::root();
                    }
                    todo.extend(text.split(|b| *b == b'/').rev().map(Into::into));
                }
                _ => done = next,
            }
        }
        Ok(scope.join(&done))
    }

    /// Makes `path` a folder, and all above it; what is made takes `meta`. `path` holds no links.
    ///
    /// # Errors
    /// [`FilesError::NotAFolder`] when something else stands on the way.
    pub fn make_folders(&mut self, path: &RepoPath, meta: &Meta) -> Result<(), FilesError> {
        let mut at = RepoPath::root();
        for name in path.components() {
            at = at.child(name);
            match self.at(&at).map(|e| &e.body) {
                None => self.put(
                    &at,
                    Entry {
                        meta: meta.clone(),
                        body: Body::Folder(BTreeMap::new()),
                    },
                )?,
                Some(Body::Folder(_)) => {}
                Some(_) => return Err(FilesError::NotAFolder(at)),
            }
        }
        Ok(())
    }

    /// Puts an entry at `path`, whose parent is a folder, in the place of whatever stood there.
    ///
    /// # Errors
    /// [`FilesError::NotAFolder`] or [`FilesError::Missing`] about the parent.
    pub fn put(&mut self, path: &RepoPath, entry: Entry) -> Result<(), FilesError> {
        let id = Id(self.entries.len());
        self.entries.push(entry);
        self.name(path, id)
    }

    /// Gives the file at `target` another name.
    ///
    /// # Errors
    /// [`FilesError::Missing`] or [`FilesError::HardLink`] about the target; as [`Rootfs::put`].
    pub fn link(&mut self, path: &RepoPath, target: &RepoPath) -> Result<(), FilesError> {
        let id = self
            .find(target)
            .ok_or_else(|| FilesError::Missing(target.clone()))?;
        if matches!(self.entry(id).body, Body::Folder(_)) {
            return Err(FilesError::HardLink(target.clone()));
        }
        self.name(path, id)
    }

    fn name(&mut self, path: &RepoPath, id: Id) -> Result<(), FilesError> {
        let Some(parent) = path.parent() else {
            return Err(FilesError::FileOverFolder(path.clone()));
        };
        let folder = self
            .find(&parent)
            .ok_or_else(|| FilesError::Missing(parent.clone()))?;
        let Body::Folder(names) = &mut self.entries[folder.0].body else {
            return Err(FilesError::NotAFolder(parent));
        };
        let before = names.insert(path.name().to_vec(), id);
        if let Some(before) = before
            && matches!(self.entry(before).body, Body::Folder(_))
        {
            self.erased.insert(path.clone());
        }
        self.changed.insert(path.clone());
        Ok(())
    }

    /// Takes away what stands at `path`, with all below it.
    pub fn remove(&mut self, path: &RepoPath) {
        let Some(folder) = path.parent().and_then(|parent| self.find(&parent)) else {
            return;
        };
        let Body::Folder(names) = &mut self.entries[folder.0].body else {
            return;
        };
        if names.remove(path.name()).is_some() {
            self.erased.insert(path.clone());
            self.changed.insert(path.clone());
        }
    }

    /// Does what a whiteout in `folder` asks for, and says whether `name` is one. What the same archive brought,
    /// `seen`, is spared: a mark speaks of what was there before.
    pub fn mark(&mut self, folder: &RepoPath, name: &[u8], seen: &BTreeSet<RepoPath>) -> bool {
        let Some(marked) = name.strip_prefix(b".wh.") else {
            return false;
        };
        let gone = match marked {
            b".wh..opq" => self.children(folder),
            _ if marked.is_empty() || marked.starts_with(b".wh.") => Vec::new(),
            _ => vec![folder.child(marked)],
        };
        for path in gone.iter().filter(|path| !seen.contains(*path)) {
            self.remove(path);
        }
        true
    }

    fn children(&self, folder: &RepoPath) -> Vec<RepoPath> {
        match self.at(folder).map(|e| &e.body) {
            Some(Body::Folder(names)) => names.keys().map(|name| folder.child(name)).collect(),
            _ => Vec::new(),
        }
    }

    /// Changes mode, owner, … of what stands at `path`; of all its names, when there are several.
    ///
    /// # Errors
    /// [`FilesError::Missing`].
    pub fn set_meta(&mut self, path: &RepoPath, meta: Meta) -> Result<(), FilesError> {
        let id = self.find(path).ok_or_else(|| FilesError::Missing(path.clone()))?;
        if self.entries[id.0].meta != meta {
            self.entries[id.0].meta = meta;
            self.changed.insert(path.clone());
        }
        Ok(())
    }

    /// Forgets what changed: a layer begins.
    pub fn begin_layer(&mut self) {
        self.changed.clear();
        self.erased.clear();
    }

    /// What changed since the layer began, sorted so that a folder comes before what it holds.
    /// Folders on the way to a change are part of it, so that a layer stands on its own.
    pub fn changes(&self) -> Vec<Change> {
        let mut paths = BTreeSet::new();
        for path in self.changed.iter().chain(&self.erased) {
            let mut above = path.parent();
            while let Some(folder) = above.filter(|p| !p.is_root() && !paths.contains(p)) {
                above = folder.parent();
                paths.insert(folder);
            }
            paths.insert(path.clone());
        }
        paths.remove(&RepoPath::root());
        paths.into_iter().filter_map(|path| self.change(path)).collect()
    }

    fn change(&self, path: RepoPath) -> Option<Change> {
        match self.find(&path) {
            Some(id) => Some(Change::Is {
                opaque: self.erased.contains(&path) && self.is_folder(&path),
                path,
                id,
            }),
            None if path.parent().is_some_and(|p| self.is_folder(&p)) => Some(Change::Gone(path)),
            None => None,
        }
    }

    /// Lays `upper` over this file system as a layer of its own: folders are merged and take
    /// `upper`'s modes and owners, everything else is replaced (`--link`, rule 52).
    ///
    /// # Errors
    /// None that a well-formed `upper` can cause.
    pub fn overlay(&mut self, upper: &Rootfs) -> Result<(), FilesError> {
        let mut copied = BTreeMap::new();
        for change in upper.changes() {
            let Change::Is { path, id, .. } = change else {
                continue;
            };
            let entry = upper.entry(id);
            if matches!(entry.body, Body::Folder(_)) {
                if self.is_folder(&path) {
                    self.set_meta(&path, entry.meta.clone())?;
                } else {
                    self.put(
                        &path,
                        Entry {
                            meta: entry.meta.clone(),
                            body: Body::Folder(BTreeMap::new()),
                        },
                    )?;
                }
            } else if let Some(first) = copied.get(&id) {
                self.link(&path, first)?;
            } else {
                self.put(&path, entry.clone())?;
                copied.insert(id, path);
            }
        }
        Ok(())
    }
}

/// One difference that a layer records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The entry stands at the path now.
    Is {
        /// Where.
        path: RepoPath,
        /// What.
        id: Id,
        /// A folder that hides what lower layers have below it.
        opaque: bool,
    },
    /// Nothing stands at the path any more.
    Gone(RepoPath),
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
