//! Strategic merge: a patch laid over an object, lists joined by the keys of the schema.

use super::keyed::{append, find, join_values, put_item, valid, values};
use super::node::{Kind, Node, Style, quoted_where_needed};
use super::schema::{Place, Schema};
use std::collections::BTreeSet;

/// The deepest nesting that a patch follows (SEC-A11).
const MAX_DEPTH: usize = 200;

/// What became of a node.
enum Merged {
    /// The target, changed in place.
    Target(Node),
    /// The patch stands in its place.
    Patch(Node),
    /// Nothing is left.
    Gone,
}

impl Merged {
    fn node(self) -> Option<Node> {
        match self {
            Self::Target(node) | Self::Patch(node) => Some(node),
            Self::Gone => None,
        }
    }
}

/// The object with the patch laid over it; `None` when the patch deletes it.
///
/// # Errors
/// A sentence when target and patch are of different kinds, or a `$patch` is unknown.
pub fn merge(schema: &Schema, target: Node, patch: Node) -> Result<Option<Node>, String> {
    Walk { schema }
        .walk(Some(target), Some(patch), None, 0)
        .map(Merged::node)
}

struct Walk<'s> {
    schema: &'s Schema,
}

#[derive(Clone, Copy, PartialEq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn there(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| !node.is_null())
}

impl Walk<'_> {
    fn place(&self, place: Option<Place>, sources: [Option<&Node>; 2]) -> Option<Place> {
        place.or_else(|| {
            sources.into_iter().filter_map(there).find_map(|node| {
                let version = node.get("apiVersion")?.text();
                let kind = node.get("kind")?.text();
                self.schema.object(version, kind)
            })
        })
    }

    fn walk(
        &self,
        target: Option<Node>,
        patch: Option<Node>,
        place: Option<Place>,
        depth: usize,
    ) -> Result<Merged, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let place = self.place(place, [target.as_ref(), patch.as_ref()]);
        let kinds = [
            there(target.as_ref()).map(Node::kind),
            there(patch.as_ref()).map(Node::kind),
        ];
        let Some(kind) = kinds[0].or(kinds[1]) else {
            // Nulls on both sides: a null that is written out stays when no patch names it.
            return Ok(match (target, patch) {
                (Some(null), None) if !null.text().is_empty() => Merged::Target(null),
                _ => Merged::Gone,
            });
        };
        if let Some(other) = kinds.into_iter().flatten().find(|other| *other != kind) {
            return Err(format!(
                "wrong node kind: expected {} but got {}",
                kind.words(),
                other.words()
            ));
        }
        match kind {
            Kind::Map => self.map(target, patch, place, depth),
            Kind::List => match self.schema.merge_keys(place) {
                Some(keys) => self.list(target, patch, place, keys, depth),
                None => Ok(replaced(target, patch)),
            },
            Kind::Scalar => Ok(replaced(target, patch)),
        }
    }

    fn map(
        &self,
        target: Option<Node>,
        mut patch: Option<Node>,
        place: Option<Place>,
        depth: usize,
    ) -> Result<Merged, String> {
        if there(target.as_ref()).is_some() && patch.as_ref().is_some_and(Node::is_null) {
            return Ok(Merged::Gone);
        }
        let missing = there(target.as_ref()).is_none();
        let directive = match &mut patch {
            Some(patch) => map_directive(patch)?,
            None => Directive::Merge,
        };
        if directive == Directive::Delete {
            return Ok(Merged::Gone);
        }
        if missing || directive == Directive::Replace {
            // As upstream: the patch takes the place and is laid over itself.
            let Some(patch) = patch else {
                return Ok(Merged::Gone);
            };
            return self
                .fields(patch.clone(), Some(patch), place, depth)
                .map(Merged::Patch);
        }
        let Some(target) = target else {
            return Ok(Merged::Gone);
        };
        self.fields(target, patch, place, depth).map(Merged::Target)
    }

    fn fields(
        &self,
        mut target: Node,
        mut patch: Option<Node>,
        place: Option<Place>,
        depth: usize,
    ) -> Result<Node, String> {
        let names: BTreeSet<String> = [Some(&target), patch.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(Node::entries)
            .map(|(key, _)| key.text.clone())
            .collect();
        for name in names {
            let of = place.and_then(|place| self.schema.field(place, &name));
            let theirs = patch.as_mut().and_then(|patch| patch.remove(&name));
            let style = target.get(&name).map(style_of);
            let ours = target.get_mut(&name).map(take);
            let merged = self.walk(ours, theirs, of, depth + 1)?;
            let in_place = matches!(merged, Merged::Target(_));
            let node = match merged {
                Merged::Target(node) => quoted_where_needed(node),
                Merged::Patch(node) if !node.is_null() => quoted_where_needed(node),
                _ => {
                    target.remove(&name);
                    continue;
                }
            };
            match (target.get_mut(&name), node) {
                // As upstream: a text of the patch is written in the style of the one before.
                (Some(slot), Node::Scalar(mut scalar)) => {
                    if !in_place {
                        (scalar.style, scalar.shared) = style.unwrap_or((Style::Plain, 0));
                    }
                    *slot = Node::Scalar(scalar);
                }
                (Some(slot), node) => *slot = node,
                (None, node) => target.set(&name, node),
            }
        }
        Ok(target)
    }

    fn list(
        &self,
        target: Option<Node>,
        mut patch: Option<Node>,
        place: Option<Place>,
        keys: &[String],
        depth: usize,
    ) -> Result<Merged, String> {
        if there(target.as_ref()).is_some() && patch.as_ref().is_some_and(Node::is_null) {
            return Ok(Merged::Gone);
        }
        let missing = there(target.as_ref()).is_none();
        let directive = match (&mut patch, missing) {
            (Some(patch), false) => list_directive(patch)?,
            _ => Directive::Merge,
        };
        if directive == Directive::Delete {
            return Ok(Merged::Gone);
        }
        let items = place.and_then(|place| self.schema.items(place));
        let from_patch = missing || directive == Directive::Replace;
        let (target, patch) = match (from_patch, target, patch) {
            (true, _, Some(patch)) => (patch.clone(), Some(patch)),
            (false, Some(target), patch) => (target, patch),
            _ => return Ok(Merged::Gone),
        };
        let (target, patch) = (into_items(target), patch.map(into_items));
        let joined = self.join(target, patch, items, keys, depth)?;
        Ok(match from_patch {
            true => Merged::Patch(Node::List(joined)),
            false => Merged::Target(Node::List(joined)),
        })
    }

    fn join(
        &self,
        mut target: Vec<Node>,
        patch: Option<Vec<Node>>,
        place: Option<Place>,
        keys: &[String],
        depth: usize,
    ) -> Result<Vec<Node>, String> {
        let patch = patch.unwrap_or_default();
        let primitive = keys.is_empty();
        let by_value = [String::new()];
        let keys = if primitive { &by_value[..] } else { keys };
        let mut all = values(&patch, &target, keys, primitive);
        if keys.len() > 1 {
            join_values(&mut all);
        }
        let mut added = Vec::new();
        let mut valid_keys = keys.to_vec();
        for values in &all {
            let (valid, valid_values) = valid(&all, values, keys);
            valid_keys = valid;
            let one = [valid_values.clone()];
            let (found_keys, found_values) = super::keyed::valid(&one, &valid_values, &valid_keys);
            let ours = find(&target, &found_keys, &found_values);
            let theirs = find(&patch, &found_keys, &found_values);
            let merged = self.walk(
                ours.map(|at| target[at].clone()),
                theirs.map(|at| patch[at].clone()),
                place,
                depth + 1,
            )?;
            let in_place = matches!(merged, Merged::Target(_));
            let node = merged.node().filter(|node| !node.is_null());
            let Some(mut node) =
                node.filter(|node| !matches!(node, Node::Map(entries) if entries.is_empty()))
            else {
                put_item(&mut target, None, &valid_keys, &valid_values);
                continue;
            };
            for (key, value) in valid_keys.iter().zip(&valid_values) {
                if !value.is_empty() && !key.is_empty() && node.get(key).is_none() {
                    node.set(key, Node::untagged(value.clone()));
                }
            }
            if in_place && let Some(at) = ours {
                target[at] = node.clone();
            }
            put_item(&mut added, Some(node), &valid_keys, &valid_values);
        }
        if all.is_empty() {
            return Ok(target);
        }
        for item in target {
            append(&mut added, item, &valid_keys);
        }
        Ok(added)
    }
}

