//! A registry held in memory, for tests.

use super::{BlobWriter, Created, Descriptor, Registry, RegistryError, Repository};
use crate::model::Digest;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A registry that is gone when its last clone is.
#[derive(Debug, Clone, Default)]
pub struct MemoryRegistry(Arc<Mutex<BTreeMap<Repository, Store>>>);

#[derive(Debug, Default)]
struct Store {
    blobs: BTreeMap<Digest, Arc<[u8]>>,
    tags: BTreeMap<String, Descriptor>,
}

impl MemoryRegistry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Repository, Store>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, repository: &Repository, digest: &Digest) -> Option<Arc<[u8]>> {
        self.lock().get(repository)?.blobs.get(digest).cloned()
    }

    fn store(&self, repository: &Repository, bytes: &[u8]) -> (Digest, u64) {
        let digest = Digest::of(bytes);
        let mut all = self.lock();
        let store = all.entry(repository.clone()).or_default();
        store.blobs.entry(digest).or_insert_with(|| bytes.into());
        (digest, bytes.len() as u64)
    }
}

fn missing(repository: &Repository, what: impl std::fmt::Display) -> RegistryError {
    RegistryError::Missing(format!("{repository}@{what}"))
}

/// A tag must point at something that is there.
fn check_target(store: &Store, repository: &Repository, target: &Descriptor) -> Result<(), RegistryError> {
    match store.blobs.get(&target.digest) {
        Some(bytes) if bytes.len() as u64 == target.size => Ok(()),
        Some(bytes) => Err(super::wrong_size(repository, target, bytes.len() as u64)),
        None => Err(missing(repository, target.digest)),
    }
}

impl Registry for MemoryRegistry {
    fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        let all = self.lock();
        let tags = all
            .get(repository)
            .map(|store| store.tags.keys().cloned().collect());
        Ok(tags.unwrap_or_default())
    }

    fn resolve(&self, repository: &Repository, tag: &str) -> Result<Option<Descriptor>, RegistryError> {
        let all = self.lock();
        Ok(all.get(repository).and_then(|store| store.tags.get(tag).cloned()))
    }

    fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>, RegistryError> {
        let found = self.find(repository, digest);
        found
            .map(|bytes| bytes.to_vec())
            .ok_or_else(|| missing(repository, digest))
    }

    fn blob(&self, repository: &Repository, digest: &Digest) -> Result<Box<dyn Read + Send>, RegistryError> {
        let found = self
            .find(repository, digest)
            .ok_or_else(|| missing(repository, digest))?;
        Ok(Box::new(Cursor::new(found)))
    }

    fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        Ok(self.find(repository, digest).is_some())
    }

    fn begin_blob(&self, repository: &Repository) -> Result<Box<dyn BlobWriter>, RegistryError> {
        Ok(Box::new(Writer {
            registry: self.clone(),
            repository: repository.clone(),
            bytes: Vec::new(),
        }))
    }

    fn mount_blob(&self, to: &Repository, from: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        let Some(bytes) = self.find(from, digest) else {
            return Ok(false);
        };
        self.lock()
            .entry(to.clone())
            .or_default()
            .blobs
            .insert(*digest, bytes);
        Ok(true)
    }

    fn put_manifest(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        let (digest, size) = self.store(repository, bytes);
        Ok(Descriptor {
            media_type: media_type.into(),
            digest,
            size,
        })
    }

    fn create_tag(
        &self,
        repository: &Repository,
        tag: &str,
        target: &Descriptor,
    ) -> Result<Created, RegistryError> {
        super::check_tag(tag)?;
        let mut all = self.lock();
        let store = all.entry(repository.clone()).or_default();
        if let Some(there) = store.tags.get(tag) {
            return Ok(Created::Exists(there.digest));
        }
        check_target(store, repository, target)?;
        store.tags.insert(tag.into(), target.clone());
        Ok(Created::New)
    }

    fn move_tag(&self, repository: &Repository, tag: &str, target: &Descriptor) -> Result<(), RegistryError> {
        super::check_tag(tag)?;
        let mut all = self.lock();
        let store = all.entry(repository.clone()).or_default();
        check_target(store, repository, target)?;
        store.tags.insert(tag.into(), target.clone());
        Ok(())
    }

    fn remove_tag(&self, repository: &Repository, tag: &str) -> Result<(), RegistryError> {
        if let Some(store) = self.lock().get_mut(repository) {
            store.tags.remove(tag);
        }
        Ok(())
    }
}

struct Writer {
    registry: MemoryRegistry,
    repository: Repository,
    bytes: Vec<u8>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Writer {
    fn finish(self: Box<Self>) -> Result<Descriptor, RegistryError> {
        let (digest, size) = self.registry.store(&self.repository, &self.bytes);
        Ok(Descriptor {
            media_type: super::OCTETS.into(),
            digest,
            size,
        })
    }
}
