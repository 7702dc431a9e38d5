//! What a bake file says of builds: the targets of docker-bake.json and, in its plain form, docker-bake.hcl.

mod hcl;
mod template;

use super::called::tag;
use super::compose::{below, named};
use super::{Hint, Said};
use crate::config::yaml::MAX_BYTES;
use crate::model::RepoPath;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The most targets that one can inherit from.
const MAX_ANCESTORS: usize = 64;

/// The targets of the bake file at `path`, with what they inherit; it is called in `folder`. Variables have their defaults; what
/// holds another expression is left out and noted.
pub fn hints(bytes: &[u8], path: &RepoPath, folder: &RepoPath) -> Said {
    let mut said = Said::default();
    let whole = match whole(bytes, path) {
        Ok(whole) => whole,
        Err(why) => {
            said.notes
                .push(format!("what {path} says of builds is not known: {why}"));
            return said;
        }
    };
    let variables = blocks(whole.get("variable"));
    let defaults = variables
        .iter()
        .filter_map(|(name, variable)| Some((name.clone(), template::plain(variable.get("default")?)?)));
    let file = File {
        path,
        folder,
        targets: blocks(whole.get("target")),
        defaults: defaults.collect(),
    };
    for name in file.targets.keys() {
        match file.hint(name) {
            Ok(hint) => said.hints.extend(hint),
            Err(why) => said
                .notes
                .push(format!("how {path} builds `{name}` is not known: {why}")),
        }
    }
    said
}

fn whole(bytes: &[u8], path: &RepoPath) -> Result<Value, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    match path.name().ends_with(b".json") {
        true => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        false => Ok(hcl::read(&String::from_utf8_lossy(bytes))),
    }
}

/// Blocks by name: a map, or a list of maps, in which a block can be a list of its parts too.
fn blocks(value: Option<&Value>) -> BTreeMap<String, Map<String, Value>> {
    let mut found: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (name, block) in parts(value).flatten() {
        let fields = parts(Some(block)).flatten();
        let fields = fields.map(|(key, value)| (key.clone(), value.clone()));
        found.entry(name.clone()).or_default().extend(fields);
    }
    found
}

fn parts(value: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(Value::as_object)
}

/// A bake file.
struct File<'f> {
    path: &'f RepoPath,
    folder: &'f RepoPath,
    targets: BTreeMap<String, Map<String, Value>>,
    defaults: BTreeMap<String, String>,
}

impl File<'_> {
    /// The build of a target; none of one that builds nothing itself, or not what the repository holds.
    fn hint(&self, name: &str) -> Result<Option<Hint>, String> {
        let own = self.inherited(name, &mut BTreeSet::new());
        let builds = ["context", "dockerfile", "target", "tags"];
        if name.starts_with('_') || !builds.iter().any(|key| own.contains_key(*key)) {
            return Ok(None);
        }
        if own.contains_key("dockerfile-inline") {
            return Err("it has no container file of its own".into());
        }
        let text = |key: &str| match own.get(key).and_then(template::plain) {
            Some(text) => match self.expand(&text) {
                Ok(text) => Ok(Some(text)),
                Err(missing) => Err(format!("its `{key}` holds {missing}, which has no value here")),
            },
            None => Ok(None),
        };
        let context = text("context")?.unwrap_or_else(|| ".".into());
        let Some(context) = below(self.folder, &context) else {
            return Ok(None);
        };
        let file = match text("dockerfile")? {
            Some(file) => {
                Some(below(&context, &file).ok_or("its container file lies outside the repository")?)
            }
            None => None,
        };
        let tags = own.get("tags").and_then(Value::as_array).into_iter().flatten();
        let expand = |text: &str| self.expand(text);
        let mut hint = Hint {
            by: self.path.clone(),
            name: name.into(),
            file,
            target: text("target")?.filter(|target| !target.is_empty()),
            tags: tags.filter_map(|text| tag(text.as_str()?, &expand)).collect(),
            context,
            ..Hint::default()
        };
        for (name, value) in entries(&own, "args") {
            let value = self.expand(&value);
            hint.take_arg(
                &name,
                value.map_err(|missing| format!("{missing} has no value here")),
            );
        }
        for (name, value) in entries(&own, "contexts") {
            let value = self
                .expand(&value)
                .map_err(|missing| format!("{missing} has no value here"));
            hint.take_context(&name, value.and_then(|value| named(self.folder, &value)));
        }
        Ok(Some(hint))
    }

    fn expand(&self, text: &str) -> Result<String, String> {
        template::expand(text, &self.defaults)
    }

    /// The fields of a target over those that it inherits, arguments and contexts one by one; each
    /// ancestor counts once.
    fn inherited(&self, name: &str, seen: &mut BTreeSet<String>) -> Map<String, Value> {
        let mut fields = Map::new();
        let Some(own) = self.targets.get(name) else {
            return fields;
        };
        if seen.len() < MAX_ANCESTORS && seen.insert(name.into()) {
            let parents = own.get("inherits").and_then(Value::as_array);
            for parent in parents.into_iter().flatten().filter_map(Value::as_str) {
                over(&mut fields, self.inherited(parent, seen));
            }
        }
        over(&mut fields, own.clone());
        fields
    }
}

