//! Ring tags: `<project>/<root>:<ring>`, derived from the journal for people and other tools.

use super::store::Store;
use crate::registry::remote::RemoteError;
use crate::registry::{MANIFEST, RegistryError, crash};
use crate::state::journal::JournalError;
use crate::state::trust::Unsettled;
use crate::state::{Entry, ReleaseRef, State};

/// Rewrites the ring tags that may be out of date, and looks at the head once more: of two writers the slower one must
/// not put old over new. In a folder, and after a crash, these are all; else those that `committed` moved. Returns what
/// could not be done, as a note: ring tags are never trusted for decisions, and `state repair` rewrites them.
pub fn settle(store: &Store, committed: Option<&Entry>) -> Option<String> {
    crash::point("settling");
    let done = match (store.journal.unsettled(), committed) {
        (Unsettled::Nothing, _) => return None,
        (Unsettled::Moved, Some(entry)) => write_moved(store, entry).and_then(|last| match last {
            true => Ok(()),
            false => repair(store),
        }),
        _ => repair(store),
    };
    match done {
        Ok(()) => {
            store.journal.settled();
            None
        }
        Err(JournalError::Busy) => {
            Some("the ring tags could not be rewritten: other runs write faster".into())
        }
        Err(error) => Some(format!("the ring tags could not be rewritten: {error}")),
    }
}

/// Rewrites every ring tag that is not what the journal's head says.
///
/// # Errors
/// [`JournalError`] when the head cannot be read or a tag cannot be written; [`JournalError::Busy`] when the head
/// moves all the time.
pub fn repair(store: &Store) -> Result<(), JournalError> {
    for _ in 0..TRIES {
        let Some(head) = store.journal.head()? else {
            return Ok(());
        };
        if !store.journal.moves_tags(true)? {
            return Ok(());
        }
        rewrite(store, &head.entry.state)?;
        if store.journal.is_last(head.entry.seq)? {
            return Ok(());
        }
    }
    Err(JournalError::Busy)
}

/// How often the head may move meanwhile.
const TRIES: usize = 16;

/// Writes the tags of the rings that an entry moved, without a look at what they were. `false`: there is a later entry.
fn write_moved(store: &Store, entry: &Entry) -> Result<bool, JournalError> {
    if !store.journal.moves_tags(true)? {
        return Ok(true);
    }
    let state = &entry.state;
    let repository = store.repository(&store.root);
    let post = entry.moved.keys().any(|ring| state.chain.last() == Some(ring));
    let rings = entry
        .moved
        .keys()
        .map(|ring| (ring.as_str(), state.release(ring)));
    for (tag, release) in rings.chain(post.then(|| ("post", state.post()))) {
        match release {
            Some(release) => {
                let bytes = store.registry.manifest(&repository, &release.digest)?;
                let kind = media_type(&bytes);
                store.registry.put_tagged(&repository, tag, &kind, &bytes)?;
            }
            None => remove(store, tag)?,
        }
        crash::point("pointing");
    }
    store.journal.is_last(entry.seq)
}

fn media_type(manifest: &[u8]) -> String {
    let named = serde_json::from_slice::<serde_json::Value>(manifest).ok();
    let named = named.and_then(|json| json["mediaType"].as_str().map(str::to_owned));
    named.unwrap_or_else(|| MANIFEST.into())
}

/// Rewrites every ring tag, and post's, that is not what the state says.
fn rewrite(store: &Store, state: &State) -> Result<(), RegistryError> {
    for ring in &state.chain {
        point(store, ring.as_str(), state.release(ring))?;
    }
    point(store, "post", state.post())
}

/// Removes the tag of a ring that holds nothing. Where a registry removes no tags it stays, and points at what was there.
fn remove(store: &Store, tag: &str) -> Result<(), RegistryError> {
    match store.registry.remove_tag(&store.repository(&store.root), tag) {
        Err(RegistryError::Remote(error)) if matches!(*error, RemoteError::Unsupported { .. }) => Ok(()),
        done => done,
    }
}

/// The ring tags that are not what the state says.
///
/// # Errors
/// [`JournalError`] when a tag cannot be read.
pub fn stale(store: &Store, state: &State) -> Result<Vec<String>, JournalError> {
    if !store.journal.moves_tags(false)? {
        return Ok(Vec::new());
    }
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
            Some(_) => remove(store, tag),
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
