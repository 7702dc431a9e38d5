#![expect(clippy::disallowed_methods, reason = "edge: reads git's index")]
//! Git's index as a file: what git remembers of every tracked file, and the tree that all of them make.
//!
//! Read straight from the bytes (gitformat-index, versions 2 to 4), since it is asked for tens of thousands of entries
//! at once. Whatever this does not understand is no answer, and whoever asks goes the long way: split and sparse
//! indexes, unmerged entries, other hashes than SHA-1.

use git2::Oid;
use std::path::Path;

const HEADER: usize = 12;
/// The fixed part of an entry, up to and with its flags.
const FIXED: usize = 62;
const CHECKSUM: usize = 20;

const EXTENDED: u16 = 1 << 14;
const STAGE: u16 = 3 << 12;
const SKIP_WORKTREE: u16 = 1 << 14;

/// The index.
#[derive(Debug)]
pub(super) struct IndexFile {
    /// When it was written: seconds, nanoseconds.
    pub written: (i64, i64),
    /// The checksum at its end, in hexadecimal; it names the content.
    pub checksum: String,
    /// All entries, sorted by path.
    pub entries: Vec<Entry>,
    /// The tree of all entries, where git has kept it (the extension `TREE`).
    pub tree: Option<Oid>,
    paths: Vec<u8>,
}

/// What git remembers of a tracked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Time of the last change of content: seconds and nanoseconds, as 32 bits hold them.
    pub modified: (u32, u32),
    /// The low 32 bits of the inode; 0 when it is not known.
    pub inode: u32,
    /// The low 32 bits of the size in bytes.
    pub size: u32,
    /// Git's mode.
    pub mode: u32,
    /// Whether a sparse checkout leaves it out.
    pub absent: bool,
    path: (u32, u32),
}

impl IndexFile {
    /// The index at a path; `None` when it is not there, or not understood.
    pub fn read(path: &Path) -> Option<Self> {
        let stat = rustix::fs::stat(path).ok()?;
        let written = (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).ok()?);
        let bytes = std::fs::read(path).ok()?;
        Self::parse(&bytes, written)
    }

    /// From the root of the working copy.
    pub fn path(&self, entry: &Entry) -> &[u8] {
        let (from, to) = entry.path;
        &self.paths[from as usize..to as usize]
    }

    fn parse(bytes: &[u8], written: (i64, i64)) -> Option<Self> {
        let end = bytes.len().checked_sub(CHECKSUM)?;
        let (bytes, checksum) = bytes.split_at(end);
        // An index without checksum (`index.skipHash`) names nothing.
        if checksum.iter().all(|b| *b == 0) || !bytes.starts_with(b"DIRC") {
            return None;
        }
        let version = word(bytes, 4)?;
        let count = word(bytes, 8)? as usize;
        if !(2..=4).contains(&version) || count > bytes.len() / FIXED {
            return None;
        }
        let mut index = Self {
            written,
            checksum: crate::model::digest::hex(checksum),
            entries: Vec::with_capacity(count),
            tree: None,
            paths: Vec::with_capacity(bytes.len() / 2),
        };
        let mut at = HEADER;
        for _ in 0..count {
            at = index.entry(bytes, at, version)?;
        }
        index.extensions(bytes, at)?;
        Some(index)
    }

    /// Takes one entry; the answer is where the next one begins.
    fn entry(&mut self, bytes: &[u8], at: usize, version: u32) -> Option<usize> {
        let flags = half(bytes, at + FIXED - 2)?;
        if flags & STAGE != 0 {
            return None;
        }
        let mut name = at + FIXED;
        let mut absent = false;
        if flags & EXTENDED != 0 {
            absent = half(bytes, name)? & SKIP_WORKTREE != 0;
            name += 2;
        }
        let from = self.paths.len();
        if version == 4 {
            let (cut, read) = varint(bytes.get(name..)?)?;
            name += read;
            let before = self.entries.last().map_or((0, 0), |last| last.path);
            let kept = (before.1 - before.0).checked_sub(cut)?;
            self.paths
                .extend_from_within(before.0 as usize..(before.0 + kept) as usize);
        }
        let tail = bytes.get(name..)?;
        let length = tail.iter().position(|b| *b == 0)?;
        self.paths.extend_from_slice(&tail[..length]);
        let to = self.paths.len();
        self.entries.push(Entry {
            modified: (word(bytes, at + 8)?, word(bytes, at + 12)?),
            inode: word(bytes, at + 20)?,
            mode: word(bytes, at + 24)?,
            size: word(bytes, at + 36)?,
            absent,
            path: (u32::try_from(from).ok()?, u32::try_from(to).ok()?),
        });
        let end = name + length;
        // Up to version 3 entries are filled up with one to eight zeros to a multiple of eight bytes.
        Some(if version == 4 {
            end + 1
        } else {
            at + (end - at) / 8 * 8 + 8
        })
    }

    /// The extensions behind the entries; `None` for one without which the entries mean something else.
    fn extensions(&mut self, bytes: &[u8], mut at: usize) -> Option<()> {
        while at < bytes.len() {
            let name = bytes.get(at..at + 4)?;
            let length = word(bytes, at + 4)? as usize;
            let content = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
            match name {
                b"TREE" => self.tree = root_tree(content),
                // Those with a capital letter may be passed over.
                [b'A'..=b'Z', ..] => {}
                _ => return None,
            }
            at += 8 + length;
        }
        Some(())
    }
}

