#![expect(clippy::disallowed_methods, reason = "edge: the cache's files")]
//! A file of fixed-size records, written in checksummed blocks.
//!
//! A block is `RSB1`, the count of records as a little-endian u32, the records, and SHA-256 of all that.
//! Reading stops at the first block that is not whole; the file is then written anew by the next save.

use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 4] = b"RSB1";
const HEAD: usize = 8;
const SUM: usize = 32;
/// A larger file is not read, and begun anew.
const LIMIT: u64 = 256 << 20;

/// What a file of records of `N` bytes held.
pub(super) struct Loaded<const N: usize> {
    /// The records of all whole blocks, in order of writing.
    pub records: Vec<[u8; N]>,
    /// Whether the file must be written anew.
    pub damaged: bool,
}

/// Where a file of records lies.
#[derive(Debug)]
pub(super) struct RecordFile(PathBuf);

impl RecordFile {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// All records; nothing when there is no such file or it cannot be read.
    pub fn load<const N: usize>(&self) -> Loaded<N> {
        let mut records = Vec::new();
        let damaged = match read_bounded(&self.0) {
            Found::Absent => false,
            Found::Bad => true,
            Found::Bytes(bytes) => !parse(&bytes, &mut records),
        };
        Loaded { records, damaged }
    }

    /// Appends a block, in one write. When another run is writing, nothing is saved.
    pub fn append<const N: usize>(&self, records: &[[u8; N]]) -> std::io::Result<()> {
        self.make_folder()?;
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        if file.try_lock().is_err() {
            return Ok(());
        }
        file.write_all(&block(records))
    }

    /// Replaces the file by one block.
    pub fn replace<const N: usize>(&self, records: &[[u8; N]]) -> std::io::Result<()> {
        let folder = self.make_folder()?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&block(records))?;
        file.persist(&self.0).map_err(|e| e.error)?;
        Ok(())
    }

    fn make_folder(&self) -> std::io::Result<&Path> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        Ok(folder)
    }
}

enum Found {
    Absent,
    Bad,
    Bytes(Vec<u8>),
}

fn read_bounded(path: &Path) -> Found {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Found::Absent,
        Err(_) => return Found::Bad,
    };
    let size = file.metadata().map_or(0, |m| m.len());
    if size > LIMIT {
        return Found::Bad;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    match file.take(LIMIT).read_to_end(&mut bytes) {
        Ok(_) => Found::Bytes(bytes),
        Err(_) => Found::Bad,
    }
}

fn block<const N: usize>(records: &[[u8; N]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + records.len() * N + SUM);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&u32::try_from(records.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(records.as_flattened());
    let sum = Sha256::digest(&out);
    out.extend_from_slice(&sum);
    out
}

/// Whether all of `bytes` was whole blocks.
fn parse<const N: usize>(mut bytes: &[u8], records: &mut Vec<[u8; N]>) -> bool {
    while !bytes.is_empty() {
        let Some((body, rest)) = split_block::<N>(bytes) else {
            return false;
        };
        records.extend_from_slice(body);
        bytes = rest;
    }
    true
}

fn split_block<const N: usize>(bytes: &[u8]) -> Option<(&[[u8; N]], &[u8])> {
    let head = bytes.get(..HEAD)?;
    let count = head
        .strip_prefix(MAGIC)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)?;
    let end = HEAD.checked_add(usize::try_from(count).ok()?.checked_mul(N)?)?;
    let sum = bytes.get(end..end.checked_add(SUM)?)?;
    if sum != Sha256::digest(&bytes[..end]).as_slice() {
        return None;
    }
    Some((bytes[HEAD..end].as_chunks::<N>().0, &bytes[end + SUM..]))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let file = RecordFile::new(dir.path().join("deep/file"));
        assert!(!file.load::<3>().damaged);
        file.append(&[*b"abc", *b"def"]).unwrap();
        file.append(&[*b"ghi"]).unwrap();
        let loaded = file.load::<3>();
        assert_eq!(loaded.records, [*b"abc", *b"def", *b"ghi"]);
        assert!(!loaded.damaged);
        file.replace(&[*b"xyz"]).unwrap();
        assert_eq!(file.load::<3>().records, [*b"xyz"]);
    }

    #[test]
    fn every_flipped_or_missing_byte_is_noticed() {
        let whole = [block(&[*b"abc"]), block(&[*b"def"])].concat();
        let first = block(&[*b"abc"]).len();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 0x40;
            let mut records = Vec::<[u8; 3]>::new();
            assert!(!parse(&bad, &mut records), "byte {at}");
            assert!(records.is_empty() || records == [*b"abc"]);
        }
        for cut in 1..whole.len() {
            let mut records = Vec::<[u8; 3]>::new();
            assert_eq!(parse(&whole[..cut], &mut records), cut == first, "cut at {cut}");
        }
    }
}
