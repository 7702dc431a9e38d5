use super::*;
use crate::builder::{Base, Session};
use crate::containerfile::ignore::Ignore;
use crate::containerfile::recipe::Recipe;
use crate::containerfile::{ResolveError, parse, resolve};
use crate::model::{Digest, ImageName, Platform, ProjectName, RepoPath};
use crate::registry::Repository;
use crate::registry::memory::MemoryRegistry;
use crate::revision::manifest::{ContextTree, Contexts};
use crate::revision::{Limits, select};
use crate::tree::memory::MemoryTree;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// `base` is an image of the project, `x.y/locked` is locked.
struct World;

impl resolve::World for World {
    fn project_image(&self, reference: &str) -> Result<Option<resolve::ProjectRef>, ResolveError> {
        let image = (reference == "base").then(|| ImageName::new("base").unwrap());
        Ok(image.map(|image| resolve::ProjectRef {
            image,
            tag: None,
            digest: None,
        }))
    }

    fn base(&self, base: &resolve::Base) -> Result<resolve::BaseFacts, ResolveError> {
        let locked = match base {
            resolve::Base::External { reference, .. } => reference.name() == "x.y/locked",
            resolve::Base::Project(_) => false,
        };
        Ok(resolve::BaseFacts {
            digest: locked.then(|| Digest::of(b"locked")),
            ..resolve::BaseFacts::default()
        })
    }
}

fn recipe(text: &str, target: Option<&str>) -> Recipe {
    let platform = Platform::default();
    let inputs = resolve::Inputs {
        args: &BTreeMap::new(),
        target,
        platform: &platform,
        contexts: &BTreeMap::new(),
        world: &World,
    };
    resolve(&parse(text.as_bytes()).unwrap(), &inputs).unwrap()
}

fn repository(name: &str) -> Repository {
    Repository::new(&ProjectName::new("acme").unwrap(), name)
}

/// Lays out `text` over `hashed`, as if the files had become `now` meanwhile.
fn laid(
    text: &str,
    target: Option<&str>,
    hashed: &MemoryTree,
    now: &MemoryTree,
) -> Result<Closed, BuildError> {
    let recipe = recipe(text, target);
    let contexts = |tree| Contexts {
        main: ContextTree {
            tree,
            root: RepoPath::root(),
            ignore: Ignore::none(),
            display: RepoPath::root(),
        },
        named: BTreeMap::new(),
    };
    let manifest = select(&recipe, &contexts(hashed), &Limits::default()).unwrap();
    let base = Base {
        repository: repository("base"),
        digest: Digest::of(b"base"),
    };
    let job = Job {
        image: &ImageName::new("api").unwrap(),
        registry: &MemoryRegistry::new(),
        repository: &repository("api"),
        recipe: &recipe,
        manifest: &manifest,
        contexts: &contexts(now),
        bases: &BTreeMap::from([(ImageName::new("base").unwrap(), base)]),
        created: 0,
        labels: &BTreeMap::new(),
        session: &Session::default(),
    };
    Closed::lay_out(&job, &|base| format!("HOST/{}", base.repository))
}

fn written(text: &str, target: Option<&str>) -> String {
    let tree = MemoryTree::new().file("f", b"f").file("d/x", b"x");
    let closed = laid(text, target, &tree, &tree).unwrap();
    fs::read_to_string(closed.container_file()).unwrap()
}

/// Every path below a folder: mode, time, and the text of files and links.
fn listed(folder: &Path) -> BTreeMap<String, (u32, i64, String)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let text = match meta.file_type() {
                kind if kind.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
                kind if kind.is_dir() => {
                    folders.push(path.clone());
                    String::new()
                }
                _ => fs::read_to_string(&path).unwrap(),
            };
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            all.insert(name, (meta.mode() & 0o7777, meta.mtime(), text));
        }
    }
    all
}

