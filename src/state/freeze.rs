//! Freezes: what must not be released, and where (M6).

use super::{ContentKey, Timestamp};
use crate::model::{CommitId, Digest, ImageName, RingName, Version};
use serde::{Deserialize, Serialize};

/// Where a freeze holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FreezeScope {
    /// For every ring.
    All,
    /// For this ring and those further out, as the chain stands when it is asked.
    From(RingName),
}

/// A release, or a version of one image, that rings refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// The image that is frozen; the root for a whole release.
    pub image: ImageName,
    /// Its version.
    pub version: Version,
    /// Its content key. A release is frozen by it, whatever its number; an image by its version.
    pub key: ContentKey,
    /// The commit of a release that was unshifted: whatever contains it carries the fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The record of that release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Digest>,
    /// Where it holds.
    pub scope: FreezeScope,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Commits of the releases that fix it: what contains one of them passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed_in: Vec<CommitId>,
    /// Who froze it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Freeze {
    /// The version as a person names it: `1.4.0` of the root, else `api@1.4.0`.
    pub fn named(&self, root: &ImageName) -> String {
        match self.image == *root {
            true => self.version.to_string(),
            false => format!("{}@{}", self.image, self.version),
        }
    }

    /// Whether it holds for `ring` in `chain`. A ring that left the chain froze every ring.
    pub fn covers(&self, ring: &RingName, chain: &[RingName]) -> bool {
        let place = |name: &RingName| chain.iter().position(|r| r == name);
        match &self.scope {
            FreezeScope::All => true,
            FreezeScope::From(from) => place(from).unwrap_or(0) <= place(ring).unwrap_or(usize::MAX),
        }
    }
}
