//! Release records: everything about one release, in one immutable document (state store 2).

use crate::model::{CommitId, Digest, ImageName, Revision, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes two versions of an image the same content: its revision and the versions of its
/// dependencies (B5), as a digest.
pub type ContentKey = Digest;

/// The content key of an image with this revision and these dependencies.
pub fn content_key(revision: &Revision, dependencies: &BTreeMap<ImageName, Version>) -> ContentKey {
    use std::fmt::Write;
    let mut text = format!("{revision}\n");
    for (name, version) in dependencies {
        let _ = writeln!(text, "{name}={version}");
    }
    Digest::of(text.as_bytes())
}

/// One image in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// Its version.
    pub version: Version,
    /// Its manifest.
    pub digest: Digest,
    /// Its revision.
    pub revision: Revision,
    /// The versions of its direct dependencies; of the root: of every image.
    pub dependencies: BTreeMap<ImageName, Version>,
    /// The commit that holds these sources (M7); none when dirty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The version that its build replaced in its ring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Version>,
    /// Built from changed files of a working copy (B8).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
}

impl ImageRecord {
    /// Its content key.
    pub fn key(&self) -> ContentKey {
        content_key(&self.revision, &self.dependencies)
    }
}

/// What is particular to the root image of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRecord {
    /// Which image it is.
    pub image: ImageName,
    /// The commit whose sources its layers hold (B7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<CommitId>,
    /// The images that its container file names; the others are implicit (S3).
    pub explicit: Vec<ImageName>,
    /// Its revision without the environments (D1), where the release has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Revision>,
    /// The digest of the pack without what helm made of charts, where it holds that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Digest>,
}

/// One release: a version of the root image, and of every other image with it (S2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// Format of this document: 1.
    pub format: u32,
    /// The root image.
    pub root: RootRecord,
    /// The commit of the build.
    pub commit: CommitId,
    /// Every image, the root included.
    pub images: BTreeMap<ImageName, ImageRecord>,
    /// Record digests of the known releases whose commits, image by image, this one contains.
    #[serde(default)]
    pub contains: Vec<Digest>,
    /// The pack of its environments (D1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Digest>,
    /// What a newer ringshift wrote.
    #[serde(flatten)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

impl ReleaseRecord {
    /// The root's record.
    pub fn root(&self) -> Option<&ImageRecord> {
        self.images.get(&self.root.image)
    }

    /// The revision of the root without the environments (D1).
    pub fn own_revision(&self) -> Option<Revision> {
        self.root.own.or_else(|| Some(self.root()?.revision))
    }

    /// Whether any image of it is dirty.
    pub fn is_dirty(&self) -> bool {
        self.images.values().any(|image| image.dirty)
    }
}
