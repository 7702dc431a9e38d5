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
        BUFFER.with_borrow_mut(|buffer| {
            // Most files end here. Were it not the end, the sum would tell.
            let size = read(&file, &mut buffer[HEADER..])?;
            match size < PIECE {
                true => at_once(size, buffer, id),
                false => piece_by_piece(&file, path, buffer, id),
            }
        })
    }
}

/// A file that stands in the buffer.
fn at_once(size: usize, buffer: &mut [u8], id: Oid) -> Option<(u64, Digest)> {
    if lfs::is_pointer(&buffer[HEADER..HEADER + size]) {
        return None;
    }
    let (found, digest) = sums(&mut buffer[..HEADER + size]);
    (found == id.as_bytes()).then_some((size as u64, digest))
}

/// A larger one, whose beginning fills the buffer; no pointer is as large.
fn piece_by_piece(file: &OwnedFd, path: &RepoPath, buffer: &mut [u8], id: Oid) -> Option<(u64, Digest)> {
    let found = rustix::fs::fstat(file).ok()?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return None;
    }
    let size = u64::try_from(found.st_size).ok()?;
    // Who reads the blob says what is too large.
    limit::check_size(path, size).ok()?;
    let buffer = &mut buffer[HEADER..];
    let mut as_git = sha1::Sha1::new();
    as_git.update(format!("blob {size}\0"));
    as_git.update(&*buffer);
    let mut content = sha2::Sha256::new();
    content.update(&*buffer);
    let mut left = size.checked_sub(buffer.len() as u64)?;
    while left > 0 {
        let piece = match read(file, buffer)? {
            0 => return None,
            piece => piece,
        };
        left = left.checked_sub(piece as u64)?;
        as_git.update(&buffer[..piece]);
        content.update(&buffer[..piece]);
    }
    let same = as_git.finalize().as_slice() == id.as_bytes();
    same.then(|| (size, Digest::from_bytes(content.finalize().into())))
}

/// Reads what comes at once: nothing at the end of the file, and `None` when it cannot be read.
fn read(file: &OwnedFd, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match rustix::io::read(file, &mut *buffer) {
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
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        std::fs::write(dir.path().join("empty"), "").unwrap();
        assert_eq!(ask("folder", blob("")), None);
        assert_eq!(ask("empty", blob("")), Some((0, Digest::EMPTY)));
        for size in [PIECE - 1, PIECE, PIECE + 1] {
            let text = "x".repeat(size);
            std::fs::write(dir.path().join("edge"), &text).unwrap();
            let found = Some((size as u64, Digest::of(text.as_bytes())));
            assert_eq!(ask("edge", blob(&text)), found, "{size}");
        }
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
