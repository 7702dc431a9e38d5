//! What is in the store of a world, as anybody reads it.

use crate::sandbox::World;
use ringshift::model::{Digest, ProjectName};
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{Registry, Repository};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Read;

pub struct Store(LayoutRegistry);

impl Store {
    pub fn of(world: &World) -> Self {
        Self(LayoutRegistry::new(world.store()))
    }

    /// The versions of an image that are tagged.
    pub fn versions(&self, image: &str) -> Vec<String> {
        let tags = self.0.tags(&repository(image)).unwrap();
        let number = |tag: &String| tag.starts_with(|c: char| c.is_ascii_digit());
        tags.into_iter().filter(number).collect()
    }

    /// The versions of every image of the project.
    pub fn all(&self) -> BTreeMap<&'static str, Vec<String>> {
        let images = crate::project::IMAGES.iter().map(|(image, _)| *image);
        let images = images.chain(["shop"]);
        images.map(|image| (image, self.versions(image))).collect()
    }

    pub fn digest(&self, image: &str, version: &str) -> Option<Digest> {
        let found = self.0.resolve(&repository(image), version).unwrap();
        found.map(|found| found.digest)
    }

    pub fn labels(&self, image: &str, version: &str) -> Map<String, Value> {
        self.image(image, version).labels()
    }

    /// The text of a file in the last layer that has it.
    pub fn file(&self, image: &str, version: &str, path: &str) -> Option<String> {
        self.image(image, version).file(path)
    }

    fn image(&self, image: &str, version: &str) -> Image<'_> {
        Image::new(&self.0, image, &self.digest(image, version).unwrap())
    }

    /// The images of an index by their architectures.
    pub fn platforms(&self, image: &str, version: &str) -> Vec<(String, Image<'_>)> {
        let index = self.image(image, version).manifest;
        let entries = index["manifests"].as_array().unwrap().iter();
        let entry = |entry: &Value| {
            let architecture = entry["platform"]["architecture"].as_str().unwrap();
            let digest = entry["digest"].as_str().unwrap().parse().unwrap();
            (architecture.to_owned(), Image::new(&self.0, image, &digest))
        };
        entries.map(entry).collect()
    }
}

/// One image, or an index.
pub struct Image<'a> {
    registry: &'a LayoutRegistry,
    repository: Repository,
    manifest: Value,
}

impl<'a> Image<'a> {
    fn new(registry: &'a LayoutRegistry, image: &str, digest: &Digest) -> Self {
        let repository = repository(image);
        let bytes = registry.manifest(&repository, digest).unwrap();
        Self {
            registry,
            repository,
            manifest: serde_json::from_slice(&bytes).unwrap(),
        }
    }

    pub fn labels(&self) -> Map<String, Value> {
        let config = self.blob(&self.manifest["config"]);
        let config: Value = serde_json::from_slice(&config).unwrap();
        config["config"]["Labels"].as_object().unwrap().clone()
    }

    fn blob(&self, entry: &Value) -> Vec<u8> {
        let digest: Digest = entry["digest"].as_str().unwrap().parse().unwrap();
        let mut bytes = Vec::new();
        let mut blob = self.registry.blob(&self.repository, &digest).unwrap();
        blob.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// The text of a file in the last layer that has it.
    pub fn file(&self, path: &str) -> Option<String> {
        let layers = self.manifest["layers"].as_array().unwrap();
        layers.iter().rev().find_map(|layer| {
            let tar = plain(&self.blob(layer));
            let mut archive = tar::Archive::new(tar.as_slice());
            let mut members = archive.entries().unwrap().map(Result::unwrap);
            let mut member = members.find(|member| {
                let name = member.path_bytes();
                name.strip_prefix(b"./").unwrap_or(&name) == path.as_bytes()
            })?;
            let mut text = String::new();
            member.read_to_string(&mut text).unwrap();
            Some(text)
        })
    }
}

pub fn repository(image: &str) -> Repository {
    Repository::new(&ProjectName::new("acme/shop").unwrap(), image)
}

/// Bytes without their compression.
pub fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => {
            let mut gz = flate2::read::MultiGzDecoder::new(bytes);
            gz.read_to_end(&mut plain).unwrap();
        }
        false => plain.extend(bytes),
    }
    plain
}
