//! Moving releases outwards: one step, or the train (M1–M4, M6, M7).

use super::commits::Commits;
use super::guard::{self, Incoming, Replacement};
use super::known::Records;
use super::refusal::Refusal;
use super::transition::{Overrides, Transition};
use crate::model::{CommitId, ImageName, RingName};
use crate::state::{Override, ReleaseRecord, ReleaseRef, State, Verb};
use std::collections::{BTreeMap, BTreeSet};

/// What a move is decided on.
pub struct World<'a> {
    /// The state.
    pub state: &'a State,
    /// The sequence number of the entry it comes from.
    pub head: u64,
    /// The records.
    pub records: &'a dyn Records,
    /// The clone.
    pub commits: &'a dyn Commits,
}

/// `shift RING` for every ring but the first: it takes over what the ring before it holds.
/// `None`: it holds that already (M4).
///
/// # Errors
/// [`Refusal`]: no such ring, nothing before it, frozen, dirty, or a fix would be lost.
pub fn shift(
    world: &World<'_>,
    ring: &RingName,
    overrides: &Overrides,
) -> Result<Option<Transition>, Refusal> {
    let state = world.state;
    let place = state
        .place(ring)
        .ok_or_else(|| Refusal::no_such_ring(ring, &state.chain))?;
    let before = place.checked_sub(1).and_then(|place| state.chain.get(place));
    let source = before
        .and_then(|before| state.release(before))
        .ok_or_else(|| Refusal::Request {
            message: match before {
                Some(before) => format!("{before}, the ring before {ring}, holds no release"),
                None => format!("{ring} takes over from ante, and ante holds nothing"),
            },
            hint: Some("ringshift status shows what each ring holds".into()),
        })?;
    take(world, ring, source, overrides)
}

/// `shift --all`: one step for every ring but the first, from the outer end inwards (M2).
/// `None`: nothing moved and nothing was refused.
///
/// # Errors
/// Only when a record cannot be read; refused rings are passed over and reported in the transition.
pub fn train(world: &World<'_>, overrides: &Overrides) -> Result<Option<Transition>, Refusal> {
    let state = world.state;
    let mut train = Transition::new(Verb::Shift, state.clone());
    let pairs: Vec<_> = state.chain.windows(2).collect();
    for pair in pairs.iter().rev() {
        let (before, ring) = (&pair[0], &pair[1]);
        let Some(source) = state.release(before) else {
            continue;
        };
        match take(world, ring, source, overrides) {
            Ok(None) => {}
            Ok(Some(step)) => {
                train
                    .state
                    .rings
                    .extend(step.state.rings.get(ring).map(|r| (ring.clone(), r.clone())));
                train.overrides.extend(step.overrides);
                train.notes.extend(step.notes);
            }
            Err(refusal @ Refusal::Journal(_)) => return Err(refusal),
            Err(refusal) => train.refused.push((ring.clone(), refusal)),
        }
    }
    train.overrides.dedup();
    if train.state == *state && train.refused.is_empty() {
        return Ok(None);
    }
    if train.state != *state {
        train.state.train = Some(world.head + 1);
    }
    Ok(Some(train))
}

/// `ring` takes over `source`, a known release (M4, M6, M7).
///
/// # Errors
/// As [`shift`].
pub fn take(
    world: &World<'_>,
    ring: &RingName,
    source: &ReleaseRef,
    overrides: &Overrides,
) -> Result<Option<Transition>, Refusal> {
    let state = world.state;
    let held = state.release(ring);
    if held.is_some_and(|held| held.digest == source.digest) {
        return Ok(None);
    }
    let record = world.records.record(&source.record)?;
    let held_record = held.map(|held| world.records.record(&held.record)).transpose()?;
    let mut transition = Transition::new(Verb::Shift, state.clone());
    if record.is_dirty() {
        if !overrides.allow_dirty {
            return Err(Refusal::Rule {
                message: format!("{} is dirty: it was built from a working copy", source.version),
                details: dirty_images(&record),
                hint: Some("commit and build again, or move it on knowingly with --allow-dirty".into()),
            });
        }
        transition.overrides.push(Override::AllowDirty);
    }
    let (records, commits) = (world.records, world.commits);
    guard::not_frozen(
        state,
        ring,
        source,
        &record,
        held_record.as_deref(),
        records,
        commits,
    )?;
    if let (Some(held), Some(held_record)) = (held, &held_record) {
        let kept = keeps_fixes(world, ring, held, held_record, source, &record, overrides)?;
        transition.overrides.extend(kept);
        if source.version < held.version {
            transition.notes.push(format!(
                "{} is a lower number than {}, which {ring} holds",
                source.version, held.version
            ));
        }
    }
    if let Some(there) = transition.state.rings.get_mut(ring) {
        there.take(source.clone(), world.head);
    }
    Ok(Some(transition))
}

fn dirty_images(record: &ReleaseRecord) -> Vec<String> {
    let dirty = record.images.iter().filter(|(_, image)| image.dirty);
    dirty
        .map(|(name, image)| format!("{name} {}", image.version))
        .collect()
}

fn keeps_fixes(
    world: &World<'_>,
    ring: &RingName,
    held: &ReleaseRef,
    held_record: &ReleaseRecord,
    source: &ReleaseRef,
    record: &ReleaseRecord,
    overrides: &Overrides,
) -> Result<Vec<Override>, Refusal> {
    if record.contains.contains(&held.record) {
        return Ok(Vec::new());
    }
    let names: BTreeSet<&ImageName> = held_record.images.keys().collect();
    let incoming: BTreeMap<ImageName, Incoming> = names
        .iter()
        .map(|name| ((*name).clone(), arriving(record, name)))
        .collect();
    let replacement = Replacement {
        ring: ring.as_str(),
        held: &held.version,
        incoming: &source.version.to_string(),
        head: head(world),
    };
    let held_images = held_record
        .images
        .iter()
        .map(|(name, image)| (name.clone(), image))
        .collect();
    guard::no_lost_fixes(&replacement, &held_images, &incoming, overrides, world.commits)
}

fn arriving(record: &ReleaseRecord, name: &ImageName) -> Incoming {
    match record.images.get(name) {
        Some(image) => Incoming {
            version: Some(image.version.clone()),
            revision: Some(image.revision),
            commit: image.commit.clone(),
        },
        None => Incoming {
            version: None,
            revision: None,
            commit: Some(record.commit.clone()),
        },
    }
}

/// HEAD is evidence only where there is one; its absence is no error.
fn head(world: &World<'_>) -> Option<CommitId> {
    world.commits.head().ok().flatten()
}
