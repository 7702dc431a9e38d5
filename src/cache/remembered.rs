#![expect(clippy::disallowed_methods, reason = "edge: the cache's files")]
//! Results by key, a small file each.

use crate::model::Digest;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A larger value is not kept.
const LIMIT: u64 = 64 << 20;

/// A store of results that can be computed again. A value is kept as the digest of key and value,
/// and the value, so that a damaged or foreign file is nothing remembered.
#[derive(Debug, Clone)]
pub struct Remembered {
    folder: Option<PathBuf>,
}

impl Remembered {
    /// The store in `$cache/<topic>`; `topic` names what is kept and the format, such as `plans.1`.
    pub fn new(cache: &Path, topic: &str) -> Self {
        Self {
            folder: Some(cache.join(topic)),
        }
    }

    /// Remembers nothing.
    pub fn nothing() -> Self {
        Self { folder: None }
    }

    /// The value that was kept under the key. The key must name all that the value depends on.
    pub fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let file = File::open(self.place(key)?).ok()?;
        let mut bytes = Vec::new();
        file.take(LIMIT + 33).read_to_end(&mut bytes).ok()?;
        let (sum, value) = bytes.split_first_chunk::<32>()?;
        (*sum == checksum(key, value)).then(|| value.to_vec())
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// Those of the file system; they may be ignored.
    pub fn put(&self, key: &[u8], value: &[u8]) -> std::io::Result<()> {
        let Some(place) = self.place(key) else {
            return Ok(());
        };
        if value.len() as u64 > LIMIT {
            return Ok(());
        }
        let folder = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&checksum(key, value))?;
        file.write_all(value)?;
        file.persist(place).map_err(|e| e.error)?;
        Ok(())
    }

    fn place(&self, key: &[u8]) -> Option<PathBuf> {
        let name = Digest::of(key).hex();
        Some(self.folder.as_ref()?.join(&name[..2]).join(&name[2..]))
    }
}

fn checksum(key: &[u8], value: &[u8]) -> [u8; 32] {
    let mut framed = Digest::of(key).as_bytes().to_vec();
    framed.extend_from_slice(Digest::of(value).as_bytes());
    *Digest::of(&framed).as_bytes()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_under_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = Remembered::new(dir.path(), "plans.1");
        store.put(b"k", b"value").unwrap();
        store.put(b"k", b"newer").unwrap();
        assert_eq!(store.get(b"k").unwrap(), b"newer");
        assert_eq!(store.get(b"other"), None);
        assert_eq!(Remembered::nothing().get(b"k"), None);
    }

    #[test]
    fn a_damaged_or_swapped_file_is_nothing_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let store = Remembered::new(dir.path(), "plans.1");
        store.put(b"k", b"value").unwrap();
        let path = store.place(b"k").unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, bad).unwrap();
            assert_eq!(store.get(b"k"), None);
            std::fs::write(&path, &good[..at]).unwrap();
            assert_eq!(store.get(b"k"), None);
        }
        let other = store.place(b"other").unwrap();
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        std::fs::write(other, &good).unwrap();
        assert_eq!(store.get(b"other"), None);
    }
}
