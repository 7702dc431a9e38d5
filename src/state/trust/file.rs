#![expect(clippy::disallowed_methods, reason = "edge: the files of marks")]
//! Marks in files, one for each journal.

use super::{Mark, Marks};
use crate::model::Digest;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The mark of one journal, in a file of its own.
pub struct MarkFile {
    file: PathBuf,
    journal: String,
}

impl MarkFile {
    /// The mark of `journal`, in `folder`.
    pub fn new(folder: &Path, journal: &str) -> Self {
        let name = Digest::of(journal.as_bytes()).hex();
        Self {
            file: folder.join(format!("{}.json", &name[..32])),
            journal: journal.into(),
        }
    }
}

impl Marks for MarkFile {
    fn read(&self) -> Option<Mark> {
        let bytes = std::fs::read(&self.file).ok()?;
        let mark: Mark = serde_json::from_slice(&bytes).ok()?;
        (mark.journal == self.journal).then_some(mark)
    }

    fn write(&self, mark: &Mark) {
        let write = || -> Option<()> {
            let folder = self.file.parent()?;
            std::fs::create_dir_all(folder).ok()?;
            let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
            file.write_all(&serde_json::to_vec(mark).ok()?).ok()?;
            file.persist(&self.file).ok()?;
            Some(())
        };
        // A run beside this one may have seen more.
        let behind = self
            .read()
            .is_some_and(|there| there.lineage == mark.lineage && there.seq > mark.seq);
        if !behind {
            write();
        }
    }

    fn place(&self) -> String {
        self.file.display().to_string()
    }
}
