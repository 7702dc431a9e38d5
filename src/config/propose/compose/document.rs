//! A compose file as plain values: aliases and merge keys (`<<`) are carried out, the tags `!reset` and
//! `!override` stand as maps with that only key.

use crate::config::yaml::{self, Node};
use crate::model::{Problems, RepoPath};
use serde_json::{Map, Value};

/// The key of a map that stands for a value without which the one below is.
pub const RESET: &str = "!reset";
/// The key of a map that stands for a value that takes the place of the whole one below.
pub const OVERRIDE: &str = "!override";

/// Reads the file; numbers are texts, as they are written.
///
/// # Errors
/// The problems, when it is not YAML.
pub fn read(bytes: &[u8], path: &RepoPath) -> Result<Value, Problems> {
    let source = yaml::text(bytes, &path.to_string())?;
    Ok(plain(&yaml::parse_tagged(&source)?))
}

/// The parser bounds the nesting.
fn plain(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Bool(value) => Value::Bool(*value),
        yaml::Value::Number(text) | yaml::Value::Text(text) => Value::String(text.clone()),
        yaml::Value::List(items) => items.iter().map(plain).collect(),
        yaml::Value::Map(entries) => Value::Object(merged(entries)),
        yaml::Value::Tagged(tag, node) if tag == RESET || tag == OVERRIDE => {
            Value::Object(Map::from_iter([(tag.clone(), plain(node))]))
        }
        yaml::Value::Tagged(_, node) => plain(node),
    }
}

/// The entries over those that `<<` merges; of several merged maps the first wins.
fn merged(entries: &[(Node, Node)]) -> Map<String, Value> {
    let mut own = Map::new();
    let mut others = Vec::new();
    for (key, value) in entries {
        match &key.value {
            yaml::Value::Text(name) if name == "<<" => match plain(value) {
                Value::Array(items) => others.extend(items),
                other => others.push(other),
            },
            yaml::Value::Text(name) | yaml::Value::Number(name) => {
                own.entry(name.clone()).or_insert_with(|| plain(value));
            }
            _ => {}
        }
    }
    for other in others {
        if let Value::Object(other) = other {
            for (name, value) in other {
                own.entry(name).or_insert(value);
            }
        }
    }
    own
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_keys_and_tags_are_plain_values() {
        let text = "
x-a: &a {image: one, build: {context: a, args: &args {A: 1}}}
x-b: &b {image: two, pull: true}
s:
  <<: [*a, *b]
  image: own
  build:
    args: {<<: *args, B: 1.10}
t: {ports: !override ['1'], env: !reset null, other: !x {y: z}}
";
        let found = read(text.as_bytes(), &RepoPath::clean("compose.yaml")).unwrap();
        let build = json!({"args": {"B": "1.10", "A": "1"}});
        assert_eq!(found["s"], json!({"image": "own", "build": build, "pull": true}));
        let ports = json!({"!override": ["1"]});
        assert_eq!(
            found["t"],
            json!({"ports": ports, "env": {"!reset": null}, "other": {"y": "z"}})
        );
        let problems = read(b"a: [", &RepoPath::clean("compose.yaml")).unwrap_err();
        assert_eq!(problems.into_vec()[0].code, "yaml");
    }
}
