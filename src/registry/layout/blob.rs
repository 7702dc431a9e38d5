#![expect(clippy::disallowed_methods, reason = "edge: the blobs of a layout")]
//! Blobs: files named by their content.

use super::place::{Place, failed};
use crate::model::Digest;
use crate::registry::verified::Verified;
use crate::registry::{BlobWriter, Descriptor, OCTETS, RegistryError};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use tempfile::NamedTempFile;

/// The size of a blob; `None` when it is not there.
pub(super) fn size(place: &Place, digest: &Digest) -> Result<Option<u64>, RegistryError> {
    let path = place.blob(digest);
    match std::fs::metadata(&path) {
        Ok(meta) => Ok(meta.is_file().then_some(meta.len())),
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Err(failed("read", &path, e)),
    }
}

/// Whether the blob is there with its content unharmed.
pub(super) fn is_whole(place: &Place, digest: &Digest, size: u64) -> bool {
    let Ok(file) = File::open(place.blob(digest)) else {
        return false;
    };
    if !file.metadata().is_ok_and(|meta| meta.len() == size) {
        return false;
    }
    io::copy(&mut Verified::new(file, *digest), &mut io::sink()).is_ok()
}

/// A blob's content; its digest is verified when the end is read.
pub(super) fn open(place: &Place, digest: &Digest) -> Result<impl Read + Send + use<>, RegistryError> {
    let path = place.blob(digest);
    match File::open(&path) {
        Ok(file) => Ok(Verified::new(file, *digest)),
        Err(e) if is_absent(&e) => Err(RegistryError::Missing(format!("{}@{digest}", place.repository()))),
        Err(e) => Err(failed("read", &path, e)),
    }
}

/// Makes a blob of `from` appear in `to`: by a hard link, or a copy where the file system has none.
pub(super) fn mount(to: &Place, from: &Place, digest: &Digest) -> Result<bool, RegistryError> {
    if size(from, digest)?.is_none() {
        return Ok(false);
    }
    if size(to, digest)?.is_some() {
        return Ok(true);
    }
    to.make()?;
    match std::fs::hard_link(from.blob(digest), to.blob(digest)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(true),
        Err(e) if is_absent(&e) => Ok(false),
        Err(_) => copy(to, from, digest),
    }
}

fn copy(to: &Place, from: &Place, digest: &Digest) -> Result<bool, RegistryError> {
    let mut source = open(from, digest)?;
    let mut writer = Box::new(Writer::begin(to.clone())?);
    io::copy(&mut source, &mut writer).map_err(|e| failed("copy", &from.blob(digest), e))?;
    writer.finish()?;
    Ok(true)
}

pub(super) fn descriptor(digest: Digest, size: u64) -> Descriptor {
    Descriptor {
        media_type: OCTETS.into(),
        digest,
        size,
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A blob that is being written. Dropped unfinished, it leaves nothing.
pub(super) struct Writer {
    place: Place,
    file: NamedTempFile,
    hash: Sha256,
    size: u64,
    broken: bool,
}

impl Writer {
    pub fn begin(place: Place) -> Result<Self, RegistryError> {
        place.make()?;
        Ok(Self {
            file: place.new_file()?,
            place,
            hash: Sha256::new(),
            size: 0,
            broken: false,
        })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        match &written {
            Ok(count) => {
                self.hash.update(&bytes[..*count]);
                self.size += *count as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.broken = true,
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Writer {
    fn finish(self: Box<Self>) -> Result<Descriptor, RegistryError> {
        let digest = Digest::from_bytes(self.hash.finalize().into());
        let path = self.place.blob(&digest);
        if self.broken {
            let reason = io::Error::other("an earlier write failed");
            return Err(failed("write", &path, reason));
        }
        // A blob that is there already is written over all the same: that heals a damaged one.
        self.place.persist(self.file, &path)?;
        Ok(descriptor(digest, self.size))
    }
}
