//! What one ring holds: a release, a history, what was withdrawn.

use crate::model::{Digest, Version};
use serde::{Deserialize, Serialize};

/// A release as a ring points at it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReleaseRef {
    /// The version of the root image.
    pub version: Version,
    /// The manifest of the root image.
    pub digest: Digest,
    /// The release record.
    pub record: Digest,
}

/// How many releases of a history or withdrawn list stand in an entry; older ones are reached
/// through earlier entries (state store 2).
pub const KEPT: usize = 20;

/// The state of one configured ring.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ring {
    /// What it holds.
    #[serde(default)]
    pub release: Option<ReleaseRef>,
    /// What it held before, the oldest first: a stack whose top is the last (M3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<ReleaseRef>,
    /// The entry whose history, from its oldest on, continues below this one; set when the stack
    /// is deeper than [`KEPT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<u64>,
    /// What was taken out by an unshift, the oldest first (M5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<ReleaseRef>,
}

impl Ring {
    /// Takes over `release`; what was held is displaced onto the history (M3). `head` is the
    /// sequence number of the entry that this state comes from.
    pub fn take(&mut self, release: ReleaseRef, head: u64) {
        if let Some(displaced) = self.release.replace(release.clone()) {
            self.history.push(displaced);
            if self.history.len() > KEPT {
                self.history.remove(0);
                self.below = Some(head);
            }
        }
        self.withdrawn.retain(|w| *w != release);
    }

    /// Goes back to the top of the history, or to nothing; what was held is withdrawn (M5).
    pub fn put_back(&mut self) -> Option<ReleaseRef> {
        let out = std::mem::replace(&mut self.release, self.history.pop());
        if let Some(out) = &out {
            self.withdrawn.retain(|w| w != out);
            self.withdrawn.push(out.clone());
            if self.withdrawn.len() > KEPT {
                self.withdrawn.remove(0);
            }
        }
        out
    }

    /// Every release it knows: held, history, withdrawn.
    pub fn known(&self) -> impl Iterator<Item = &ReleaseRef> {
        self.release.iter().chain(&self.history).chain(&self.withdrawn)
    }
}
