//! The files of a project: what they are called, and what they hold.

use super::{Loaded, contexts, locks, resolver};
use crate::engine::Failure;
use crate::model::{ImageName, RepoPath};
use crate::revision::Contexts;

impl Loaded {
    /// The container file of an image, as messages call it.
    pub fn file(&self, name: &ImageName) -> String {
        let file = resolver::file(&self.project, &*self.origin.tree, name);
        file.map(|file| file.to_string()).unwrap_or_default()
    }

    /// The bytes of a container file.
    ///
    /// # Errors
    /// [`Failure::Tree`] when it cannot be read.
    pub fn container_file(&self, path: &RepoPath) -> Result<Vec<u8>, Failure> {
        Ok(self.origin.tree.read(path, resolver::LIMIT)?)
    }

    /// rings.lock, as messages call it, and its text; none where there is no such file.
    pub fn lock_file(&self) -> (String, Option<&str>) {
        let source = self.locks.lock().source.as_ref();
        let name = locks::path(&self.origin.config).to_string();
        (name, source.map(|source| source.text()))
    }

    /// rings.yaml, as messages call it.
    pub fn config_file(&self) -> String {
        self.origin.config.to_string()
    }

    /// The contexts of an image.
    ///
    /// # Errors
    /// [`Failure::Project`] when its ignore file cannot be used.
    pub fn contexts(&self, name: &ImageName) -> Result<Contexts<'_>, Failure> {
        let image = &self.project.images[name];
        let file = resolver::file(&self.project, &*self.origin.tree, name)
            .ok_or_else(|| Failure::Bug(format!("{name} has no container file")))?;
        contexts::contexts(image, &file, &*self.origin.tree, &self.generated, &self.ignores)
    }
}
