//! Images of the project as bases: manifest, config and files, out of the registry.

use super::archive::{self, Header, What};
use super::content::{Content, Member};
use super::layer::Layer;
use super::rootfs::{Body, Entry, FilesError, Meta, Rootfs};
use super::{Base, BuildError};
use crate::model::{Digest, Platform, RepoPath};
use crate::registry::{Descriptor, LAYER_GZIP, Registry, Repository};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// How large a config may be (SEC-B4).
const CONFIG_LIMIT: u64 = 4 << 20;
/// How many indexes may name one another.
const INDEX_DEPTH: u32 = 3;

/// An image as it stands in the registry.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Its config.
    pub(crate) config: Map<String, Value>,
    /// Its layers, from the bottom up.
    pub(crate) layers: Vec<Layer>,
}

/// Reads manifest and config.
///
/// # Errors
/// [`BuildError::Image`] when they are not what the format asks for; [`BuildError::Registry`].
pub(crate) fn load(registry: &dyn Registry, base: &Base, platform: &Platform) -> Result<Image, BuildError> {
    let bad = |what: String| BuildError::Image {
        repository: base.repository.clone(),
        what,
    };
    let manifest = load_manifest(registry, base, platform)?;
    let descriptor = manifest.get("config").and_then(descriptor);
    let config = descriptor.ok_or_else(|| bad("its manifest names no config".into()))?;
    let bytes = registry.small_blob(&base.repository, &config.digest, CONFIG_LIMIT)?;
    let Ok(Value::Object(config)) = serde_json::from_slice(&bytes) else {
        return Err(bad("its config is no JSON object".into()));
    };
    let layers = layers(&manifest, &config, &base.repository).map_err(bad)?;
    Ok(Image { config, layers })
}

fn load_manifest(
    registry: &dyn Registry,
    base: &Base,
    platform: &Platform,
) -> Result<Map<String, Value>, BuildError> {
    let bad = |what: &str| BuildError::Image {
        repository: base.repository.clone(),
        what: what.into(),
    };
    let mut digest = base.digest;
    for _ in 0..INDEX_DEPTH {
        let bytes = registry.manifest(&base.repository, &digest)?;
        let Ok(Value::Object(manifest)) = serde_json::from_slice(&bytes) else {
            return Err(bad("its manifest is no JSON object"));
        };
        match manifest.get("manifests") {
            Some(Value::Array(entries)) => {
                let found = entries.iter().find(|entry| is_for(entry, platform));
                digest = found
                    .and_then(descriptor)
                    .ok_or_else(|| bad("its index has no manifest for the platform"))?
                    .digest;
            }
            _ => return Ok(manifest),
        }
    }
    Err(bad("its indexes are nested too deep"))
}

fn is_for(entry: &Value, platform: &Platform) -> bool {
    let says = |key: &str| {
        entry
            .get("platform")
            .and_then(|p| p.get(key))
            .and_then(Value::as_str)
    };
    says("os") == Some(&platform.os)
        && says("architecture") == Some(&platform.architecture)
        && (platform.variant.is_empty() || says("variant").is_none_or(|v| v == platform.variant))
}

/// Reads a descriptor.
pub(crate) fn descriptor(value: &Value) -> Option<Descriptor> {
    Some(Descriptor {
        media_type: value.get("mediaType")?.as_str()?.into(),
        digest: value.get("digest")?.as_str()?.parse().ok()?,
        size: value.get("size")?.as_u64()?,
    })
}

fn layers(
    manifest: &Map<String, Value>,
    config: &Map<String, Value>,
    repository: &Repository,
) -> Result<Vec<Layer>, String> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let blobs = list(manifest.get("layers"));
    let diff_ids = list(config.get("rootfs").and_then(|r| r.get("diff_ids")));
    if blobs.len() != diff_ids.len() {
        return Err(format!(
            "its manifest has {} layers, its config {}",
            blobs.len(),
            diff_ids.len()
        ));
    }
    let layer = |(blob, diff_id): (&Value, &Value)| {
        let mut descriptor = descriptor(blob)?;
        descriptor.media_type = oci_type(&descriptor.media_type)?;
        Some(Layer {
            descriptor,
            diff_id: diff_id.as_str()?.parse::<Digest>().ok()?,
            from: Some(repository.clone()),
        })
    };
    blobs
        .iter()
        .zip(&diff_ids)
        .map(|pair| layer(pair).ok_or_else(|| "a layer of an unknown kind".into()))
        .collect()
}

/// The OCI media type of a layer whose type may be Docker's.
fn oci_type(media_type: &str) -> Option<String> {
    match media_type {
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(LAYER_GZIP.into()),
        "application/vnd.docker.image.rootfs.diff.tar" => {
            Some("application/vnd.oci.image.layer.v1.tar".into())
        }
        oci if oci.starts_with("application/vnd.oci.image.layer.v1.tar") => Some(oci.into()),
        _ => None,
    }
}

