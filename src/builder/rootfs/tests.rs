use super::*;

fn folder() -> Entry {
    Entry {
        meta: Meta::plain(0o755),
        body: Body::Folder(BTreeMap::new()),
    }
}

fn link(text: &str) -> Entry {
    Entry {
        meta: Meta::plain(0o777),
        body: Body::Link(text.into()),
    }
}

fn file(text: &str) -> Entry {
    Entry {
        meta: Meta::plain(0o644),
        body: Body::File {
            content: Content::Bytes(text.as_bytes().into()),
            size: text.len() as u64,
        },
    }
}

fn path(text: &str) -> RepoPath {
    RepoPath::clean(text)
}

fn changed(fs: &Rootfs) -> Vec<String> {
    let show = |c: &Change| match c {
        Change::Is { path, opaque, .. } => format!("{path}{}", if *opaque { " opaque" } else { "" }),
        Change::Gone(path) => format!("{path} gone"),
    };
    fs.changes().iter().map(show).collect()
}

#[test]
fn links_are_followed_inside_the_root() {
    let mut fs = Rootfs::default();
    fs.make_folders(&path("usr/bin"), &Meta::plain(0o755)).unwrap();
    fs.put(&path("bin"), link("/usr/bin")).unwrap();
    fs.put(&path("up"), link("../../../usr")).unwrap();
    let at = |raw: &str, last| fs.resolve(&RepoPath::root(), raw.as_bytes(), last).unwrap();
    assert_eq!(at("/bin/tool", true), path("usr/bin/tool"));
    assert_eq!(at("/up/bin", true), path("usr/bin"));
    assert_eq!(at("/bin", false), path("bin"));
    assert_eq!(at("/bin/", false), path("bin"));
    assert_eq!(at("/bin/../x", true), path("usr/x"));
    assert_eq!(at("/no/../../x", true), path("x"));
}

#[test]
fn links_of_a_scope_stay_in_it() {
    let mut fs = Rootfs::default();
    fs.make_folders(&path("app/etc"), &Meta::plain(0o755)).unwrap();
    fs.put(&path("app/abs"), link("/etc")).unwrap();
    fs.put(&path("app/up"), link("../../..")).unwrap();
    let at = |raw: &str| fs.resolve(&path("app"), raw.as_bytes(), true).unwrap();
    assert_eq!(at("abs/passwd"), path("app/etc/passwd"));
    assert_eq!(at("up/etc"), path("app/etc"));
}

#[test]
fn a_loop_of_links_is_an_error() {
    let mut fs = Rootfs::default();
    fs.put(&path("a"), link("b")).unwrap();
    fs.put(&path("b"), link("a")).unwrap();
    let got = fs.resolve(&RepoPath::root(), b"/a/x", true);
    assert_eq!(got, Err(FilesError::LinkLoop(path("a/x"))));
}

#[test]
fn a_layer_holds_what_changed_and_the_folders_above_it() {
    let mut fs = Rootfs::default();
    fs.make_folders(&path("a/b"), &Meta::plain(0o755)).unwrap();
    fs.put(&path("z"), file("z")).unwrap();
    fs.begin_layer();
    assert!(fs.changes().is_empty());
    fs.put(&path("a/b/c"), file("c")).unwrap();
    assert_eq!(changed(&fs), ["a", "a/b", "a/b/c"]);
}

#[test]
fn what_is_removed_is_whited_out_and_a_new_folder_in_its_place_is_opaque() {
    let mut fs = Rootfs::default();
    fs.make_folders(&path("a/b"), &Meta::plain(0o755)).unwrap();
    fs.put(&path("a/b/c"), file("c")).unwrap();
    fs.put(&path("f"), file("f")).unwrap();
    fs.begin_layer();
    fs.remove(&path("f"));
    fs.put(&path("a/b"), file("now a file")).unwrap();
    fs.put(&path("a/b"), folder()).unwrap();
    assert_eq!(changed(&fs), ["a", "a/b opaque", "f gone"]);
}

#[test]
fn folders_are_not_made_through_files() {
    let mut fs = Rootfs::default();
    fs.put(&path("f"), file("f")).unwrap();
    let got = fs.make_folders(&path("f/x"), &Meta::plain(0o755));
    assert_eq!(got, Err(FilesError::NotAFolder(path("f"))));
}

#[test]
fn a_hard_link_shares_its_entry() {
    let mut fs = Rootfs::default();
    fs.put(&path("a"), file("a")).unwrap();
    fs.link(&path("b"), &path("a")).unwrap();
    fs.set_meta(&path("b"), Meta::plain(0o600)).unwrap();
    assert_eq!(fs.at(&path("a")).unwrap().meta.mode, 0o600);
    assert!(fs.link(&path("c"), &path("nothing")).is_err());
}

#[test]
fn an_overlay_merges_folders_and_replaces_the_rest() {
    let mut fs = Rootfs::default();
    fs.make_folders(&path("d"), &Meta::plain(0o700)).unwrap();
    fs.put(&path("d/kept"), file("k")).unwrap();
    fs.put(&path("l"), link("/d")).unwrap();
    let mut upper = Rootfs::default();
    upper.make_folders(&path("d"), &Meta::plain(0o755)).unwrap();
    upper.make_folders(&path("l"), &Meta::plain(0o755)).unwrap();
    upper.put(&path("l/new"), file("n")).unwrap();
    fs.overlay(&upper).unwrap();
    assert_eq!(fs.at(&path("d")).unwrap().meta.mode, 0o755);
    assert!(fs.at(&path("d/kept")).is_some());
    assert!(fs.is_folder(&path("l")));
}
