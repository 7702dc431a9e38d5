//! Moving releases back (M5).

use super::refusal::Refusal;
use super::shift::{self, World};
use super::transition::{Overrides, Transition};
use crate::model::{ImageName, RingName, Version};
use crate::state::journal::JournalError;
use crate::state::{Freeze, FreezeScope, ReleaseRef, Ring, State, Timestamp, Verb};
use std::collections::BTreeSet;

/// Who takes back, when and why: kept with the freezes that follow (M6).
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// Where the earlier entries come from, when a history is deeper than an entry keeps.
pub trait Earlier {
    /// The state after the entry with this number.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be had.
    fn state_at(&self, seq: u64) -> Result<Option<State>, JournalError>;
}

/// How far back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// To what the ring held before.
    One,
    /// To this release.
    To(Version),
    /// To nothing: the ring's first release is taken back.
    Empty,
}

/// `unshift RING`. `None`: it holds the wanted release already.
///
/// # Errors
/// [`Refusal::NothingToUnshift`]; for a withdrawn release that is put back, what a shift refuses.
pub fn unshift(
    world: &World<'_>,
    earlier: &dyn Earlier,
    ring: &RingName,
    back: &Back,
    author: &Author,
    overrides: &Overrides,
) -> Result<Option<Transition>, Refusal> {
    let state = world.state;
    let there = state
        .rings
        .get(ring)
        .ok_or_else(|| Refusal::no_such_ring(ring, &state.chain))?;
    let Some(held) = &there.release else {
        if let Back::To(version) = back
            && let Some(release) = there.withdrawn.iter().rev().find(|r| r.version == *version)
        {
            return put_back(world, ring, release, overrides);
        }
        return Err(nothing(ring, there, format!("{ring} holds no release")));
    };
    match back {
        Back::One if there.history.is_empty() => {
            let mut refusal = nothing(
                ring,
                there,
                format!("{ring} held nothing before {}", held.version),
            );
            if let Refusal::NothingToUnshift { hint, .. } = &mut refusal {
                *hint = Some(format!(
                    "ringshift unshift {ring} --empty takes back its first release"
                ));
            }
            Err(refusal)
        }
        Back::One => pop(world, earlier, ring, 1, author).map(Some),
        Back::Empty if !there.history.is_empty() => Err(nothing(
            ring,
            there,
            format!(
                "{ring} held other releases before {}, so it does not go back to nothing",
                held.version
            ),
        )),
        Back::Empty => pop(world, earlier, ring, 1, author).map(Some),
        Back::To(version) if *version == held.version => Ok(None),
        Back::To(version) => {
            if let Some(steps) = depth(earlier, ring, there, version)? {
                return pop(world, earlier, ring, steps, author).map(Some);
            }
            match there.withdrawn.iter().rev().find(|r| r.version == *version) {
                Some(release) => put_back(world, ring, release, overrides),
                None => Err(nothing(ring, there, format!("{ring} never held {version}"))),
            }
        }
    }
}

/// `unshift --all`: takes back the last train (M5).
///
/// # Errors
/// [`Refusal::NothingToUnshift`] when there is none, or a ring of it moved since.
pub fn unshift_train(
    world: &World<'_>,
    earlier: &dyn Earlier,
    author: &Author,
) -> Result<Transition, Refusal> {
    let none = |message: &str| Refusal::NothingToUnshift {
        message: message.into(),
        history: Vec::new(),
        hint: Some("ringshift unshift RING takes back one ring".into()),
    };
    let state = world.state;
    let seq = state
        .train
        .ok_or_else(|| none("there is no train to take back"))?;
    let after = earlier
        .state_at(seq)?
        .ok_or_else(|| none("the entry of the last train is gone"))?;
    let before = earlier
        .state_at(seq - 1)?
        .ok_or_else(|| none("the entry before the last train is gone"))?;
    let moved: Vec<&RingName> = after
        .chain
        .iter()
        .filter(|ring| before.rings.get(*ring) != after.rings.get(*ring))
        .collect();
    let same = |ring: &RingName| {
        let stack = |state: &State| {
            state
                .rings
                .get(ring)
                .map(|r| (r.release.clone(), r.history.clone(), r.below))
        };
        stack(state) == stack(&after)
    };
    if let Some(ring) = moved.iter().find(|ring| !same(ring)) {
        return Err(none(&format!("{ring} moved since the last train")));
    }
    let mut transition = Transition::new(Verb::Unshift, state.clone());
    for ring in moved {
        let step = World {
            state: &transition.state,
            ..*world
        };
        let popped = pop(&step, earlier, ring, 1, author)?;
        transition.state = popped.state;
        transition.notes.extend(popped.notes);
    }
    transition.state.train = None;
    Ok(transition)
}

