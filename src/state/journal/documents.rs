//! The documents of a journal: entries as artifacts, release records as blobs beside them.

use super::{JournalError, Stored, tag_of};
use crate::model::Digest;
use crate::pack;
use crate::registry::{MANIFEST, Registry, Repository};
use crate::state::entry::FORMAT;
use crate::state::{Entry, ReleaseRecord};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The media type of an entry's JSON.
pub const ENTRY: &str = "application/vnd.ringshift.entry.v1+json";
/// The media type of a release record.
pub const RECORD: &str = "application/vnd.ringshift.release.v1+json";
/// The media type of `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Of the layer of a release record: the digest of the pack that it names.
const NAMES: &str = "dev.ringshift.environments";
const MAX_DOCUMENT: u64 = 64 << 20;

/// Reads and writes the documents of the journal in one repository.
pub struct Documents {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// The journal's repository.
    pub repository: Repository,
    records: Mutex<BTreeMap<Digest, Arc<ReleaseRecord>>>,
}

impl Documents {
    /// The documents in `repository`.
    pub fn new(registry: Arc<dyn Registry>, repository: Repository) -> Self {
        Self {
            registry,
            repository,
            records: Mutex::default(),
        }
    }

    /// The entry with this number, by its tag.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn at(&self, seq: u64) -> Result<Option<Stored>, JournalError> {
        let tag = tag_of(seq);
        match self.registry.fetch(&self.repository, &tag)? {
            Some((found, bytes)) => self.load(&tag, found.digest, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// The entry with this number, by the digest that its follower names.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn parent(&self, seq: u64, digest: &Digest) -> Result<Stored, JournalError> {
        let bytes = self.registry.manifest(&self.repository, digest)?;
        self.load(&tag_of(seq), *digest, &bytes)
    }

    fn load(&self, tag: &str, digest: Digest, manifest: &[u8]) -> Result<Stored, JournalError> {
        let manifest: Value = parse(tag, manifest)?;
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
            digest,
            entry,
            records: of(false),
            packs: of(true),
            environments: rest
                .iter()
                .filter_map(|layer| Some((layer.digest, layer.environments?)))
                .collect(),
        })
    }

    /// A release record.
    ///
    /// # Errors
    /// [`JournalError`] when it is missing or damaged.
    pub fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
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

    /// Stores a release record.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written.
    pub fn put_record(&self, record: &ReleaseRecord) -> Result<Digest, JournalError> {
        let bytes = document(record)?;
        Ok(self.registry.put_blob(&self.repository, &bytes)?.digest)
    }

    /// Stores all that the entry's manifest names, and returns the manifest, which is not stored.
    ///
    /// # Errors
    /// [`JournalError`] when something cannot be written, or a record is missing.
    pub fn put(&self, head: Option<&Stored>, entry: &Entry) -> Result<Vec<u8>, JournalError> {
        let first = self.registry.put_blob(&self.repository, &document(entry)?)?;
        if head.is_none() {
            self.registry.put_blob(&self.repository, NOTHING)?;
        }
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
        artifact("application/vnd.ringshift.entry.v1", layers)
    }

    fn size(&self, digest: &Digest) -> Result<u64, JournalError> {
        let bytes = self.registry.small_blob(&self.repository, digest, MAX_DOCUMENT)?;
        Ok(bytes.len() as u64)
    }
}

/// What every artifact has as its config.
const NOTHING: &[u8] = b"{}";

/// The descriptor of [`NOTHING`], which stands in the repository since its first entry.
pub fn nothing() -> Value {
    descriptor(EMPTY, &Digest::of(NOTHING), NOTHING.len() as u64)
}

/// The manifest of an artifact.
///
/// # Errors
/// None in practice: it is plain JSON.
pub fn artifact(kind: &str, layers: Vec<Value>) -> Result<Vec<u8>, JournalError> {
    document(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": nothing(),
        "layers": layers,
    }))
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

pub(crate) fn broken(tag: &str, why: &str) -> JournalError {
    JournalError::Broken(format!("entry {tag} of the journal is broken: {why}"))
}
