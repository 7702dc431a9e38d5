//! A registry in a folder: `<folder>/<project>/<image>` is one OCI image layout, which skopeo, podman
//! and the like read as `oci:<folder>/<project>/<image>:<tag>` (state-store 3).
//!
//! What makes it safe:
//! - a file appears by rename only, whole and on the disk;
//! - an index is changed under a lock, and written after all that it points at;
//! - whoever dies leaves files in `.tmp`, which a later run removes.

mod blob;
mod index;
mod lock;
mod place;

use super::{BlobWriter, Created, Descriptor, Registry, RegistryError, Repository};
use crate::model::Digest;
use index::Index;
use place::Place;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A larger manifest is refused (SEC-B4).
const MANIFEST_LIMIT: u64 = 4 << 20;

/// A folder of OCI image layouts, shared by any number of processes.
#[derive(Debug, Clone)]
pub struct LayoutRegistry {
    folder: PathBuf,
}

impl LayoutRegistry {
    /// The registry in `folder`, which is made when something is first written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn place(&self, repository: &Repository) -> Result<Place, RegistryError> {
        Place::new(&self.folder, repository)
    }

    /// Changes the index of a repository under its lock. `change` says whether there is something to write.
    fn change<T>(
        &self,
        repository: &Repository,
        change: impl FnOnce(&Place, &mut Index) -> Result<(T, bool), RegistryError>,
    ) -> Result<T, RegistryError> {
        let place = self.place(repository)?;
        place.make()?;
        let _held = lock::hold(&place)?;
        let mut index = Index::load(&place)?;
        let (answer, changed) = change(&place, &mut index)?;
        if changed {
            index.store(&place)?;
        }
        Ok(answer)
    }
}

/// Makes sure that what a tag shall point at is there, whole, and on the disk with all its neighbours.
fn settle(place: &Place, target: &Descriptor) -> Result<(), RegistryError> {
    let size = blob::size(place, &target.digest)?
        .ok_or_else(|| RegistryError::Missing(format!("{}@{}", place.repository(), target.digest)))?;
    if size != target.size {
        return Err(super::wrong_size(place.repository(), target, size));
    }
    place.sync_blobs()
}

impl Registry for LayoutRegistry {
    fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        Ok(Index::load(&self.place(repository)?)?.tags())
    }

    fn resolve(&self, repository: &Repository, tag: &str) -> Result<Option<Descriptor>, RegistryError> {
        Index::load(&self.place(repository)?)?.find(tag)
    }

    fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>, RegistryError> {
        self.small_blob(repository, digest, MANIFEST_LIMIT)
    }

    fn blob(&self, repository: &Repository, digest: &Digest) -> Result<Box<dyn Read + Send>, RegistryError> {
        Ok(Box::new(blob::open(&self.place(repository)?, digest)?))
    }

    fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        Ok(blob::size(&self.place(repository)?, digest)?.is_some())
    }

    fn begin_blob(&self, repository: &Repository) -> Result<Box<dyn BlobWriter>, RegistryError> {
        Ok(Box::new(blob::Writer::begin(self.place(repository)?)?))
    }

    fn mount_blob(&self, to: &Repository, from: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        blob::mount(&self.place(to)?, &self.place(from)?, digest)
    }

    fn put_manifest(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        if bytes.len() as u64 > MANIFEST_LIMIT {
            return Err(RegistryError::Damaged {
                what: format!("a manifest for {repository}"),
                wanted: format!("at most {MANIFEST_LIMIT} bytes"),
                found: format!("{} bytes", bytes.len()),
            });
        }
        let stored = self.put_blob(repository, bytes)?;
        Ok(Descriptor {
            media_type: media_type.into(),
            ..stored
        })
    }

    fn create_tag(
        &self,
        repository: &Repository,
        tag: &str,
        target: &Descriptor,
    ) -> Result<Created, RegistryError> {
        super::check_tag(tag)?;
        self.change(repository, |place, index| {
            if let Some(there) = index.find(tag)? {
                // Whoever wrote it may have died before the rename was on the disk.
                place.sync()?;
                return Ok((Created::Exists(there.digest), false));
            }
            settle(place, target)?;
            index.set(tag, target);
            Ok((Created::New, true))
        })
    }

    fn move_tag(&self, repository: &Repository, tag: &str, target: &Descriptor) -> Result<(), RegistryError> {
        super::check_tag(tag)?;
        self.change(repository, |place, index| {
            settle(place, target)?;
            index.set(tag, target);
            Ok(((), true))
        })
    }

    fn remove_tag(&self, repository: &Repository, tag: &str) -> Result<(), RegistryError> {
        if !Index::load(&self.place(repository)?)?.has(tag) {
            return Ok(());
        }
        self.change(repository, |_, index| Ok(((), index.remove(tag))))
    }

    fn put_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<Descriptor, RegistryError> {
        let place = self.place(repository)?;
        let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
        // Whole and visible is on the disk already, but for its name, which the tag sees to.
        if blob::is_whole(&place, &digest, size) {
            return Ok(blob::descriptor(digest, size));
        }
        let mut writer = Box::new(blob::Writer::begin(place)?);
        writer.write_all(bytes).map_err(|source| RegistryError::Io {
            action: format!("write a blob to {repository}"),
            source,
        })?;
        writer.finish()
    }
}