fn over(fields: &mut Map<String, Value>, own: Map<String, Value>) {
    for (key, value) in own {
        match (fields.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) if key == "args" || key == "contexts" => {
                below.extend(above);
            }
            (_, value) => drop(fields.insert(key, value)),
        }
    }
}

/// The entries of a map whose values are texts, numbers or booleans.
fn entries(own: &Map<String, Value>, key: &str) -> Vec<(String, String)> {
    let entries = own.get(key).and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), template::plain(value)?)))
        .collect()
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
variable "NONE" {}
target "api" {
  inherits = ["_common"]
  context = "services"   // a comment
  dockerfile = "api/Dockerfile"
  target = "runtime"
  tags = ["acme/api:1", "acme/api:${TAG}", "acme/api:${upper("x")}", upper("x")]
  contexts = { proto = "proto" }
  args = {
    LEVEL = 4
    NUMBER = 3
    BUILD = true
    NAME = TAG
    NONE = NONE
    OTHER = upper("x")
  }
}
target "web" {
  matrix = { x = [1, 2] }
  name = "web-${x}"
  context = TAG == "latest" ? "a" : "b"
  labels = { a = upper("x") }
  tags = []
}
"#;

    fn at_root(bytes: &[u8], name: &str) -> Said {
        hints(bytes, &RepoPath::clean(name), &RepoPath::root())
    }

    #[test]
    fn targets_of_both_forms_are_found() {
        let found = at_root(HCL.as_bytes(), "docker-bake.hcl");
        let note = "how docker-bake.hcl builds `web` is not known: its `context` holds ${…}, which has no value here";
        assert_eq!(
            (found.hints.len(), found.notes.as_slice()),
            (1, [note.to_owned()].as_slice())
        );
        let api = &found.hints[0];
        assert_eq!(
            (api.name.as_str(), &api.context),
            ("api", &RepoPath::clean("services"))
        );
        assert_eq!(api.file, Some(RepoPath::clean("services/api/Dockerfile")));
        assert_eq!(
            (api.target.as_deref(), api.tags.as_slice()),
            (
                Some("runtime"),
                ["acme/api:1", "acme/api:latest", "acme/api:$"]
                    .map(str::to_owned)
                    .as_slice()
            )
        );
        let args: Vec<_> = api.args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let wanted = [
            ("BUILD", "true"),
            ("LEVEL", "4"),
            ("NAME", "latest"),
            ("NUMBER", "3"),
            ("V", "latest"),
        ];
        assert_eq!(args, wanted);
        assert_eq!(
            api.lost,
            [
                "its build argument `NONE`: ${NONE} has no value here",
                "its build argument `OTHER`: ${…} has no value here"
            ]
        );
        let proto = super::super::Named::Folder(RepoPath::clean("proto"));
        assert_eq!(api.contexts["proto"], proto);
        let json = br#"{"target": {"api": {"context": "services", "tags": ["a/b"]}}}"#;
        let found = at_root(json, "docker-bake.json");
        assert_eq!(
            (found.hints.len(), found.hints[0].tags.as_slice()),
            (1, ["a/b".to_owned()].as_slice())
        );
    }

    #[test]
    fn json_blocks_can_be_lists() {
        let json = br#"{"variable": [{"V": [{"default": 2}]}], "target": [
            {"lib": {"context": "lib", "args": {"N": 3, "B": false}}},
            {"web": [{"context": "web"}, {"contexts": {"base": "target:lib"}, "args": {"V": "v${V}"}}]}]}"#;
        let found = at_root(json, "docker-bake.json").hints;
        assert_eq!(
            (found[0].args["N"].as_str(), found[0].args["B"].as_str()),
            ("3", "false")
        );
        assert_eq!(found[1].context, RepoPath::clean("web"));
        assert_eq!(
            found[1].contexts["base"],
            super::super::Named::Other("lib".into())
        );
        assert_eq!(found[1].args["V"], "v2");
        let broken = at_root(b"{", "bake.json");
        assert!(broken.notes[0].starts_with("what bake.json says of builds is not known: EOF"));
    }

    #[test]
    fn broken_files_say_nothing_and_end() {
        for end in 0..HCL.len() {
            if HCL.is_char_boundary(end) {
                at_root(&HCL.as_bytes()[..end], "docker-bake.hcl");
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
            assert_eq!(at_root(text.as_bytes(), "docker-bake.hcl").hints, []);
        }
        let circle = br#"{"target": {"a": {"inherits": ["b"]}, "b": {"inherits": ["a"], "context": "x"}}}"#;
        assert_eq!(at_root(circle, "docker-bake.json").hints.len(), 2);
    }
}
