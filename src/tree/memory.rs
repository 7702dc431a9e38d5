//! A source tree held in memory, for tests and for files that exist nowhere else.

use super::{Item, Kind, SourceTree, TreeError};
use crate::model::{Digest, RepoPath};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// A tree of sources built entry by entry. Folders on the way to an entry are made; a later entry
/// replaces an earlier one at the same path, with all that lay below it.
///
/// ```
/// # use ringshift::tree::memory::MemoryTree;
/// let tree = MemoryTree::new().file("api/main.c", "int main;").link("api/latest", "main.c");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTree {
    folders: BTreeMap<RepoPath, BTreeMap<Vec<u8>, Node>>,
}

/// An entry and its content: a file's bytes, a link's text, nothing for the others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    kind: Kind,
    bytes: Vec<u8>,
}

impl Default for MemoryTree {
    fn default() -> Self {
        Self {
            folders: BTreeMap::from([(RepoPath::root(), BTreeMap::new())]),
        }
    }
}

impl MemoryTree {
    /// A tree with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file of mode 0644.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.with(path, Kind::File { executable: false }, content.as_ref())
    }

    /// Adds a file of mode 0755.
    #[must_use]
    pub fn executable(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.with(path, Kind::File { executable: true }, content.as_ref())
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn link(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.with(path, Kind::Link, target.as_ref())
    }

    /// Adds a folder, which may stay empty.
    #[must_use]
    pub fn directory(mut self, path: impl AsRef<[u8]>) -> Self {
        self.make_folder(&RepoPath::clean(path));
        self
    }

    /// Adds a FIFO, socket or device.
    #[must_use]
    pub fn special(self, path: impl AsRef<[u8]>) -> Self {
        self.with(path, Kind::Special, b"")
    }

    /// Adds a git submodule.
    #[must_use]
    pub fn submodule(self, path: impl AsRef<[u8]>) -> Self {
        self.with(path, Kind::Submodule, b"")
    }

    /// Adds an entry of any kind; `bytes` is the content of a file or the text of a link. The root
    /// stays a folder whatever is put there.
    #[must_use]
    pub fn with(mut self, path: impl AsRef<[u8]>, kind: Kind, bytes: &[u8]) -> Self {
        let path = RepoPath::clean(path);
        let Some(parent) = path.parent() else { return self };
        if kind == Kind::Directory {
            return self.directory(path.as_bytes());
        }
        self.make_folder(&parent);
        self.folders.retain(|folder, _| !folder.starts_with(&path));
        let bytes = bytes.to_vec();
        if let Some(entries) = self.folders.get_mut(&parent) {
            entries.insert(path.name().to_vec(), Node { kind, bytes });
        }
        self
    }

    fn make_folder(&mut self, path: &RepoPath) {
        let mut at = RepoPath::root();
        for name in path.components() {
            let node = Node {
                kind: Kind::Directory,
                bytes: Vec::new(),
            };
            self.folders
                .entry(at.clone())
                .or_default()
                .insert(name.to_vec(), node);
            at = at.child(name);
            self.folders.entry(at.clone()).or_default();
        }
    }

    fn node(&self, path: &RepoPath) -> Option<&Node> {
        self.folders.get(&path.parent()?)?.get(path.name())
    }

    fn of_kind(
        &self,
        path: &RepoPath,
        wanted: &'static str,
        good: fn(Kind) -> bool,
    ) -> Result<&Node, TreeError> {
        let kind = self.kind(path)?.ok_or_else(|| TreeError::Missing(path.clone()))?;
        match self.node(path) {
            Some(node) if good(kind) => Ok(node),
            _ => Err(TreeError::wrong_kind(path, kind, wanted)),
        }
    }
}

impl SourceTree for MemoryTree {
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
        if path.is_root() {
            return Ok(Some(Kind::Directory));
        }
        Ok(self.node(path).map(|node| node.kind))
    }

    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
        if let Some(entries) = self.folders.get(path) {
            let item = |(name, node): (&Vec<u8>, &Node)| Item {
                name: name.clone(),
                kind: node.kind,
            };
            return Ok(entries.iter().map(item).collect());
        }
        let kind = self.kind(path)?.ok_or_else(|| TreeError::Missing(path.clone()))?;
        Err(TreeError::wrong_kind(path, kind, "a folder"))
    }

    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        let node = self.of_kind(path, "a regular file", Kind::is_file)?;
        Ok(Box::new(Cursor::new(node.bytes.as_slice())))
    }

    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
        let node = self.of_kind(path, "a symbolic link", |kind| kind == Kind::Link)?;
        Ok(node.bytes.clone())
    }

    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
        let node = self.of_kind(path, "a file or link", |kind| {
            kind.is_file() || kind == Kind::Link
        })?;
        Ok(Digest::of(&node.bytes))
    }

    fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
        let node = self.of_kind(path, "a regular file", Kind::is_file)?;
        Ok(node.bytes.len() as u64)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn folders_on_the_way_appear_and_are_listed_in_byte_order() {
        let tree = MemoryTree::new()
            .file("d/b", "")
            .file("d/a/x", "")
            .executable("d/a-x", "");
        let names: Vec<_> = tree
            .list(&RepoPath::clean("d"))
            .unwrap()
            .into_iter()
            .map(|i| i.name)
            .collect();
        assert_eq!(names, [b"a".to_vec(), b"a-x".to_vec(), b"b".to_vec()]);
        assert_eq!(tree.kind(&RepoPath::clean("d/a")).unwrap(), Some(Kind::Directory));
    }

    #[test]
    fn nothing_stands_below_a_file_or_link() {
        let tree = MemoryTree::new().file("f", "x").link("l", "f").directory("e");
        for gone in ["f/x", "l/x", "e/x", "g"] {
            assert_eq!(tree.kind(&RepoPath::clean(gone)).unwrap(), None, "{gone}");
        }
        assert!(matches!(
            tree.open(&RepoPath::clean("l")),
            Err(TreeError::WrongKind { .. })
        ));
        assert!(matches!(
            tree.open(&RepoPath::clean("f/x")),
            Err(TreeError::Missing(_))
        ));
    }

    #[test]
    fn a_later_entry_replaces_an_earlier_one_and_its_subtree() {
        let tree = MemoryTree::new().file("a/b/c", "1").file("a", "2").file("", "3");
        assert_eq!(tree.read(&RepoPath::clean("a"), 9).unwrap(), b"2");
        assert_eq!(tree.kind(&RepoPath::clean("a/b/c")).unwrap(), None);
        let again = tree.file("a/z", "4");
        assert_eq!(again.list(&RepoPath::clean("a")).unwrap().len(), 1);
    }
}
