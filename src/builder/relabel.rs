//! New labels over the same layers, through the registry alone (B7).

use super::moment::rfc3339;
use super::native::manifest;
use super::{Base, BuildError, base, labels};
use crate::model::{Digest, Platform};
use crate::registry::{Descriptor, MANIFEST, Registry, Repository};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pushes the image `old` of `repository` anew, by digest, with `labels` in the place of the ones that
/// ringshift wrote, and `created` as its time. Layers, history and all else stay as they are.
///
/// # Errors
/// [`BuildError::Image`] when `old` is no image of one platform; [`BuildError::Registry`].
pub fn relabel(
    registry: &dyn Registry,
    repository: &Repository,
    old: &Digest,
    labels: &BTreeMap<String, String>,
    created: i64,
) -> Result<Descriptor, BuildError> {
    let base = Base {
        repository: repository.clone(),
        digest: *old,
    };
    let image = base::load(registry, &base, &Platform::default())?;
    let mut config = image.config;
    labels::write(&mut config, labels);
    config.insert("created".into(), json!(rfc3339(created)));
    let bytes = Value::Object(config).to_string().into_bytes();
    let blob = registry.put_blob(repository, &bytes)?;
    let manifest = manifest(&blob, &image.layers, labels);
    Ok(registry.put_manifest(repository, MANIFEST, manifest.as_bytes())?)
}
