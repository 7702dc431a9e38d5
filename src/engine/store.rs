//! The store of one project: its registry, its repositories, its journal.

use crate::model::{Digest, ImageName, ProjectName};
use crate::plan::Records;
use crate::registry::{Registry, Repository};
use crate::state::ReleaseRecord;
use crate::state::journal::{Journal, JournalError, TagJournal};
use std::sync::Arc;

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
    /// The registry in words: a folder, a host.
    pub location: String,
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
        }
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
