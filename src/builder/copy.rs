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
mod tests {
    use super::*;
    use crate::builder::content::Content;

    fn file(text: &str) -> Entry {
        Entry {
            meta: Meta::plain(0o644),
            body: Body::File {
                content: Content::Bytes(text.as_bytes().into()),
                size: text.len() as u64,
            },
        }
    }

    fn leaf(name: &str) -> Picked {
        Picked {
            name: name.into(),
            what: What::Leaf(file(name)),
        }
    }

    fn folder(paths: &[&str]) -> Picked {
        let inside = |path: &&str| Inside {
            path: RepoPath::clean(path),
            entry: match path.ends_with('/') {
                true => Entry {
                    meta: Meta::plain(0o755),
                    body: Body::Folder(BTreeMap::new()),
                },
                false => file(path),
            },
            same: None,
        };
        Picked {
            name: b"folder".to_vec(),
            what: What::Folder(paths.iter().map(inside).collect()),
        }
    }

    fn path(text: &str) -> RepoPath {
        RepoPath::clean(text)
    }

    fn copy(fs: &mut Rootfs, to: &str, picked: Picked) -> Result<(), FilesError> {
        place(fs, &Destination::new("/work", to), picked, &Looks::default())
    }

    fn is_file(fs: &Rootfs, at: &str) -> bool {
        matches!(fs.at(&path(at)).unwrap().body, Body::File { .. })
    }

    #[test]
    fn a_slash_decides_whether_a_file_is_renamed() {
        let mut fs = Rootfs::default();
        copy(&mut fs, "/d", leaf("f")).unwrap();
        copy(&mut fs, "/e/", leaf("f")).unwrap();
        copy(&mut fs, "/g/.", leaf("f")).unwrap();
        copy(&mut fs, "h", leaf("f")).unwrap();
        copy(&mut fs, ".", leaf("f")).unwrap();
        copy(&mut fs, "/e", leaf("x")).unwrap();
        for at in ["d", "e/f", "g/f", "work/h", "work/f", "e/x"] {
            assert!(is_file(&fs, at), "{at}");
        }
    }

    #[test]
    fn a_folders_contents_are_copied_and_its_name_vanishes() {
        let mut fs = Rootfs::default();
        copy(&mut fs, "/d", folder(&["a", "s/", "s/b"])).unwrap();
        assert!(is_file(&fs, "d/a") && is_file(&fs, "d/s/b"));
        copy(&mut fs, "/empty", folder(&[])).unwrap();
        assert!(fs.is_folder(&path("empty")));
    }

    #[test]
    fn the_destination_runs_through_links_of_the_image() {
        let mut fs = Rootfs::default();
        fs.make_folders(&path("usr/bin"), &Meta::plain(0o755)).unwrap();
        let link = Entry {
            meta: Meta::plain(0o777),
            body: Body::Link(b"usr/bin".to_vec()),
        };
        fs.put(&path("bin"), link).unwrap();
        copy(&mut fs, "/bin/", leaf("f")).unwrap();
        copy(&mut fs, "/bin", folder(&["g"])).unwrap();
        assert!(is_file(&fs, "usr/bin/f") && is_file(&fs, "usr/bin/g"));
    }

    #[test]
    fn files_and_folders_do_not_replace_each_other() {
        let mut fs = Rootfs::default();
        copy(&mut fs, "/d", folder(&["a/", "a/b", "f"])).unwrap();
        let got = copy(&mut fs, "/d", folder(&["a"]));
        assert_eq!(got, Err(FilesError::FileOverFolder(path("d/a"))));
        let got = copy(&mut fs, "/d", folder(&["f/", "f/x"]));
        assert_eq!(got, Err(FilesError::NotAFolder(path("d/f"))));
        let got = copy(&mut fs, "/d/f", folder(&[]));
        assert_eq!(got, Err(FilesError::NotAFolder(path("d/f"))));
    }

    #[test]
    fn an_existing_folder_below_takes_the_sources_mode_and_the_top_keeps_its_own() {
        let mut fs = Rootfs::default();
        fs.make_folders(&path("d/a"), &Meta::plain(0o700)).unwrap();
        copy(&mut fs, "/d", folder(&["a/", "a/b"])).unwrap();
        assert_eq!(fs.at(&path("d")).unwrap().meta.mode, 0o700);
        assert_eq!(fs.at(&path("d/a")).unwrap().meta.mode, 0o755);
    }

    #[test]
    fn owner_and_mode_reach_new_folders_too() {
        let looks = Looks {
            owner: Some(Owner { uid: 5, gid: 6 }),
            chmod: Some(Chmod::parse("4711").unwrap()),
        };
        let mut fs = Rootfs::default();
        place(&mut fs, &Destination::new("/", "x/y/"), leaf("f"), &looks).unwrap();
        let look = |at: &str| {
            let meta = &fs.at(&path(at)).unwrap().meta;
            (meta.mode, meta.uid, meta.gid)
        };
        assert_eq!(look("x"), (0o711, 5, 6));
        assert_eq!(look("x/y"), (0o711, 5, 6));
        assert_eq!(look("x/y/f"), (0o4711, 5, 6));
    }
}
