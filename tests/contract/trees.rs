//! Every source tree driver.

use crate::sandbox::{Random, Sandbox, git_in};
use ringshift::cache::{ContentIds, FileIds};
use ringshift::git::Repository;
use ringshift::model::{Digest, RepoPath};
use ringshift::tree::disk::{DiskTree, WorkingCopy};
use ringshift::tree::git::GitTree;
use ringshift::tree::memory::MemoryTree;
use ringshift::tree::{Kind, SourceTree, TreeError};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

const FILE: Kind = Kind::File { executable: false };

/// All that a tree says of itself, asked by every question there is.
fn dump(tree: &dyn SourceTree) -> BTreeMap<RepoPath, String> {
    let mut all = BTreeMap::new();
    let mut todo = vec![RepoPath::root()];
    while let Some(at) = todo.pop() {
        let items = tree.list(&at).unwrap();
        assert!(items.is_sorted_by(|a, b| a.name < b.name), "{at}");
        for item in items {
            let path = at.child(&item.name);
            assert_eq!(tree.kind(&path).unwrap(), Some(item.kind), "{path}");
            all.insert(path.clone(), describe(tree, &path, item.kind));
            if item.kind == Kind::Directory {
                todo.push(path);
            }
        }
    }
    all
}

fn describe(tree: &dyn SourceTree, path: &RepoPath, kind: Kind) -> String {
    match kind {
        Kind::File { executable } => {
            let mut bytes = Vec::new();
            tree.open(path).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(tree.content(path).unwrap(), Digest::of(&bytes), "{path}");
            assert_eq!(tree.size(path).unwrap(), bytes.len() as u64, "{path}");
            assert!(tree.link(path).is_err() && tree.list(path).is_err());
            format!("file {executable} {bytes:?}")
        }
        Kind::Link => {
            let text = tree.link(path).unwrap();
            assert_eq!(tree.content(path).unwrap(), Digest::of(&text), "{path}");
            assert!(matches!(tree.open(path), Err(TreeError::WrongKind { .. })));
            format!("link {text:?}")
        }
        other => {
            assert!(tree.open(path).is_err() && tree.content(path).is_err() && tree.size(path).is_err());
            format!("{other:?}")
        }
    }
}

/// A tree of files and links with awkward names; no empty folder, since git has none.
fn random_tree(random: &mut Random) -> Vec<(Vec<u8>, Kind, Vec<u8>)> {
    const NAMES: [&[u8]; 12] = [
        b"a",
        b"A",
        b"a-b",
        b"a.b",
        b"a b",
        b"a\nb",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"-x",
        b"*",
        b"a\\b",
        b"\"q\"",
    ];
    let mut entries: BTreeMap<Vec<u8>, (Kind, Vec<u8>)> = BTreeMap::new();
    for _ in 0..random.below(25) {
        let depth = 1 + random.below(4);
        let pick = |random: &mut Random| NAMES[usize::try_from(random.below(12)).unwrap()];
        let parts: Vec<_> = (0..depth).map(|_| pick(random)).collect();
        let path = parts.join(&b'/');
        let clash = |other: &Vec<u8>| {
            let (a, b) = (RepoPath::clean(other), RepoPath::clean(&path));
            a.starts_with(&b) || b.starts_with(&a)
        };
        if entries.keys().any(clash) {
            continue;
        }
        let bytes: Vec<u8> = (0..random.below(40))
            .map(|_| u8::try_from(random.below(256)).unwrap())
            .collect();
        let entry = match random.below(4) {
            0 => (Kind::Link, [b"../x/", pick(random)].concat()),
            n => (Kind::File { executable: n == 1 }, bytes),
        };
        entries.insert(path, entry);
    }
    entries
        .into_iter()
        .map(|(path, (kind, bytes))| (path, kind, bytes))
        .collect()
}

