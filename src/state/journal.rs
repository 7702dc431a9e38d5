//! The journal: one immutable entry per transition, appended by compare-and-swap (state store 2, 3).
//!
//! An entry is an OCI artifact under the tag `s.<seq>` of the repository `<project>/<root>-state`:
//! its first layer is the entry as JSON, its further layers are the release records that it names,
//! and the environment packs that these name, so that a registry's collector keeps them.

use super::{Entry, ReleaseRecord, entry::FORMAT};
use crate::model::Digest;
use crate::pack;
use crate::registry::{Created, Descriptor, MANIFEST, Registry, RegistryError, Repository};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The media type of an entry's JSON.
pub const ENTRY: &str = "application/vnd.ringshift.entry.v1+json";
/// The media type of a release record.
pub const RECORD: &str = "application/vnd.ringshift.release.v1+json";
/// Of the layer of a release record: the digest of the pack that it names.
const NAMES: &str = "dev.ringshift.environments";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const MAX_DOCUMENT: u64 = 64 << 20;

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

    /// Appends `entry` after `head`, if `head` still is the last one.
    ///
    /// # Errors
    /// [`JournalError`] when the outside fails; nothing is appended then, or the very same entry is.
    fn append(&self, head: Option<&Stored>, entry: &Entry) -> Result<Appended, JournalError>;
}

/// The journal on a registry whose [`Registry::create_tag`] is atomic: a folder, or a map.
pub struct TagJournal {
    registry: Arc<dyn Registry>,
    repository: Repository,
    records: Mutex<BTreeMap<Digest, Arc<ReleaseRecord>>>,
}

impl TagJournal {
    /// The journal in `repository`.
    pub fn new(registry: Arc<dyn Registry>, repository: Repository) -> Self {
        Self {
            registry,
            repository,
            records: Mutex::default(),
        }
    }

    fn load(&self, tag: &str, found: &Descriptor) -> Result<Stored, JournalError> {
        let bytes = self.registry.manifest(&self.repository, &found.digest)?;
        let manifest: Value = parse(tag, &bytes)?;
        let layers = layers_of(&manifest).ok_or_else(|| broken(tag, "its manifest has no layers"))?;
        let (first, rest) = layers
            .split_first()
            .ok_or_else(|| broken(tag, "it has no layer"))?;
        let document = self
            .registry
            .small_blob(&self.repository, &first.digest, MAX_DOCUMENT)?;
        refuse_newer(tag, &document)?;
        let entry: Entry = parse(tag, &document)?;
        if tag_of(entry.seq) != tag {
            return Err(broken(tag, &format!("it calls itself number {}", entry.seq)));
        }
        let of = |is_pack: bool| {
            let layers = rest.iter().filter(move |layer| layer.is_pack == is_pack);
            layers.map(|layer| (layer.digest, layer.size)).collect()
        };
        Ok(Stored {
            digest: found.digest,
            entry,
            records: of(false),
            packs: of(true),
            environments: rest
                .iter()
                .filter_map(|layer| Some((layer.digest, layer.environments?)))
                .collect(),
        })
    }
}

impl TagJournal {
    fn size(&self, digest: &Digest) -> Result<u64, JournalError> {
        let bytes = self.registry.small_blob(&self.repository, digest, MAX_DOCUMENT)?;
        Ok(bytes.len() as u64)
    }
}

impl Journal for TagJournal {
    fn head(&self) -> Result<Option<Stored>, JournalError> {
        let tags = self.registry.tags(&self.repository)?;
        let mut numbers: Vec<u64> = tags.iter().filter_map(|tag| seq_of(tag)).collect();
        numbers.sort_unstable();
        match numbers.last() {
            Some(seq) => self.at(*seq),
            None => Ok(None),
        }
    }