fn take(node: &mut Node) -> Node {
    std::mem::replace(node, Node::List(Vec::new()))
}

fn style_of(node: &Node) -> (Style, u32) {
    match node {
        Node::Scalar(scalar) => (scalar.style, scalar.shared),
        _ => (Style::Plain, 0),
    }
}

fn into_items(node: Node) -> Vec<Node> {
    match node {
        Node::List(items) => items,
        _ => Vec::new(),
    }
}

fn replaced(target: Option<Node>, patch: Option<Node>) -> Merged {
    match (target, patch) {
        (_, Some(patch)) if patch.is_null() => Merged::Gone,
        (_, Some(patch)) => Merged::Patch(patch),
        (Some(target), None) => Merged::Target(target),
        (None, None) => Merged::Gone,
    }
}

fn directive(text: &str) -> Result<Directive, String> {
    match text {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(format!(
            "unknown patch strategy `{other}`: write merge, replace or delete after $patch"
        )),
    }
}

fn map_directive(patch: &mut Node) -> Result<Directive, String> {
    match patch.get("$patch").map(|node| node.text().to_owned()) {
        None => Ok(Directive::Merge),
        Some(text) => {
            let found = directive(&text)?;
            patch.remove("$patch");
            Ok(found)
        }
    }
}

fn list_directive(patch: &mut Node) -> Result<Directive, String> {
    let Node::List(items) = patch else {
        return Ok(Directive::Merge);
    };
    let Some(item) = items.iter().find(|item| item.get("$patch").is_some()) else {
        return Ok(Directive::Merge);
    };
    if item.entries().len() > 1 {
        return Ok(Directive::Merge);
    }
    let text = item
        .get("$patch")
        .map(|node| node.text().to_owned())
        .unwrap_or_default();
    let found = directive(&text)?;
    put_item(items, None, &["$patch".to_owned()], &[text]);
    Ok(found)
}
