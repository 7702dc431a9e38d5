//! What stands under a number that an earlier run reserved.

use super::store::Store;
use crate::model::{Digest, ImageName, Revision, Version, labels};
use crate::plan::build::{Pushed, There};
use crate::registry::RegistryError;
use crate::state::ContentKey;
use crate::state::journal::JournalError;
use crate::state::release::content_key;
use serde_json::Value;
use std::collections::BTreeMap;

impl Pushed for Store {
    fn pushed(&self, image: &ImageName, version: &Version, key: &ContentKey) -> Result<There, JournalError> {
        let repository = self.repository(image);
        let Some(found) = self.registry.resolve(&repository, &version.to_string())? else {
            return Ok(There::Nothing);
        };
        let manifest = self.registry.manifest(&repository, &found.digest)?;
        Ok(match key_of(&manifest) {
            Some(there) if there == *key => There::Same(found.digest),
            _ => There::Other,
        })
    }
}

/// The content key that the annotations of a manifest give.
fn key_of(manifest: &[u8]) -> Option<ContentKey> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let annotations = manifest["annotations"].as_object()?;
    let revision: Revision = annotations.get(labels::REVISION)?.as_str()?.parse().ok()?;
    let mut dependencies = BTreeMap::new();
    for (key, value) in annotations {
        if let Some(name) = key.strip_prefix(labels::DEPENDENCY) {
            dependencies.insert(ImageName::new(name).ok()?, value.as_str()?.parse().ok()?);
        }
    }
    Some(content_key(&revision, &dependencies))
}

/// The manifest of a version; its absence is an error here.
///
/// # Errors
/// [`RegistryError::Missing`] when no such tag exists.
pub fn digest_of(store: &Store, image: &ImageName, version: &Version) -> Result<Digest, RegistryError> {
    let repository = store.repository(image);
    let found = store.registry.resolve(&repository, &version.to_string())?;
    found
        .map(|f| f.digest)
        .ok_or_else(|| RegistryError::Missing(format!("{repository}:{version}")))
}
