//! Wildcards of COPY and ADD, in a tree and by themselves.
//!
//! Fields: the source word, then paths of files.

use super::world::contexts;
use ringshift::containerfile::glob;
use ringshift::model::RepoPath;
use ringshift::revision::Limits;
use ringshift::revision::view::View;
use ringshift::revision::wildcard;
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeSet;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let word = fields.next().unwrap_or_default();
    let paths: Vec<RepoPath> = fields.take(24).map(RepoPath::clean).collect();
    let well_formed = glob::check(word).is_ok();
    for path in &paths {
        let found = glob::matches(word, path.as_bytes());
        assert!(
            found.is_ok() || !well_formed,
            "a wildcard that is well formed can be compared"
        );
        if !glob::has_wildcard(word) && !word.contains(&b'\\') {
            assert_eq!(
                found,
                Ok(word == path.as_bytes()),
                "without a wildcard it is its own text"
            );
        }
    }
    if well_formed {
        walked(RepoPath::clean(word).as_bytes(), &paths);
    }
}

/// The walk, which prunes, finds what comparing every path finds.
fn walked(word: &[u8], paths: &[RepoPath]) {
    let (plain, pattern) = glob::split(word);
    assert_eq!(
        RepoPath::clean([plain, b"/", pattern].concat()).as_bytes(),
        word,
        "nothing is lost"
    );
    if pattern.is_empty() {
        return;
    }
    let mut tree = MemoryTree::new();
    for path in paths.iter().filter(|path| path.components().count() < 64) {
        tree = tree.file(path.as_bytes(), "");
    }
    let plain = RepoPath::clean(plain);
    let contexts = contexts(&tree, "");
    let mut view = View::new(&contexts.main, Limits::default());
    let found = wildcard::expand(&mut view, &plain, pattern);
    let Ok(Some(found)) = found else { return };
    let mut wanted = BTreeSet::new();
    compared(&tree, &plain, &RepoPath::root(), pattern, &mut wanted);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);
}

/// Every path below `base` that matches, and nothing below a match.
fn compared(
    tree: &MemoryTree,
    base: &RepoPath,
    below: &RepoPath,
    pattern: &[u8],
    wanted: &mut BTreeSet<RepoPath>,
) {
    use ringshift::tree::{Kind, SourceTree};
    for item in tree.list(&base.join(below)).unwrap_or_default() {
        let path = below.child(&item.name);
        if glob::matches(pattern, path.as_bytes()) == Ok(true) {
            wanted.insert(base.join(&path));
        } else if item.kind == Kind::Directory {
            compared(tree, base, &path, pattern, wanted);
        }
    }
}
