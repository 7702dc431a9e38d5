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
