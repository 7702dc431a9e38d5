//! Where COPY and ADD put things (rules 36, 42 to 45, 47, 51): the behaviour of BuildKit's copier on a
//! file system that exists as entries only.

use super::chmod::Chmod;
use super::owner::Owner;
use super::rootfs::{Body, Entry, FilesError, Id, Meta, Rootfs};
use crate::model::RepoPath;
use std::collections::BTreeMap;

/// One thing that a source word names.
#[derive(Debug, Clone)]
pub(crate) struct Picked {
    /// The name that a file takes inside a folder.
    pub(crate) name: Vec<u8>,
    /// What is copied.
    pub(crate) what: What,
}

/// A file, or what a folder holds.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Anything but a folder.
    Leaf(Entry),
    /// The entries of a folder, each folder before what it holds.
    Folder(Vec<Inside>),
}

/// An entry of a folder that is copied.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    /// Its path in the folder.
    pub(crate) path: RepoPath,
    /// What it is; of folders only the metadata matters.
    pub(crate) entry: Entry,
    /// The same for all names of one file.
    pub(crate) same: Option<Id>,
}

/// A destination as written, made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    path: RepoPath,
    /// Whether it was written as a folder: with `/` or `/.` at its end.
    folder: bool,
}

impl Destination {
    /// `written` relative to the working directory (rule 44).
    pub(crate) fn new(workdir: &str, written: &str) -> Self {
        let path = RepoPath::clean(workdir).resolve(written);
        let folder = matches!(written, "" | ".") || written.ends_with('/') || written.ends_with("/.");
        Self { path, folder }
    }

    /// The path without its trailing slash.
    pub(crate) fn path(&self) -> &RepoPath {
        &self.path
    }
}

/// The flags that say how copies look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Looks {
    /// `--chown`.
    pub(crate) owner: Option<Owner>,
    /// `--chmod`.
    pub(crate) chmod: Option<Chmod>,
}

impl Looks {
    /// The metadata of a copy.
    fn of(&self, entry: &Entry) -> Meta {
        let mut meta = entry.meta.clone();
        if let Some(owner) = self.owner {
            (meta.uid, meta.gid) = (owner.uid, owner.gid);
        }
        let folder = matches!(entry.body, Body::Folder(_));
        if let Some(chmod) = &self.chmod
            && !matches!(entry.body, Body::Link(_))
        {
            meta.mode = chmod.apply(meta.mode, folder);
        }
        meta
    }

    /// The metadata of folders that are made on the way to the destination.
    pub(crate) fn of_new_folders(&self) -> Meta {
        let mode = self.chmod.as_ref().map_or(0o755, Chmod::of_new_folders);
        self.on_the_way(mode)
    }

    /// The metadata of a folder of mode `mode` that nothing was copied from.
    pub(crate) fn on_the_way(&self, mode: u32) -> Meta {
        let owner = self.owner.unwrap_or(Owner { uid: 0, gid: 0 });
        Meta {
            uid: owner.uid,
            gid: owner.gid,
            ..Meta::plain(mode)
        }
    }
}

/// Copies one picked thing to a destination.
///
/// # Errors
/// [`FilesError`]: a file over a folder, a folder over a file, a loop of links.
pub(crate) fn place(
    rootfs: &mut Rootfs,
    destination: &Destination,
    picked: Picked,
    looks: &Looks,
) -> Result<(), FilesError> {
    let root = RepoPath::root();
    let made = looks.of_new_folders();
    let above = match destination.path.parent() {
        Some(parent) if !destination.folder => parent,
        _ => destination.path.clone(),
    };
    let above = rootfs.resolve(&root, above.as_bytes(), true)?;
    rootfs.make_folders(&above, &made)?;
    let to = rootfs.resolve(&root, destination.path.as_bytes(), true)?;
    match picked.what {
        What::Leaf(entry) => {
            let to = if rootfs.is_folder(&to) {
                to.child(&picked.name)
            } else {
                to
            };
            if let Some(parent) = to.parent() {
                rootfs.make_folders(&parent, &made)?;
            }
            place_leaf(rootfs, &to, entry, looks)
        }
        What::Folder(inside) => {
            rootfs.make_folders(&to, &made)?;
            place_inside(rootfs, &to, inside, looks)
        }
    }
}

fn place_leaf(rootfs: &mut Rootfs, to: &RepoPath, mut entry: Entry, looks: &Looks) -> Result<(), FilesError> {
    if rootfs.is_folder(to) {
        return Err(FilesError::FileOverFolder(to.clone()));
    }
    entry.meta = looks.of(&entry);
    rootfs.put(to, entry)
}

fn place_inside(
    rootfs: &mut Rootfs,
    to: &RepoPath,
    inside: Vec<Inside>,
    looks: &Looks,
) -> Result<(), FilesError> {
    let mut placed: BTreeMap<Id, RepoPath> = BTreeMap::new();
    for Inside { path, entry, same } in inside {
        let path = to.join(&path);
        if matches!(entry.body, Body::Folder(_)) {
            place_folder(rootfs, &path, &entry, looks)?;
            continue;
        }
        if let Some(first) = same.and_then(|id| placed.get(&id)) {
            if rootfs.is_folder(&path) {
                return Err(FilesError::FileOverFolder(path));
            }
            rootfs.link(&path, first)?;
            continue;
        }
        place_leaf(rootfs, &path, entry, looks)?;
        if let Some(id) = same {
            placed.insert(id, path);
        }
    }
    Ok(())
}

/// A folder below the one that is copied: it takes the source's mode and owner even where it exists.
fn place_folder(
    rootfs: &mut Rootfs,
    path: &RepoPath,
    entry: &Entry,
    looks: &Looks,
) -> Result<(), FilesError> {
    let meta = looks.of(entry);
    match rootfs.at(path).map(|e| &e.body) {
        Some(Body::Folder(_)) => rootfs.set_meta(path, meta),
        Some(_) => Err(FilesError::NotAFolder(path.clone())),
        None => rootfs.put(
            path,
            Entry {
                meta,
                body: Body::Folder(BTreeMap::new()),
            },
        ),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