fn put(root: &Path, path: &[u8], kind: Kind, bytes: &[u8]) {
    let path = root.join(OsStr::from_bytes(path));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    match kind {
        Kind::Link => symlink(OsStr::from_bytes(bytes), path).unwrap(),
        Kind::File { executable } => {
            std::fs::write(&path, bytes).unwrap();
            let mode = if executable { 0o755 } else { 0o644 };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        _ => std::fs::create_dir_all(path).unwrap(),
    }
}

fn git_tree(world: &Sandbox, commit: &str) -> GitTree {
    GitTree::open(&world.open(), &commit.parse().unwrap()).unwrap()
}

fn working_copy(world: &Sandbox) -> WorkingCopy {
    WorkingCopy::open(Arc::new(world.open())).unwrap()
}

#[test]
fn all_drivers_say_the_same_of_the_same_tree() {
    for seed in 0..25 {
        let entries = random_tree(&mut Random(seed));
        let world = Sandbox::new();
        let plain = tempfile::tempdir().unwrap();
        let mut memory = MemoryTree::new();
        for (path, kind, bytes) in &entries {
            memory = memory.with(path, *kind, bytes);
            put(world.path(), path, *kind, bytes);
            put(plain.path(), path, *kind, bytes);
        }
        let want = dump(&memory);
        assert_eq!(dump(&working_copy(&world)), want, "untracked, seed {seed}");
        let commit = world.commit("c");
        assert_eq!(dump(&git_tree(&world, &commit)), want, "git, seed {seed}");
        assert_eq!(dump(&working_copy(&world)), want, "working copy, seed {seed}");
        assert_eq!(
            dump(&DiskTree::open(plain.path()).unwrap()),
            want,
            "disk, seed {seed}"
        );
    }
}

#[test]
fn questions_about_nothing_have_the_same_answer_everywhere() {
    let world = Sandbox::new();
    world.write("d/f", "x");
    symlink("d", world.path().join("l")).unwrap();
    let commit = world.commit("c");
    let memory = MemoryTree::new().file("d/f", "x").link("l", "d");
    let disk = world.path().join("../").join(world.path().file_name().unwrap());
    let trees: [&dyn SourceTree; 4] = [
        &memory,
        &git_tree(&world, &commit),
        &working_copy(&world),
        &DiskTree::open(&disk).unwrap(),
    ];
    for tree in trees {
        for gone in ["x", "d/x", "d/f/x", "l/f", "x/y/z"] {
            let path = RepoPath::clean(gone);
            assert_eq!(tree.kind(&path).unwrap(), None, "{gone}");
            assert!(matches!(tree.open(&path), Err(TreeError::Missing(_))), "{gone}");
            assert!(matches!(tree.list(&path), Err(TreeError::Missing(_))), "{gone}");
            assert!(
                matches!(tree.content(&path), Err(TreeError::Missing(_))),
                "{gone}"
            );
        }
        assert!(matches!(
            tree.list(&RepoPath::clean("l")),
            Err(TreeError::WrongKind { .. })
        ));
        assert!(matches!(
            tree.open(&RepoPath::root()),
            Err(TreeError::WrongKind { .. })
        ));
        assert_eq!(tree.kind(&RepoPath::root()).unwrap(), Some(Kind::Directory));
        assert!(matches!(
            tree.read(&RepoPath::clean("d/f"), 0),
            Err(TreeError::Limit { .. })
        ));
        // SEC-A4: absurd paths end in an answer.
        for absurd in ["a/".repeat(200), "b".repeat(5000)] {
            assert!(!matches!(tree.kind(&RepoPath::clean(absurd)), Ok(Some(_))));
        }
    }
}

#[test]
fn a_commit_is_read_alike_wherever_it_lies() {
    let world = Sandbox::new();
    world.write("keep/f", "1");
    world.write("leave/g", "2");
    world.write("text", "a\nb\n");
    world.write(".gitattributes", "text eol=crlf\n*.x filter=evil\n");
    world.write("e.x", "plain");
    let commit = world.commit("c");
    let want = dump(&git_tree(&world, &commit));
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", world.path().display());
    for (name, args) in [
        ("bare", &["--bare"][..]),
        ("shallow", &["--depth", "1"]),
        ("shared", &["--shared"]),
    ] {
        let to = dir.path().join(name);
        let from = if name == "shared" {
            world.path().to_str().unwrap()
        } else {
            &url
        };
        git_in(
            dir.path(),
            &[&["clone", "-q"], args, &[from, to.to_str().unwrap()]].concat(),
        );
        let repo = Repository::discover(&to).unwrap();
        assert_eq!(
            dump(&GitTree::open(&repo, &commit.parse().unwrap()).unwrap()),
            want,
            "{name}"
        );
    }
    let linked = dir.path().join("linked");
    world.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "-b", "w"]);
    world.git(&["sparse-checkout", "set", "keep"]);
    world.git(&["config", "core.autocrlf", "true"]);
    world.git(&["config", "filter.evil.smudge", "touch pwned; cat"]);
    world.git(&["config", "filter.evil.clean", "touch pwned; cat"]);
    world.git(&["gc", "-q"]);
    for place in [world.path(), linked.as_path()] {
        let repo = Repository::discover(place).unwrap();
        assert_eq!(
            dump(&GitTree::open(&repo, &commit.parse().unwrap()).unwrap()),
            want
        );
    }
    assert!(!world.path().join("pwned").exists());
}

