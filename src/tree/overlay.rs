//! A tree with further files over it: a commit that lacks rings.yaml, read with the working copy's; a
//! proposal that is not written yet.

use super::{Item, Kind, SourceTree, TreeError};
use crate::model::{Digest, RepoPath};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// A tree in which some files are others; folders that these need are there as well.
pub struct Overlay {
    below: Arc<dyn SourceTree>,
    files: BTreeMap<RepoPath, Vec<u8>>,
}

impl Overlay {
    /// `below`, with these files.
    pub fn new(below: Arc<dyn SourceTree>, files: BTreeMap<RepoPath, Vec<u8>>) -> Self {
        Self { below, files }
    }

    /// The entries of a folder that lead to files of ours.
    fn own(&self, folder: &RepoPath) -> BTreeMap<Vec<u8>, Kind> {
        let inside = self.files.keys().filter_map(|path| path.strip_prefix(folder));
        let item = |path: RepoPath| {
            let mut components = path.components();
            let name = components.next()?.to_vec();
            let kind = match components.next() {
                Some(_) => Kind::Directory,
                None => Kind::File { executable: false },
            };
            Some((name, kind))
        };
        inside.filter_map(item).collect()
    }
}

impl SourceTree for Overlay {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        if self.files.contains_key(path) {
            return Ok(Some(Kind::File { executable: false }));
        }
        match self.below.kind(path)? {
            None if !self.own(path).is_empty() => Ok(Some(Kind::Directory)),
            found => Ok(found),
        }
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        let own = self.own(path);
        let mut items = match self.below.kind(path)? {
            None if !own.is_empty() => Vec::new(),
            _ => self.below.list(path)?,
        };
        items.retain(|item| !own.contains_key(&item.name));
        items.extend(own.into_iter().map(|(name, kind)| Item { name, kind }));
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        match self.files.get(path) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.as_slice()))),
            None => self.below.open(path),
        }
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        self.below.link(path)
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        match self.files.get(path) {
            Some(bytes) => Ok(Digest::of(bytes)),
            None => self.below.content(path),
        }
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        match self.files.get(path) {
            Some(bytes) => Ok(bytes.len() as u64),
            None => self.below.size(path),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::tree::memory::MemoryTree;

    fn overlay() -> Overlay {
        let below = MemoryTree::new().file("a", "old").file("d/x", "x");
        let files = [("a", "new"), ("d/y", "y"), ("e/f/g", "g")];
        let files = files.map(|(path, text)| (RepoPath::clean(path), text.as_bytes().to_vec()));
        Overlay::new(Arc::new(below), files.into())
    }

    #[test]
    fn files_of_both_are_there_and_ours_win() {
        let tree = overlay();
        assert_eq!(tree.read(&RepoPath::clean("a"), 9).unwrap(), b"new");
        assert_eq!(tree.read(&RepoPath::clean("d/x"), 9).unwrap(), b"x");
        assert_eq!(tree.content(&RepoPath::clean("d/y")).unwrap(), Digest::of(b"y"));
    }

    #[test]
    fn folders_show_what_both_hold() {
        let names = |path: &str| -> Vec<String> {
            let items = overlay().list(&RepoPath::clean(path)).unwrap();
            items
                .into_iter()
                .map(|item| String::from_utf8(item.name).unwrap())
                .collect()
        };
        assert_eq!(names(""), ["a", "d", "e"]);
        assert_eq!(names("d"), ["x", "y"]);
        assert_eq!(names("e/f"), ["g"]);
        assert_eq!(
            overlay().kind(&RepoPath::clean("e")).unwrap(),
            Some(Kind::Directory)
        );
        assert_eq!(overlay().kind(&RepoPath::clean("e/g")).unwrap(), None);
    }
}