#[test]
fn only_what_was_hashed_is_there_with_gits_modes_and_one_time() {
    let tree = MemoryTree::new()
        .file("d/a", b"A")
        .executable("d/run", b"R")
        .link("d/l", "nowhere")
        .link("s", "d")
        .file("other", b"O");
    let closed = laid("FROM scratch\nCOPY s/a d /x/\n", None, &tree, &tree).unwrap();
    let all = listed(&closed.context());
    let time = all["d"].1;
    let want = [
        ("d", 0o755, ""),
        ("d/a", 0o644, "A"),
        ("d/l", 0o777, "nowhere"),
        ("d/run", 0o755, "R"),
        ("s", 0o777, "d"),
    ];
    let want = want.map(|(path, mode, text)| (path.to_owned(), (mode, time, text.to_owned())));
    assert_eq!(all, BTreeMap::from(want));
    assert_eq!(fs::metadata(closed.context()).unwrap().mtime(), time);
    assert_eq!(fs::read_to_string(closed.ignore_file()).unwrap(), "#\n");
    assert_eq!(fs::metadata(closed.folder()).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn equal_contexts_have_equal_times_and_others_have_others() {
    let time = |tree: &MemoryTree| {
        let closed = laid("FROM scratch\nCOPY . /x/\n", None, tree, tree).unwrap();
        fs::metadata(closed.context()).unwrap().mtime()
    };
    let one = time(&MemoryTree::new().file("a", b"1"));
    assert_eq!(one, time(&MemoryTree::new().file("a", b"1")));
    assert!((400_000_000..1_400_000_000).contains(&one));
    let others = [
        MemoryTree::new().file("a", b"2"),
        MemoryTree::new().file("b", b"1"),
        MemoryTree::new().executable("a", b"1"),
        MemoryTree::new().link("a", "1"),
    ];
    for other in &others {
        assert_ne!(one, time(other));
    }
}

#[test]
fn a_file_that_changed_since_it_was_hashed_is_refused() {
    let hashed = MemoryTree::new().file("a", b"1").link("l", "x");
    for (text, now) in [
        ("FROM scratch\n\nCOPY a /a\n", MemoryTree::new().file("a", b"2")),
        (
            "FROM scratch\n\nCOPY . /a/\n",
            MemoryTree::new().file("a", b"1").link("l", "y"),
        ),
    ] {
        let error = laid(text, None, &hashed, &now).err().unwrap();
        let BuildError::Instruction { line: 3, source } = error else {
            panic!("{error}");
        };
        assert!(matches!(source, StepError::Changed(_)), "{source}");
    }
}

#[test]
fn what_is_not_concerned_stays_as_it_is_written() {
    let text = "# escape=`\nARG A=scratch\n\nFROM scratch as X\n# note\ncopy  f `\n  /f\nENV a=$b\n";
    assert_eq!(
        written(text, None),
        text.replace("FROM scratch as X", "FROM scratch AS x")
    );
}

#[test]
fn images_of_the_project_are_pinned_and_lines_keep_their_numbers() {
    let text = "ARG B=base\nFROM $B AS one\nFROM base\nCOPY --chown=1 \\\n  # why\n  --from=base /a \\\n  /b\nCOPY --from=one /a /c\nCOPY --from=docker.io/library/x /a /d\nLABEL l=1";
    let want = "ARG B=base\nFROM HOST/acme/base AS one\nFROM HOST/acme/base\nCOPY --chown=1 --from=HOST/acme/base /a   /b\n\n\n\nCOPY --from=one /a /c\nCOPY --from=docker.io/library/x:latest /a /d\nLABEL l=1\n";
    assert_eq!(written(text, None), want);
}

#[test]
fn mounts_are_pinned_and_heredocs_follow_at_once() {
    let text = "FROM scratch\nRUN --mount=target=/m,from=base \\\n  cat <<E \\\n  /m\n$x # y\nE\nRUN two\n";
    let want =
        "FROM scratch\n\n\nRUN --mount=target=/m,from=HOST/acme/base cat <<E   /m\n$x # y\nE\nRUN two\n";
    assert_eq!(written(text, None), want);
}

#[test]
fn stages_that_are_not_reached_are_blank_and_numbers_follow() {
    let text = "FROM scratch AS a\nCOPY f /f\nFROM scratch AS b\nCOPY missing /\nRUN <<E\nx\nE\nFROM scratch AS c\nCOPY d /d\nFROM scratch AS d\nCOPY --from=2 /d /d\nCOPY --from=0 /f /f\nFROM d\nRUN no\n";
    let want = "FROM scratch AS a\nCOPY f /f\n\n\n\n\n\nFROM scratch AS c\nCOPY d /d\nFROM scratch AS d\nCOPY --from=1 /d /d\nCOPY --from=0 /f /f\n\n\n";
    assert_eq!(written(text, Some("d")), want);
}

#[test]
fn a_check_is_one_command_without_a_shell() {
    let closed = Closed::of_check("HOST/x@d", &["make".into(), "a \"b\"".into()]).unwrap();
    let text = fs::read_to_string(closed.container_file()).unwrap();
    assert_eq!(text, "FROM HOST/x@d\nRUN [\"make\",\"a \\\"b\\\"\"]\n");
    assert!(listed(&closed.context()).is_empty());
}

#[test]
fn links_under_parents_lead_somewhere_but_bring_nothing_in() {
    let tree = MemoryTree::new()
        .link("l", "m/x")
        .link("m", "/d")
        .file("d/x", b"not hashed");
    let closed = laid("FROM scratch\nCOPY --parents l /x/\n", None, &tree, &tree).unwrap();
    let all = listed(&closed.context());
    let texts: Vec<(&str, &str)> = all
        .iter()
        .map(|(path, (_, _, text))| (path.as_str(), text.as_str()))
        .collect();
    assert_eq!(texts, [("d", ""), ("d/x", ""), ("l", "m/x"), ("m", "/d")]);
}

#[test]
fn a_locked_image_goes_by_its_digest_wherever_it_is_named() {
    let text = "ARG TAG=1\nFROM x.y/locked:$TAG AS one\nRUN --mount=from=x.y/locked:2,target=/m ls\n\
                FROM x.y/locked\nCOPY --from=x.y/locked:3 /a /b\nCOPY --from=one /a /b\nCOPY --from=x.y/open:1 /a /c\n";
    let pinned = format!("x.y/locked@{}", Digest::of(b"locked"));
    let want = format!(
        "ARG TAG=1\nFROM {pinned} AS one\nRUN --mount=from={pinned},target=/m ls\nFROM {pinned}\n\
         COPY --from={pinned} /a /b\nCOPY --from=one /a /b\nCOPY --from=x.y/open:1 /a /c\n"
    );
    assert_eq!(written(text, None), want);
}
