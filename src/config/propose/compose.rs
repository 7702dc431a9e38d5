//! What a compose file says of builds: `services.*.build`.

use super::{Hint, Named};
use crate::config::yaml::{self, Node, Value};
use crate::model::RepoPath;

/// The builds of the compose file at `path`; none when it cannot be read. What holds a variable is left out.
pub fn hints(bytes: &[u8], path: &RepoPath) -> Vec<Hint> {
    let Ok(source) = yaml::text(bytes, &path.to_string()) else {
        return Vec::new();
    };
    let Ok(root) = yaml::parse(&source) else {
        return Vec::new();
    };
    let folder = path.parent().unwrap_or_default();
    let services = entries(get(&root, "services"));
    services
        .filter_map(|(name, service)| hint(name, service, path, &folder))
        .collect()
}

fn hint(name: &str, service: &Node, by: &RepoPath, folder: &RepoPath) -> Option<Hint> {
    let build = get(service, "build")?;
    let context = match &build.value {
        Value::Text(context) => context.as_str(),
        Value::Map(_) => text(get(build, "context")).unwrap_or("."),
        _ => return None,
    };
    let context = below(folder, context)?;
    let file = match get(build, "dockerfile") {
        Some(file) => Some(below(&context, text(Some(file))?)?),
        None => None,
    };
    let args = entries(get(build, "args")).filter_map(|(key, value)| Some((key.into(), literal(value)?)));
    let contexts = entries(get(build, "additional_contexts"));
    let contexts = contexts.filter_map(|(key, value)| Some((key.into(), named(folder, &literal(value)?)?)));
    Some(Hint {
        lost: Vec::new(),
        by: by.clone(),
        name: name.into(),
        file,
        target: text(get(build, "target")).map(Into::into),
        args: args.collect(),
        contexts: contexts.collect(),
        tags: text(get(service, "image")).map(Into::into).into_iter().collect(),
        context,
    })
}

/// A named context of a kind that rings.yaml knows; others are left out.
pub(super) fn named(context: &RepoPath, text: &str) -> Option<Named> {
    if text.starts_with("docker-image://") {
        return Some(Named::External(text.into()));
    }
    let other = text.strip_prefix("target:").or(text.strip_prefix("service:"));
    if let Some(other) = other {
        return Some(Named::Other(other.into()));
    }
    if text.contains(':') {
        return None;
    }
    below(context, text).map(Named::Folder)
}

/// A path that stays in the repository and holds no variable.
pub(super) fn below(folder: &RepoPath, text: &str) -> Option<RepoPath> {
    if text.starts_with('/') || text.contains("://") || text.contains('$') {
        return None;
    }
    let mut whole = folder.as_bytes().to_vec();
    whole.push(b'/');
    whole.extend_from_slice(text.as_bytes());
    RepoPath::relative(whole.strip_prefix(b"/").unwrap_or(&whole))
}

fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    entries(Some(node))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|(key, value)| match &key.value {
        Value::Text(name) => Some((name.as_str(), value)),
        _ => None,
    })
}

fn text(node: Option<&Node>) -> Option<&str> {
    match &node?.value {
        Value::Text(text) if !text.contains('$') => Some(text),
        _ => None,
    }
}

fn literal(node: &Node) -> Option<String> {
    match &node.value {
        Value::Number(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        _ => text(Some(node)).map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn builds_of_services_are_found() {
        let text = "
services:
  web: {build: ./frontend, image: 'acme/web:dev'}
  api:
    build:
      context: ..
      dockerfile: api/Dockerfile
      target: runtime
      args: {LEVEL: 3, HOST: '${HOST}'}
      additional_contexts: {proto: proto, tool: 'docker-image://alpine', git: 'https://x'}
  db: {image: postgres}
";
        let found = hints(text.as_bytes(), &RepoPath::clean("dev/compose.yaml"));
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].name.as_str(), &found[0].context),
            ("web", &RepoPath::clean("dev/frontend"))
        );
        assert_eq!(found[0].tags, ["acme/web:dev"]);
        assert_eq!(found[1].file, Some(RepoPath::clean("api/Dockerfile")));
        assert_eq!(
            found[1].args,
            BTreeMap::from([("LEVEL".to_owned(), "3".to_owned())])
        );
        assert_eq!(
            found[1].contexts["proto"],
            Named::Folder(RepoPath::clean("dev/proto"))
        );
        assert_eq!(found[1].contexts.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for text in [
            "",
            "services: [",
            "services: [a]",
            "services: {a: {build: [x]}}",
            "services: {a: {build: ../..}}",
        ] {
            assert_eq!(
                hints(text.as_bytes(), &RepoPath::clean("compose.yaml")),
                [],
                "{text}"
            );
        }
    }
}
