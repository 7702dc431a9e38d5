//! Release records, as the journal reads and writes them.

use super::world::repository;
use ringshift::registry::Registry;
use ringshift::registry::memory::MemoryRegistry;
use ringshift::state::journal::{Journal, TagJournal};
use std::sync::Arc;

pub fn run(data: &[u8]) {
    let registry = Arc::new(MemoryRegistry::new());
    let place = repository("shop-state");
    let Ok(blob) = registry.put_blob(&place, data) else {
        return;
    };
    let journal = TagJournal::new(registry.clone(), place.clone());
    let record = match journal.record(&blob.digest) {
        Ok(record) => record,
        Err(error) => return super::told(&error.to_string()),
    };
    let _ = (record.root(), record.is_dirty());
    for image in record.images.values() {
        assert_eq!(image.key(), image.clone().key());
    }
    let written = journal
        .put_record(&record)
        .unwrap_or_else(|error| panic!("{error}"));
    let fresh = TagJournal::new(registry, place);
    let again = fresh.record(&written).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, record, "what was written is read");
    assert_eq!(fresh.put_record(&again).ok(), Some(written), "and written alike");
}
