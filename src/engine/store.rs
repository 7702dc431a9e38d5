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
    /// The registry in words: a folder, later a host.
    pub location: String,
}

impl Store {
    /// The store of `project` on a registry whose tags are created atomically.
    pub fn new(registry: Arc<dyn Registry>, project: ProjectName, root: ImageName, location: String) -> Self {
        let repository = Repository::new(&project, &format!("{root}-state"));
        let journal = Arc::new(TagJournal::new(registry.clone(), repository));
        Self {
            registry,
            journal,
            project,
            root,
            location,
        }
    }

    /// Whether it is a folder, not a registry.
    pub fn is_folder(&self) -> bool {
        self.location.starts_with("oci:")
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
