//! The object store alone: trees and blobs by id, from any thread, without a repository's configuration.

use super::GitError;
use crate::tree::Kind;
use git2::{ErrorCode, ObjectType, Oid};
use std::path::Path;

/// An object store, with what it borrows from others (`info/alternates`).
pub struct Objects(git2::Odb<'static>);

/// One entry of a tree object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// One component.
    pub name: Vec<u8>,
    /// What the mode says.
    pub kind: Kind,
    /// The blob, tree or commit.
    pub id: Oid,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Objects")
    }
}

impl Objects {
    /// The store in the folder `objects`.
    ///
    /// # Errors
    /// [`GitError::Objects`]; the folder's path must be UTF-8.
    pub fn open(objects: &Path) -> Result<Self, GitError> {
        let text = objects.to_str().ok_or_else(|| GitError::Unsupported {
            path: objects.into(),
            reason: "its path is not UTF-8".into(),
        })?;
        let odb = git2::Odb::new()?;
        odb.add_disk_alternate(text)?;
        Ok(Self(odb))
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// [`git2::Error`]: not found, damaged, or no blob.
    pub fn blob(&self, id: Oid) -> Result<Vec<u8>, git2::Error> {
        self.with(id, ObjectType::Blob, <[u8]>::to_vec)
    }

    /// Does something with the bytes of a blob, without copying them.
    ///
    /// # Errors
    /// As [`Objects::blob`].
    pub fn with_blob<T>(&self, id: Oid, f: impl FnOnce(&[u8]) -> T) -> Result<T, git2::Error> {
        self.with(id, ObjectType::Blob, f)
    }

    /// The size of a blob, without reading it.
    ///
    /// # Errors
    /// As [`Objects::blob`].
    pub fn size(&self, id: Oid) -> Result<u64, git2::Error> {
        let (size, kind) = self.0.read_header(id)?;
        check_kind(id, kind, ObjectType::Blob)?;
        Ok(size as u64)
    }

    /// The entries of a tree, sorted bytewise by name.
    ///
    /// # Errors
    /// [`git2::Error`]: not found, damaged, no tree, or names that no tree may hold.
    pub fn tree(&self, id: Oid) -> Result<Vec<TreeEntry>, git2::Error> {
        let bad = || git2::Error::from_str(&format!("tree {id} is damaged"));
        self.with(id, ObjectType::Tree, |bytes| parse_tree(bytes).ok_or_else(bad))?
    }

    /// The root tree of a commit.
    ///
    /// # Errors
    /// [`git2::Error`]: not found, damaged or no commit.
    pub fn tree_of(&self, commit: Oid) -> Result<Oid, git2::Error> {
        let bad = || git2::Error::from_str(&format!("commit {commit} is damaged"));
        self.with(commit, ObjectType::Commit, |bytes| {
            let line = bytes.split(|b| *b == b'\n').next()?.strip_prefix(b"tree ")?;
            Oid::from_str(str::from_utf8(line).ok()?).ok()
        })?
        .ok_or_else(bad)
    }

    /// The one object whose id begins with the hex digits; `None` when there is none.
    pub(super) fn by_prefix(&self, digits: &str) -> Result<Option<Oid>, git2::Error> {
        let padded = Oid::from_str(digits)?;
        match self.0.exists_prefix(padded, digits.len()) {
            Ok(id) => Ok(Some(id)),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn with<T>(&self, id: Oid, wanted: ObjectType, f: impl FnOnce(&[u8]) -> T) -> Result<T, git2::Error> {
        let object = self.0.read(id)?;
        check_kind(id, object.kind(), wanted)?;
        Ok(f(object.data()))
    }
}

fn check_kind(id: Oid, found: ObjectType, wanted: ObjectType) -> Result<(), git2::Error> {
    if found == wanted {
        return Ok(());
    }
    let message = format!("object {id} is a {found}, not a {wanted}");
    Err(git2::Error::from_str(&message))
}

/// Entries are `<octal mode> <name>\0<20 bytes>`. Names that would lead elsewhere are refused (SEC-A1).
fn parse_tree(mut bytes: &[u8]) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|b| *b == b' ')?;
        let mode = u32::from_str_radix(str::from_utf8(&bytes[..space]).ok()?, 8).ok()?;
        let rest = &bytes[space + 1..];
        let end = rest.iter().position(|b| *b == 0)?;
        let (name, rest) = (&rest[..end], &rest[end + 1..]);
        if name.is_empty() || matches!(name, b"." | b"..") || name.contains(&b'/') {
            return None;
        }
        let (id, rest) = rest.split_at_checked(20)?;
        entries.push(TreeEntry {
            name: name.to_vec(),
            kind: kind_of(mode)?,
            id: Oid::from_bytes(id).ok()?,
        });
        bytes = rest;
    }
    // Git sorts folders as if a slash stood behind their names.
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let twins = entries.windows(2).any(|pair| pair[0].name == pair[1].name);
    (!twins).then_some(entries)
}

/// What a mode of git means.
pub(crate) fn kind_of(mode: u32) -> Option<Kind> {
    match mode & 0o170_000 {
        0o100_000 => Some(Kind::File {
            executable: mode & 0o100 != 0,
        }),
        0o040_000 => Some(Kind::Directory),
        0o120_000 => Some(Kind::Link),
        0o160_000 => Some(Kind::Submodule),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn raw(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (mode, name) in entries {
            out.extend_from_slice(mode.as_bytes());
            out.push(b' ');
            out.extend_from_slice(name);
            out.push(0);
            out.extend_from_slice(&[1; 20]);
        }
        out
    }

    #[test]
    fn trees_are_sorted_by_bytes_whatever_git_sorts_them_by() {
        let bytes = raw(&[
            ("100644", b"a-b"),
            ("100755", b"a.c"),
            ("40000", b"a"),
            ("120000", b"\xff"),
        ]);
        let names: Vec<_> = parse_tree(&bytes)
            .unwrap()
            .into_iter()
            .map(|e| (e.name, e.kind))
            .collect();
        assert_eq!(names[0], (b"a".to_vec(), Kind::Directory));
        assert_eq!(names[1].1, Kind::File { executable: false });
        assert_eq!(names[2].1, Kind::File { executable: true });
        assert_eq!(names[3], (b"\xff".to_vec(), Kind::Link));
    }

    #[test]
    fn names_that_lead_elsewhere_and_twins_are_refused() {
        for name in [&b".."[..], b".", b"", b"a/b", b"/"] {
            assert!(parse_tree(&raw(&[("100644", name)])).is_none(), "{name:?}");
        }
        assert!(parse_tree(&raw(&[("100644", b"a"), ("40000", b"a")])).is_none());
        let whole = raw(&[("100644", b"abc")]);
        for cut in 1..whole.len() {
            assert!(parse_tree(&whole[..cut]).is_none(), "cut at {cut}");
        }
    }
}
