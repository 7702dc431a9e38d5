//! The store of one project: its registry, its repositories, its journal.

use super::failure::Failure;
use crate::model::{Digest, ImageName, ProjectName};
use crate::pack::{MAX_BYTES, Pack, PackError};
use crate::plan::Records;
use crate::registry::{Registry, RegistryError, Repository};
use crate::state::ReleaseRecord;
use crate::state::journal::{Journal, JournalError, TagJournal};
use std::sync::Arc;

/// The largest pack: its files, written as JSON or base64.
const MAX_PACK: u64 = 6 * MAX_BYTES as u64;

/// Where the images and the journal of a project are.
#[derive(Clone)]
pub struct Store {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The project.
    pub project: ProjectName,
    /// The root image.
    pub root: ImageName,
    /// The registry in words: a folder, or a host.
    pub location: String,
    /// The registry as references of images write it; a folder has none.
    pub host: Option<String>,
}

impl Store {
    /// The store of `project` on a registry whose tags are created atomically.
    pub fn new(registry: Arc<dyn Registry>, project: ProjectName, root: ImageName, location: String) -> Self {
        let repository = Self::journal_repository(&project, &root);
        let journal = Arc::new(TagJournal::new(registry.clone(), repository));
        Self {
            registry,
            journal,
            project,
            root,
            location,
            host: None,
        }
    }

    /// Whether it is a folder, not a registry.
    pub fn is_folder(&self) -> bool {
        self.location.starts_with("oci:")
    }

    /// The same at a registry whose name references of images begin with.
    #[must_use]
    pub fn at(mut self, host: &str) -> Self {
        let bare = host.split_once("://").map_or(host, |(_, host)| host);
        self.host = Some(bare.to_owned());
        self
    }

    /// Stores an environment pack beside the journal, so that a release record can name it (D1).
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    pub fn put_pack(&self, pack: &Pack) -> Result<Digest, RegistryError> {
        let stored = self.registry.put_blob(
            &Self::journal_repository(&self.project, &self.root),
            &pack.write(),
        )?;
        Ok(stored.digest)
    }

    /// The environments of a release; none where it has none.
    ///
    /// # Errors
    /// [`Failure`] when the pack is missing, damaged or of a newer format.
    pub fn pack(&self, record: &ReleaseRecord) -> Result<Option<Pack>, Failure> {
        let Some(digest) = record.environments else {
            return Ok(None);
        };
        let bytes = self.registry.small_blob(
            &Self::journal_repository(&self.project, &self.root),
            &digest,
            MAX_PACK,
        )?;
        Pack::read(&bytes).map(Some).map_err(|error| match error {
            PackError::Newer(_) => JournalError::Broken(error.to_string()).into(),
            other => JournalError::Broken(format!("{digest}: {other}")).into(),
        })
    }

    /// The store of `project` whose journal is kept otherwise.
    pub fn with_journal(
        registry: Arc<dyn Registry>,
        journal: Arc<dyn Journal>,
        project: ProjectName,
        root: ImageName,
        location: String,
    ) -> Self {
        Self {
            registry,
            journal,
            project,
            root,
            location,
            host: None,
        }
    }

    /// The repository of the journal (state store 2).
    pub fn journal_repository(project: &ProjectName, root: &ImageName) -> Repository {
        Repository::new(project, &format!("{root}-state"))
    }

    /// The repository of an image.
    pub fn repository(&self, image: &ImageName) -> Repository {
        Repository::new(&self.project, image.as_str())
    }
}

impl Records for Store {
    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
        self.journal.record(digest)
    }
}