/// `unshift ante [IMAGE…]`: drops what is there (B9).
///
/// # Errors
/// [`Refusal::NothingToUnshift`] when none of it is there.
pub fn unshift_ante(state: &State, images: &BTreeSet<ImageName>) -> Result<Transition, Refusal> {
    let mut transition = Transition::new(Verb::Unshift, state.clone());
    transition
        .state
        .ante
        .retain(|name, _| !images.is_empty() && !images.contains(name));
    if transition.state.ante.len() == state.ante.len() {
        let names: Vec<&str> = images.iter().map(ImageName::as_str).collect();
        let message = match names.as_slice() {
            [] => "ante holds nothing".to_owned(),
            names => format!("ante does not hold {}", names.join(", ")),
        };
        return Err(Refusal::NothingToUnshift {
            message,
            history: Vec::new(),
            hint: (!state.ante.is_empty()).then(|| {
                let held: Vec<&str> = state.ante.keys().map(ImageName::as_str).collect();
                format!("ante holds {}", held.join(", "))
            }),
        });
    }
    Ok(transition)
}

fn nothing(ring: &RingName, there: &Ring, message: String) -> Refusal {
    Refusal::NothingToUnshift {
        message,
        history: there
            .history
            .iter()
            .rev()
            .map(|release| release.version.clone())
            .collect(),
        hint: (!there.history.is_empty()).then(|| format!("ringshift unshift {ring} --to VERSION")),
    }
}

/// How many pops bring `version` to the top.
fn depth(
    earlier: &dyn Earlier,
    name: &RingName,
    ring: &Ring,
    version: &Version,
) -> Result<Option<usize>, Refusal> {
    let mut ring = ring.clone();
    let mut steps = 0;
    while ring.release.is_some() {
        if ring
            .release
            .as_ref()
            .is_some_and(|release| release.version == *version)
        {
            return Ok(Some(steps));
        }
        ring.put_back();
        refill(earlier, name, &mut ring)?;
        steps += 1;
    }
    Ok(None)
}

/// A history that was popped shows one more of what lies deeper: the oldest of the entry below.
fn refill(earlier: &dyn Earlier, name: &RingName, ring: &mut Ring) -> Result<(), JournalError> {
    let Some(seq) = ring.below else { return Ok(()) };
    let older = earlier
        .state_at(seq)?
        .and_then(|mut state| state.rings.remove(name));
    if let Some(older) = older {
        ring.below = older.below;
        ring.history.splice(0..0, older.history.first().cloned());
    }
    Ok(())
}

fn pop(
    world: &World<'_>,
    earlier: &dyn Earlier,
    ring: &RingName,
    steps: usize,
    author: &Author,
) -> Result<Transition, Refusal> {
    let mut transition = Transition::new(Verb::Unshift, world.state.clone());
    for _ in 0..steps {
        let Some(there) = transition.state.rings.get_mut(ring) else {
            break;
        };
        let out = there.put_back();
        refill(earlier, ring, there)?;
        if let Some(out) = out {
            freeze_withdrawn(world, &mut transition.state, ring, &out, author)?;
        }
    }
    if let Some(release) = transition.state.release(ring) {
        let record = world.records.record(&release.record)?;
        let contents = super::guard::contents(&record);
        let root = &record.root.image;
        let hit = super::guard::frozen_content(world.state, ring, root, &contents, None);
        transition.notes.extend(hit.map(|freeze| {
            format!(
                "{} comes back to {ring}, and {} {} is frozen there; ringshift unshift {ring} --to VERSION goes elsewhere",
                release.version, freeze.image, freeze.version
            )
        }));
    }
    Ok(transition)
}

/// What was unshifted is frozen for the ring and those further out (M6).
fn freeze_withdrawn(
    world: &World<'_>,
    state: &mut State,
    ring: &RingName,
    out: &ReleaseRef,
    author: &Author,
) -> Result<(), Refusal> {
    let record = world.records.record(&out.record)?;
    let Some(root) = record.root() else { return Ok(()) };
    let freeze = Freeze {
        image: record.root.image.clone(),
        version: out.version.clone(),
        key: root.key(),
        commit: Some(record.commit.clone()),
        record: Some(out.record),
        scope: FreezeScope::From(ring.clone()),
        reason: author.reason.clone(),
        fixed_in: Vec::new(),
        actor: author.actor.clone(),
        at: author.at,
    };
    super::freeze::add(state, freeze);
    Ok(())
}

fn put_back(
    world: &World<'_>,
    ring: &RingName,
    release: &ReleaseRef,
    overrides: &Overrides,
) -> Result<Option<Transition>, Refusal> {
    let transition = shift::take(world, ring, release, overrides)?;
    Ok(transition.map(|transition| Transition {
        verb: Verb::Unshift,
        ..transition
    }))
}
