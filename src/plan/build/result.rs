//! From the walk to the plan: every image of the result, with the commit that holds its sources.

use super::base::Base;
use super::chosen::Chosen;
use super::walk::Walked;
use super::{Action, Basis, Plan, Request, Step, Target, World};
use crate::model::{CommitId, Digest, ImageName};
use crate::plan::Sources;
use crate::state::ImageRecord;
use std::collections::BTreeMap;

/// The plan of what was walked.
pub(super) fn assemble(
    world: &World<'_>,
    request: &Request,
    base: &Base,
    chosen: &Chosen,
    walked: Walked,
) -> Plan {
    let Walked {
        steps,
        versions,
        adopted,
    } = walked;
    let state = world.state;
    let stepped: BTreeMap<&ImageName, &Step> = steps.iter().map(|step| (&step.image, step)).collect();
    let mut result = BTreeMap::new();
    let mut kept = BTreeMap::new();
    for (name, version) in &versions {
        let held = base.images.get(name);
        let mut image = match (stepped.get(name), held) {
            (Some(step), _) => of_step(step),
            (None, Some(held)) => {
                kept.insert(name.clone(), version.clone());
                held.clone()
            }
            (None, None) => continue,
        };
        image.commit = holding_commit(world.sources, name, &image, held);
        result.insert(name.clone(), image);
    }
    let differs = |name: &&ImageName| {
        let there = chosen.images.get(*name).map(|source| source.revision);
        let root_of_ante = request.target == Target::Ante && **name == chosen.root;
        !root_of_ante && !chosen.taken.contains(*name) && there != Some(world.sources.images[*name].revision)
    };
    let not_taken = world.sources.images.keys().filter(differs).cloned().collect();
    let reads_ante = request.target == Target::Ante || request.from_ante;
    let layers = match stepped.get(&chosen.root) {
        Some(step) if step.action == Action::Build && step.dirty => None,
        Some(step) if step.action == Action::Build => step
            .sources
            .clone()
            .or_else(|| Some(world.sources.commit.clone())),
        Some(_) if result.get(&chosen.root).is_some_and(|root| root.commit.is_some()) => {
            layers_of_relabelled(base, world, chosen)
        }
        _ => base.record.as_ref().and_then(|record| record.root.layers.clone()),
    };
    Plan {
        target: request.target.clone(),
        commit: world.sources.commit.clone(),
        held: base.release.clone(),
        basis: Basis::of(state, &request.target, reads_ante),
        kept,
        not_taken,
        from_ante: request.from_ante,
        overrides: Vec::new(),
        result,
        explicit: chosen.explicit.iter().cloned().collect(),
        layers,
        root: chosen.root.clone(),
        environments: chosen.environments,
        adopted,
        steps,
    }
}

fn layers_of_relabelled(base: &Base, world: &World<'_>, chosen: &Chosen) -> Option<CommitId> {
    match &base.record {
        Some(record) if record.own_revision() == chosen.own(&chosen.root) => record.root.layers.clone(),
        _ => Some(world.sources.commit.clone()),
    }
}

fn of_step(step: &Step) -> ImageRecord {
    ImageRecord {
        version: step.to.clone(),
        digest: step.digest.unwrap_or(Digest::EMPTY),
        revision: step.revision,
        dependencies: step.dependencies.clone(),
        commit: None,
        replaces: step.from.clone(),
        dirty: step.dirty,
    }
}

/// The commit that a release's record gives an image (M7): the build's, wherever the image's
/// revision is the same there; a dirty version has none.
fn holding_commit(
    sources: &Sources,
    name: &ImageName,
    image: &ImageRecord,
    held: Option<&ImageRecord>,
) -> Option<CommitId> {
    if image.dirty {
        return None;
    }
    match sources.images.get(name) {
        Some(source) if source.revision == image.revision && !source.dirty => Some(sources.commit.clone()),
        _ => held
            .filter(|held| held.revision == image.revision)
            .and_then(|held| held.commit.clone()),
    }
}
