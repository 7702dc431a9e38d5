//! Which images of the project a recipe uses, and how.

use crate::config::{ContextSource, Image};
use crate::containerfile::recipe::{MountKind, Op, Recipe, Source, Via};
use crate::graph::Edge;
use std::collections::BTreeSet;

/// The edges of one image, in the order of its recipe.
pub fn edges(image: &Image, recipe: &Recipe) -> Vec<Edge> {
    let named = image.contexts.values().filter_map(|context| match &context.what {
        ContextSource::Image(image) => Some(image),
        _ => None,
    });
    let by_context: BTreeSet<_> = named.collect();
    let mut edges = Vec::new();
    let mut add = |source: &Source, via: Via, line: u32| {
        if let Source::Project(to) = source {
            edges.push(Edge {
                from: image.name.clone(),
                to: to.clone(),
                via: if by_context.contains(to) {
                    Via::Context
                } else {
                    via
                },
                line,
            });
        }
    };
    for stage in &recipe.stages {
        add(&stage.base, Via::From, stage.line);
        for step in &stage.steps {
            match &step.op {
                Op::Transfer(transfer) => add(&transfer.from, Via::Copy, step.line),
                Op::Run(run) => {
                    for mount in &run.mounts {
                        match &mount.kind {
                            MountKind::Bind { from, .. } => add(from, Via::Mount, step.line),
                            MountKind::Cache { from: Some(from), .. } => add(from, Via::Mount, step.line),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    edges
}
