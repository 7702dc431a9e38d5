//! How large blobs are: builders want to know before they read.

use super::lock;
use crate::model::Digest;
use crate::registry::{Registry, RegistryError, Repository};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

/// Sizes that are known.
#[derive(Default)]
pub(super) struct Sizes(Mutex<BTreeMap<Digest, u64>>);

impl Sizes {
    /// Keeps a size in mind.
    pub(super) fn note(&self, digest: Digest, size: u64) {
        lock(&self.0).insert(digest, size);
    }

    /// Keeps in mind the sizes that a manifest or an index tells.
    pub(super) fn note_all(&self, manifest: &Value) {
        for (digest, size) in named(manifest) {
            self.note(digest, size);
        }
    }

    /// The size of a blob; one that no manifest told is read through.
    ///
    /// # Errors
    /// When the blob is missing, damaged, or cannot be read.
    pub(super) fn of(
        &self,
        registry: &dyn Registry,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<u64, RegistryError> {
        if let Some(size) = lock(&self.0).get(digest) {
            return Ok(*size);
        }
        let mut blob = registry.blob(repository, digest)?;
        let read = io::copy(&mut blob, &mut io::sink());
        let size = read.map_err(|source| RegistryError::Io {
            action: format!("read {digest} of {repository}"),
            source,
        })?;
        self.note(*digest, size);
        Ok(size)
    }
}

/// The blobs that a manifest names, with their sizes.
pub(super) fn named(manifest: &Value) -> Vec<(Digest, u64)> {
    let lists = ["layers", "manifests"].map(|key| manifest.get(key).and_then(Value::as_array));
    let all = lists
        .into_iter()
        .flatten()
        .flatten()
        .chain(manifest.get("config"));
    let size = |entry: &Value| {
        let digest = entry.get("digest")?.as_str()?.parse().ok()?;
        Some((digest, entry.get("size")?.as_u64()?))
    };
    all.filter_map(size).collect()
}
