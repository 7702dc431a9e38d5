//! Ring tags: `<project>/<root>:<ring>`, derived from the journal for people and other tools.

use super::store::Store;
use crate::registry::RegistryError;
use crate::state::{ReleaseRef, State};

/// Rewrites every ring tag that is not what the journal's head says, what a crash left behind
/// included, and looks at the head once more: of two writers the slower one must not put old over
/// new. Returns what could not be done, as a note: ring tags are never trusted for decisions, and the
/// next command rewrites them.
pub fn settle(store: &Store) -> Option<String> {
    for _ in 0..TRIES {
        let before = match store.journal.head() {
            Ok(Some(head)) => head,
            Ok(None) => return None,
            Err(error) => return Some(format!("the ring tags were not looked at: {error}")),
        };
        if let Err(error) = rewrite(store, &before.entry.state) {
            return Some(format!("the ring tags could not be rewritten: {error}"));
        }
        let after = store.journal.head().ok().flatten();
        if after.is_some_and(|after| after.digest == before.digest) {
            return None;
        }
    }
    Some("the ring tags could not be rewritten: other runs write faster".into())
}

/// How often the head may move meanwhile.
const TRIES: usize = 16;

/// Rewrites every ring tag, and post's, that is not what the state says.
fn rewrite(store: &Store, state: &State) -> Result<(), RegistryError> {
    for ring in &state.chain {
        point(store, ring.as_str(), state.release(ring))?;
    }
    point(store, "post", state.post())
}

/// The ring tags that are not what the state says.
///
/// # Errors
/// [`RegistryError`] when a tag cannot be read.
pub fn stale(store: &Store, state: &State) -> Result<Vec<String>, RegistryError> {
    let repository = store.repository(&store.root);
    let wanted = state
        .chain
        .iter()
        .map(|ring| (ring.as_str(), state.release(ring)));
    let mut stale = Vec::new();
    for (tag, release) in wanted.chain([("post", state.post())]) {
        let there = store
            .registry
            .resolve(&repository, tag)?
            .map(|found| found.digest);
        if there != release.map(|release| release.digest) {
            stale.push(tag.to_owned());
        }
    }
    Ok(stale)
}

fn point(store: &Store, tag: &str, release: Option<&ReleaseRef>) -> Result<(), RegistryError> {
    let repository = store.repository(&store.root);
    let there = store.registry.resolve(&repository, tag)?;
    let Some(release) = release else {
        return match there {
            Some(_) => store.registry.remove_tag(&repository, tag),
            None => Ok(()),
        };
    };
    if there.is_some_and(|there| there.digest == release.digest) {
        return Ok(());
    }
    match store
        .registry
        .resolve(&repository, &release.version.to_string())?
    {
        Some(target) if target.digest == release.digest => store.registry.move_tag(&repository, tag, &target),
        _ => Err(RegistryError::Missing(format!(
            "{repository}:{}",
            release.version
        ))),
    }
}
