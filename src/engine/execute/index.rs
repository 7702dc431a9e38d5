//! Images of several platforms: an OCI index over one image for each.

use crate::builder::{self, BuildError};
use crate::model::{Digest, Platform};
use crate::registry::{Descriptor, INDEX, Registry, Repository};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Pushes the index of these images by digest, with the labels of semantics S4 as its annotations.
///
/// # Errors
/// [`BuildError::Registry`].
pub fn put(
    registry: &dyn Registry,
    repository: &Repository,
    images: &[(Platform, Descriptor)],
    labels: &BTreeMap<String, String>,
) -> Result<Descriptor, BuildError> {
    let entries = images.iter().map(|(platform, image)| entry(of(platform), image));
    write(registry, repository, entries.collect(), labels)
}

/// Gives the image `old`, of one platform or several, new labels over the same layers (B7).
///
/// # Errors
/// As [`builder::relabel`].
pub fn relabel(
    registry: &dyn Registry,
    repository: &Repository,
    old: &Digest,
    labels: &BTreeMap<String, String>,
    created: i64,
) -> Result<Descriptor, BuildError> {
    let manifest = registry.manifest(repository, old)?;
    let Some(old_entries) = entries(&manifest) else {
        return builder::relabel(registry, repository, old, labels, created);
    };
    let mut new = Vec::new();
    for old in old_entries {
        let digest = digest_of(&old).ok_or_else(|| BuildError::Image {
            repository: repository.clone(),
            what: "an entry of its index has no digest".into(),
        })?;
        let made = builder::relabel(registry, repository, &digest, labels, created)?;
        new.push(entry(old["platform"].clone(), &made));
    }
    write(registry, repository, new, labels)
}

/// The entries of an index; `None`: the manifest is that of one image.
pub fn entries(manifest: &[u8]) -> Option<Vec<Value>> {
    let manifest: Map<String, Value> = serde_json::from_slice(manifest).ok()?;
    manifest.get("manifests")?.as_array().cloned()
}

/// The digest that an entry names.
pub fn digest_of(entry: &Value) -> Option<Digest> {
    entry["digest"].as_str()?.parse().ok()
}

fn of(platform: &Platform) -> Value {
    let mut value = json!({"architecture": platform.architecture, "os": platform.os});
    if !platform.variant.is_empty() {
        value["variant"] = json!(platform.variant);
    }
    value
}

fn entry(platform: Value, image: &Descriptor) -> Value {
    json!({
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": image.size,
        "platform": platform,
    })
}

fn write(
    registry: &dyn Registry,
    repository: &Repository,
    entries: Vec<Value>,
    labels: &BTreeMap<String, String>,
) -> Result<Descriptor, BuildError> {
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": entries,
        "annotations": labels,
    });
    Ok(registry.put_manifest(repository, INDEX, index.to_string().as_bytes())?)
}