    fn at(&self, seq: u64) -> Result<Option<Stored>, JournalError> {
        let tag = tag_of(seq);
        match self.registry.resolve(&self.repository, &tag)? {
            Some(found) => self.load(&tag, &found).map(Some),
            None => Ok(None),
        }
    }

    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
        if let Some(known) = self.records.lock().ok().and_then(|r| r.get(digest).cloned()) {
            return Ok(known);
        }
        let what = format!("release record {digest}");
        let bytes = self.registry.small_blob(&self.repository, digest, MAX_DOCUMENT)?;
        refuse_newer(&what, &bytes)?;
        let record: Arc<ReleaseRecord> = Arc::new(parse(&what, &bytes)?);
        if let Ok(mut known) = self.records.lock() {
            known.insert(*digest, record.clone());
        }
        Ok(record)
    }

    fn put_record(&self, record: &ReleaseRecord) -> Result<Digest, JournalError> {
        let bytes = document(record)?;
        Ok(self.registry.put_blob(&self.repository, &bytes)?.digest)
    }

    fn append(&self, head: Option<&Stored>, entry: &Entry) -> Result<Appended, JournalError> {
        let first = self.registry.put_blob(&self.repository, &document(entry)?)?;
        let config = self.registry.put_blob(&self.repository, b"{}")?;
        let mut layers = vec![descriptor(ENTRY, &first.digest, first.size)];
        let mut packs = BTreeMap::new();
        for digest in named_records(entry) {
            let (size, environments) = match head.and_then(|h| Some((h, h.records.get(&digest)?))) {
                Some((head, size)) => (*size, head.environments.get(&digest).copied()),
                None => {
                    let environments = self.record(&digest)?.environments;
                    (self.size(&digest)?, environments)
                }
            };
            let mut layer = descriptor(RECORD, &digest, size);
            if let Some(pack) = environments {
                layer["annotations"] = json!({NAMES: pack.to_string()});
                let known = head.and_then(|head| head.packs.get(&pack));
                let size = known.map_or_else(|| self.size(&pack), |size| Ok(*size))?;
                packs.insert(pack, size);
            }
            layers.push(layer);
        }
        layers.extend(
            packs
                .iter()
                .map(|(pack, size)| descriptor(pack::MEDIA_TYPE, pack, *size)),
        );
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.ringshift.entry.v1",
            "config": descriptor(EMPTY, &config.digest, config.size),
            "layers": layers,
        });
        let stored = self
            .registry
            .put_manifest(&self.repository, MANIFEST, &document(&manifest)?)?;
        Ok(
            match self
                .registry
                .create_tag(&self.repository, &tag_of(entry.seq), &stored)?
            {
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

/// The records that an entry names, sorted, each once.
fn named_records(entry: &Entry) -> Vec<Digest> {
    let mut records: Vec<Digest> = entry
        .state
        .rings
        .values()
        .flat_map(|ring| ring.known())
        .map(|release| release.record)
        .chain(entry.state.freezes.iter().filter_map(|freeze| freeze.record))
        .collect();
    records.sort_unstable();
    records.dedup();
    records
}

fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Value {
    json!({"mediaType": media_type, "digest": digest.to_string(), "size": size})
}

/// One layer of an entry.
struct Layer {
    digest: Digest,
    size: u64,
    /// An environment pack; else the entry or a release record.
    is_pack: bool,
    /// The pack that a release record names.
    environments: Option<Digest>,
}

fn layers_of(manifest: &Value) -> Option<Vec<Layer>> {
    let layer = |value: &Value| {
        Some(Layer {
            digest: value["digest"].as_str()?.parse().ok()?,
            size: value["size"].as_u64()?,
            is_pack: value["mediaType"] == pack::MEDIA_TYPE,
            environments: value["annotations"][NAMES]
                .as_str()
                .and_then(|text| text.parse().ok()),
        })
    };
    manifest["layers"].as_array()?.iter().map(layer).collect()
}

fn document(value: &impl serde::Serialize) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(value).map_err(|source| JournalError::Damaged {
        what: "a document".into(),
        source,
    })
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, JournalError> {
    serde_json::from_slice(bytes).map_err(|source| JournalError::Damaged {
        what: what.into(),
        source,
    })
}

fn refuse_newer(what: &str, bytes: &[u8]) -> Result<(), JournalError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u64,
    }
    let found = parse::<Format>(what, bytes)?.format;
    if found > u64::from(FORMAT) {
        let what = what.into();
        return Err(JournalError::Newer { what, found });
    }
    Ok(())
}

fn broken(tag: &str, why: &str) -> JournalError {
    JournalError::Broken(format!("entry {tag} of the journal is broken: {why}"))
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
