//! The journal: one immutable entry per transition, appended by compare-and-swap (state store 2, 3).
//!
//! An entry is an OCI artifact under the tag `s.<seq>` of the repository `<project>/<root>-state`:
//! its first layer is the entry as JSON, its further layers are the release records that it names,
//! and the environment packs that these name, so that a registry's collector keeps them.

mod documents;

use super::trust::Unsettled;
use super::{Entry, ReleaseRecord, entry::FORMAT};
use crate::model::Digest;
use crate::registry::{Created, MANIFEST, Registry, RegistryError, Repository};
pub use documents::{Documents, EMPTY, ENTRY, RECORD};
pub(crate) use documents::{artifact, broken, nothing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An entry or record is not what its place promises.
    #[error("{what} of the journal is damaged")]
    Damaged {
        /// Which document.
        what: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The chain of entries is broken.
    #[error("{0}")]
    Broken(String),
    /// An entry was written by a newer ringshift.
    #[error("{what} has format {found}, this ringshift knows {FORMAT}")]
    Newer {
        /// Which document.
        what: String,
        /// Its format.
        found: u64,
    },
    /// The registry does not list what it acknowledged, so that no journal can be kept there (state store 2).
    #[error("the registry does not list what it has just stored; no journal can be kept there")]
    Lagging,
    /// Others wrote all the time.
    #[error("other runs write to the journal all the time; nothing was changed by this one")]
    Busy,
    /// The journal is not the one that was seen before, or is behind it (state store 6).
    #[error("{what}")]
    WentBack {
        /// What was seen before, and what is there.
        what: String,
        /// Where what was seen before is written.
        mark: String,
    },
    /// The last entry is older than was allowed (state store 6).
    #[error("the last entry of the journal is of {at}, older than --max-age allows")]
    Old {
        /// When it was written.
        at: super::Timestamp,
    },
}

/// One entry as it stands in the journal.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The manifest digest of the entry.
    pub digest: Digest,
    /// The entry.
    pub entry: Entry,
    /// The records it carries, with their sizes in bytes.
    pub records: BTreeMap<Digest, u64>,
    /// The packs of environments that those records name, with their sizes in bytes.
    pub packs: BTreeMap<Digest, u64>,
    /// Which of the records names which pack.
    pub environments: BTreeMap<Digest, Digest>,
}

impl Stored {
    /// An entry that carries nothing yet that is known.
    pub fn new(digest: Digest, entry: Entry) -> Self {
        Self {
            digest,
            entry,
            records: BTreeMap::new(),
            packs: BTreeMap::new(),
            environments: BTreeMap::new(),
        }
    }
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The entry is durable; this is its digest.
    Committed(Digest),
    /// Another entry stands there already.
    Conflict,
}

/// A journal that is changed by compare-and-swap.
pub trait Journal: Send + Sync {
    /// The last entry; `None` when there is no journal yet.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    fn head(&self) -> Result<Option<Stored>, JournalError>;

    /// The entry with this sequence number.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    fn at(&self, seq: u64) -> Result<Option<Stored>, JournalError>;

    /// Whether the entry with this number still is the last one; asks as little as possible.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    fn is_last(&self, seq: u64) -> Result<bool, JournalError> {
        Ok(self.head()?.is_some_and(|head| head.entry.seq == seq))
    }

    /// The entry before `of`; by the digest that `of` names where the driver can, so that nothing can be slipped in.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    fn parent(&self, of: &Stored) -> Result<Option<Stored>, JournalError> {
        match of.entry.seq {
            0 | 1 => Ok(None),
            seq => self.at(seq - 1),
        }
    }

    /// A release record by its digest.
    ///
    /// # Errors
    /// [`JournalError`] when it is missing or damaged.
    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError>;

    /// Stores a release record, so that an entry can name it.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written.
    fn put_record(&self, record: &ReleaseRecord) -> Result<Digest, JournalError>;

    /// What of the ring tags may be out of date, as far as is known here.
    fn unsettled(&self) -> Unsettled {
        Unsettled::All
    }

    /// The ring tags are what the head says.
    fn settled(&self) {}

    /// Removes what writers needed to agree on entries up to this one; how many tags. Where tags cannot be removed, none.
    ///
    /// # Errors
    /// [`JournalError`] when the registry fails, or removes more than a tag.
    fn clean(&self, decided: u64) -> Result<u64, JournalError> {
        let _ = decided;
        Ok(0)
    }

    /// Whether the registry moves tags. One that does not has no ring tags. Where that is not known yet, it is found out
    /// if `find_out`, which writes; else they are taken to move.
    ///
    /// # Errors
    /// [`JournalError`] when that cannot be found out.
    fn moves_tags(&self, find_out: bool) -> Result<bool, JournalError> {
        let _ = find_out;
        Ok(true)
    }

    /// Appends `entry` after `head`, if `head` still is the last one.
    ///
    /// # Errors
    /// [`JournalError`] when the outside fails; nothing is appended then, or the very same entry is.
    fn append(&self, head: Option<&Stored>, entry: &Entry) -> Result<Appended, JournalError>;
}

/// The journal on a registry whose [`Registry::create_tag`] is atomic: a folder, or a map.
pub struct TagJournal {
    documents: Documents,
}

impl TagJournal {
    /// The journal in `repository`.
    pub fn new(registry: Arc<dyn Registry>, repository: Repository) -> Self {
        Self {
            documents: Documents::new(registry, repository),
        }
    }
}

impl Journal for TagJournal {
    fn head(&self) -> Result<Option<Stored>, JournalError> {
        let tags = self.documents.registry.tags(&self.documents.repository)?;
        match tags.iter().filter_map(|tag| seq_of(tag)).max() {
            Some(seq) => self.at(seq),
            None => Ok(None),
        }
    }

    fn at(&self, seq: u64) -> Result<Option<Stored>, JournalError> {
        self.documents.at(seq)
    }

    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
        self.documents.record(digest)
    }

    fn put_record(&self, record: &ReleaseRecord) -> Result<Digest, JournalError> {
        self.documents.put_record(record)
    }

    fn append(&self, head: Option<&Stored>, entry: &Entry) -> Result<Appended, JournalError> {
        let Documents {
            registry, repository, ..
        } = &self.documents;
        let manifest = self.documents.put(head, entry)?;
        let stored = registry.put_manifest(repository, MANIFEST, &manifest)?;
        Ok(
            match registry.create_tag(repository, &tag_of(entry.seq), &stored)? {
                Created::New => Appended::Committed(stored.digest),
                Created::Exists(there) if there == stored.digest => Appended::Committed(there),
                Created::Exists(_) => Appended::Conflict,
            },
        )
    }
}

/// The tag of an entry.
pub fn tag_of(seq: u64) -> String {
    format!("s.{seq:08}")
}

/// The sequence number that a tag names, when it is an entry's.
pub fn seq_of(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix("s.")?;
    let well_formed = digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn tags_of_entries_sort_by_number() {
        assert_eq!(tag_of(41), "s.00000041");
        assert_eq!(seq_of("s.00000041"), Some(41));
        assert_eq!(seq_of("s.123456789").unwrap(), 123_456_789);
        for other in ["s.1", "v.00000001", "s.0000000x", "latest"] {
            assert_eq!(seq_of(other), None);
        }
    }
}
