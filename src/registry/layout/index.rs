#![expect(clippy::disallowed_methods, reason = "edge: a layout's index")]
//! `index.json`: which tag points at what. Whatever else other tools wrote there survives.

use super::place::{Place, failed};
use crate::model::Digest;
use crate::registry::{Descriptor, INDEX, RegistryError, check_tag};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Our own format of the layout, an annotation of the index.
const FORMAT: &str = "dev.ringshift.layout";
const OURS: u64 = 1;
/// A larger index is refused.
const LIMIT: u64 = 64 << 20;

/// The parsed index of a layout.
#[derive(Debug)]
pub(super) struct Index {
    raw: Map<String, Value>,
    manifests: Vec<Value>,
    shown: String,
}

impl Index {
    /// The index of a layout; empty when there is no layout.
    pub fn load(place: &Place) -> Result<Self, RegistryError> {
        check_marker(&place.marker())?;
        let path = place.index();
        let shown = path.display().to_string();
        match read_bounded(&path, LIMIT)? {
            None => Ok(Self::empty(shown)),
            Some(bytes) => Self::parse(&bytes, shown),
        }
    }

    fn empty(shown: String) -> Self {
        let raw = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [],
            "annotations": {FORMAT: OURS.to_string()},
        });
        let Value::Object(raw) = raw else {
            unreachable!("an object was written")
        };
        Self {
            raw,
            manifests: Vec::new(),
            shown,
        }
    }

    fn parse(bytes: &[u8], shown: String) -> Result<Self, RegistryError> {
        let raw: Value = serde_json::from_slice(bytes).map_err(|e| damaged(&shown, "JSON", &e))?;
        let Value::Object(mut raw) = raw else {
            return Err(damaged(&shown, "an object", &"something else"));
        };
        check_format(&raw, &shown)?;
        let manifests = match raw.get_mut("manifests").map(Value::take) {
            Some(Value::Array(manifests)) => manifests,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(damaged(&shown, "a list of manifests", &"something else")),
        };
        Ok(Self {
            raw,
            manifests,
            shown,
        })
    }

    /// All tags, sorted. Names that are no tags (other tools write whole references) are left out.
    pub fn tags(&self) -> Vec<String> {
        let names = self.manifests.iter().filter_map(name_of);
        let mut tags: Vec<_> = names.filter(|n| check_tag(n).is_ok()).map(String::from).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// Whether there is such a tag.
    pub fn has(&self, tag: &str) -> bool {
        self.entry(tag).is_some()
    }

    /// What a tag points at.
    pub fn find(&self, tag: &str) -> Result<Option<Descriptor>, RegistryError> {
        let Some(entry) = self.entry(tag) else {
            return Ok(None);
        };
        let bad = |what: &str| damaged(&self.shown, what, &format!("the entry of `{tag}`"));
        let digest = entry.get("digest").and_then(Value::as_str).unwrap_or_default();
        let digest: Digest = digest.parse().map_err(|e| damaged(&self.shown, "a digest", &e))?;
        let size = entry
            .get("size")
            .and_then(Value::as_u64)
            .ok_or_else(|| bad("a size"))?;
        let media_type = entry.get("mediaType").and_then(Value::as_str);
        Ok(Some(Descriptor {
            media_type: media_type.ok_or_else(|| bad("a media type"))?.into(),
            digest,
            size,
        }))
    }

    /// Points a tag somewhere.
    pub fn set(&mut self, tag: &str, target: &Descriptor) {
        self.remove(tag);
        self.manifests.push(json!({
            "mediaType": target.media_type,
            "digest": target.digest.to_string(),
            "size": target.size,
            "annotations": {REF_NAME: tag},
        }));
    }

    /// Removes a tag; whether there was one.
    pub fn remove(&mut self, tag: &str) -> bool {
        let before = self.manifests.len();
        self.manifests.retain(|entry| name_of(entry) != Some(tag));
        self.manifests.len() != before
    }

    /// Puts the index on the disk, durable when this returns.
    pub fn store(mut self, place: &Place) -> Result<(), RegistryError> {
        self.raw.insert("manifests".into(), Value::Array(self.manifests));
        let mut bytes =
            serde_json::to_vec(&self.raw).map_err(|e| failed("write", &place.index(), e.into()))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > LIMIT {
            let reason = io::Error::other(format!("an index larger than {LIMIT} bytes"));
            return Err(failed("write", &place.index(), reason));
        }
        place.sweep();
        let file = place.new_file()?;
        place.fill(file, &place.index(), &bytes)?;
        place.sync()
    }

    /// The first entry of that name counts, as for other tools.
    fn entry(&self, tag: &str) -> Option<&Value> {
        self.manifests.iter().find(|entry| name_of(entry) == Some(tag))
    }
}

