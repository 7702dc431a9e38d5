//! What a verb changes, before it is written.

use super::Refusal;
use crate::model::{ImageName, RingName, Version};
use crate::state::{Moved, Override, State, Verb};
use std::collections::BTreeMap;

/// The overrides of M7 that a command carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `--contains VERSION`: its fixes are in there under other commits.
    pub contains: Vec<Version>,
    /// `--drop VERSION`: its fixes are lost knowingly.
    pub drop: Vec<Version>,
    /// `--allow-dirty`.
    pub allow_dirty: bool,
}

impl Overrides {
    /// Whether the loss of what `held` has is overridden, and how that is recorded.
    pub fn for_loss_of(&self, held: &Version) -> Option<Override> {
        let version = held.clone();
        if self.contains.contains(held) {
            return Some(Override::Contains { version });
        }
        self.drop.contains(held).then_some(Override::Drop { version })
    }
}

/// A state change that is ready to be appended. [`None`] where a function returns an option of it
/// means: nothing to do.
#[derive(Debug)]
pub struct Transition {
    /// The verb.
    pub verb: Verb,
    /// Everything that is true afterwards.
    pub state: State,
    /// The images that it is about, with their versions: what was built or adopted, what was frozen.
    pub versions: BTreeMap<ImageName, Version>,
    /// What was overridden.
    pub overrides: Vec<Override>,
    /// What to say besides: warnings, and what a train passed over.
    pub notes: Vec<String>,
    /// What a train passed over because of a rule, with the ring.
    pub refused: Vec<(RingName, Refusal)>,
}

impl Transition {
    /// A change of `state`, with nothing to say.
    pub fn new(verb: Verb, state: State) -> Self {
        Self {
            verb,
            state,
            versions: BTreeMap::new(),
            overrides: Vec::new(),
            notes: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The rings whose release differs from `before`, with both versions.
    pub fn moved(&self, before: &State) -> BTreeMap<RingName, Moved> {
        let version = |state: &State, ring: &RingName| state.release(ring).map(|r| r.version.clone());
        let changed = |ring: &&RingName| before.rings.get(*ring) != self.state.rings.get(*ring);
        let entry = |ring: &RingName| {
            let moved = Moved {
                before: version(before, ring),
                after: version(&self.state, ring),
            };
            (ring.clone(), moved)
        };
        self.state.chain.iter().filter(changed).map(entry).collect()
    }
}
