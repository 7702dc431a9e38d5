//! `release`: one release with every image (`show`).

use crate::model::{CommitId, Digest, ImageName, Revision, Version};
use crate::state::{ReleaseRecord, ReleaseRef};
use serde::Serialize;
use std::collections::BTreeMap;

/// The shape.
#[derive(Debug, Serialize)]
pub struct ReleaseShape<'a> {
    version: &'a Version,
    digest: Digest,
    record: Digest,
    commit: &'a CommitId,
    rings: Vec<&'a str>,
    /// The pack of its environments.
    #[serde(skip_serializing_if = "Option::is_none")]
    environments: Option<Digest>,
    images: Vec<ImageShape<'a>>,
}

#[derive(Debug, Serialize)]
struct ImageShape<'a> {
    name: &'a ImageName,
    version: &'a Version,
    digest: Digest,
    revision: Revision,
    commit: Option<&'a CommitId>,
    dependencies: &'a BTreeMap<ImageName, Version>,
    replaces: Option<&'a Version>,
    dirty: bool,
}

impl<'a> ReleaseShape<'a> {
    /// The shape of a release that `rings` hold.
    pub fn new(release: &'a ReleaseRef, record: &'a ReleaseRecord, rings: Vec<&'a str>) -> Self {
        Self {
            version: &release.version,
            digest: release.digest,
            record: release.record,
            commit: &record.commit,
            rings,
            environments: record.environments,
            images: record
                .images
                .iter()
                .map(|(name, image)| ImageShape {
                    name,
                    version: &image.version,
                    digest: image.digest,
                    revision: image.revision,
                    commit: image.commit.as_ref(),
                    dependencies: &image.dependencies,
                    replaces: image.replaces.as_ref(),
                    dirty: image.dirty,
                })
                .collect(),
        }
    }
}
