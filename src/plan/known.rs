//! Versions that are known: from rings, histories, withdrawn lists, ante and reservations (B5).

use crate::model::{Digest, ImageName, RingName, Version};
use crate::state::journal::JournalError;
use crate::state::{ContentKey, ImageRecord, ReleaseRecord, ReleaseRef, State};
use std::sync::Arc;

/// Where release records come from.
pub trait Records {
    /// The record with this digest.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be had.
    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError>;
}

/// The record of what a ring holds.
///
/// # Errors
/// [`JournalError`] when it cannot be had.
pub fn held(
    state: &State,
    records: &dyn Records,
    ring: &RingName,
) -> Result<Option<Arc<ReleaseRecord>>, JournalError> {
    state
        .release(ring)
        .map(|release| records.record(&release.record))
        .transpose()
}

/// Where a known version comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is in this release.
    Release(ReleaseRef),
    /// ante holds it.
    Ante,
    /// Its number was taken for this content; whether it was built is not known here.
    Reservation {
        /// It was taken for a major.
        major: bool,
    },
}

/// One known version of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The version.
    pub version: Version,
    /// Its content key.
    pub key: ContentKey,
    /// Whether it is dirty.
    pub dirty: bool,
    /// Its manifest, when it is certain to exist.
    pub digest: Option<Digest>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Every known release, each once.
pub fn releases(state: &State) -> Vec<ReleaseRef> {
    let mut all: Vec<ReleaseRef> = state
        .rings
        .values()
        .flat_map(|ring| ring.known().cloned())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Every known version of `image`.
///
/// # Errors
/// [`JournalError`] when a record cannot be had.
pub fn versions(state: &State, records: &dyn Records, image: &ImageName) -> Result<Vec<Known>, JournalError> {
    let mut known = Vec::new();
    for release in releases(state) {
        let record = records.record(&release.record)?;
        let is_root = record.root.image == *image;
        known.extend(
            record
                .images
                .get(image)
                .map(|found| of_record(found, release, is_root)),
        );
    }
    known.extend(state.ante.get(image).map(|prepared| Known {
        version: prepared.version.clone(),
        key: prepared.key(),
        dirty: prepared.dirty,
        digest: Some(prepared.digest),
        origin: Origin::Ante,
    }));
    known.extend(
        state
            .reservations
            .iter()
            .filter(|r| r.image == *image)
            .map(|taken| Known {
                version: taken.version.clone(),
                key: taken.key,
                dirty: taken.dirty,
                digest: None,
                origin: Origin::Reservation { major: taken.major },
            }),
    );
    Ok(known)
}

fn of_record(found: &ImageRecord, release: ReleaseRef, is_root: bool) -> Known {
    let digest = if is_root { release.digest } else { found.digest };
    Known {
        version: found.version.clone(),
        key: found.key(),
        dirty: found.dirty,
        digest: Some(digest),
        origin: Origin::Release(release),
    }
}
