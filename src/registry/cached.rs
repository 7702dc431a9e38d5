//! A registry whose small documents are remembered on this machine, by digest: what is content-addressed never changes.

use super::{BlobWriter, Created, Descriptor, Registry, RegistryError, Repository, crash};
use crate::cache::Remembered;
use crate::model::Digest;
use std::io::Read;
use std::sync::Arc;

/// A larger document is asked for each time.
const LIMIT: usize = 1 << 20;

/// Asks a registry for a manifest or small blob once. Tags are always asked for.
pub struct Cached {
    registry: Arc<dyn Registry>,
    documents: Remembered,
}

impl Cached {
    /// `registry`, with its documents remembered in `documents`.
    pub fn new(registry: Arc<dyn Registry>, documents: Remembered) -> Self {
        Self { registry, documents }
    }

    fn known(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = self.documents.get(digest.as_bytes())?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// A cache that cannot be written is a cache less.
    fn keep(&self, digest: &Digest, bytes: &[u8]) {
        if bytes.len() <= LIMIT {
            let _ = self.documents.put(digest.as_bytes(), bytes);
        }
    }
}

impl Registry for Cached {
    fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        self.registry.tags(repository)
    }

    fn resolve(&self, repository: &Repository, tag: &str) -> Result<Option<Descriptor>, RegistryError> {
        self.registry.resolve(repository, tag)
    }

    fn fetch(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<Option<(Descriptor, Vec<u8>)>, RegistryError> {
        let found = self.registry.fetch(repository, tag)?;
        if let Some((descriptor, bytes)) = &found {
            self.keep(&descriptor.digest, bytes);
        }
        Ok(found)
    }

    fn put_tagged(
        &self,
        repository: &Repository,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        let stored = self.registry.put_tagged(repository, tag, media_type, bytes)?;
        self.keep(&stored.digest, bytes);
        Ok(stored)
    }

    fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>, RegistryError> {
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        let bytes = self.registry.manifest(repository, digest)?;
        self.keep(digest, &bytes);
        Ok(bytes)
    }

    fn blob(&self, repository: &Repository, digest: &Digest) -> Result<Box<dyn Read + Send>, RegistryError> {
        self.registry.blob(repository, digest)
    }

    fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        self.registry.has_blob(repository, digest)
    }

    fn begin_blob(&self, repository: &Repository) -> Result<Box<dyn BlobWriter>, RegistryError> {
        self.registry.begin_blob(repository)
    }

    fn mount_blob(&self, to: &Repository, from: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        self.registry.mount_blob(to, from, digest)
    }

    fn put_manifest(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        crash::point("pushed");
        let stored = self.registry.put_manifest(repository, media_type, bytes)?;
        self.keep(&stored.digest, bytes);
        Ok(stored)
    }

    fn create_tag(
        &self,
        repository: &Repository,
        tag: &str,
        target: &Descriptor,
    ) -> Result<Created, RegistryError> {
        self.registry.create_tag(repository, tag, target)
    }

    fn move_tag(&self, repository: &Repository, tag: &str, target: &Descriptor) -> Result<(), RegistryError> {
        self.registry.move_tag(repository, tag, target)
    }

    fn remove_tag(&self, repository: &Repository, tag: &str) -> Result<(), RegistryError> {
        self.registry.remove_tag(repository, tag)
    }

    fn put_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<Descriptor, RegistryError> {
        let stored = self.registry.put_blob(repository, bytes)?;
        self.keep(&stored.digest, bytes);
        Ok(stored)
    }

    fn small_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        if let Some(known) = self.known(digest).filter(|known| known.len() as u64 <= limit) {
            return Ok(known);
        }
        let bytes = self.registry.small_blob(repository, digest, limit)?;
        self.keep(digest, &bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::registry::MANIFEST;
    use crate::registry::memory::MemoryRegistry;

    #[test]
    fn documents_are_asked_for_once_and_tags_each_time() {
        let (folder, repository) = (tempfile::tempdir().unwrap(), Repository::single("a"));
        let documents = Remembered::new(folder.path(), "documents.1");
        let full: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
        let blob = full.put_blob(&repository, b"blob").unwrap().digest;
        let manifest = full.put_manifest(&repository, MANIFEST, b"{}").unwrap();
        full.move_tag(&repository, "t", &manifest).unwrap();
        let cached = Cached::new(full, documents.clone());
        let read = |registry: &Cached| {
            let bytes = registry.small_blob(&repository, &blob, 9).ok();
            (bytes, registry.manifest(&repository, &manifest.digest).ok())
        };
        let both = (Some(b"blob".to_vec()), Some(b"{}".to_vec()));
        assert_eq!(read(&cached), both);
        let empty = Cached::new(Arc::new(MemoryRegistry::new()), documents);
        assert_eq!(read(&empty), both);
        assert_eq!(empty.fetch(&repository, "t").unwrap(), None);
        assert!(cached.fetch(&repository, "t").unwrap().is_some());
        let nothing = Cached::new(Arc::new(MemoryRegistry::new()), Remembered::nothing());
        assert_eq!(read(&nothing), (None, None));
    }
}