fn name_of(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(REF_NAME)?.as_str()
}

fn check_marker(path: &Path) -> Result<(), RegistryError> {
    let Some(bytes) = read_bounded(path, 4096)? else {
        return Ok(());
    };
    let shown = path.display().to_string();
    let raw: Value = serde_json::from_slice(&bytes).map_err(|e| damaged(&shown, "JSON", &e))?;
    let version = raw
        .get("imageLayoutVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let version = semver::Version::parse(version).map_err(|e| damaged(&shown, "a version", &e))?;
    if version > semver::Version::new(1, 0, u64::MAX) {
        return Err(RegistryError::Newer(shown));
    }
    Ok(())
}

fn check_format(raw: &Map<String, Value>, shown: &str) -> Result<(), RegistryError> {
    let schema = raw.get("schemaVersion").and_then(Value::as_u64);
    let ours = raw
        .get("annotations")
        .and_then(|a| a.get(FORMAT))
        .and_then(Value::as_str);
    let ours = ours.map(|text| text.parse::<u64>().unwrap_or(u64::MAX));
    if schema.is_some_and(|n| n > 2) || ours.is_some_and(|n| n > OURS) {
        return Err(RegistryError::Newer(shown.into()));
    }
    match schema {
        Some(2) => Ok(()),
        _ => Err(damaged(shown, "schemaVersion 2", &"another")),
    }
}

fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, RegistryError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed("read", path, e)),
    };
    let mut bytes = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|e| failed("read", path, e))?;
    if bytes.len() as u64 > limit {
        let shown = path.display().to_string();
        return Err(damaged(&shown, &format!("at most {limit} bytes"), &"more"));
    }
    Ok(Some(bytes))
}

fn damaged(what: &str, wanted: &str, found: &dyn std::fmt::Display) -> RegistryError {
    RegistryError::Damaged {
        what: what.into(),
        wanted: wanted.into(),
        found: found.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn target() -> Descriptor {
        Descriptor {
            media_type: crate::registry::MANIFEST.into(),
            digest: Digest::of(b"m"),
            size: 1,
        }
    }

    #[test]
    fn unknown_keys_and_entries_survive_a_change() {
        let text = br#"{"schemaVersion":2,"x-first":[1],"manifests":[{"mediaType":"a","digest":"sha512:0","size":1,"x":2}],"subject":{}}"#;
        let mut index = Index::parse(text, "i".into()).unwrap();
        index.set("v", &target());
        index.set("v", &target());
        index
            .raw
            .insert("manifests".into(), Value::Array(index.manifests.clone()));
        let out = serde_json::to_string(&index.raw).unwrap();
        assert!(out.starts_with(r#"{"schemaVersion":2,"x-first":[1],"manifests":[{"mediaType":"a","digest":"sha512:0","size":1,"x":2},"#));
        assert!(out.ends_with(r#""subject":{}}"#), "{out}");
        assert_eq!(index.tags(), ["v"]);
        assert!(index.remove("v") && !index.remove("v"));
    }

    #[test]
    fn newer_formats_are_refused_as_newer() {
        for text in [
            r#"{"schemaVersion":3}"#,
            r#"{"schemaVersion":2,"annotations":{"dev.ringshift.layout":"2"}}"#,
            r#"{"schemaVersion":2,"annotations":{"dev.ringshift.layout":"two"}}"#,
        ] {
            let error = Index::parse(text.as_bytes(), "i".into()).unwrap_err();
            assert!(matches!(error, RegistryError::Newer(_)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_damage_and_never_a_panic() {
        let nested = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"schemaVersion":2,"manifests":{}}"#,
            &nested,
        ] {
            let error = Index::parse(text.as_bytes(), "i".into()).unwrap_err();
            assert!(matches!(error, RegistryError::Damaged { .. }));
        }
        let text = br#"{"schemaVersion":2,"manifests":[{"digest":"x","annotations":{"org.opencontainers.image.ref.name":"v"}}]}"#;
        let index = Index::parse(text, "i".into()).unwrap();
        assert!(matches!(index.find("v"), Err(RegistryError::Damaged { .. })));
        assert_eq!(index.find("w").unwrap(), None);
    }
}
