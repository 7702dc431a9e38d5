//! What the tests of all registries share.

use crate::server::Server;
use ringshift::model::{Digest, ProjectName};
use ringshift::registry::remote::{Access, RemoteRegistry};
use ringshift::registry::{CONFIG, Descriptor, LAYER_GZIP, MANIFEST, Registry, Repository};
use serde_json::json;

pub fn repository(name: &str) -> Repository {
    Repository::new(&ProjectName::new("acme/shop").unwrap(), name)
}

pub fn open(server: &Server) -> RemoteRegistry {
    RemoteRegistry::open(Access::anonymous(&server.address)).unwrap()
}

/// Pushes an image of one layer; its manifest and the layer's digest.
pub fn image(registry: &dyn Registry, repository: &Repository, layer: &[u8]) -> (Descriptor, Digest) {
    let config = registry
        .put_blob(repository, br#"{"os":"linux","architecture":"amd64"}"#)
        .unwrap();
    let layer = registry.put_blob(repository, layer).unwrap();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": LAYER_GZIP, "digest": layer.digest, "size": layer.size}],
    });
    let bytes = manifest.to_string();
    let manifest = registry
        .put_manifest(repository, MANIFEST, bytes.as_bytes())
        .unwrap();
    (manifest, layer.digest)
}
