//! What the target of a build holds before it, and which images are taken from the commit.

use super::chosen::Chosen;
use super::{Request, Target, World};
use crate::model::ImageName;
use crate::plan::known;
use crate::plan::take::{HeldSource, taken};
use crate::plan::{Environments, Refusal, Sources};
use crate::state::{ImageRecord, ReleaseRecord, ReleaseRef};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the target holds before the build.
pub(super) struct Base {
    pub behind_front: bool,
    pub release: Option<ReleaseRef>,
    pub record: Option<Arc<ReleaseRecord>>,
    pub images: BTreeMap<ImageName, ImageRecord>,
    pub moved_in_ante: BTreeSet<ImageName>,
}

impl Base {
    pub fn load(world: &World<'_>, target: &Target) -> Result<Self, Refusal> {
        let state = world.state;
        let ring = match target {
            Target::Ante => state.first(),
            Target::Ring(ring) => Some(ring),
        };
        let release = ring.and_then(|ring| state.release(ring)).cloned();
        let record = match ring {
            Some(ring) => known::held(state, world.records, ring)?,
            None => None,
        };
        let mut images = record
            .as_ref()
            .map(|record| record.images.clone())
            .unwrap_or_default();
        let mut moved_in_ante = BTreeSet::new();
        if *target == Target::Ante {
            for (name, prepared) in &state.ante {
                let before = images.insert(name.clone(), prepared.clone());
                if before.is_none_or(|before| before.version != prepared.version) {
                    moved_in_ante.insert(name.clone());
                }
            }
        }
        Ok(Self {
            behind_front: matches!(target, Target::Ring(ring) if state.first() != Some(ring)),
            release,
            record,
            images,
            moved_in_ante,
        })
    }

    /// The environments of the release that is held.
    pub fn environments(&self) -> Option<Environments> {
        let record = self.record.as_ref()?;
        let (pack, own) = (record.environments?, record.own_revision()?);
        let sources = record.root.sources.unwrap_or(pack);
        Some(Environments { pack, sources, own })
    }

    /// The images that are taken from the commit, and how each image stands then.
    pub fn choose(&self, world: &World<'_>, request: &Request) -> Result<Chosen, Refusal> {
        let sources = world.sources;
        let all = || sources.images.keys().cloned().collect();
        let fix = self.behind_front && self.release.is_some() && !request.all_changes;
        let names = self.not_yet_held(world, request);
        let taken: BTreeSet<ImageName> = if request.target == Target::Ante {
            taken(sources, &names, &self.held_sources(), true)
        } else if self.release.is_none() {
            all()
        } else if request.from_ante && names.is_empty() {
            BTreeSet::new()
        } else if fix && names.is_empty() {
            return Err(Refusal::Usage {
                message: format!("a fix of {} names the images that it takes", request.target),
                hint: format!(
                    "ringshift build --ring {} IMAGE…, or --all-changes to take everything from the commit",
                    request.target
                ),
            });
        } else if fix {
            names
        } else if names.is_empty() {
            all()
        } else {
            taken(sources, &names, &self.held_sources(), false)
        };
        Chosen::new(world, self, self.with_orphans(sources, taken), request)
    }

    /// With the root, an image may leave the project; what stood on it is taken too.
    fn with_orphans(&self, sources: &Sources, mut taken: BTreeSet<ImageName>) -> BTreeSet<ImageName> {
        if taken.contains(&sources.root) {
            let gone = |base: &ImageName| !sources.images.contains_key(base);
            let orphans = self.images.iter().filter(|(name, image)| {
                **name != sources.root && !gone(name) && image.dependencies.keys().any(gone)
            });
            let orphans: BTreeSet<ImageName> = orphans.map(|(name, _)| name.clone()).collect();
            taken.extend(sources.dependants(&orphans));
            taken.extend(orphans);
        }
        taken
    }

    /// The named images. Of ante's, one that the ring holds already is left (B9): it is rebuilt only
    /// where it stands on one that changes.
    fn not_yet_held(&self, world: &World<'_>, request: &Request) -> BTreeSet<ImageName> {
        let left = |name: &ImageName| {
            let prepared = world.state.ante.get(name).map(|prepared| &prepared.version);
            let held = self.images.get(name).map(|held| &held.version);
            request.from_ante && prepared.is_some() && prepared == held
        };
        request.names.iter().filter(|name| !left(name)).cloned().collect()
    }

    fn held_sources(&self) -> BTreeMap<ImageName, HeldSource<'_>> {
        self.images
            .iter()
            .map(|(name, image)| {
                let source = HeldSource {
                    revision: &image.revision,
                    moved_in_ante: self.moved_in_ante.contains(name),
                };
                (name.clone(), source)
            })
            .collect()
    }
}
