//! From what changed in a stage to a layer blob: a deterministic tar, compressed while it is written.
//!
//! The same changes give the same bytes on every machine: members are sorted, files of a context
//! have no time (1970), owners stand as numbers, the compression is fixed (`gzip.rs`). So a
//! layer whose files did not change is a blob that the registry has already; where it is remembered
//! which, its files are not even read.

mod key;
mod tarball;

use super::content::{Content, Contents};
use super::gzip::Members;
use super::rootfs::{Body, Change, Rootfs};
use super::{BuildError, Job};
use crate::cache::Remembered;
use crate::model::Digest;
use crate::registry::{Descriptor, LAYER_GZIP, Repository};
use sha2::Digest as _;
use std::io::{self, Write};
use tarball::Failure;

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The blob.
    pub descriptor: Descriptor,
    /// SHA-256 of the uncompressed tar.
    pub diff_id: Digest,
    /// The repository that has the blob, where it is not the image's own.
    pub from: Option<Repository>,
}

/// Puts what changed in `rootfs` into the job's repository as a layer, and says whether it was there
/// already; `None` when nothing changed.
///
/// # Errors
/// [`BuildError`] with `line`, when contents cannot be read or are not what was hashed.
pub(crate) fn put(
    rootfs: &Rootfs,
    contents: &mut Contents<'_>,
    remembered: &Remembered,
    job: &Job<'_>,
    line: u32,
) -> Result<Option<(Layer, bool)>, BuildError> {
    let changes = rootfs.changes();
    if changes.is_empty() {
        return Ok(None);
    }
    let key = key::of(rootfs, &changes);
    if let Some(layer) = remembered
        .get(key.as_bytes())
        .and_then(|value| key::layer(&value))
        && job.registry.has_blob(job.repository, &layer.descriptor.digest)?
    {
        return Ok(Some((layer, true)));
    }
    let layer = write(rootfs, &changes, contents, job, line)?;
    // What cannot be remembered is made again the next time.
    let _ = remembered.put(key.as_bytes(), key::value(&layer).as_bytes());
    Ok(Some((layer, false)))
}

fn write(
    rootfs: &Rootfs,
    changes: &[Change],
    contents: &mut Contents<'_>,
    job: &Job<'_>,
    line: u32,
) -> Result<Layer, BuildError> {
    let files = file_contents(rootfs, changes);
    contents.prepare(files).map_err(|e| e.at(line))?;
    let failed = |failure: Failure| failure.at(job.repository, line);
    let blob = job.registry.begin_blob(job.repository)?;
    let mut tar = Hashed::new(Members::new(blob));
    tarball::write(rootfs, changes, contents, &mut tar).map_err(failed)?;
    let (members, diff_id) = tar.finish();
    let blob = members.finish().map_err(|e| failed(Failure::Output(e)))?;
    let descriptor = Descriptor {
        media_type: LAYER_GZIP.into(),
        ..blob.finish()?
    };
    Ok(Layer {
        descriptor,
        diff_id,
        from: None,
    })
}

fn file_contents<'a>(rootfs: &'a Rootfs, changes: &'a [Change]) -> impl Iterator<Item = &'a Content> {
    changes.iter().filter_map(|change| match change {
        Change::Is { id, .. } => match &rootfs.entry(*id).body {
            Body::File { content, .. } => Some(content),
            _ => None,
        },
        Change::Gone(_) => None,
    })
}

/// Hashes what goes through.
struct Hashed<W> {
    out: W,
    hash: sha2::Sha256,
}

impl<W: Write> Hashed<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            hash: sha2::Sha256::new(),
        }
    }

    fn finish(self) -> (W, Digest) {
        (self.out, Digest::from_bytes(self.hash.finalize().into()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
