use super::*;
use crate::builder::content::Content;
use crate::containerfile::recipe::Source;

fn world() -> Rootfs {
    let mut fs = Rootfs::default();
    for folder in ["a/x", "a/y", "b", "real"] {
        fs.make_folders(&RepoPath::clean(folder), &Meta::plain(0o755))
            .unwrap();
    }
    for file in [
        "a/x/1.txt",
        "a/x/2.md",
        "a/y/1.txt",
        "b/1.txt",
        "real/f",
        "top.txt",
    ] {
        let body = Body::File {
            content: Content::Bytes(b"x"[..].into()),
            size: 1,
        };
        let meta = Meta::plain(0o644);
        fs.put(&RepoPath::clean(file), Entry { meta, body }).unwrap();
    }
    let link = Entry {
        meta: Meta::plain(0o777),
        body: Body::Link(b"/real".to_vec()),
    };
    fs.put(&RepoPath::clean("l"), link).unwrap();
    fs
}

fn transfer(parents: bool, exclude: &[&str]) -> Transfer {
    Transfer {
        add: false,
        from: Source::Stage(0),
        sources: vec![],
        destination: "/".into(),
        chown: None,
        chmod: None,
        link: false,
        parents,
        exclude: exclude.iter().map(ToString::to_string).collect(),
        checksum: None,
        keep_git_dir: false,
        unpack: None,
    }
}

fn picked(word: &str, parents: bool, exclude: &[&str]) -> Vec<String> {
    let transfer = transfer(parents, exclude);
    let show = |p: Picked| {
        let name = String::from_utf8_lossy(&p.name).into_owned();
        match p.what {
            What::Leaf(_) => vec![name],
            What::Folder(inside) => inside.iter().map(|i| format!("{name}>{}", i.path)).collect(),
        }
    };
    let all = pick(&world(), word, &transfer).unwrap();
    all.into_iter().flat_map(show).collect()
}

#[test]
fn words_name_files_folders_and_matches() {
    assert_eq!(picked("/top.txt", false, &[]), ["top.txt"]);
    assert_eq!(picked("../b/", false, &[]), ["b>1.txt"]);
    assert_eq!(picked("a/*/1.txt", false, &[]), ["1.txt", "1.txt"]);
    assert_eq!(picked("[ab]", false, &[]).len(), 6);
    assert!(picked("*.none", false, &[]).is_empty());
}

#[test]
fn links_are_followed_at_every_place() {
    assert_eq!(picked("l", false, &[]), ["l>f"]);
    assert_eq!(picked("l/f", false, &[]), ["f"]);
    assert_eq!(picked("l/*", false, &[]), ["f"]);
}

#[test]
fn exclusions_are_relative_to_the_source() {
    assert_eq!(picked("a", false, &["x/*.md", "y"]), ["a>x", "a>x/1.txt"]);
    assert_eq!(
        picked("a", false, &["x", "!x/2.md"]),
        ["a>x", "a>x/2.md", "a>y", "a>y/1.txt"]
    );
}

#[test]
fn parents_keep_the_path_from_the_pivot_on() {
    assert_eq!(
        picked("a/*/1.txt", true, &[]),
        [">a", ">a/x", ">a/x/1.txt", ">a/y", ">a/y/1.txt"]
    );
    assert_eq!(picked("a/./x", true, &[]), ["a>x", "a>x/1.txt", "a>x/2.md"]);
    assert_eq!(picked("**/1.txt", true, &["b"]).len(), 5);
}

#[test]
fn nothing_at_a_path_is_an_error() {
    for (word, parents) in [
        ("none", false),
        ("none/*", false),
        ("a/none", true),
        ("a/./none", true),
    ] {
        let got = pick(&world(), word, &transfer(parents, &[]));
        assert!(matches!(got, Err(StepError::NotFound(_))), "{word}");
    }
}
