//! Contents from the working copy instead of git's packs: reading a file costs a fraction of unpacking
//! its blob. A file counts only when git's own id of its bytes is the blob's, so neither filters nor
//! edits can lead astray. Edge: the working copy.

use super::sums::{HEADER, sums};
use crate::model::{Digest, RepoPath};
use crate::tree::{lfs, limit};
use git2::Oid;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use sha1::Digest as _;
use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::path::Path;

/// How much is read at once: small enough to stay near the processor while two sums are taken of it.
const PIECE: usize = 64 << 10;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; HEADER + PIECE].into());
}

/// The root of a working copy.
#[derive(Debug)]
pub(super) struct Beside(OwnedFd);

impl Beside {
    /// The working copy in a folder; none when that cannot be opened.
    pub(super) fn open(root: &Path) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(root, flags, Mode::empty()).ok().map(Self)
    }

    /// The size and the SHA-256 of the blob `id`, when the file at `path` holds just its bytes, and those are no
    /// Git LFS pointer.
    pub(super) fn measure(&self, path: &RepoPath, id: Oid) -> Option<(u64, Digest)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, path.as_bytes(), flags, Mode::empty()).ok()?;
        let found = rustix::fs::fstat(&file).ok()?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return None;
        }
        let size = u64::try_from(found.st_size).ok()?;
        // Who reads the blob says what is too large.
        limit::check_size(path, size).ok()?;
        BUFFER.with_borrow_mut(|buffer| match size <= PIECE as u64 {
            true => at_once(&file, size as usize, buffer, id),
            false => piece_by_piece(&file, size, buffer, id),
        })
    }
}

/// A file that fits into the buffer.
fn at_once(file: &OwnedFd, size: usize, buffer: &mut [u8], id: Oid) -> Option<(u64, Digest)> {
    let content = &mut buffer[HEADER..HEADER + size];
    let mut filled = 0;
    while filled < size {
        filled += read(file, &mut content[filled..])?;
    }
    if lfs::is_pointer(content) {
        return None;
    }
    let (found, digest) = sums(&mut buffer[..HEADER + size]);
    (found == id.as_bytes()).then_some((size as u64, digest))
}

/// A larger one; no pointer is as large.
fn piece_by_piece(file: &OwnedFd, size: u64, buffer: &mut [u8], id: Oid) -> Option<(u64, Digest)> {
    let mut as_git = sha1::Sha1::new();
    as_git.update(format!("blob {size}\0"));
    let mut content = sha2::Sha256::new();
    let mut left = size;
    while left > 0 {
        let piece = read(file, buffer)?;
        left = left.checked_sub(piece as u64)?;
        as_git.update(&buffer[..piece]);
        content.update(&buffer[..piece]);
    }
    let same = as_git.finalize().as_slice() == id.as_bytes();
    same.then(|| (size, Digest::from_bytes(content.finalize().into())))
}

/// Reads what comes at once; `None` at the end of the file.
fn read(file: &OwnedFd, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match rustix::io::read(file, &mut *buffer) {
            Ok(0) => return None,
            Ok(n) => return Some(n),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    fn blob(text: &str) -> Oid {
        Oid::hash_object(git2::ObjectType::Blob, text.as_bytes()).unwrap()
    }

    #[test]
    fn only_the_very_bytes_of_the_blob_count() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "text").unwrap();
        std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
        let beside = Beside::open(dir.path()).unwrap();
        let ask = |name: &str, id| beside.measure(&RepoPath::clean(name), id);
        assert_eq!(ask("a", blob("text")), Some((4, Digest::of(b"text"))));
        assert_eq!(ask("a", blob("other")), None);
        assert_eq!(ask("missing", blob("text")), None);
        assert_eq!(ask("link", blob("text")), None);
        let long = "line\n".repeat(PIECE);
        std::fs::write(dir.path().join("long"), &long).unwrap();
        assert_eq!(
            ask("long", blob(&long)),
            Some((5 * PIECE as u64, Digest::of(long.as_bytes())))
        );
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        std::fs::write(dir.path().join("pointer"), pointer).unwrap();
        assert!(lfs::is_pointer(pointer.as_bytes()));
        assert_eq!(ask("pointer", blob(pointer)), None);
    }
}
