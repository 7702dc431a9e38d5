//! Where images are kept: a folder of OCI layouts, any registry, a map for tests.

pub mod cached;
pub mod crash;
pub mod facts;
pub mod layout;
pub mod memory;
pub mod remote;
pub mod serve;
mod verified;

use crate::model::{Digest, ProjectName};
use std::fmt;
use std::io::{Read, Write};

/// The media type of an OCI image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an OCI image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of an OCI image config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a gzip-compressed layer.
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The media type of bytes that nothing is known of.
pub const OCTETS: &str = "application/octet-stream";

/// A repository below the registry: `<project>/<image>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository(String);

impl Repository {
    /// The repository `name` of a project. `name` is an image's name, or `<root>-state` for the journal.
    pub fn new(project: &ProjectName, name: &str) -> Self {
        Self(format!("{project}/{name}"))
    }

    /// A repository of one part, for a folder that holds a single layout.
    pub fn single(name: &str) -> Self {
        Self(name.into())
    }

    /// The path below the registry, with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a manifest, or an entry in it, says of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type.
    pub media_type: String,
    /// The content address.
    pub digest: Digest,
    /// The size in bytes.
    pub size: u64,
}

/// What became of a tag that must not be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It did not exist and now points at the digest.
    New,
    /// It existed already and points at this digest.
    Exists(Digest),
}

/// A registry could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nothing is stored under the name.
    #[error("{0} is not in the registry")]
    Missing(String),
    /// Bytes do not have the digest or size they are stored under (SEC-B3).
    #[error("{what} is damaged: expected {wanted}, found {found}")]
    Damaged {
        /// Which blob, manifest or file.
        what: String,
        /// What was promised.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// The store was written by a newer ringshift.
    #[error("{0} is of a newer format than this ringshift knows")]
    Newer(String),
    /// Another run holds the store.
    #[error("{0} is held by another run")]
    Held(String),
    /// A registry refused, failed, or broke a rule.
    #[error(transparent)]
    Remote(#[from] Box<remote::RemoteError>),
    /// The file system failed.
    #[error("cannot {action}")]
    Io {
        /// What was tried, with its object: `write /store/…/index.json`.
        action: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Refuses what is no tag: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
fn check_tag(tag: &str) -> Result<(), RegistryError> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let legal = |b: u8| word(b) || matches!(b, b'.' | b'-');
    let first = tag.bytes().next().is_some_and(word);
    if first && tag.len() <= 128 && tag.bytes().all(legal) {
        return Ok(());
    }
    let shown: String = tag.chars().take(130).collect();
    Err(RegistryError::Io {
        action: format!("use `{}` as a tag", shown.escape_debug()),
        source: std::io::ErrorKind::InvalidInput.into(),
    })
}

/// The error for something that is stored with another size than its descriptor promises.
fn wrong_size(repository: &Repository, target: &Descriptor, found: u64) -> RegistryError {
    RegistryError::Damaged {
        what: format!("{repository}@{}", target.digest),
        wanted: format!("{} bytes", target.size),
        found: format!("{found} bytes"),
    }
}

/// Puts one blob of unknown size and digest into a repository.
///
/// Bytes are written as they come; nothing is visible before [`BlobWriter::finish`].
pub trait BlobWriter: Write + Send {
    /// Makes the blob durable under its digest.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be stored; nothing is left then.
    fn finish(self: Box<Self>) -> Result<Descriptor, RegistryError>;
}

/// A registry. What was acknowledged is durable; every byte that is read has been verified.
pub trait Registry: Send + Sync {
    /// All tags of a repository, sorted; none when there is no such repository.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be read.
    fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError>;

    /// What a tag points at.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be read; a missing tag is `None`.
    fn resolve(&self, repository: &Repository, tag: &str) -> Result<Option<Descriptor>, RegistryError>;

    /// What a tag points at, with its bytes.
    ///
    /// # Errors
    /// As [`Registry::resolve`] and [`Registry::manifest`].
    fn fetch(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<Option<(Descriptor, Vec<u8>)>, RegistryError> {
        let Some(found) = self.resolve(repository, tag)? else {
            return Ok(None);
        };
        let bytes = self.manifest(repository, &found.digest)?;
        Ok(Some((found, bytes)))
    }

    /// Stores a manifest under a tag that nobody else writes with other content, in one request where that is possible.
    ///
    /// # Errors
    /// As [`Registry::put_manifest`] and [`Registry::move_tag`].
    fn put_tagged(
        &self,
        repository: &Repository,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        let stored = self.put_manifest(repository, media_type, bytes)?;
        self.move_tag(repository, tag, &stored)?;
        Ok(stored)
    }

    /// The bytes of a manifest or index.
    ///
    /// # Errors
    /// [`RegistryError::Missing`], [`RegistryError::Damaged`], or that of the outside.
    fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>, RegistryError>;

    /// A blob as a stream; the digest is verified when the end is reached (an
    /// [`std::io::ErrorKind::InvalidData`] error otherwise).
    ///
    /// # Errors
    /// [`RegistryError::Missing`], or that of the outside.
    fn blob(&self, repository: &Repository, digest: &Digest) -> Result<Box<dyn Read + Send>, RegistryError>;

    /// Whether the repository has the blob.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be read.
    fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, RegistryError>;

    /// Begins a blob.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be written.
    fn begin_blob(&self, repository: &Repository) -> Result<Box<dyn BlobWriter>, RegistryError>;

    /// Makes a blob of `from` appear in `to` without sending it; `false` when `from` lacks it.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be written.
    fn mount_blob(&self, to: &Repository, from: &Repository, digest: &Digest) -> Result<bool, RegistryError>;

    /// Stores a manifest whose blobs are there; by digest only, no tag.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    fn put_manifest(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError>;

    /// Creates a tag, atomically: of two that create it, one gets [`Created::New`] (B5: never overwritten).
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be written.
    fn create_tag(
        &self,
        repository: &Repository,
        tag: &str,
        target: &Descriptor,
    ) -> Result<Created, RegistryError>;

    /// Points a tag somewhere, whatever it pointed at before. Only for ring tags.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be written.
    fn move_tag(&self, repository: &Repository, tag: &str, target: &Descriptor) -> Result<(), RegistryError>;

    /// Removes a tag; nothing happens when it is not there. Only for ring tags.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be written.
    fn remove_tag(&self, repository: &Repository, tag: &str) -> Result<(), RegistryError>;

    /// Stores a small blob.
    ///
    /// # Errors
    /// As [`Registry::begin_blob`] and [`BlobWriter::finish`].
    fn put_blob(&self, repository: &Repository, bytes: &[u8]) -> Result<Descriptor, RegistryError> {
        let mut writer = self.begin_blob(repository)?;
        writer.write_all(bytes).map_err(|source| RegistryError::Io {
            action: format!("write a blob to {repository}"),
            source,
        })?;
        writer.finish()
    }

    /// The whole of a small blob: at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Registry::blob`]; [`RegistryError::Damaged`] when it is larger or has another digest.
    fn small_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        let mut bytes = Vec::new();
        let read = self
            .blob(repository, digest)?
            .take(limit + 1)
            .read_to_end(&mut bytes);
        read.map_err(|source| RegistryError::Io {
            action: format!("read {digest} of {repository}"),
            source,
        })?;
        if bytes.len() as u64 > limit {
            return Err(RegistryError::Damaged {
                what: digest.to_string(),
                wanted: format!("at most {limit} bytes"),
                found: "more".into(),
            });
        }
        Ok(bytes)
    }
}
