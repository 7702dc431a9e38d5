//! Journal entries, as the journal reads and writes them.
//!
//! Fields: the entry, then the manifest of its artifact, where it is not the ordinary one.

use super::world::repository;
use ringshift::model::Digest;
use ringshift::registry::memory::MemoryRegistry;
use ringshift::registry::{MANIFEST, Registry};
use ringshift::state::journal::{Appended, ENTRY, Journal, JournalError, Stored, TagJournal, tag_of};
use serde_json::json;
use std::sync::Arc;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let (entry, manifest) = (fields.next().unwrap_or_default(), fields.next());
    let registry = Arc::new(MemoryRegistry::new());
    let stored = match read(&registry, entry, manifest) {
        Ok(stored) => stored,
        Err(error) => return super::told(&error.to_string()),
    };
    let entry = &stored.entry;
    for ring in &entry.state.chain {
        let _ = (entry.state.place(ring), entry.state.release(ring));
        for freeze in &entry.state.freezes {
            let _ = freeze.covers(ring, &entry.state.chain);
        }
    }
    let _ = (entry.state.post(), entry.state.first());
    written(&stored);
}

fn read(
    registry: &Arc<MemoryRegistry>,
    entry: &[u8],
    manifest: Option<&[u8]>,
) -> Result<Stored, JournalError> {
    let place = repository("shop-state");
    let blob = registry.put_blob(&place, entry)?;
    let ordinary = json!({"layers": [
        {"mediaType": ENTRY, "digest": blob.digest.to_string(), "size": blob.size},
    ]});
    let manifest = match manifest {
        Some(given) => String::from_utf8_lossy(given).replace("@entry", &blob.digest.to_string()),
        None => ordinary.to_string(),
    };
    let target = registry.put_manifest(&place, MANIFEST, manifest.as_bytes())?;
    let number = serde_json::from_slice::<serde_json::Value>(entry).ok();
    let number = number.and_then(|entry| entry["seq"].as_u64()).unwrap_or(1);
    registry.create_tag(&place, &tag_of(number), &target)?;
    let journal = TagJournal::new(registry.clone(), place);
    journal
        .head()?
        .ok_or_else(|| JournalError::Broken("no entry".into()))
}

/// Another journal that gets the entry reads the very same.
fn written(stored: &Stored) {
    let registry = Arc::new(MemoryRegistry::new());
    let journal = TagJournal::new(registry, repository("shop-state"));
    match journal.append(Some(stored), &stored.entry) {
        Err(JournalError::Registry(_)) => {}
        Err(error) => panic!("{error}"),
        Ok(Appended::Conflict) => panic!("nothing stood there"),
        Ok(Appended::Committed(digest)) => {
            let again = journal.head().ok().flatten();
            let again = again.unwrap_or_else(|| panic!("what was written is read"));
            assert_eq!((&again.entry, again.digest), (&stored.entry, digest));
            assert_eq!(
                journal.append(Some(stored), &again.entry).ok(),
                Some(Appended::Committed(digest))
            );
            let none: Option<&Digest> = again.records.keys().find(|record| !named(&again, record));
            assert_eq!(none, None, "only records that the entry names are kept with it");
        }
    }
}

fn named(stored: &Stored, record: &Digest) -> bool {
    let rings = stored.entry.state.rings.values();
    rings
        .flat_map(|ring| ring.known())
        .any(|release| release.record == *record)
        || stored
            .entry
            .state
            .freezes
            .iter()
            .any(|freeze| freeze.record == Some(*record))
}
