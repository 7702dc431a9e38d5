//! What a bake file says of builds: the targets of docker-bake.json and, in its plain form, docker-bake.hcl.

mod hcl;

use super::Hint;
use super::compose::{below, named};
use crate::config::yaml::MAX_BYTES;
use crate::model::RepoPath;
use serde_json::Value;
use std::collections::BTreeSet;

/// The most targets that one can inherit from.
const MAX_ANCESTORS: usize = 64;

/// The targets of the bake file at `path`, with what they inherit; none when it cannot be read. What
/// holds a variable or a function is left out.
pub fn hints(bytes: &[u8], path: &RepoPath) -> Vec<Hint> {
    let targets = match bytes.len() <= MAX_BYTES {
        true => targets(bytes, path),
        false => Value::Null,
    };
    // Bake's paths are relative to where it is called, by custom the folder of the file.
    let folder = path.parent().unwrap_or_default();
    let named = targets.as_object().into_iter().flatten();
    named
        .filter_map(|(name, _)| hint(name, &targets, path, &folder))
        .collect()
}

fn targets(bytes: &[u8], path: &RepoPath) -> Value {
    let whole = match path.name().ends_with(b".json") {
        true => serde_json::from_slice(bytes).unwrap_or_default(),
        false => hcl::read(&String::from_utf8_lossy(bytes)),
    };
    whole.get("target").cloned().unwrap_or_default()
}

fn hint(name: &str, targets: &Value, by: &RepoPath, folder: &RepoPath) -> Option<Hint> {
    let own = inherited(name, targets, &mut BTreeSet::new());
    let text = |key: &str| {
        own.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.contains("${"))
    };
    let literals = |key: &str| {
        let entries = own.get(key).and_then(Value::as_object).into_iter().flatten();
        entries.filter_map(|(key, value)| {
            Some((
                key.clone(),
                value.as_str().filter(|v| !v.contains("${"))?.to_owned(),
            ))
        })
    };
    // A target that others only inherit from builds nothing itself.
    if name.starts_with('_')
        || !["context", "dockerfile", "target", "tags"]
            .iter()
            .any(|key| own.contains_key(*key))
    {
        return None;
    }
    let context = below(folder, text("context").unwrap_or("."))?;
    let file = match text("dockerfile") {
        Some(file) => Some(below(&context, file)?),
        None => None,
    };
    let tags = own.get("tags").and_then(Value::as_array).into_iter().flatten();
    Some(Hint {
        lost: Vec::new(),
        by: by.clone(),
        name: name.into(),
        file,
        target: text("target").map(Into::into),
        args: literals("args").collect(),
        contexts: literals("contexts")
            .filter_map(|(key, value)| Some((key, named(folder, &value).ok()?)))
            .collect(),
        tags: tags
            .filter_map(Value::as_str)
            .filter(|tag| !tag.contains("${"))
            .map(Into::into)
            .collect(),
        context,
    })
}

/// The fields of a target over those that it inherits; each ancestor counts once.
fn inherited(name: &str, targets: &Value, seen: &mut BTreeSet<String>) -> serde_json::Map<String, Value> {
    let mut fields = serde_json::Map::new();
    let Some(own) = targets.get(name).and_then(Value::as_object) else {
        return fields;
    };
    if seen.len() < MAX_ANCESTORS && seen.insert(name.into()) {
        let parents = own.get("inherits").and_then(Value::as_array);
        for parent in parents.into_iter().flatten().filter_map(Value::as_str) {
            fields.extend(inherited(parent, targets, seen));
        }
    }
    fields.extend(own.clone());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const HCL: &str = r#"
variable "TAG" { default = "latest" }
group "default" { targets = ["api", "web"] }
# what both have
target "_common" {
  args = { LEVEL = "3", V = "${TAG}" }
}
target "api" {
  inherits = ["_common"]
  context = "services"   // a comment
  dockerfile = "api/Dockerfile"
  target = "runtime"
  tags = ["acme/api:1", "acme/api:${TAG}"]
  contexts = { proto = "proto" }
}
target "web" {
  matrix = { x = [1, 2] }
  name = "web-${x}"
  context = TAG == "latest" ? "a" : "b"
  labels = { a = upper("x") }
  tags = []
}
"#;

    #[test]
    fn targets_of_both_forms_are_found() {
        let found = hints(HCL.as_bytes(), &RepoPath::clean("docker-bake.hcl"));
        assert_eq!(found.len(), 2);
        let api = &found[0];
        assert_eq!(
            (api.name.as_str(), &api.context),
            ("api", &RepoPath::clean("services"))
        );
        assert_eq!(api.file, Some(RepoPath::clean("services/api/Dockerfile")));
        assert_eq!(
            (api.target.as_deref(), api.tags.as_slice()),
            (Some("runtime"), ["acme/api:1".to_owned()].as_slice())
        );
        assert_eq!(api.args.keys().collect::<Vec<_>>(), ["LEVEL"]);
        let proto = super::super::Named::Folder(RepoPath::clean("proto"));
        assert_eq!(api.contexts["proto"], proto);
        let json = br#"{"target": {"api": {"context": "services", "tags": ["a/b"]}}}"#;
        let found = hints(json, &RepoPath::clean("docker-bake.json"));
        assert_eq!(
            (found.len(), found[0].tags.as_slice()),
            (1, ["a/b".to_owned()].as_slice())
        );
    }

    #[test]
    fn broken_files_say_nothing_and_end() {
        for end in 0..HCL.len() {
            if HCL.is_char_boundary(end) {
                hints(&HCL.as_bytes()[..end], &RepoPath::clean("docker-bake.hcl"));
            }
        }
        let deep = format!("target \"a\" {{ x = {}", "[".repeat(100_000));
        for text in [
            deep.as_str(),
            "target",
            "target \"",
            "{{{{",
            "a = <<EOF\nx",
            "\"${\"${",
        ] {
            assert_eq!(hints(text.as_bytes(), &RepoPath::clean("docker-bake.hcl")), []);
        }
        let circle = br#"{"target": {"a": {"inherits": ["b"]}, "b": {"inherits": ["a"], "context": "x"}}}"#;
        assert_eq!(hints(circle, &RepoPath::clean("docker-bake.json")).len(), 2);
    }
}
