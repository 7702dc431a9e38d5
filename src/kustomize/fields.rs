//! Finds the fields that a field specification means, makes them where it says so.

use super::kustomization::FieldSpec;
use super::node::{Kind, Node};
use super::resource::Gvk;
use super::scalar::Tag;

/// What is made where a field is missing.
#[derive(Debug, Clone, Copy)]
pub struct Create {
    /// Its kind.
    pub kind: Kind,
}

/// The parts of a path at `delimiter`; a backslash before it keeps it.
pub fn split(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut raw: Vec<&str> = path.split(delimiter).collect();
    if raw.len() > 1 && raw[0].is_empty() {
        raw.remove(0);
    }
    for part in raw {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

/// The same, brackets kept together: `a.[b.c=d].e`, `a.[b.c]` without its brackets.
pub fn split_brackets(path: &str) -> Vec<String> {
    let parts = split(path, '.');
    let mut out = Vec::new();
    let mut rest = parts.into_iter();
    while let Some(part) = rest.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            out.push(part);
            continue;
        }
        let mut whole = part;
        for next in rest.by_ref() {
            whole.push('.');
            whole.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        match whole.contains('=') {
            true => out.push(whole),
            false => out.push(whole.trim_matches(['[', ']']).to_owned()),
        }
    }
    out
}

/// Calls `set` for every field of the object that the specification means.
///
/// # Errors
/// A sentence when the way leads through a scalar, and what `set` says.
pub fn each(
    node: &mut Node,
    spec: &FieldSpec,
    create: Option<Create>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let text = |name: &str| node.get(name).map_or("", Node::text);
    let gvk = Gvk::new(text("apiVersion"), text("kind"));
    if !gvk.is_selected(&super::config::gvk(spec)) {
        return Ok(());
    }
    let path = split(&spec.path, '/');
    let create = create.filter(|_| spec.create);
    walk(node, &path, create, set).map_err(|what| format!("field `{}`: {what}", spec.path))
}

fn walk(
    node: &mut Node,
    path: &[String],
    create: Option<Create>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((part, rest)) = path.split_first() else {
        return set(node);
    };
    if node.is_null() {
        return Ok(());
    }
    match node {
        Node::List(items) => items
            .iter_mut()
            .try_for_each(|item| walk(item, path, create, set)),
        Node::Scalar(_) => Err("expected a list or a map".into()),
        Node::Map(_) => {
            let (name, list) = match part.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (part.as_str(), false),
            };
            if name.is_empty() {
                return Err("cannot set or create an empty field name".into());
            }
            let name = name.trim();
            let kind = match create {
                _ if list => Some(Kind::List),
                None => None,
                Some(create) if rest.is_empty() => Some(create.kind),
                Some(_) => Some(Kind::Map),
            };
            let field = match (kind, list) {
                (Some(kind), false) => node.get_or_create(name, kind),
                _ => node.get_mut(name),
            };
            let Some(field) = field else { return Ok(()) };
            if field.is_null()
                && let Some(kind) = kind
            {
                match (kind, &mut *field) {
                    (Kind::Scalar, Node::Scalar(scalar)) => scalar.tag = Tag::Empty,
                    (kind, _) => *field = kind.empty(),
                }
            }
            walk(field, rest, create, set)
        }
    }
}
