//! A tree in which one file is another: a commit that lacks rings.yaml, read with the working copy's.

use super::{Item, Kind, SourceTree, TreeError};
use crate::model::{Digest, RepoPath};
use std::io::{Cursor, Read};
use std::sync::Arc;

/// A tree with one file of its own, in a folder that the tree below has.
pub struct Overlay {
    below: Arc<dyn SourceTree>,
    path: RepoPath,
    bytes: Vec<u8>,
}

impl Overlay {
    /// `below`, with `bytes` at `path`.
    pub fn new(below: Arc<dyn SourceTree>, path: RepoPath, bytes: Vec<u8>) -> Self {
        Self { below, path, bytes }
    }
}

impl SourceTree for Overlay {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        match *path == self.path {
            true => Ok(Some(Kind::File { executable: false })),
            false => self.below.kind(path),
        }
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        let mut items = self.below.list(path)?;
        if self.path.parent().as_ref() == Some(path) {
            let name = self.path.name().to_vec();
            items.retain(|item| item.name != name);
            items.push(Item {
                name,
                kind: Kind::File { executable: false },
            });
            items.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(items)
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        match *path == self.path {
            true => Ok(Box::new(Cursor::new(self.bytes.as_slice()))),
            false => self.below.open(path),
        }
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        self.below.link(path)
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        match *path == self.path {
            true => Ok(Digest::of(&self.bytes)),
            false => self.below.content(path),
        }
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        match *path == self.path {
            true => Ok(self.bytes.len() as u64),
            false => self.below.size(path),
        }
    }
}