#[test]
fn remembered_contents_are_the_same_contents() {
    let world = Sandbox::new();
    world.write("a", "1");
    world.write("b/c", "2");
    let commit = world.commit("c");
    let cache = tempfile::tempdir().unwrap();
    let want = dump(&git_tree(&world, &commit));
    for round in 0..3 {
        let ids = Arc::new(ContentIds::load(cache.path()));
        assert_eq!(ids.len(), if round == 1 { 2 } else { 0 });
        assert_eq!(dump(&git_tree(&world, &commit).with_contents(ids.clone())), want);
        ids.save().unwrap();
        if round == 1 {
            std::fs::remove_dir_all(cache.path()).unwrap();
        }
    }
}

#[test]
fn identities_are_those_of_git() {
    let world = Sandbox::new();
    world.write("d/e/f", "x");
    let commit = world.commit("c");
    let tree = git_tree(&world, &commit);
    for path in ["", "d", "d/e", "d/e/f"] {
        let want = world.git(&["rev-parse", &format!("HEAD:{path}")]);
        let got = tree.identity(&RepoPath::clean(path)).unwrap().unwrap();
        assert_eq!(got.to_string(), want, "{path}");
    }
    assert_eq!(tree.identity(&RepoPath::clean("d/x")).unwrap(), None);
}

#[test]
fn submodules_are_seen_and_never_entered() {
    let other = Sandbox::new();
    other.write("inside", "x");
    let id = other.commit("c");
    let world = Sandbox::new();
    world.write("f", "x");
    world.git(&[
        "submodule",
        "add",
        "-q",
        &other.path().display().to_string(),
        "sub",
    ]);
    let commit = world.commit("c");
    let tree = git_tree(&world, &commit);
    let sub = RepoPath::clean("sub");
    assert_eq!(tree.identity(&sub).unwrap().unwrap().to_string(), id);
    git_in(world.path(), &["init", "-q", "foreign"]);
    world.write("foreign/file", "x");
    let copy = working_copy(&world);
    for tree in [&tree as &dyn SourceTree, &copy] {
        assert_eq!(tree.kind(&sub).unwrap(), Some(Kind::Submodule));
        assert_eq!(tree.kind(&RepoPath::clean("sub/inside")).unwrap(), None);
        assert!(tree.list(&sub).is_err());
    }
    assert_eq!(
        copy.kind(&RepoPath::clean("foreign")).unwrap(),
        Some(Kind::Submodule)
    );
}

