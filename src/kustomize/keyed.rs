//! Items of lists that are joined by keys: which have the same, and where one is put.

use super::node::{Kind, Node};
use std::collections::BTreeSet;

/// The values of the keys of all items, each once, the patch's first.
pub fn values(patch: &[Node], target: &[Node], keys: &[String], primitive: bool) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for item in patch.iter().chain(target) {
        let found: Vec<String> = match primitive {
            true => vec![item.text().to_owned()],
            false => keys
                .iter()
                .map(|key| match item.get(key) {
                    Some(node) if !node.is_null() => node.text().to_owned(),
                    _ => String::new(),
                })
                .collect(),
        };
        if seen.insert(found.clone()) {
            all.push(found);
        }
    }
    all
}

/// Values that differ only in keys that one side leaves out are the same item.
pub fn join_values(all: &mut [Vec<String>]) {
    for i in 0..all.len() {
        for j in 0..all.len() {
            if let Some(joined) = joined(&all[i], &all[j]) {
                all[i].clone_from(&joined);
                all[j] = joined;
            }
        }
    }
}

fn joined(a: &[String], b: &[String]) -> Option<Vec<String>> {
    let mut common = false;
    let mut out = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        if x == y {
            common = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        out.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    common.then_some(out)
}

/// The keys that any item has, and the values for them.
pub fn valid(all: &[Vec<String>], values: &[String], keys: &[String]) -> (Vec<String>, Vec<String>) {
    let has: Vec<bool> = (0..keys.len())
        .map(|at| {
            all.iter()
                .any(|values| values.get(at).is_some_and(|value| !value.is_empty()))
        })
        .collect();
    if !has.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    let pick = |from: &[String]| {
        from.iter()
            .zip(&has)
            .filter(|(_, has)| **has)
            .map(|(text, _)| text.clone())
            .collect()
    };
    (pick(keys), pick(values))
}

/// Where the first item with these values stands.
pub fn find(items: &[Node], keys: &[String], values: &[String]) -> Option<usize> {
    if keys.first().is_none_or(String::is_empty) {
        let value = values.first().map_or("", String::as_str);
        return items
            .iter()
            .position(|item| item.kind() == Kind::Scalar && item.text() == value);
    }
    items.iter().position(|item| {
        keys.iter()
            .zip(values)
            .all(|(key, value)| item.get(key).is_some_and(|node| node.text() == *value))
    })
}

/// Puts an item in the place of those with the same keys, or at the end; without an item those
/// are removed. Nulls and empty maps fall out, as upstream has it.
pub fn put_item(items: &mut Vec<Node>, item: Option<Node>, keys: &[String], values: &[String]) {
    let by_key = keys.first().is_some_and(|key| !key.is_empty())
        && values.first().is_some_and(|value| !value.is_empty());
    let mut found = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for old in std::mem::take(items) {
        if old.is_null() || matches!(&old, Node::Map(entries) if entries.is_empty()) {
            continue;
        }
        if old.kind() != Kind::Map && by_key {
            kept.push(old);
            continue;
        }
        if values.is_empty() {
            continue;
        }
        let matches = keys.iter().zip(values).all(|(key, value)| match key.as_str() {
            "" => old.kind() == Kind::Scalar && old.text() == *value,
            key => old
                .get(key)
                .is_some_and(|node| value.is_empty() || node.text() == *value),
        });
        if !matches {
            kept.push(old);
            continue;
        }
        found = true;
        kept.extend(item.clone());
    }
    *items = kept;
    if !found {
        items.extend(item);
    }
}

/// Adds an item at the end, or in the place of one with the same keys, as upstream does.
pub fn append(items: &mut Vec<Node>, item: Node, keys: &[String]) {
    if keys.first().is_none_or(String::is_empty) {
        let value = [item.text().to_owned()];
        put_item(items, Some(item), &[String::new()], &value);
        return;
    }
    let mut values = Vec::new();
    for key in keys {
        match item.get(key) {
            Some(node) => values.push(node.text().to_owned()),
            None => items.push(item.clone()),
        }
    }
    if keys.len() > 1 {
        put_item(items, None, keys, &values);
    }
    put_item(items, Some(item), keys, &values);
}
