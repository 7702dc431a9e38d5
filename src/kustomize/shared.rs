//! Scalars that upstream keeps as one.
//!
//! Upstream's transformers of labels and annotations put one and the same node into every field
//! that they add to an object (each object has a node of its own). Who changes one of those fields later changes them all: a label that an upper
//! kustomization gives to `metadata/labels` alone also reaches the selectors that an earlier one
//! made. We print what upstream prints, so the groups are kept here and evened out after every
//! transformer.

use super::node::{Node, Scalar};
use super::resource::Resource;
use std::collections::BTreeMap;

/// All groups of one build, with what they held last.
#[derive(Debug, Default)]
pub struct Groups {
    last: u32,
    held: BTreeMap<u32, Scalar>,
}

impl Groups {
    /// The first of `count` new groups.
    pub fn reserve(&mut self, count: usize) -> u32 {
        let first = self.last + 1;
        self.last += u32::try_from(count).unwrap_or(0);
        first
    }

    /// Writes what changed in one field of a group into all its fields.
    pub fn even_out(&mut self, resources: &mut [Resource]) {
        if self.last == 0 {
            return;
        }
        let mut changed = BTreeMap::new();
        for resource in &*resources {
            visit(
                &resource.node,
                &mut |scalar| match self.held.get(&scalar.shared) {
                    None => {
                        self.held.insert(scalar.shared, scalar.clone());
                    }
                    Some(held) if held == scalar => {}
                    Some(_) => {
                        changed.insert(scalar.shared, scalar.clone());
                    }
                },
            );
        }
        if changed.is_empty() {
            return;
        }
        for resource in resources {
            update(&mut resource.node, &changed);
        }
        self.held.extend(changed);
    }
}

fn visit(node: &Node, see: &mut dyn FnMut(&Scalar)) {
    match node {
        Node::Scalar(scalar) if scalar.shared > 0 => see(scalar),
        Node::Scalar(_) => {}
        Node::List(items) => items.iter().for_each(|item| visit(item, see)),
        Node::Map(entries) => entries.iter().for_each(|(_, value)| visit(value, see)),
    }
}

fn update(node: &mut Node, changed: &BTreeMap<u32, Scalar>) {
    match node {
        Node::Scalar(scalar) => {
            if let Some(new) = changed.get(&scalar.shared) {
                *scalar = new.clone();
            }
        }
        Node::List(items) => items.iter_mut().for_each(|item| update(item, changed)),
        Node::Map(entries) => entries.iter_mut().for_each(|(_, value)| update(value, changed)),
    }
}