/// Reads all layers into one file system; contents stay in the registry.
///
/// # Errors
/// [`BuildError::Image`] when a layer cannot be laid down; [`BuildError::Registry`].
pub(crate) fn files(
    registry: &dyn Registry,
    repository: &Repository,
    layers: &[Layer],
) -> Result<Rootfs, BuildError> {
    let mut rootfs = Rootfs::default();
    for layer in layers {
        let from = layer.from.as_ref().unwrap_or(repository);
        let mut stream = registry.blob(from, &layer.descriptor.digest)?;
        let mut seen = BTreeSet::new();
        let read = archive::for_each(&mut stream, &mut |number, header, bytes| {
            let size = match header.what {
                What::File => io::copy(bytes, &mut io::sink())?,
                _ => 0,
            };
            let content = Content::Layer(Member {
                repository: from.clone(),
                layer: layer.descriptor.digest,
                number,
            });
            lay(&mut rootfs, &mut seen, header, Body::File { content, size }).map_err(io::Error::other)
        });
        read.map_err(|error| BuildError::Image {
            repository: from.clone(),
            what: format!("layer {}: {error}", layer.descriptor.digest),
        })?;
    }
    rootfs.begin_layer();
    Ok(rootfs)
}

/// Lays one member of a layer over what lower layers, and this one so far, have made. `seen` holds the
/// paths of this layer, which an opaque mark spares.
fn lay(
    rootfs: &mut Rootfs,
    seen: &mut BTreeSet<RepoPath>,
    header: Header,
    file: Body,
) -> Result<(), FilesError> {
    let path = RepoPath::clean(&header.name);
    let Some(parent) = path.parent() else {
        return rootfs.set_meta(&path, header.meta);
    };
    let parent = rootfs.resolve(&RepoPath::root(), parent.as_bytes(), true)?;
    if rootfs.mark(&parent, path.name(), seen) {
        return Ok(());
    }
    rootfs.make_folders(&parent, &Meta::plain(0o755))?;
    let at = parent.child(path.name());
    seen.insert(at.clone());
    let body = match header.what {
        What::Folder if rootfs.is_folder(&at) => return rootfs.set_meta(&at, header.meta),
        What::Folder => Body::Folder(BTreeMap::new()),
        What::File => file,
        What::Link(text) => Body::Link(text),
        What::Special(tag, device) => Body::Special { tag, device },
        What::HardLink(target) => {
            let target = RepoPath::clean(target);
            let above = target.parent().unwrap_or_default();
            let above = rootfs.resolve(&RepoPath::root(), above.as_bytes(), true)?;
            return rootfs.link(&at, &above.child(target.name()));
        }
    };
    rootfs.put(
        &at,
        Entry {
            meta: header.meta,
            body,
        },
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::ProjectName;
    use crate::registry::memory::MemoryRegistry;
    use serde_json::json;

    const DOCKER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    fn repository() -> Repository {
        Repository::new(&ProjectName::new("acme").unwrap(), "base")
    }

    /// Pushes an index with one image for amd64, whose layer has the media type.
    fn pushed(registry: &MemoryRegistry, media_type: &str, diff_ids: usize) -> Base {
        let entry = |d: &Descriptor, media_type: &str| json!({"mediaType": media_type, "digest": d.digest, "size": d.size});
        let layer = registry.put_blob(&repository(), b"layer").unwrap();
        let ids = vec![Digest::of(b"x"); diff_ids];
        let config = json!({"rootfs": {"diff_ids": ids}}).to_string();
        let config = registry.put_blob(&repository(), config.as_bytes()).unwrap();
        let manifest = json!({
            "config": entry(&config, "application/vnd.docker.container.image.v1+json"),
            "layers": [entry(&layer, media_type)],
        });
        let put = |json: &Value| {
            let bytes = json.to_string();
            registry
                .put_manifest(&repository(), "application/json", bytes.as_bytes())
                .unwrap()
        };
        let mut for_amd64 = entry(&put(&manifest), "application/json");
        for_amd64["platform"] = json!({"os": "linux", "architecture": "amd64"});
        Base {
            repository: repository(),
            digest: put(&json!({"manifests": [for_amd64]})).digest,
        }
    }

    #[test]
    fn docker_media_types_and_indexes_are_understood() {
        let registry = MemoryRegistry::new();
        let base = pushed(&registry, DOCKER_GZIP, 1);
        let image = load(&registry, &base, &Platform::default()).unwrap();
        assert_eq!(image.layers[0].descriptor.media_type, LAYER_GZIP);
        assert_eq!(image.layers[0].from, Some(repository()));
    }

    #[test]
    fn an_image_that_is_none_is_refused() {
        let registry = MemoryRegistry::new();
        let amd64 = Platform::default();
        let refused = |base: &Base, platform: &Platform| {
            let error = load(&registry, base, platform).unwrap_err();
            assert!(matches!(error, BuildError::Image { .. }), "{error}");
            error.to_string()
        };
        let said = refused(&pushed(&registry, DOCKER_GZIP, 2), &amd64);
        assert_eq!(said, "acme/base: its manifest has 1 layers, its config 2");
        refused(&pushed(&registry, "text/plain", 1), &amd64);
        refused(
            &pushed(&registry, DOCKER_GZIP, 1),
            &"linux/arm64".parse().unwrap(),
        );
        let text = registry
            .put_manifest(&repository(), "text/plain", b"no json")
            .unwrap();
        let base = Base {
            repository: repository(),
            digest: text.digest,
        };
        refused(&base, &amd64);
    }
}
