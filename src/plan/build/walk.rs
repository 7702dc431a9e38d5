//! The walk over the images, dependencies first: keep, or rebuild for a reason (B2).

use super::base::Base;
use super::chosen::Chosen;
use super::{Action, Request, Step, Target, World};
use crate::model::{CommitId, ImageName, Version};
use crate::plan::take::differing;
use crate::plan::{ImageSource, Reason, Refusal};
use crate::state::release::content_key;
use crate::state::{ReleaseRecord, ReleaseRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decides image by image.
pub(super) struct Walk<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) request: &'a Request,
    pub(super) base: &'a Base,
    pub(super) chosen: &'a Chosen,
    pub(super) further: Option<Vec<Option<Arc<ReleaseRecord>>>>,
    steps: Vec<Step>,
    versions: BTreeMap<ImageName, Version>,
    pub(super) adopted: Option<ReleaseRef>,
}

/// What a walk decided.
pub(super) struct Walked {
    pub steps: Vec<Step>,
    pub versions: BTreeMap<ImageName, Version>,
    pub adopted: Option<ReleaseRef>,
}

impl<'a> Walk<'a> {
    pub fn new(world: &'a World<'a>, request: &'a Request, base: &'a Base, chosen: &'a Chosen) -> Self {
        Self {
            world,
            request,
            base,
            chosen,
            further: None,
            steps: Vec::new(),
            versions: BTreeMap::new(),
            adopted: None,
        }
    }

    /// Decides on every image, dependencies first.
    pub fn finish(mut self) -> Result<Walked, Refusal> {
        for name in &self.chosen.order {
            let source = &self.chosen.images[name];
            if self.request.target == Target::Ante && !self.chosen.taken.contains(name) {
                self.keep(name);
                continue;
            }
            let dependencies = self.dependencies(name, source)?;
            let reasons = self.reasons(name, source, &dependencies);
            if reasons.is_empty() {
                self.keep(name);
            } else {
                let step = self.step(name, source, dependencies, reasons)?;
                self.versions.insert(name.clone(), step.to.clone());
                self.steps.push(step);
            }
        }
        Ok(Walked {
            steps: self.steps,
            versions: self.versions,
            adopted: self.adopted,
        })
    }

    fn keep(&mut self, name: &ImageName) {
        if let Some(held) = self.base.images.get(name) {
            self.versions.insert(name.clone(), held.version.clone());
        }
    }

    fn dependencies(
        &self,
        name: &ImageName,
        source: &ImageSource,
    ) -> Result<BTreeMap<ImageName, Version>, Refusal> {
        if *name == self.chosen.root {
            return Ok(self.versions.clone());
        }
        let mut versions = BTreeMap::new();
        for base in &source.dependencies {
            let held = || self.base.images.get(base).map(|held| held.version.clone());
            let Some(version) = self.versions.get(base).cloned().or_else(held) else {
                let target = &self.request.target;
                return Err(Refusal::request(
                    format!(
                        "{name} stands on {base}, which {target} does not hold and the build does not take"
                    ),
                    format!("name {base} too"),
                ));
            };
            versions.insert(base.clone(), version);
        }
        Ok(versions)
    }

    fn reasons(
        &self,
        name: &ImageName,
        source: &ImageSource,
        dependencies: &BTreeMap<ImageName, Version>,
    ) -> Vec<Reason> {
        let major = self.request.majors.contains(name).then_some(Reason::Major);
        let Some(held) = self.base.images.get(name) else {
            return std::iter::once(Reason::Absent).chain(major).collect();
        };
        let mut reasons = Vec::new();
        let is_root = *name == self.chosen.root;
        let record = self.base.record.as_ref();
        let record = record.filter(|record| is_root && record.root.image == *name);
        let old = record.and_then(|record| record.own_revision());
        let old = old.unwrap_or(held.revision);
        let new = self.chosen.own(name).unwrap_or(source.revision);
        if old != new {
            reasons.push(Reason::Revision { old, new });
        }
        for (image, old, new) in differing(&held.dependencies, dependencies) {
            if is_root && self.chosen.removed.contains(&image) {
                reasons.push(Reason::Removed { image });
            } else {
                reasons.push(Reason::Dependency { image, old, new });
            }
        }
        let packs = (
            self.base
                .environments()
                .filter(|_| record.is_some())
                .map(|held| held.sources),
            self.chosen.environments.map(|chosen| chosen.sources),
        );
        if is_root && packs.0 != packs.1 {
            reasons.push(Reason::Environments {
                old: packs.0,
                new: packs.1,
            });
        }
        reasons.extend((held.dirty && !source.dirty).then_some(Reason::Dirty));
        reasons.extend(major);
        reasons
    }

    fn step(
        &mut self,
        name: &ImageName,
        source: &ImageSource,
        dependencies: BTreeMap<ImageName, Version>,
        reasons: Vec<Reason>,
    ) -> Result<Step, Refusal> {
        let held = self.base.images.get(name);
        let key = content_key(&source.revision, &dependencies);
        let major = self.request.majors.contains(name);
        let taken = self.chosen.taken.contains(name);
        let mut step = Step {
            image: name.clone(),
            from: held.map(|held| held.version.clone()),
            to: self.request.initial.clone(),
            bump: None,
            rule: "B5",
            revision: source.revision,
            own: self.chosen.own(name).unwrap_or(source.revision),
            action: Action::Build,
            reasons,
            dependencies,
            key,
            dirty: source.dirty,
            major,
            reserved: false,
            digest: None,
            sources: if taken { None } else { self.own_commit(name) },
        };
        let mut adopted = false;
        for known in self.adoptable(&step)? {
            adopted = adopted || self.adopt(&mut step, known)?;
        }
        if !adopted {
            self.number(&mut step)?;
        }
        if step.action == Action::Build && self.only_labels_change(&step) {
            step.action = Action::Relabel;
            step.digest = held.map(|held| held.digest);
        }
        if step.action == Action::Build && !taken && step.sources.is_none() {
            return Err(Refusal::Rule {
                message: format!("{name} has to be built anew, and its sources were never committed"),
                details: Vec::new(),
                hint: Some(format!(
                    "its version came from a working copy: name {name} too, to take it from the commit"
                )),
            });
        }
        Ok(step)
    }

    /// The commit of the version that the ring holds; of the root, that of its layers (B10).
    fn own_commit(&self, name: &ImageName) -> Option<CommitId> {
        let record = self.base.record.as_ref();
        match record.filter(|record| record.root.image == *name) {
            Some(record) => record.root.layers.clone(),
            None => self.base.images.get(name).and_then(|held| held.commit.clone()),
        }
    }

    fn only_labels_change(&self, step: &Step) -> bool {
        let implicit = |reason: &Reason| match reason {
            Reason::Dependency { image, .. } => !self.chosen.explicit.contains(image),
            Reason::Removed { .. } | Reason::Major | Reason::Environments { .. } => true,
            Reason::Absent | Reason::Revision { .. } | Reason::Dirty => false,
        };
        step.image == self.chosen.root && step.reasons.iter().all(implicit)
    }
}