/// The first entry of the extension `TREE`: an empty path, a zero, the number of entries (`-1` when it is not valid), a
/// blank, the number of subtrees, a newline, the id.
fn root_tree(content: &[u8]) -> Option<Oid> {
    let rest = content.strip_prefix(b"\0")?;
    let line = rest.iter().position(|b| *b == b'\n')?;
    if rest.starts_with(b"-") {
        return None;
    }
    Oid::from_bytes(rest.get(line + 1..line + 21)?).ok()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*four))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*two))
}

/// A number of version 4, as in pack files' offsets, and how many bytes it took.
fn varint(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0_u32;
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            value = value.checked_add(1)?.checked_mul(128)?;
        }
        value = value.checked_add(u32::from(byte & 127))?;
        if byte & 128 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(dir: &Path, args: &[&str]) -> String {
        let out = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=e@e"])
            .args(args)
            .current_dir(dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(out.status.success(), "{args:?}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q"]);
        std::fs::create_dir_all(dir.path().join("a/long/way")).unwrap();
        for name in ["a/long/way/x", "a/long/way/y", "a/long/z", "a.b", "b"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        git(dir.path(), &["add", "-A"]);
        git(dir.path(), &["commit", "-qm", "c"]);
        dir
    }

    fn read(dir: &Path) -> Option<IndexFile> {
        IndexFile::read(&dir.join(".git/index"))
    }

    #[test]
    fn every_version_has_what_git_lists_and_its_tree() {
        let dir = repository();
        let tree = git(dir.path(), &["rev-parse", "HEAD^{tree}"]);
        for version in ["2", "4", "3"] {
            git(dir.path(), &["update-index", "--index-version", version]);
            if version == "3" {
                git(dir.path(), &["update-index", "--skip-worktree", "b"]);
            }
            let index = read(dir.path()).unwrap();
            let ours: Vec<String> = index
                .entries
                .iter()
                .map(|e| {
                    let path = String::from_utf8_lossy(index.path(e));
                    format!("{:o} {path} {} {}", e.mode, e.size, e.absent)
                })
                .collect();
            let skipped = version == "3";
            let theirs = ["a.b", "a/long/way/x", "a/long/way/y", "a/long/z", "b"]
                .map(|name| format!("100644 {name} {} {}", name.len(), skipped && name == "b"));
            assert_eq!(ours, theirs, "version {version}");
            // Git forgets the tree when an entry gets another flag.
            let kept = index.tree.map(|tree| tree.to_string());
            assert_eq!(kept.as_deref(), (!skipped).then(|| tree.trim()));
        }
    }

    #[test]
    fn what_is_staged_has_no_tree_yet() {
        let dir = repository();
        std::fs::write(dir.path().join("b"), "new").unwrap();
        git(dir.path(), &["add", "b"]);
        assert_eq!(read(dir.path()).unwrap().tree, None);
    }

    #[test]
    fn split_unmerged_cut_and_foreign_indexes_are_no_answer() {
        let dir = repository();
        let bytes = std::fs::read(dir.path().join(".git/index")).unwrap();
        assert!(IndexFile::parse(&bytes, (0, 0)).is_some());
        for cut in 0..bytes.len() {
            let _ = IndexFile::parse(&bytes[..cut], (0, 0));
        }
        let mut other = bytes.clone();
        other[7] = 5;
        assert!(IndexFile::parse(&other, (0, 0)).is_none());
        let mut unhashed = bytes.clone();
        let end = unhashed.len() - CHECKSUM;
        unhashed[end..].fill(0);
        assert!(IndexFile::parse(&unhashed, (0, 0)).is_none());
        let mut unmerged = bytes;
        unmerged[HEADER + FIXED - 2] |= 0x20;
        assert!(IndexFile::parse(&unmerged, (0, 0)).is_none());
        git(dir.path(), &["update-index", "--split-index"]);
        assert!(read(dir.path()).is_none());
    }
}
