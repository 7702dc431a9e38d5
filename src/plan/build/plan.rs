//! A build as a value: what was asked, and all that is done.

use crate::bump::{Bump, Versioning};
use crate::model::{CommitId, Digest, ImageName, Revision, RingName, Version};
use crate::plan::{Environments, Overrides, Reason};
use crate::state::{ContentKey, ImageRecord, Override, ReleaseRef, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a build is built against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The ante set (B9).
    Ante,
    /// A configured ring.
    Ring(RingName),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ante => f.write_str("ante"),
            Self::Ring(ring) => ring.fmt(f),
        }
    }
}

/// What is asked of a build.
#[derive(Debug, Clone)]
pub struct Request {
    /// Against which ring.
    pub target: Target,
    /// The named images; none: every image.
    pub names: BTreeSet<ImageName>,
    /// The images that get a new major.
    pub majors: BTreeSet<ImageName>,
    /// Take all changes of the commit, behind the front too (B10).
    pub all_changes: bool,
    /// What the first ring takes over from ante: the whole build is `shift FIRST` (B9).
    pub from_ante: bool,
    /// The overrides of M7.
    pub overrides: Overrides,
    /// How the order is read.
    pub versioning: Versioning,
    /// The first number of any image.
    pub initial: Version,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Runs a builder.
    Build,
    /// Emits the root anew over the same layers (B7).
    Relabel,
    /// Takes a version that is there (B5).
    Adopt,
}

/// One image that a plan gives a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub image: ImageName,
    /// The version that the target holds.
    pub from: Option<Version>,
    /// The version it gets.
    pub to: Version,
    /// The kind of step; `None` when adopted.
    pub bump: Option<Bump>,
    /// The rule that gave the number.
    pub rule: &'static str,
    /// Its revision.
    pub revision: Revision,
    /// Its revision without the environments (D1): another one of the root only.
    pub own: Revision,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The versions of its direct dependencies.
    pub dependencies: BTreeMap<ImageName, Version>,
    /// Its content key.
    pub key: ContentKey,
    /// Built from changed files of the working copy.
    pub dirty: bool,
    /// A major was asked for.
    pub major: bool,
    /// Its number was reserved by an earlier run.
    pub reserved: bool,
    /// The manifest that is adopted or relabelled.
    pub digest: Option<Digest>,
    /// The commit whose sources are built; `None`: the build's own.
    pub sources: Option<CommitId>,
}

/// What must not have moved when a build is written (M10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// What the ring holds.
    pub release: Option<ReleaseRef>,
    /// The chain.
    pub chain: Vec<RingName>,
    /// The freezes.
    pub freezes: Vec<crate::state::Freeze>,
    /// Where ante is read: its set, and what the first ring holds.
    pub ante: Option<(BTreeMap<ImageName, ImageRecord>, Option<ReleaseRef>)>,
}

impl Basis {
    /// What a build against `target` rests on.
    pub fn of(state: &State, target: &Target, reads_ante: bool) -> Self {
        let first = || state.first().and_then(|ring| state.release(ring)).cloned();
        Self {
            release: match target {
                Target::Ante => first(),
                Target::Ring(ring) => state.release(ring).cloned(),
            },
            chain: state.chain.clone(),
            freezes: state.freezes.clone(),
            ante: reads_ante.then(|| (state.ante.clone(), first())),
        }
    }
}

/// A complete build, decided.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Against what.
    pub target: Target,
    /// The commit; of a working copy, the one it stands on.
    pub commit: CommitId,
    /// The release it is planned over.
    pub held: Option<ReleaseRef>,
    /// What must still be true when it is written.
    pub basis: Basis,
    /// What is done, dependencies first.
    pub steps: Vec<Step>,
    /// What stays.
    pub kept: BTreeMap<ImageName, Version>,
    /// Images of the commit that differ and are not taken (B10).
    pub not_taken: Vec<ImageName>,
    /// The ante set is taken over (B9).
    pub from_ante: bool,
    /// What is to be recorded.
    pub overrides: Vec<Override>,
    /// The records of all images of the result but for the digests of what is yet to be built.
    pub result: BTreeMap<ImageName, ImageRecord>,
    /// The images that the root names.
    pub explicit: Vec<ImageName>,
    /// The commit whose sources the root's layers hold.
    pub layers: Option<CommitId>,
    /// The root.
    pub root: ImageName,
    /// The environments of the result.
    pub environments: Option<Environments>,
    /// The known release that is adopted whole.
    pub adopted: Option<ReleaseRef>,
}

impl Plan {
    /// Whether carrying it out changes anything.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && !self.from_ante
    }
}
