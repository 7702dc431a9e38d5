//! The closed world: what a builder's program gets to see, made from the very manifest that was hashed.
//!
//! A file that the rules missed is not there, so the build fails, and no stale image comes of it (containerfile
//! 0.10). All that could differ between two machines is fixed: modes, link texts, times (containerfile 1).

mod file;
mod files;
mod left;

use super::{BuildError, Job, StepError};
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A build laid out in a private folder, which goes with it.
pub struct Closed {
    folder: TempDir,
    /// Closed after the folder is gone.
    _alive: File,
    named: Vec<(String, PathBuf)>,
}

impl Closed {
    /// Lays out the contexts and the container file of a job. `refer` gives the reference by which the builder
    /// finds an image of the project.
    ///
    /// # Errors
    /// [`StepError::Changed`] when a file is not what was hashed; also when nothing was planned for an image
    /// that is named, or when the disk fails.
    pub fn lay_out(job: &Job<'_>, refer: &dyn Fn(&super::Base) -> String) -> Result<Self, BuildError> {
        let mut closed = Self::empty()?;
        let text = file::text(job, refer)?;
        let sets = files::sets(job)?;
        let time = files::time(&sets);
        for (number, (name, set)) in sets.iter().enumerate() {
            let at = match name {
                None => closed.context(),
                Some(name) => {
                    let at = closed.folder.path().join(format!("context-{number}"));
                    closed.named.push((name.clone(), at.clone()));
                    at
                }
            };
            files::write(job, name.as_deref(), set, &at, time)?;
        }
        files::plain(&closed.container_file(), &text)?;
        files::plain(&closed.ignore_file(), b"#\n")?;
        Ok(closed)
    }

    /// Lays out a build that does no more than to run a command in an image.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of_check(image: &str, command: &[String]) -> Result<Self, BuildError> {
        let closed = Self::empty()?;
        let words = serde_json::Value::from(command);
        let text = format!("FROM {image}\nRUN {words}\n");
        files::plain(&closed.container_file(), text.as_bytes())?;
        files::plain(&closed.ignore_file(), b"#\n")?;
        files::folder_at(&closed.context())?;
        Ok(closed)
    }

    fn empty() -> Result<Self, BuildError> {
        // It holds the words that open the registry which is served, and secrets.
        let private = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new()
            .prefix(left::PREFIX)
            .permissions(private)
            .tempdir();
        let temporary = std::env::temp_dir();
        let failed = |error| cannot("make a folder", &temporary, &error).at(1);
        let folder = folder.map_err(failed)?;
        let alive = left::mark(folder.path()).map_err(failed)?;
        left::sweep_once(&temporary);
        Ok(Self {
            folder,
            _alive: alive,
            named: Vec::new(),
        })
    }

    /// The private folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The build context.
    pub fn context(&self) -> PathBuf {
        self.folder.path().join("context")
    }

    /// The named contexts that are folders.
    pub fn named(&self) -> &[(String, PathBuf)] {
        &self.named
    }

    /// The folder of the container file.
    pub fn container_folder(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    /// The container file: outside of all contexts.
    pub fn container_file(&self) -> PathBuf {
        self.container_folder().join("Dockerfile")
    }

    /// The ignore file that leaves nothing out.
    pub fn ignore_file(&self) -> PathBuf {
        self.container_folder().join("Dockerfile.dockerignore")
    }
}

/// An error of the disk that is written to.
fn cannot(action: &str, path: &Path, error: &std::io::Error) -> StepError {
    StepError::Value(format!("cannot {action} in {}: {error}", path.display()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests;
