//! Ignore files that BuildKit reads in two ways at once.
//!
//! It walks the context with what the patterns made of each folder (rule 66), and opens a file after matching its whole path
//! against each pattern in turn. After `s`, `!s/**`, `s` the walk keeps `s/x`, but opening it finds nothing: the image gets
//! the file, empty. A build of a materialised context has no ignore file, and so the content; there is nothing to compare.
//!
//! And worlds in which it looks at what the ignore file leaves out: with a wildcard before the `/./` of a COPY `--parents`, a link
//! beside its matches makes it send all of them, and then copy them, ignored or not (rule 53). A build of a materialised
//! context has no such links.

use super::world::{File, Named, Tree, World};
use ringshift::containerfile::ignore::{Ignore, Pattern};
use ringshift::model::RepoPath;

/// Whether BuildKit would take a file of a context for an empty one.
pub fn is_torn(world: &World) -> bool {
    let own = format!("{}.dockerignore", world.name);
    let name = match world.files.contains_key(&own) {
        true => own.as_str(),
        false => ".dockerignore",
    };
    let folders = world.contexts.values().filter_map(|named| match named {
        Named::Folder(tree) => Some((tree, ".dockerignore")),
        Named::Image(_) => None,
    });
    has_wild_pivot(world) && hides_a_link(&world.files, name)
        || folders
            .chain([(&world.files, name)])
            .any(|(tree, name)| is_torn_by(tree, name))
}

/// Whether a word under `--parents` may have a wildcard before its `/./`.
fn has_wild_pivot(world: &World) -> bool {
    let parents = world.container.iter().filter(|line| line.contains("--parents"));
    let mut words = parents.flat_map(|line| line.split(['"', ' ', ',', '[']));
    words.any(|word| {
        word.split_once("/./")
            .is_some_and(|(pivot, _)| pivot.contains(['*', '?', ']', '$']))
    })
}

/// Whether an ignore file leaves out a link.
fn hides_a_link(tree: &Tree, name: &str) -> bool {
    let Some(File::Plain(text)) = tree.get(name) else {
        return false;
    };
    let Ok(ignore) = Ignore::parse(text.as_bytes()) else {
        return false;
    };
    tree.iter().any(|(path, file)| {
        matches!(file, File::Link { .. }) && ignore.explain(&RepoPath::clean(path)).is_some()
    })
}

fn is_torn_by(tree: &Tree, name: &str) -> bool {
    let Some(File::Plain(text)) = tree.get(name) else {
        return false;
    };
    let Ok(ignore) = Ignore::parse(text.as_bytes()) else {
        return false;
    };
    let patterns = ignore
        .patterns()
        .filter_map(|text| Pattern::new(text.as_bytes()).ok()?);
    let patterns: Vec<Pattern> = patterns.collect();
    let kept = |path: &str| ignore.explain(&RepoPath::clean(path)).is_none();
    tree.keys().any(|path| kept(path) && is_shut(&patterns, path))
}

/// Whether a file cannot be opened: the last pattern that matches it or a folder above it leaves it out.
fn is_shut(patterns: &[Pattern], path: &str) -> bool {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let ways: Vec<&str> = ends.map(|end| &path[..end]).collect();
    patterns.iter().fold(false, |shut, pattern| {
        let matches = |way: &&str| pattern.matches(way.as_bytes()).unwrap_or(false);
        match pattern.exception() == shut && ways.iter().any(matches) {
            true => !shut,
            false => shut,
        }
    })
}

#[test]
fn a_hidden_link_beside_a_wildcard_before_the_pivot_tears() {
    let world = |word: &str, ignore: &str| World {
        name: "Dockerfile".into(),
        container: vec!["FROM scratch".into(), format!("COPY --parents {word} /d/")],
        files: [
            ("l".to_owned(), File::Link { link: "s".into() }),
            (".dockerignore".to_owned(), File::Plain(ignore.into())),
        ]
        .into(),
        contexts: [].into(),
        args: [].into(),
        target: None,
        platform: String::new(),
        unlocked: false,
    };
    assert!(is_torn(&world("*/./x", "l\n")));
    assert!(!is_torn(&world("*/./x", "x\n")));
    assert!(!is_torn(&world("s/./*", "l\n")));
}

#[test]
fn a_pattern_that_comes_twice_tears() {
    let world = |ignore: &str| World {
        name: "Dockerfile".into(),
        container: Vec::new(),
        files: [("s/x", ""), (".dockerignore", ignore)]
            .map(|(path, text)| (path.to_owned(), File::Plain(text.into())))
            .into(),
        contexts: [].into(),
        args: [].into(),
        target: None,
        platform: String::new(),
        unlocked: false,
    };
    assert!(is_torn(&world("s\n!s/**\ns\n")));
    assert!(!is_torn(&world("s\n!s/**\n")));
    assert!(!is_torn(&world("s\n")));
}
