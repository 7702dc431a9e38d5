//! Contents from the working copy instead of git's packs: reading a file costs a fraction of unpacking
//! its blob. A file counts only when git's own id of its bytes is the blob's, so neither filters nor
//! edits can lead astray. Edge: the working copy.

use crate::model::{Digest, RepoPath};
use crate::tree::lfs;
use git2::Oid;
use rustix::fs::OFlags;
use sha1::Digest as _;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Larger files are read as blobs, whose size is known before.
const LARGEST: u64 = 64 << 20;

/// The SHA-256 and the size of the blob `id`, when the file at `path` below `root` holds just its bytes, and those are
/// no Git LFS pointer.
pub(super) fn digest(root: &Path, path: &RepoPath, id: Oid) -> Option<(Digest, u64)> {
    let place = root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).ok()?;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(place)
        .ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).ok()? + 1);
    file.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(&bytes);
    let same = hash.finalize().as_slice() == id.as_bytes();
    (same && !lfs::is_pointer(&bytes)).then(|| (Digest::of(&bytes), bytes.len() as u64))
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
        let ask = |name: &str, id| digest(dir.path(), &RepoPath::clean(name), id);
        assert_eq!(ask("a", blob("text")), Some((Digest::of(b"text"), 4)));
        assert_eq!(ask("a", blob("other")), None);
        assert_eq!(ask("missing", blob("text")), None);
        assert_eq!(ask("link", blob("text")), None);
    }
}
