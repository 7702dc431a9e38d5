//! A project as it stands at one commit or in a working copy, as far as plans care.

use crate::model::{CommitId, Digest, ImageName, Revision};
use std::collections::{BTreeMap, BTreeSet};

/// One image's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSource {
    /// Its revision.
    pub revision: Revision,
    /// The images of the project that its container file uses.
    pub dependencies: BTreeSet<ImageName>,
    /// Whether what it reads differs from the commit (B8).
    pub dirty: bool,
}

/// What the environments of a project add to its root image (D1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Environments {
    /// The pack.
    pub pack: Digest,
    /// The part of it that the revision depends on: all but what helm made of charts.
    pub sources: Digest,
    /// The root's revision without it.
    pub own: Revision,
}

/// All images of a project with their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The commit; of a working copy, the one it stands on.
    pub commit: CommitId,
    /// Every image.
    pub images: BTreeMap<ImageName, ImageSource>,
    /// Dependencies before dependants, the root last (S3).
    pub order: Vec<ImageName>,
    /// The root image.
    pub root: ImageName,
    /// The environments, where there are some; the root's revision contains them.
    pub environments: Option<Environments>,
}

impl Sources {
    /// The images that `image` uses, directly or through others, itself left out.
    pub fn bases(&self, image: &ImageName) -> BTreeSet<ImageName> {
        let mut found = BTreeSet::new();
        let mut open = vec![image];
        while let Some(next) = open.pop() {
            for base in self
                .images
                .get(next)
                .iter()
                .flat_map(|source| &source.dependencies)
            {
                if found.insert(base.clone()) {
                    open.push(base);
                }
            }
        }
        found
    }

    /// The images that use one of `images`, directly or through others; those themselves are left
    /// out unless they use one another.
    pub fn dependants(&self, images: &BTreeSet<ImageName>) -> BTreeSet<ImageName> {
        let mut found = BTreeSet::new();
        for name in &self.order {
            let used = self.images.get(name).is_some_and(|source| {
                source
                    .dependencies
                    .iter()
                    .any(|base| images.contains(base) || found.contains(base))
            });
            if used {
                found.insert(name.clone());
            }
        }
        found
    }
}
