//! Why an image is rebuilt: nothing is rebuilt without one of these (B2).

use crate::model::{Digest, ImageName, Revision, Version};

/// One reason, with old and new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The ring holds no version of it.
    Absent,
    /// Its revision differs.
    Revision {
        /// What the ring's version was built from.
        old: Revision,
        /// What it would be built from.
        new: Revision,
    },
    /// A dependency has another version.
    Dependency {
        /// Which.
        image: ImageName,
        /// The version the ring's one was built with.
        old: Option<Version>,
        /// The version it would be built with.
        new: Option<Version>,
    },
    /// A major was asked for.
    Major,
    /// The ring's version is dirty and this build is not.
    Dirty,
    /// An image left the project (root only).
    Removed {
        /// Which.
        image: ImageName,
    },
    /// What the environments read differs (root only, D1).
    Environments {
        /// The pack of the ring's release.
        old: Option<Digest>,
        /// The pack of this build.
        new: Option<Digest>,
    },
}
