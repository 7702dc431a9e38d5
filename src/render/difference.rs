//! What two renderings differ in, object by object and field by field.

use crate::kustomize::Object;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One object that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Differing {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty when it names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How.
    pub how: How,
}

/// How an object differs.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// These fields are others.
    Changed(Vec<Field>),
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The way to it: `spec.template.spec.containers[api].image`.
    pub path: String,
    /// What was there.
    pub old: Option<Value>,
    /// What is there now.
    pub new: Option<Value>,
}

/// The objects that differ, by kind, namespace and name. A generated name that ends in a hash of its content is another
/// name: the old object is gone and a new one there.
pub fn difference(old: &[Object], new: &[Object]) -> Vec<Differing> {
    let (old, new) = (index(old), index(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let how = match (old.get(key), new.get(key)) {
            (None, _) => How::Added,
            (_, None) => How::Removed,
            (Some(old), Some(new)) => {
                let mut fields = Vec::new();
                compare("", Some(*old), Some(*new), &mut fields);
                if fields.is_empty() {
                    continue;
                }
                How::Changed(fields)
            }
        };
        let [kind, _, namespace, name] = key.map(str::to_owned);
        found.push(Differing {
            kind,
            namespace,
            name,
            how,
        });
    }
    found
}

/// Objects by kind, group, namespace and name.
fn index(objects: &[Object]) -> BTreeMap<[&str; 4], &Value> {
    let mut index = BTreeMap::new();
    for object in objects {
        let key = [object.kind(), object.group(), object.namespace(), object.name()];
        index.insert(key, &object.value);
    }
    index
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, fields: &mut Vec<Field>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&below(path, key), a.get(key), b.get(key), fields);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => match (named(a), named(b)) {
            (Some(a), Some(b)) if !a.is_empty() || !b.is_empty() => {
                let names: BTreeSet<&&str> = a.keys().chain(b.keys()).collect();
                for name in names {
                    let path = format!("{path}[{name}]");
                    compare(&path, a.get(*name).copied(), b.get(*name).copied(), fields);
                }
            }
            _ if a.len() == b.len() => {
                for (at, (a, b)) in a.iter().zip(b).enumerate() {
                    compare(&format!("{path}[{at}]"), Some(a), Some(b), fields);
                }
            }
            _ => push(path, old, new, fields),
        },
        _ => push(path, old, new, fields),
    }
}

fn push(path: &str, old: Option<&Value>, new: Option<&Value>, fields: &mut Vec<Field>) {
    fields.push(Field {
        path: path.into(),
        old: old.cloned(),
        new: new.cloned(),
    });
}

fn below(path: &str, key: &str) -> String {
    let plain = key
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    match (path.is_empty(), plain) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (false, false) => format!("{path}[{key}]"),
    }
}

/// The items of a list by their names, when every item has one of its own.
fn named(items: &[Value]) -> Option<BTreeMap<&str, &Value>> {
    let names: Option<BTreeMap<&str, &Value>> = items
        .iter()
        .map(|item| Some((item["name"].as_str()?, item)))
        .collect();
    names.filter(|names| names.len() == items.len())
}
