//! The objects of a text, and lists of them: no two with one name.

use super::error::Error;
use super::node::Node;
use super::parse;
use super::resource::{Behavior, Id, Resource};
use std::collections::{BTreeMap, BTreeSet};

/// The most objects of one build (SEC-A11).
pub const MAX_OBJECTS: usize = 50_000;

/// The objects of a text, lists of objects unpacked.
///
/// # Errors
/// A sentence when it is no YAML, or an object has no kind or name.
pub fn read(text: &str) -> Result<Vec<Resource>, String> {
    let mut todo: Vec<(usize, Node)> = parse::placed(text)?;
    let items_of = |line: usize, items: &[Node]| -> Vec<(usize, Node)> {
        items.iter().map(|item| (line, item.clone())).collect()
    };
    if let [(line, only)] = &todo[..] {
        let kind = only.get("kind").map_or("", Node::text);
        if matches!(kind, "List" | "ResourceList") && only.get("items").is_some() {
            todo = items_of(*line, only.get("items").map_or(&[][..], Node::items));
        }
    }
    let mut out = Vec::new();
    let placed = |line: usize, node: Node| {
        let mut resource = Resource::new(node);
        resource.place.1 = line;
        resource
    };
    let mut todo: std::collections::VecDeque<(usize, Node)> = todo.into();
    while let Some((line, node)) = todo.pop_front() {
        if node.is_empty() {
            continue;
        }
        check(&node)?;
        let kind = node.get("kind").map_or("", Node::text);
        if !kind.ends_with("List") {
            out.push(placed(line, node));
            continue;
        }
        match node.get("items") {
            None => out.push(placed(line, node)),
            Some(items) if items.is_null() => {}
            Some(Node::List(items)) => todo.extend(items_of(line, items)),
            Some(_) => return Err(format!("`items` of a {kind} is no list")),
        }
    }
    Ok(out)
}

fn check(node: &Node) -> Result<(), String> {
    let there = |node: Option<&Node>| node.is_some_and(|node| !node.is_empty());
    let metadata = node.get("metadata");
    let kind = node.get("kind").map_or("", Node::text);
    if !there(node.get("kind")) && !there(node.get("apiVersion")) && !there(metadata) {
        return Err("missing Resource metadata".into());
    }
    if kind.is_empty() {
        return Err("an object has no `kind`".into());
    }
    let name = metadata.and_then(|metadata| metadata.get("name"));
    if !kind.ends_with("List") && name.is_none_or(|name| name.is_empty() || name.text().is_empty()) {
        return Err(format!("an object of kind {kind} has no `metadata.name`"));
    }
    Ok(())
}

/// The names of objects, to find those that stand twice.
pub struct Names(BTreeSet<(String, String, String)>);

impl Names {
    /// The names of these.
    pub fn of(resources: &[Resource]) -> Self {
        let key = |resource: &Resource| Self::key(&resource.id());
        Self(resources.iter().map(key).collect())
    }

    fn key(id: &Id) -> (String, String, String) {
        (id.gvk.to_string(), id.effective().to_owned(), id.name.clone())
    }

    /// Adds objects whose names are free to those whose names these are.
    ///
    /// # Errors
    /// When a name is taken, or there are too many objects.
    pub fn append(&mut self, into: &mut Vec<Resource>, new: Vec<Resource>) -> Result<(), Error> {
        for resource in new {
            let id = resource.id();
            if !self.0.insert(Self::key(&id)) {
                return Err(Error::new(format!(
                    "may not add resource with an already registered id: {id}"
                ))
                .hint("two files or bases hold the same object; drop one, or rename it"));
            }
            into.push(resource);
            if into.len() > MAX_OBJECTS {
                return Err(Error::new(format!("more than {MAX_OBJECTS} objects")));
            }
        }
        Ok(())
    }
}

/// Adds objects whose names are free.
///
/// # Errors
/// When a name is taken, or there are too many objects.
pub fn append(into: &mut Vec<Resource>, new: Vec<Resource>) -> Result<(), Error> {
    Names::of(into).append(into, new)
}

/// The one object that has or had a name.
///
/// # Errors
/// When none or several have.
pub fn by_id(resources: &[Resource], id: &Id) -> Result<usize, Error> {
    let mut found = (0..resources.len()).filter(|at| resources[*at].any_id(|other| other.same(id)));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Error::new(format!(
            "no matches for Id {id}; failed to find unique target for patch {id}"
        ))),
        (Some(_), Some(_)) => Err(Error::new(format!(
            "multiple matches for Id {id}; failed to find unique target for patch {id}"
        ))),
    }
}

/// Adds made objects; their behaviours say what becomes of those that exist.
///
/// # Errors
/// When a behaviour does not fit what exists.
pub fn absorb(into: &mut Vec<Resource>, new: Vec<Resource>) -> Result<(), Error> {
    for mut resource in new {
        let id = resource.id();
        let found: Vec<usize> = (0..into.len())
            .filter(|at| into[*at].any_id(|other| other.same(&id)))
            .collect();
        match (&found[..], resource.behavior()) {
            ([], Behavior::Create) => append(into, vec![resource])?,
            ([], _) => {
                return Err(
                    Error::new(format!("{id} does not exist; cannot merge or replace"))
                        .hint("leave `behavior` out to create it"),
                );
            }
            ([_], Behavior::Create) => {
                return Err(Error::new(format!(
                    "{id} exists; behavior must be merge or replace"
                )));
            }
            ([at], behavior) => {
                let old = into[*at].clone();
                resource.take_metadata_from(&old);
                if behavior == Behavior::Merge {
                    let origin = old.annotation(super::resource::ORIGIN).map(str::to_owned);
                    for field in ["data", "binaryData"] {
                        merge_data(&mut resource, &old, field);
                    }
                    if let Some(origin) = origin {
                        resource.annotate(super::resource::ORIGIN, &origin);
                    }
                }
                into[*at] = resource;
            }
            _ => {
                return Err(Error::new(format!(
                    "found multiple objects that could accept merge of {id}"
                )));
            }
        }
    }
    Ok(())
}

fn merge_data(resource: &mut Resource, old: &Resource, field: &str) {
    let mut data = BTreeMap::new();
    for from in [old, &*resource] {
        for (key, value) in from.node.get(field).map_or(&[][..], Node::entries) {
            data.insert(key.text.clone(), value.text().to_owned());
        }
    }
    resource.node.remove(field);
    if !data.is_empty() {
        let entries = data
            .into_iter()
            .map(|(key, value)| (super::node::Scalar::untagged(key), super::generate::text(value)))
            .collect();
        resource.node.put(field, Node::Map(entries));
    }
}
