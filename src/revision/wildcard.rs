//! What a wildcard source word names in a context (rule 37).

use super::follow::follow;
use super::view::{Id, View, ViewError};
use crate::containerfile::glob;
use crate::model::RepoPath;
use crate::tree::Kind;

/// The paths that a wildcard matches below the plain path before it, in the order of the walk; `None` when that path
/// does not exist. Links in the plain path are followed, those below it are not. What lies in a matched folder
/// is not matched again.
///
/// # Errors
/// [`ViewError`].
pub fn expand(
    view: &mut View<'_>,
    plain: &RepoPath,
    wildcard: &[u8],
) -> Result<Option<Vec<RepoPath>>, ViewError> {
    let (base, Some(id)) = follow(view, plain)? else {
        return Ok(None);
    };
    let mut search = Search {
        wildcard,
        prefixes: prefixes(wildcard),
        depth: glob::depth(wildcard),
        found: Vec::new(),
    };
    search.walk(view, id, &base, &RepoPath::root(), 1)?;
    Ok(Some(search.found))
}

struct Search<'w> {
    wildcard: &'w [u8],
    prefixes: Vec<&'w [u8]>,
    depth: usize,
    found: Vec<RepoPath>,
}

impl Search<'_> {
    fn walk(
        &mut self,
        view: &mut View<'_>,
        folder: Id,
        path: &RepoPath,
        below: &RepoPath,
        depth: usize,
    ) -> Result<(), ViewError> {
        for &child in view.children(folder, path)?.iter() {
            let name = view.name(child).to_vec();
            let (path, below) = (path.child(&name), below.child(&name));
            // A malformed wildcard matches nothing; the caller has refused it before.
            if glob::matches(self.wildcard, below.as_bytes()).unwrap_or(false) {
                self.found.push(path);
            } else if view.kind(child) == Kind::Directory && self.may_match_below(&below, depth) {
                self.walk(view, child, &path, &below, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Spares the walk of folders that no match can lie in.
    fn may_match_below(&self, folder: &RepoPath, depth: usize) -> bool {
        let fits = |prefix: &&[u8]| glob::matches(prefix, folder.as_bytes()).unwrap_or(true);
        depth < self.depth && self.prefixes.get(depth - 1).is_none_or(fits)
    }
}

/// The wildcard's first component, first two, and so on; none when it has a class, which could match a slash.
fn prefixes(wildcard: &[u8]) -> Vec<&[u8]> {
    if wildcard.contains(&b'[') {
        return Vec::new();
    }
    let slashes = wildcard.iter().enumerate().filter(|(_, b)| **b == b'/');
    slashes.map(|(at, _)| &wildcard[..at]).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::Limits;
    use super::super::testing::contexts;
    use super::*;
    use crate::tree::memory::MemoryTree;

    fn names(tree: &MemoryTree, plain: &str, wildcard: &str) -> Option<Vec<String>> {
        let contexts = contexts(tree, "");
        let mut view = View::new(&contexts.main, Limits::default());
        let found = expand(&mut view, &RepoPath::clean(plain), wildcard.as_bytes()).unwrap();
        found.map(|paths| paths.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_class_can_match_a_slash() {
        let tree = MemoryTree::new().file("a/b", "").file("a-b", "");
        assert_eq!(names(&tree, "", "a[^x]b").unwrap(), ["a/b", "a-b"]);
    }

    #[test]
    fn links_below_the_plain_path_are_not_entered() {
        let tree = MemoryTree::new().file("d/x", "").link("l", "d");
        assert_eq!(names(&tree, "", "*/x").unwrap(), ["d/x"]);
        assert_eq!(names(&tree, "l", "*").unwrap(), ["d/x"]);
    }

    #[test]
    fn a_plain_path_that_is_a_file_matches_nothing_and_a_missing_one_is_told() {
        let tree = MemoryTree::new().file("f", "");
        assert!(names(&tree, "f", "*").unwrap().is_empty());
        assert_eq!(names(&tree, "g", "*"), None);
    }

    #[test]
    fn pruning_loses_nothing() {
        let tree = MemoryTree::new()
            .file("a/b/c/d", "")
            .file("a/x/c/d", "")
            .file("b/b/c/d", "");
        assert_eq!(names(&tree, "", "a/*/c/?").unwrap(), ["a/b/c/d", "a/x/c/d"]);
        assert_eq!(names(&tree, "", r"?/b/\c/*").unwrap(), ["a/b/c/d", "b/b/c/d"]);
    }
}