#[test]
fn the_working_copy_is_what_git_would_add() {
    let world = Sandbox::new();
    world.write(".gitignore", "*.log\nout/\n/deep/*\n!/deep/keep\n");
    world.write("tracked.log", "t");
    world.write("gone", "g");
    world.write("dir-gone/only", "g");
    world.git(&["add", "-f", "tracked.log"]);
    world.commit("c");
    std::fs::remove_file(world.path().join("gone")).unwrap();
    std::fs::remove_file(world.path().join("dir-gone/only")).unwrap();
    for path in [
        "x.log",
        "out/y",
        "new/z",
        "new/w.log",
        "only-ignored/a.log",
        "deep/keep",
        "deep/drop",
        "sub/.gitignore",
    ] {
        world.write(path, "content");
    }
    world.write("sub/.gitignore", "*\n");
    world.write(".git/info/exclude", "excluded\n");
    world.write("excluded", "x");
    std::fs::create_dir_all(world.path().join("empty/er")).unwrap();
    let copy = working_copy(&world);
    let found: Vec<_> = dump(&copy)
        .into_iter()
        .filter(|(_, what)| what.starts_with("file"))
        .map(|(path, _)| path.to_string())
        .collect();
    let text = world.git(&["ls-files", "-co", "--exclude-standard"]);
    let exists = |path: &&str| world.path().join(path).exists();
    let mut want: Vec<_> = text.lines().filter(exists).collect();
    want.sort_unstable();
    assert_eq!(found, want);
    for hidden in [
        "out",
        "only-ignored",
        "dir-gone",
        "empty",
        "sub",
        ".git",
        "gone",
        "out/y",
    ] {
        assert_eq!(copy.kind(&RepoPath::clean(hidden)).unwrap(), None, "{hidden}");
    }
    assert!(copy.list(&RepoPath::clean("out")).is_err());
}

#[test]
fn modes_of_the_working_copy_are_those_of_git() {
    let world = Sandbox::new();
    world.write("f", "x");
    world.write("g", "x");
    world.commit("c");
    let mode = |path: &str, mode| {
        std::fs::set_permissions(world.path().join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("f", 0o645); // others may execute it, the owner may not: no matter to git
    mode("g", 0o744);
    let kinds = |tree: &dyn SourceTree| ["f", "g"].map(|p| tree.kind(&RepoPath::clean(p)).unwrap().unwrap());
    assert_eq!(
        kinds(&working_copy(&world)),
        [FILE, Kind::File { executable: true }]
    );
    let plain = DiskTree::open(world.path()).unwrap();
    assert_eq!(kinds(&plain), [Kind::File { executable: true }; 2]);
    world.git(&["config", "core.fileMode", "false"]);
    assert_eq!(kinds(&working_copy(&world)), [FILE, FILE]);
}

#[test]
fn what_a_sparse_checkout_left_out_is_read_from_git() {
    let world = Sandbox::new();
    for path in ["keep/f", "leave/deep/g", "leave/h", "top"] {
        world.write(path, path);
    }
    let commit = world.commit("c");
    world.git(&["sparse-checkout", "set", "--no-sparse-index", "keep"]);
    assert!(!world.path().join("leave").exists());
    assert_eq!(dump(&working_copy(&world)), dump(&git_tree(&world, &commit)));
    world.write("leave/h", "edited");
    let copy = working_copy(&world);
    assert_eq!(copy.read(&RepoPath::clean("leave/h"), 99).unwrap(), b"edited");
    assert_eq!(
        copy.read(&RepoPath::clean("leave/deep/g"), 99).unwrap(),
        b"leave/deep/g"
    );
}

#[test]
fn an_index_that_is_split_or_sparse_is_read_all_the_same() {
    for args in [
        &["update-index", "--split-index"][..],
        &["sparse-checkout", "set", "--sparse-index", "keep"],
    ] {
        let world = Sandbox::new();
        for path in ["keep/f", "leave/deep/g", "leave/h", "top"] {
            world.write(path, path);
        }
        let commit = world.commit("c");
        world.git(args);
        assert_eq!(
            dump(&working_copy(&world)),
            dump(&git_tree(&world, &commit)),
            "{args:?}"
        );
        let error = world.open().changes(&commit.parse().unwrap()).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn a_partial_clone_says_what_it_lacks() {
    let world = Sandbox::new();
    world.write("d/f", "x");
    let commit = world.commit("c");
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("clone");
    let url = format!("file://{}", world.path().display());
    git_in(
        dir.path(),
        &[
            "clone",
            "-q",
            "--bare",
            "--filter=blob:none",
            &url,
            to.to_str().unwrap(),
        ],
    );
    let repo = Repository::discover(&to).unwrap();
    let tree = GitTree::open(&repo, &commit.parse().unwrap()).unwrap();
    let path = RepoPath::clean("d/f");
    assert_eq!(tree.kind(&path).unwrap(), Some(FILE));
    assert!(matches!(tree.content(&path), Err(TreeError::Io { .. })));
}

#[test]
fn nothing_outside_the_root_is_read() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "s").unwrap();
    let root = tempfile::tempdir().unwrap();
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink(outside.path().join("secret"), root.path().join("file")).unwrap();
    symlink("/", root.path().join("root")).unwrap();
    symlink("loop", root.path().join("loop")).unwrap();
    let tree = DiskTree::open(root.path()).unwrap();
    for path in ["out/secret", "root/etc/passwd", "file", "loop", "loop/x"] {
        assert!(tree.open(&RepoPath::clean(path)).is_err(), "{path}");
    }
    assert!(DiskTree::beneath(root.path(), &RepoPath::clean("out")).is_err());
    std::fs::create_dir(root.path().join("real")).unwrap();
    assert!(DiskTree::beneath(root.path(), &RepoPath::clean("real")).is_ok());
}

#[test]
fn a_folder_that_is_swapped_for_a_link_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("f"), "secret").unwrap();
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("d")).unwrap();
    std::fs::write(root.path().join("d/f"), "good").unwrap();
    let tree = DiskTree::open(root.path()).unwrap();
    let path = RepoPath::clean("d/f");
    assert_eq!(tree.kind(&path).unwrap(), Some(FILE));
    std::fs::rename(root.path().join("d"), root.path().join("moved")).unwrap();
    symlink(outside.path(), root.path().join("d")).unwrap();
    if let Ok(bytes) = tree.read(&path, 99) {
        assert_eq!(bytes, b"good");
    }
    std::fs::remove_file(root.path().join("moved/f")).unwrap();
    symlink(outside.path().join("f"), root.path().join("moved/f")).unwrap();
    assert!(tree.read(&path, 99).is_err());
}

