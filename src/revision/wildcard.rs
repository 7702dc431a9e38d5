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
