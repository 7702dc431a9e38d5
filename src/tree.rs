//! Where sources come from: a commit's git objects, the working copy, or a bare folder, behind one trait.
//!
//! Entries are looked at without following links; who follows a link does so by the rules of
//! container files (rules 41 and 42), never by the file system's.

pub mod disk;
pub mod git;
pub mod lfs;
pub mod limit;
pub mod memory;
pub mod overlay;

use crate::model::{Digest, RepoPath};
use std::io::Read;

/// What an entry of a source tree is. Git's three modes and nothing else (containerfile 0.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A regular file, mode 0644 or 0755.
    File {
        /// Whether the mode is 0755.
        executable: bool,
    },
    /// A symbolic link; its text is its content.
    Link,
    /// A folder.
    Directory,
    /// A git submodule: never entered (SEC-A6).
    Submodule,
    /// A FIFO, socket or device: refused, never opened (SEC-A3).
    Special,
}

impl Kind {
    /// Whether it is a regular file of either mode.
    pub fn is_file(self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// What it is, in words for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::File { .. } => "a regular file",
            Self::Link => "a symbolic link",
            Self::Directory => "a folder",
            Self::Submodule => "a git submodule",
            Self::Special => "a FIFO, socket or device",
        }
    }
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The entry's name: one component.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
}

/// A source tree could not answer.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Nothing stands at the path.
    #[error("{0}: no such file")]
    Missing(RepoPath),
    /// The entry is not of the kind that was asked for.
    #[error("{path}: {found}, not {wanted}")]
    WrongKind {
        /// Where.
        path: RepoPath,
        /// What stands there, in words.
        found: &'static str,
        /// What was wanted, in words.
        wanted: &'static str,
    },
    /// A limit of SEC-A4 was passed.
    #[error("{path}: {what}")]
    Limit {
        /// Where.
        path: RepoPath,
        /// Which limit, with its value.
        what: String,
    },
    /// A Git LFS pointer stands where a content is wanted (B8).
    #[error("{0} is a Git LFS pointer, not the file itself")]
    LfsPointer(RepoPath),
    /// The object store or the file system failed.
    #[error("cannot read {path}")]
    Io {
        /// Where.
        path: RepoPath,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl TreeError {
    /// One line on how to mend it, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => None,
            Self::WrongKind { .. } => Some("put a regular file in its place"),
            Self::Limit { .. } => Some("leave out what the image does not need, in .dockerignore"),
            Self::LfsPointer(_) => Some(
                "git holds no content of it: `git lfs pull`, and build with --worktree or give its folder \
                 as a named context (`generated: true`), which is read from disk",
            ),
            Self::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    Some("make it readable for the user that runs ringshift")
                }
                _ => None,
            },
        }
    }

    /// The error for an entry of kind `found` where `wanted` was asked for.
    pub fn wrong_kind(path: &RepoPath, found: Kind, wanted: &'static str) -> Self {
        Self::WrongKind {
            path: path.clone(),
            found: found.words(),
            wanted,
        }
    }

    /// The error for a failing read at `path`.
    pub fn io(path: &RepoPath, source: impl Into<std::io::Error>) -> Self {
        Self::Io {
            path: path.clone(),
            source: source.into(),
        }
    }
}

/// A tree of sources, read without side effects.
///
/// All paths are relative to the tree's root. Answers do not change while the value lives (SEC-A2).
pub trait SourceTree: Send + Sync {
    /// What stands at `path`, without following a link there. `None` when nothing does, or when
    /// the way to it leads through something that is not a folder. The root is a directory.
    ///
    /// # Errors
    /// [`TreeError`] when the tree cannot be read.
    fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError>;

    /// The entries of a folder, sorted bytewise by name.
    ///
    /// # Errors
    /// [`TreeError`] when `path` is no folder or the tree cannot be read.
    fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError>;

    /// The content of a regular file, as a stream.
    ///
    /// # Errors
    /// [`TreeError`] when `path` is no regular file or cannot be read.
    fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError>;

    /// The text of a symbolic link.
    ///
    /// # Errors
    /// [`TreeError`] when `path` is no link or cannot be read.
    fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError>;

    /// SHA-256 of a file's content, or of a link's text. May be remembered by object id.
    ///
    /// # Errors
    /// [`TreeError`] when `path` is neither file nor link, or cannot be read.
    fn content(&self, path: &RepoPath) -> Result<Digest, TreeError>;

    /// The size of a regular file in bytes.
    ///
    /// # Errors
    /// [`TreeError`] when `path` is no regular file or cannot be read.
    fn size(&self, path: &RepoPath) -> Result<u64, TreeError>;

    /// The size of a regular file in bytes and the SHA-256 of its content, found by one look.
    ///
    /// # Errors
    /// As [`SourceTree::content`] and [`SourceTree::size`].
    fn measure(&self, path: &RepoPath) -> Result<(u64, Digest), TreeError> {
        Ok((self.size(path)?, self.content(path)?))
    }

    /// The whole of a small file: at most `limit` bytes.
    ///
    /// # Errors
    /// [`TreeError::Limit`] when it is larger, and as [`SourceTree::open`].
    fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, TreeError> {
        let mut bytes = Vec::new();
        let io = |source| TreeError::Io {
            path: path.clone(),
            source,
        };
        self.open(path)?
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        if bytes.len() as u64 > limit {
            return Err(TreeError::Limit {
                path: path.clone(),
                what: format!("larger than {limit} bytes"),
            });
        }
        Ok(bytes)
    }
}
