//! The chain of rings (S1).

use super::keys;
use super::project::Ring;
use super::walk::Walk;
use super::yaml::{Node, Value};
use crate::model::RingName;
use std::collections::{BTreeMap, BTreeSet};

/// Reads `rings:`; at least one, each name once.
pub fn read(walk: &mut Walk, node: &Node) -> Vec<Ring> {
    let mut rings: Vec<Ring> = Vec::new();
    let mut seen: BTreeMap<RingName, u32> = BTreeMap::new();
    let items = walk.list(node, "rings");
    for item in items {
        let Some(ring) = ring(walk, item) else { continue };
        match seen.get(&ring.name) {
            Some(first) => {
                let hint = format!("it stands first in line {first}");
                walk.say_hint(
                    ring.span,
                    "duplicate-ring",
                    format!("the ring `{}` stands twice", ring.name),
                    hint,
                );
            }
            None => {
                seen.insert(ring.name.clone(), ring.span.line);
                rings.push(ring);
            }
        }
    }
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        walk.say(node.span, "missing-key", "`rings` names no ring");
    }
    renamed(walk, &rings);
    rings
}

fn ring(walk: &mut Walk, node: &Node) -> Option<Ring> {
    if !matches!(node.value, Value::Map(_)) {
        let text = walk.text(node, "rings")?;
        let name = walk.name(node.span, text, "ring", RingName::new)?;
        return Some(Ring {
            name,
            renamed_from: None,
            publish: Vec::new(),
            span: node.span,
        });
    }
    let fields = walk.fields(node, node.span, "a ring", keys::RING)?;
    let renamed_from = fields
        .get("renamed_from")
        .and_then(|node| ring_name(walk, node, "renamed_from"));
    let publish = fields.get("publish").map(|node| publish(walk, node));
    let Some(name) = fields.get("name") else {
        walk.say(fields.span, "missing-key", "a ring has no `name`");
        return None;
    };
    Some(Ring {
        name: ring_name(walk, name, "name")?,
        renamed_from,
        publish: publish.unwrap_or_default(),
        span: name.span,
    })
}

fn ring_name(walk: &mut Walk, node: &Node, what: &str) -> Option<RingName> {
    let text = walk.text(node, what)?;
    walk.name(node.span, text, "ring", RingName::new)
}

fn publish(walk: &mut Walk, node: &Node) -> Vec<String> {
    let items = walk.list(node, "publish");
    items
        .iter()
        .filter_map(|item| {
            let text = walk.word(item, "publish")?;
            match wrong_place(&text) {
                None => Some(text),
                Some(hint) => {
                    walk.say_hint(item.span, "invalid-value", "`publish` names no registry", hint);
                    None
                }
            }
        })
        .collect()
}

/// `host[:port][/path]`, with a scheme or not, or `oci:PATH`; what is wrong with another text.
fn wrong_place(text: &str) -> Option<&'static str> {
    if let Some(folder) = text.strip_prefix("oci:") {
        return (folder.is_empty() || folder.starts_with("//")).then_some("`oci:PATH`");
    }
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.unwrap_or(text);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some(hint) = super::read::wrong_host(host) {
        return Some(hint);
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-', '_']) && part.chars().all(plain);
    let good = path.is_empty() || path.trim_end_matches('/').split('/').all(part);
    (!good).then_some("what follows the host is the beginning of a repository, in lower case: `ghcr.io/acme`")
}

/// A former name that is still a ring's would make two rings of one.
fn renamed(walk: &mut Walk, rings: &[Ring]) {
    let names: BTreeSet<&RingName> = rings.iter().map(|ring| &ring.name).collect();
    for ring in rings {
        let Some(old) = &ring.renamed_from else { continue };
        if names.contains(old) {
            let message = format!("`{}` is renamed from `{old}`, which is still a ring", ring.name);
            walk.say(ring.span, "duplicate-ring", message);
        }
    }
}
