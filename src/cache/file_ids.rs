//! Which content a file of the working copy has: path and stat → SHA-256.
//!
//! The stat is trusted by git's racy rule: a file that changed within the clock tick in which it was
//! read may change again without a trace, so such an answer is not remembered.

use super::records::RecordFile;
use crate::model::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

const RECORD: usize = 64;

/// What the file system says of a file, as far as it tells that the content is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Device.
    pub device: u64,
    /// Inode.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of content, in nanoseconds.
    pub modified: i128,
    /// Time of the last change of content or inode, in nanoseconds.
    pub changed: i128,
}

impl Stat {
    /// Whether a later change could leave the same stat, when this one was taken at `now` (of the
    /// same clock): file times advance in ticks, of two seconds on the coarsest file systems.
    pub fn is_racy(&self, now: i128) -> bool {
        const TICK: i128 = 2_000_000_000;
        self.modified.max(self.changed) + TICK >= now
    }
}

/// Remembered content digests of files; saved by [`FileIds::save`].
#[derive(Debug, Default)]
pub struct FileIds {
    known: Mutex<HashMap<[u8; 32], [u8; 32]>>,
    fresh: Mutex<Vec<[u8; RECORD]>>,
    file: Option<RecordFile>,
    anew: bool,
}

impl FileIds {
    /// Remembers only while it lives.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// What is remembered in `$cache/file-ids.1`.
    pub fn load(cache: &std::path::Path) -> Self {
        let file = RecordFile::new(cache.join("file-ids.1"));
        let loaded = file.load::<RECORD>();
        let known: HashMap<_, _> = loaded.records.iter().filter_map(split).collect();
        // Old stats are never asked for again: the file is begun anew when it has grown large.
        let anew = loaded.damaged || loaded.records.len() > 2_000_000;
        Self {
            known: Mutex::new(if anew { HashMap::new() } else { known }),
            fresh: Mutex::default(),
            file: Some(file),
            anew,
        }
    }

    /// The digest of the file's content, when it is remembered for this stat.
    pub fn get(&self, path: &[u8], stat: &Stat) -> Option<Digest> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key(path, stat)).copied().map(Digest::from_bytes)
    }

    /// Remembers the digest of the bytes that were read while the file had this stat before and after,
    /// unless it is racy at `now`.
    pub fn insert(&self, path: &[u8], stat: &Stat, now: i128, digest: Digest) {
        if stat.is_racy(now) {
            return;
        }
        let key = key(path, stat);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(key, *digest.as_bytes()).is_none() {
            let mut record = [0; RECORD];
            record[..32].copy_from_slice(&key);
            record[32..].copy_from_slice(digest.as_bytes());
            let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
            fresh.push(record);
        }
    }

    /// Stores what is new.
    ///
    /// # Errors
    /// Those of the file system; they may be ignored.
    pub fn save(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if self.anew {
            return file.replace(&fresh);
        }
        if fresh.is_empty() {
            return Ok(());
        }
        file.append(&fresh)?;
        fresh.clear();
        Ok(())
    }
}

fn split(record: &[u8; RECORD]) -> Option<([u8; 32], [u8; 32])> {
    let (key, digest) = record.split_first_chunk::<32>()?;
    Some((*key, digest.try_into().ok()?))
}

fn key(path: &[u8], stat: &Stat) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((path.len() as u64).to_le_bytes());
    hash.update(path);
    for number in [stat.device, stat.inode, stat.size] {
        hash.update(number.to_le_bytes());
    }
    for time in [stat.modified, stat.changed] {
        hash.update(time.to_le_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const STAT: Stat = Stat {
        device: 1,
        inode: 2,
        size: 3,
        modified: 10_000_000_000,
        changed: 10_000_000_000,
    };
    const LATER: i128 = 100_000_000_000;

    #[test]
    fn any_difference_of_the_stat_forgets() {
        let ids = FileIds::in_memory();
        ids.insert(b"a", &STAT, LATER, Digest::of(b"x"));
        assert_eq!(ids.get(b"a", &STAT), Some(Digest::of(b"x")));
        assert_eq!(ids.get(b"b", &STAT), None);
        for other in [
            Stat { device: 9, ..STAT },
            Stat { inode: 9, ..STAT },
            Stat { size: 9, ..STAT },
            Stat { modified: 9, ..STAT },
            Stat { changed: 9, ..STAT },
        ] {
            assert_eq!(ids.get(b"a", &other), None);
        }
    }

    #[test]
    fn a_file_changed_within_the_tick_is_not_remembered() {
        let ids = FileIds::in_memory();
        ids.insert(b"a", &STAT, STAT.modified + 1, Digest::of(b"x"));
        assert_eq!(ids.get(b"a", &STAT), None);
    }

    #[test]
    fn what_is_saved_is_known_to_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let ids = FileIds::load(dir.path());
        ids.insert(b"a", &STAT, LATER, Digest::of(b"x"));
        ids.save().unwrap();
        assert_eq!(FileIds::load(dir.path()).get(b"a", &STAT), Some(Digest::of(b"x")));
    }
}