#[test]
fn special_files_are_named_and_never_opened() {
    let root = tempfile::tempdir().unwrap();
    let fifo = root.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    let tree = DiskTree::open(root.path()).unwrap();
    for name in ["fifo", "socket"] {
        let path = RepoPath::clean(name);
        assert_eq!(tree.kind(&path).unwrap(), Some(Kind::Special));
        assert!(matches!(tree.open(&path), Err(TreeError::WrongKind { .. })));
        assert!(matches!(tree.content(&path), Err(TreeError::WrongKind { .. })));
    }
}

#[test]
fn an_edit_within_one_tick_of_the_clock_is_seen() {
    let world = Sandbox::new();
    world.write("f", "before");
    world.commit("c");
    let cache = tempfile::tempdir().unwrap();
    for text in ["first!", "second", "third!"] {
        world.write("f", text);
        let ids = Arc::new(FileIds::load(cache.path()));
        let copy = working_copy(&world).with_ids(ids.clone());
        assert_eq!(
            copy.content(&RepoPath::clean("f")).unwrap(),
            Digest::of(text.as_bytes())
        );
        ids.save().unwrap();
    }
}

#[test]
fn contents_of_the_working_copy_are_the_bytes_on_the_disk_whatever_filters_say() {
    let world = Sandbox::new();
    world.write(".gitattributes", "* text eol=crlf\n");
    world.write("f", "a\r\nb\r\n");
    world.commit("c");
    let copy = working_copy(&world);
    assert_eq!(
        copy.content(&RepoPath::clean("f")).unwrap(),
        Digest::of(b"a\r\nb\r\n")
    );
}

#[test]
fn a_tree_answers_many_threads() {
    let world = Sandbox::new();
    for n in 0..60 {
        world.write(&format!("d{}/e/f{n}", n % 7), n.to_string());
    }
    let commit = world.commit("c");
    let (git, copy) = (git_tree(&world, &commit), working_copy(&world));
    let trees: [&dyn SourceTree; 2] = [&git, &copy];
    let want = dump(&git_tree(&world, &commit));
    std::thread::scope(|scope| {
        for tree in trees {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(dump(tree), want));
            }
        }
    });
}
