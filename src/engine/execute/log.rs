#![expect(clippy::disallowed_methods, reason = "edge: writes the logs of builds")]
//! The log of an image's last build: a file for those who want all of it, and its end for everybody.

use super::scrub::Scrub;
use crate::model::{ImageName, ProjectName};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How many lines are shown of a build that failed.
pub const SHOWN: usize = 30;

/// The log of one image. A log that cannot be written stops no build.
pub struct Log<'s> {
    path: PathBuf,
    scrub: &'s Scrub,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    file: Option<File>,
    failed: bool,
    last: VecDeque<String>,
}

impl<'s> Log<'s> {
    /// Begins the log of an image anew: `<folder>/<project>/<image>.log`. The file is made with its first line.
    pub fn begin(folder: &Path, project: &ProjectName, image: &ImageName, scrub: &'s Scrub) -> Self {
        let path = folder.join(project.as_str()).join(format!("{image}.log"));
        let _ = std::fs::remove_file(&path);
        Self {
            path,
            scrub,
            written: Mutex::default(),
        }
    }

    /// Writes a line of the builder's own; what is written, without secrets.
    pub fn said(&self, line: &str) -> String {
        let line = self.scrub.clean(line);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.last.len() == SHOWN {
            written.last.pop_front();
        }
        written.last.push_back(line.clone());
        written.write(&self.path, &line);
        line
    }

    /// Writes a line of ours; what is written, without secrets.
    pub fn note(&self, line: &str) -> String {
        let line = self.scrub.clean(line);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.write(&self.path, &line);
        line
    }

    /// Begins a check: what was said before is no part of its end.
    pub fn check(&self, line: &str) -> String {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.last.clear();
        drop(written);
        self.note(line)
    }

    /// The last lines that the builder said, and where all of them are.
    pub fn end(&self) -> (Vec<String>, Option<PathBuf>) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let there = written.file.is_some() && !written.failed;
        let path = there.then(|| self.path.clone());
        (written.last.iter().cloned().collect(), path)
    }
}

impl Written {
    fn write(&mut self, path: &Path, line: &str) {
        if self.failed {
            return;
        }
        let opened = match self.file.take() {
            Some(file) => Ok(file),
            None => create(path),
        };
        let done = opened.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()).map(|()| file));
        self.failed = done.is_err();
        self.file = done.ok();
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create(path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names() -> (ProjectName, ImageName) {
        (
            ProjectName::new("acme/shop").unwrap(),
            ImageName::new("api").unwrap(),
        )
    }

    #[test]
    fn all_lines_are_in_the_file_and_the_last_thirty_at_hand_and_no_secret_in_either() {
        let folder = tempfile::tempdir().unwrap();
        let (project, image) = names();
        let scrub = Scrub::new([&b"canary"[..]].into_iter());
        let log = Log::begin(folder.path(), &project, &image, &scrub);
        log.note("[1/1] RUN echo canary");
        (0..40).for_each(|n| drop(log.said(&format!("{n} canary"))));
        let (last, path) = log.end();
        assert_eq!(
            (last.len(), last[0].as_str(), last[29].as_str()),
            (30, "10 ***", "39 ***")
        );
        let path = path.unwrap();
        assert_eq!(path, folder.path().join("acme/shop/api.log"));
        let whole = std::fs::read_to_string(&path).unwrap();
        assert_eq!(whole.lines().count(), 41);
        assert!(whole.starts_with("[1/1] RUN echo ***\n0 ***\n") && !whole.contains("canary"));
        drop(Log::begin(folder.path(), &project, &image, &scrub));
        assert!(!path.exists(), "the next build begins anew");
    }

    #[test]
    fn a_log_that_cannot_be_written_is_told_of_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (project, image) = names();
        std::fs::write(folder.path().join("acme"), "in the way").unwrap();
        let scrub = Scrub::default();
        let log = Log::begin(folder.path(), &project, &image, &scrub);
        log.said("line");
        assert_eq!(log.end(), (vec!["line".to_owned()], None));
    }
}
