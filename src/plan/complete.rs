//! From a carried-out build to its journal entries: numbers first, the release last (B6).

use super::build::{Action, Basis, Plan, Target};
use super::commits::Commits;
use super::known::{self, Records};
use super::transition::Transition;
use crate::model::{Digest, ImageName, Version};
use crate::state::entry::FORMAT;
use crate::state::journal::JournalError;
use crate::state::{ImageRecord, ReleaseRecord, ReleaseRef, Reservation, RootRecord, State, Timestamp, Verb};
use std::collections::{BTreeMap, BTreeSet};

/// Takes the plan's new numbers. `None`: it has none.
pub fn reserve(state: &State, plan: &Plan, at: Timestamp) -> Option<Transition> {
    let mut transition = Transition::new(Verb::Reserve, state.clone());
    for step in plan
        .steps
        .iter()
        .filter(|step| step.action != Action::Adopt && !step.reserved)
    {
        transition
            .state
            .numbers
            .entry(step.image.clone())
            .or_default()
            .mark(&step.to);
        transition.state.reservations.push(Reservation {
            image: step.image.clone(),
            version: step.to.clone(),
            key: step.key,
            dirty: step.dirty,
            major: step.major,
            at,
        });
    }
    (transition.state != *state).then_some(transition)
}

/// What a build rests on, as it is now (M10).
pub fn basis(state: &State, plan: &Plan) -> Basis {
    Basis::of(state, &plan.target, plan.basis.ante.is_some())
}

/// The record of the release that a build made, once every image has a digest. `None` for ante,
/// which holds no release, and for a release that is adopted whole and keeps its record.
///
/// # Errors
/// [`JournalError`] when a record of a known release cannot be read.
pub fn record(
    state: &State,
    records: &dyn Records,
    commits: &dyn Commits,
    plan: &Plan,
    digests: &BTreeMap<ImageName, Digest>,
) -> Result<Option<ReleaseRecord>, JournalError> {
    if plan.target == Target::Ante || plan.adopted.is_some() {
        return Ok(None);
    }
    let mut images = plan.result.clone();
    for (name, digest) in digests {
        if let Some(image) = images.get_mut(name) {
            image.digest = *digest;
        }
    }
    let mut record = ReleaseRecord {
        format: FORMAT,
        root: RootRecord {
            image: plan.root.clone(),
            layers: plan.layers.clone(),
            explicit: plan.explicit.clone(),
            own: plan.environments.map(|environments| environments.own),
            sources: plan
                .environments
                .filter(|environments| environments.sources != environments.pack)
                .map(|environments| environments.sources),
        },
        commit: plan.commit.clone(),
        images,
        contains: Vec::new(),
        environments: plan.environments.map(|environments| environments.pack),
        extra: BTreeMap::new(),
    };
    record.contains = contained(state, records, commits, &record)?;
    Ok(Some(record))
}

/// The known releases whose commits, of the release and image by image, `record` contains. What
/// the clone cannot tell is left open.
fn contained(
    state: &State,
    records: &dyn Records,
    commits: &dyn Commits,
    record: &ReleaseRecord,
) -> Result<Vec<Digest>, JournalError> {
    let mut answers = BTreeMap::new();
    let mut contains = |ours: &crate::model::CommitId, theirs: &crate::model::CommitId| {
        let pair = (ours.clone(), theirs.clone());
        *answers
            .entry(pair)
            .or_insert_with(|| ours == theirs || commits.contains(ours, theirs).unwrap_or(false))
    };
    let mut found = BTreeSet::new();
    for release in known::releases(state) {
        let other = records.record(&release.record)?;
        let all = contains(&record.commit, &other.commit)
            && other.images.iter().all(|(name, theirs)| {
                let ours = record
                    .images
                    .get(name)
                    .map_or(Some(&record.commit), |image| image.commit.as_ref());
                match (ours, &theirs.commit) {
                    (_, None) => true,
                    (Some(ours), Some(theirs)) => contains(ours, theirs),
                    (None, Some(_)) => false,
                }
            });
        if all {
            found.insert(release.record);
        }
    }
    Ok(found.into_iter().collect())
}

/// The state after a build: the release in its ring, or the images in ante. `release` is what
/// the ring gets; `None` for ante, and where nothing but ante changes.
pub fn complete(
    state: &State,
    head: u64,
    plan: &Plan,
    digests: &BTreeMap<ImageName, Digest>,
    release: Option<ReleaseRef>,
) -> Transition {
    let verb = if plan.from_ante { Verb::Shift } else { Verb::Build };
    let mut transition = Transition::new(verb, state.clone());
    transition.overrides.clone_from(&plan.overrides);
    transition.versions = plan
        .steps
        .iter()
        .map(|step| (step.image.clone(), step.to.clone()))
        .collect();
    let after = &mut transition.state;
    let done: BTreeMap<&ImageName, &Version> = plan.steps.iter().map(|s| (&s.image, &s.to)).collect();
    after
        .reservations
        .retain(|taken| done.get(&taken.image) != Some(&&taken.version));
    for (name, version) in done {
        after.numbers.entry(name.clone()).or_default().mark(version);
    }
    match &plan.target {
        Target::Ante => after.ante.extend(plan.steps.iter().filter_map(|step| {
            let image = plan.result.get(&step.image)?;
            let digest = digests.get(&step.image).copied().unwrap_or(image.digest);
            let prepared = ImageRecord {
                digest,
                ..image.clone()
            };
            Some((step.image.clone(), prepared))
        })),
        Target::Ring(ring) => {
            if let (Some(there), Some(release)) = (after.rings.get_mut(ring), release) {
                there.take(release, head);
            }
        }
    }
    if plan.from_ante {
        after.ante.clear();
    }
    transition
}
