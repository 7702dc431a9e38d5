//! ConfigMaps and Secrets made from files, literals and env files, and the hash of their content.

use super::base64;
use super::error::Error;
use super::kustomization::{Generator, GeneratorOptions};
use super::load::Loader;
use super::node::{Node, Scalar, Style};
use super::resource::Resource;
use super::scalar::Tag;
use super::value;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

/// A text; with line ends it is a block.
pub fn text(text: String) -> Node {
    let style = if text.contains('\n') {
        Style::Quoted
    } else {
        Style::Plain
    };
    Node::Scalar(Scalar {
        text,
        tag: Tag::Str,
        style,
        shared: 0,
    })
}

/// The options of a generator with those of the kustomization laid over them.
pub fn options(own: Option<&GeneratorOptions>, global: Option<&GeneratorOptions>) -> GeneratorOptions {
    let mut options = own.cloned().unwrap_or_default();
    if let Some(global) = global {
        for (mine, theirs) in [
            (&mut options.labels, &global.labels),
            (&mut options.annotations, &global.annotations),
        ] {
            for (key, value) in theirs {
                mine.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        options.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        options.immutable |= global.immutable;
    }
    options
}

/// Makes the object.
///
/// # Errors
/// When a file is missing, a literal is malformed, or a key stands twice.
pub fn make(
    kind: Kind,
    generator: &Generator,
    options: &GeneratorOptions,
    loader: &Loader<'_>,
) -> Result<Resource, Error> {
    if generator.name.is_empty() {
        return Err(Error::at(loader.folder(), "a generator has no `name`"));
    }
    let word = if kind == Kind::Secret {
        "Secret"
    } else {
        "ConfigMap"
    };
    let mut resource = Resource::new(Node::Map(vec![
        (Scalar::untagged("apiVersion"), Node::string("v1")),
        (Scalar::untagged("kind"), Node::string(word)),
    ]));
    resource.node.put("metadata", Node::Map(Vec::new()));
    if let Some(metadata) = resource.node.get_mut("metadata") {
        metadata.put("name", Node::string(&*generator.name));
        if !generator.namespace.is_empty() {
            metadata.put("namespace", Node::string(&*generator.namespace));
        }
    }
    let data = pairs(generator, loader)?;
    let (mut texts, mut binaries) = (Vec::new(), Vec::new());
    for (key, bytes) in data {
        let key = Scalar::untagged(key);
        if kind == Kind::Secret {
            texts.push((key, text(base64::encode_lines(&bytes))));
            continue;
        }
        match String::from_utf8(bytes) {
            Ok(plain) => texts.push((key, text(plain))),
            Err(raw) => binaries.push((key, text(base64::encode_lines(raw.as_bytes())))),
        }
    }
    if kind == Kind::Secret {
        let of = if generator.kind.is_empty() {
            "Opaque"
        } else {
            &generator.kind
        };
        resource.node.put("type", Node::string(of));
    }
    if !texts.is_empty() || kind == Kind::Secret {
        resource.node.put("data", Node::Map(texts));
    }
    if !binaries.is_empty() {
        resource.node.put("binaryData", Node::Map(binaries));
    }
    if !options.labels.is_empty() {
        resource.set_labels(&options.labels);
    }
    if !options.annotations.is_empty() {
        resource.set_annotations(&options.annotations);
    }
    if options.immutable {
        let flag = Scalar {
            text: "true".into(),
            tag: Tag::Bool,
            style: Style::Plain,
            shared: 0,
        };
        resource.node.put("immutable", Node::Scalar(flag));
    }
    if !options.disable_name_suffix_hash {
        resource.want_hash();
    }
    resource.set_behavior(&generator.behavior);
    Ok(resource)
}

fn pairs(generator: &Generator, loader: &Loader<'_>) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for file in &generator.envs {
        let bytes = loader.bytes(file)?;
        env(&bytes, &mut all).map_err(|what| Error::at(loader.name(file), what))?;
    }
    for literal in &generator.literals {
        let (key, value) = literal
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| {
                Error::at(
                    loader.folder(),
                    format!("invalid literal source {literal}, expected key=value"),
                )
            })?;
        all.push((key.into(), unquoted(value).into()));
    }
    for source in &generator.files {
        let (key, path) = match source.split_once('=') {
            None => (source.rsplit('/').next().unwrap_or(source), source.as_str()),
            Some(("", _) | (_, "")) => {
                return Err(Error::at(
                    loader.folder(),
                    format!("the source `{source}` lacks its key or its file"),
                ));
            }
            Some((_, path)) if path.contains('=') => {
                return Err(Error::at(
                    loader.folder(),
                    format!("source `{source}` key name or file path contains '='"),
                ));
            }
            Some((key, path)) => (key, path),
        };
        all.push((key.into(), loader.bytes(path)?));
    }
    let mut map = BTreeMap::new();
    for (key, value) in all {
        if map.insert(key.clone(), value).is_some() {
            return Err(Error::at(
                loader.folder(),
                format!("configmap {} illegally repeats the key `{key}`", generator.name),
            ));
        }
    }
    Ok(map)
}

fn env(bytes: &[u8], all: &mut Vec<(String, Vec<u8>)>) -> Result<(), String> {
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line =
            std::str::from_utf8(line).map_err(|_| format!("line {} has invalid utf8 bytes", number + 1))?;
        let line = if number == 0 {
            line.strip_prefix('\u{feff}').unwrap_or(line)
        } else {
            line
        };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            all.push((key.into(), value.into()));
        }
    }
    Ok(())
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote) {
            return &value[1..value.len() - 1];
        }
    }
    value
}

/// Ends the names of made objects in a hash of their content.
///
/// # Errors
/// When an object's content cannot be written as JSON.
pub fn add_hashes(resources: &mut [Resource]) -> Result<(), Error> {
    for resource in resources.iter_mut().filter(|resource| resource.wants_hash()) {
        let hash = hash(resource)?;
        let name = format!("{}-{hash}", resource.name());
        resource.store_id();
        resource.set_name(&name);
    }
    Ok(())
}

fn hash(resource: &Resource) -> Result<String, Error> {
    let field = |name: &str| match resource.node.get(name) {
        None => Ok(Value::String(String::new())),
        Some(Node::Scalar(scalar)) => Ok(Value::String(scalar.text.clone())),
        Some(node) => value::of(node),
    };
    let mut map = Map::new();
    let (kind, more) = match resource.kind() {
        "Secret" => ("Secret", "stringData"),
        _ => ("ConfigMap", "binaryData"),
    };
    map.insert("kind".into(), Value::String(kind.into()));
    // As upstream, whose look for `metadata/name` as one key finds nothing.
    map.insert("name".into(), Value::String(String::new()));
    map.insert("data".into(), field("data")?);
    if kind == "Secret" {
        map.insert("type".into(), field("type")?);
    }
    let more_value = field(more)?;
    if more_value.is_object() {
        map.insert(more.into(), more_value);
    }
    let mut text = String::new();
    value::go_json(&Value::Object(map), &mut text);
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    Ok(hex
        .chars()
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            c => c,
        })
        .collect())
}
