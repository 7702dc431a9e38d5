//! Journal entries: immutable snapshots of the whole state, each with what was done (M9).

use super::{ContentKey, Freeze, ImageRecord, Numbers, ReleaseRef, Ring, Timestamp};
use crate::model::{CommitId, Digest, EnvironmentName, ImageName, RingName, SiteName, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The format of entries and records that this ringshift writes.
pub const FORMAT: u32 = 1;

/// What an entry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Made the store.
    Init,
    /// Took numbers for a build (B6).
    Reserve,
    /// Put a built release into its ring, or images into ante.
    Build,
    /// Moved releases outwards.
    Shift,
    /// Moved releases back.
    Unshift,
    /// Froze a version.
    Freeze,
    /// Lifted a freeze.
    Unfreeze,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Init => "init",
            Self::Reserve => "reserve",
            Self::Build => "build",
            Self::Shift => "shift",
            Self::Unshift => "unshift",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
        })
    }
}

/// A number that a build took before it pushed anything (B5, B6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// For which image.
    pub image: ImageName,
    /// Which number.
    pub version: Version,
    /// For which content.
    pub key: ContentKey,
    /// For a dirty build.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// A major was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub major: bool,
    /// When.
    pub at: Timestamp,
}

/// A rule that was overridden, or evidence from outside the records that a rule rested on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Override {
    /// The fixes of this version are in there under other commits (M7).
    Contains {
        /// The release that would be displaced.
        version: Version,
    },
    /// The fixes of this version are lost knowingly (M7).
    Drop {
        /// The release that would be displaced.
        version: Version,
    },
    /// A dirty release moved on (B8).
    AllowDirty,
    /// HEAD has the same sources and contains the fixes (M7).
    Head {
        /// What HEAD was.
        commit: CommitId,
    },
}

/// What a ring held before and after an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The version of the release before.
    pub before: Option<Version>,
    /// And after.
    pub after: Option<Version>,
}

/// A site as the journal keeps it (D1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRecord {
    /// Its name.
    pub name: SiteName,
    /// The overlay.
    pub environment: EnvironmentName,
    /// The ring.
    pub ring: RingName,
    /// Everything else that rings.yaml says of it.
    #[serde(flatten)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// Everything that is true after an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// The configured rings, from the front outwards (M11).
    pub chain: Vec<RingName>,
    /// The sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteRecord>,
    /// Every configured ring.
    pub rings: BTreeMap<RingName, Ring>,
    /// What ante holds (B9).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ante: BTreeMap<ImageName, ImageRecord>,
    /// Numbers taken by builds that have not ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<Reservation>,
    /// Every number ever used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<ImageName, Numbers>,
    /// What is frozen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
    /// The entry of the last train, when it can still be taken back (M5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<u64>,
    /// What a newer ringshift wrote.
    #[serde(flatten)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

impl State {
    /// The state of a new store: empty rings.
    pub fn new(chain: Vec<RingName>, sites: Vec<SiteRecord>) -> Self {
        let rings = chain.iter().map(|ring| (ring.clone(), Ring::default())).collect();
        Self {
            chain,
            sites,
            rings,
            ..Self::default()
        }
    }

    /// The first configured ring.
    pub fn first(&self) -> Option<&RingName> {
        self.chain.first()
    }

    /// The place of a ring in the chain, 0 for the first.
    pub fn place(&self, ring: &RingName) -> Option<usize> {
        self.chain.iter().position(|r| r == ring)
    }

    /// What a ring holds.
    pub fn release(&self, ring: &RingName) -> Option<&ReleaseRef> {
        self.rings.get(ring)?.release.as_ref()
    }

    /// post: the top of the last ring's history (S2).
    pub fn post(&self) -> Option<&ReleaseRef> {
        self.rings.get(self.chain.last()?)?.history.last()
    }
}

/// One transition, and the state after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// [`FORMAT`].
    pub format: u32,
    /// 32 hex digits, the same in all entries of one journal.
    pub lineage: String,
    /// 1, 2, 3, …
    pub seq: u64,
    /// The manifest digest of the entry before.
    pub parent: Option<Digest>,
    /// 32 hex digits that name the command that wrote it, so that it is done at most once.
    pub operation: String,
    /// Who.
    pub actor: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub verb: Verb,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// The rings that changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<RingName, Moved>,
    /// The images that a build made or adopted, with their versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<ImageName, Version>,
    /// Everything that is true after it.
    pub state: State,
}
