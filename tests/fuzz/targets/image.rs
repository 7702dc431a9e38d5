//! Images of other builders: manifest, config and layers, as the native builder and the relabelling read them.
//!
//! Fields: the config, the manifest, an index over it, a layer. Those may name `@config`, `@layer` and `@manifest`,
//! which stand for the digests; without a manifest there is the ordinary one.

use super::world::{contexts, repository, sources};
use ringshift::builder::{self, Base, BuildError, Builder, Built, Job, Native, Session, labels};
use ringshift::containerfile::{Inputs, parse, resolve};
use ringshift::model::{Digest, ImageName, Platform};
use ringshift::registry::memory::MemoryRegistry;
use ringshift::registry::{INDEX, MANIFEST, Registry, RegistryError};
use ringshift::revision::{Limits, select};
use serde_json::Value;
use std::collections::BTreeMap;

const ORDINARY: &str = r#"{"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"@config","size":1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"@layer","size":1}]}"#;
const FILE: &str = "FROM shop/base\nENV A=b\nCMD ls\nWORKDIR sub\nUSER 5\nCOPY --chown=app a /b\nCOPY --from=shop/base / /all/\n";

pub fn run(data: &[u8]) {
    let registry = MemoryRegistry::new();
    let Ok(base) = pushed(&registry, data) else { return };
    relabelled(&registry, &base);
    let first = built(&registry, &base);
    let second = built(&registry, &base);
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first, second, "building twice gives the same");
            let config = config_of(&registry, &first.descriptor.digest);
            assert!(config.get("rootfs").is_some(), "a config has its layers");
        }
        (Err(first), Err(second)) => {
            assert_eq!(first.to_string(), second.to_string());
            super::told(&first.to_string());
        }
        (first, second) => panic!("{first:?} and {second:?}"),
    }
}

fn pushed(registry: &MemoryRegistry, data: &[u8]) -> Result<Digest, RegistryError> {
    let mut fields = super::fields(data);
    let place = repository("base");
    let config = registry
        .put_blob(&place, fields.next().unwrap_or_default())?
        .digest;
    let manifest = super::text(&mut fields);
    let index = super::text(&mut fields);
    let layer = registry
        .put_blob(&place, fields.next().unwrap_or_default())?
        .digest;
    let named = |text: String| {
        text.replace("@config", &config.to_string())
            .replace("@layer", &layer.to_string())
    };
    let manifest = named(if manifest.is_empty() {
        ORDINARY.into()
    } else {
        manifest
    });
    let manifest = registry
        .put_manifest(&place, MANIFEST, manifest.as_bytes())?
        .digest;
    if index.is_empty() {
        return Ok(manifest);
    }
    let index = named(index).replace("@manifest", &manifest.to_string());
    Ok(registry.put_manifest(&place, INDEX, index.as_bytes())?.digest)
}

/// New labels are there, and are the same when they are written again.
fn relabelled(registry: &MemoryRegistry, base: &Digest) {
    let new = BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1.2.3".to_owned())]);
    let relabel = |image: &Digest| builder::relabel(registry, &repository("base"), image, &new, 7);
    let Ok(once) = relabel(base) else { return };
    let config = config_of(registry, &once.digest);
    assert!(
        new.iter()
            .all(|(key, value)| labels::read(&config).get(key) == Some(value))
    );
    let twice = relabel(&once.digest).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(once, twice, "relabelling twice gives the same");
}

fn config_of(registry: &MemoryRegistry, image: &Digest) -> serde_json::Map<String, Value> {
    let manifest = registry.manifest(&repository("base"), image).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let digest = manifest["config"]["digest"]
        .as_str()
        .and_then(|digest| digest.parse().ok());
    let digest = digest.unwrap_or_else(|| panic!("{manifest} names a config"));
    let config = registry
        .small_blob(&repository("base"), &digest, 4 << 20)
        .unwrap_or_default();
    match serde_json::from_slice(&config) {
        Ok(Value::Object(config)) => config,
        other => panic!("{other:?} is no config"),
    }
}

fn built(registry: &MemoryRegistry, base: &Digest) -> Result<Built, BuildError> {
    built_of(registry, base, FILE, &sources())
}

/// What the native builder makes of a container file, with `base` as `shop/base`.
pub fn built_of(
    registry: &MemoryRegistry,
    base: &Digest,
    file: &str,
    tree: &ringshift::tree::memory::MemoryTree,
) -> Result<Built, BuildError> {
    let inputs = Inputs {
        args: &BTreeMap::new(),
        target: None,
        platform: &Platform::default(),
        contexts: &BTreeMap::new(),
        world: &super::world::Shop::default(),
    };
    let recipe = parse(file.as_bytes()).and_then(|file| resolve(&file, &inputs));
    let recipe = recipe.unwrap_or_else(|fault| panic!("{fault}"));
    let contexts = contexts(tree, "");
    let manifest = select(&recipe, &contexts, &Limits::default());
    let manifest = manifest.unwrap_or_else(|error| panic!("{}", error.message));
    let name = ImageName::new("base").unwrap_or_else(|error| panic!("{error}"));
    let base = Base {
        repository: repository("base"),
        digest: *base,
    };
    let job = Job {
        image: &name,
        registry,
        repository: &repository("base"),
        recipe: &recipe,
        manifest: &manifest,
        contexts: &contexts,
        bases: &BTreeMap::from([(name.clone(), base)]),
        created: 1_700_000_000,
        labels: &BTreeMap::new(),
        session: &Session::default(),
    };
    Native::new().build(&job, &|_| {})
}
