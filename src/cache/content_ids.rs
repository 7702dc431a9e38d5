//! Which content a git blob has: blob id → SHA-256, remembered for ever, since neither can change.

use super::records::RecordFile;
use crate::model::Digest;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

/// A git object id of a SHA-1 repository.
pub type BlobId = [u8; 20];
const RECORD: usize = 52;

/// Remembered content digests, shared by all threads; read when the first is asked for, saved by
/// [`ContentIds::save`].
#[derive(Debug, Default)]
pub struct ContentIds {
    known: OnceLock<RwLock<Known>>,
    fresh: Mutex<Vec<[u8; RECORD]>>,
    file: Option<RecordFile>,
    damaged: AtomicBool,
}

type Known = HashMap<BlobId, [u8; 32], BuildHasherDefault<IdHasher>>;

impl ContentIds {
    /// Remembers only while it lives.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// What is remembered in `$cache/content-ids.1`. A missing or damaged file remembers less.
    pub fn load(cache: &std::path::Path) -> Self {
        Self::load_file(cache.join("content-ids.1"))
    }

    fn load_file(path: PathBuf) -> Self {
        Self {
            file: Some(RecordFile::new(path)),
            ..Self::default()
        }
    }

    fn known(&self) -> &RwLock<Known> {
        self.known.get_or_init(|| {
            let Some(file) = &self.file else {
                return RwLock::default();
            };
            let loaded = file.load::<RECORD>();
            self.damaged.store(loaded.damaged, Ordering::Relaxed);
            RwLock::new(loaded.records.iter().filter_map(split).collect())
        })
    }

    /// The digest of a blob's content, when it is remembered.
    pub fn get(&self, id: &BlobId) -> Option<Digest> {
        let known = self.known().read().unwrap_or_else(PoisonError::into_inner);
        known.get(id).copied().map(Digest::from_bytes)
    }

    /// Remembers a digest that was computed from the blob's bytes.
    pub fn insert(&self, id: BlobId, digest: Digest) {
        let mut known = self.known().write().unwrap_or_else(PoisonError::into_inner);
        if known.insert(id, *digest.as_bytes()).is_none() {
            let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
            fresh.push(join(&id, digest.as_bytes()));
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.known().read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores what is new. Another run that saves at the same time may win; nothing breaks.
    ///
    /// # Errors
    /// Those of the file system; they may be ignored, the next run computes again.
    pub fn save(&self) -> std::io::Result<()> {
        let (Some(file), Some(_)) = (&self.file, self.known.get()) else {
            return Ok(());
        };
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if self.damaged.load(Ordering::Relaxed) {
            let known = self.known().read().unwrap_or_else(PoisonError::into_inner);
            let mut all: Vec<_> = known.iter().map(|(id, digest)| join(id, digest)).collect();
            all.sort_unstable();
            return file.replace(&all);
        }
        if fresh.is_empty() {
            return Ok(());
        }
        file.append(&fresh)?;
        fresh.clear();
        Ok(())
    }
}

fn split(record: &[u8; RECORD]) -> Option<(BlobId, [u8; 32])> {
    let (id, digest) = record.split_first_chunk::<20>()?;
    Some((*id, digest.try_into().ok()?))
}

fn join(id: &BlobId, digest: &[u8; 32]) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..20].copy_from_slice(id);
    record[20..].copy_from_slice(digest);
    record
}

/// Object ids are hashes already: their first eight bytes do.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[expect(clippy::disallowed_methods, reason = "tests damage files")]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_known_to_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let ids = ContentIds::load(dir.path());
        ids.insert([7; 20], Digest::of(b"x"));
        ids.save().unwrap();
        ids.insert([8; 20], Digest::of(b"y"));
        ids.save().unwrap();
        let next = ContentIds::load(dir.path());
        assert_eq!(next.get(&[7; 20]), Some(Digest::of(b"x")));
        assert_eq!(next.get(&[8; 20]), Some(Digest::of(b"y")));
        assert_eq!(next.len(), 2);
    }

    #[test]
    fn a_damaged_file_forgets_and_is_mended() {
        let dir = tempfile::tempdir().unwrap();
        let ids = ContentIds::load(dir.path());
        ids.insert([7; 20], Digest::of(b"x"));
        ids.save().unwrap();
        let path = dir.path().join("content-ids.1");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[30] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let next = ContentIds::load(dir.path());
        assert_eq!(next.get(&[7; 20]), None);
        next.insert([9; 20], Digest::of(b"z"));
        next.save().unwrap();
        assert_eq!(ContentIds::load(dir.path()).get(&[9; 20]), Some(Digest::of(b"z")));
    }
}
