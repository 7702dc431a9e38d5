//! A source tree that remembers what was read of it.

use super::{Mode, Packed};
use crate::model::{Digest, RepoPath};
use crate::tree::{Item, Kind, SourceTree, TreeError};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Mutex, PoisonError};

/// The largest single file.
const LARGEST: u64 = 16 << 20;

/// A tree, and every file and link that was opened of it.
pub(super) struct Recorder<'t> {
    tree: &'t dyn SourceTree,
    read: Mutex<BTreeMap<RepoPath, Packed>>,
}

impl<'t> Recorder<'t> {
    pub fn new(tree: &'t dyn SourceTree) -> Self {
        Self {
            tree,
            read: Mutex::default(),
        }
    }

    /// What was read.
    pub fn into_read(self) -> BTreeMap<RepoPath, Packed> {
        self.read.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &RepoPath, mode: Mode, bytes: &[u8]) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(path.clone()).or_insert_with(|| Packed {
            mode,
            bytes: bytes.to_vec(),
        });
    }
}

impl SourceTree for Recorder<'_> {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        self.tree.kind(path)
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        self.tree.list(path)
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        Ok(Box::new(Cursor::new(self.read(path, LARGEST)?)))
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        let text = self.tree.link(path)?;
        self.note(path, Mode::Link, &text);
        Ok(text)
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        self.tree.content(path)
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        self.tree.size(path)
    }

    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let bytes = self.tree.read(path, limit)?;
        let mode = match self.tree.kind(path)? {
            Some(Kind::File { executable: true }) => Mode::Executable,
            _ => Mode::File,
        };
        self.note(path, mode, &bytes);
        Ok(bytes)
    }
}
