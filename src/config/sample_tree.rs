//! Sources for tests: a map of paths to contents.

use crate::model::{Digest, RepoPath};
use crate::tree::{Item, Kind, SourceTree, TreeError};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

pub struct Sample(BTreeMap<RepoPath, Vec<u8>>);

impl Sample {
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| (RepoPath::clean(path), text.as_bytes().to_vec());
        Self(files.iter().map(file).collect())
    }

    fn bytes(&self, path: &RepoPath) -> Result<&[u8], TreeError> {
        let missing = || TreeError::Missing(path.clone());
        self.0.get(path).map(Vec::as_slice).ok_or_else(missing)
    }
}

impl SourceTree for Sample {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        if self.0.contains_key(path) {
            return Ok(Some(Kind::File { executable: false }));
        }
        let inside = path.is_root() || self.0.keys().any(|file| file.starts_with(path));
        Ok(inside.then_some(Kind::Directory))
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        let below = self.0.keys().filter_map(|file| file.strip_prefix(path));
        let names: BTreeSet<Vec<u8>> = below
            .filter_map(|rest| rest.components().next().map(<[u8]>::to_vec))
            .collect();
        let item = |name: Vec<u8>| {
            let kind = self
                .kind(&path.child(&name))?
                .ok_or_else(|| TreeError::Missing(path.clone()))?;
            Ok(Item { name, kind })
        };
        names.into_iter().map(item).collect()
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        Ok(Box::new(self.bytes(path)?))
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        Err(TreeError::Missing(path.clone()))
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        Ok(Digest::of(self.bytes(path)?))
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        Ok(self.bytes(path)?.len() as u64)
    }
}
