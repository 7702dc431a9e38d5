//! From what changed in a stage to a layer blob: a deterministic tar, compressed while it is written.
//!
//! The same changes give the same bytes on every machine: members are sorted, files of a context
//! have no time (1970), owners stand as numbers, the compression is fixed ([`super::gzip`]). So a
//! layer whose files did not change is a blob that the registry has already.

use super::content::{Changed, Contents, step_error};
use super::gzip::Members;
use super::rootfs::{Body, Change, Entry, Id, Rootfs};
use super::ustar::{self, Member};
use super::{BuildError, StepError};
use crate::model::{Digest, RepoPath};
use crate::registry::{Descriptor, LAYER_GZIP, Registry, Repository};
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

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

/// Writes what changed in `rootfs` as a layer of `repository`; `None` when nothing did.
///
/// # Errors
/// [`BuildError`] with `line`, when contents cannot be read or are not what was hashed.
pub(crate) fn write(
    rootfs: &Rootfs,
    contents: &mut Contents<'_>,
    registry: &dyn Registry,
    repository: &Repository,
    line: u32,
) -> Result<Option<Layer>, BuildError> {
    let changes = rootfs.changes();
    if changes.is_empty() {
        return Ok(None);
    }
    contents
        .prepare(file_contents(rootfs, &changes))
        .map_err(|e| e.at(line))?;
    let blob = registry.begin_blob(repository)?;
    let mut tar = Hashed::new(Members::new(blob));
    write_tar(rootfs, &changes, contents, &mut tar).map_err(|e| e.at(repository, line))?;
    let (members, diff_id) = tar.finish();
    let blob = members
        .finish()
        .map_err(|source| Failure::Output(source).at(repository, line))?;
    let descriptor = Descriptor {
        media_type: LAYER_GZIP.into(),
        ..blob.finish()?
    };
    Ok(Some(Layer {
        descriptor,
        diff_id,
        from: None,
    }))
}

fn file_contents<'a>(
    rootfs: &'a Rootfs,
    changes: &'a [Change],
) -> impl Iterator<Item = &'a super::content::Content> {
    changes.iter().filter_map(|change| match change {
        Change::Is { id, .. } => match &rootfs.entry(*id).body {
            Body::File { content, .. } => Some(content),
            _ => None,
        },
        Change::Gone(_) => None,
    })
}

/// Which side failed.
enum Failure {
    Input(StepError),
    Output(io::Error),
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::Input(error)
    }
}

impl Failure {
    fn at(self, repository: &Repository, line: u32) -> BuildError {
        match self {
            Self::Input(error) => error.at(line),
            Self::Output(source) => BuildError::Write {
                repository: repository.clone(),
                source,
            },
        }
    }
}

fn write_tar(
    rootfs: &Rootfs,
    changes: &[Change],
    contents: &Contents<'_>,
    tar: &mut dyn Write,
) -> Result<(), Failure> {
    let mut named = BTreeMap::new();
    for change in changes {
        match change {
            Change::Gone(path) => write_mark(&whiteout(path), tar)?,
            Change::Is { path, id, opaque } => {
                write_entry(path, *id, rootfs.entry(*id), &mut named, contents, tar)?;
                if *opaque {
                    write_mark(&path.child(b".wh..wh..opq"), tar)?;
                }
            }
        }
    }
    tar.write_all(&ustar::END).map_err(Failure::Output)
}

/// The name that says that `path` is gone.
fn whiteout(path: &RepoPath) -> RepoPath {
    let name = [b".wh.", path.name()].concat();
    path.parent().unwrap_or_default().child(&name)
}

fn write_mark(path: &RepoPath, tar: &mut dyn Write) -> Result<(), Failure> {
    let member = Member {
        name: path.as_bytes(),
        tag: b'0',
        target: b"",
        size: 0,
        meta: &super::rootfs::Meta::default(),
        device: (0, 0),
    };
    tar.write_all(&member.header()).map_err(Failure::Output)
}

/// Writes one entry; `named` knows the first name of each entry that was written, for hard links.
fn write_entry<'a>(
    path: &'a RepoPath,
    id: Id,
    entry: &Entry,
    named: &mut BTreeMap<Id, &'a RepoPath>,
    contents: &Contents<'_>,
    tar: &mut dyn Write,
) -> Result<(), Failure> {
    let mut name = path.as_bytes().to_vec();
    let mut member = Member {
        name: &[],
        tag: b'5',
        target: b"",
        size: 0,
        meta: &entry.meta,
        device: (0, 0),
    };
    match &entry.body {
        Body::Folder(_) => name.push(b'/'),
        _ if named.contains_key(&id) => {
            member.tag = b'1';
            member.target = named[&id].as_bytes();
        }
        Body::Link(text) => {
            member.tag = b'2';
            member.target = text;
        }
        Body::Special { tag, device } => {
            member.tag = *tag;
            member.device = *device;
        }
        Body::File { content, size } => {
            named.insert(id, path);
            member.tag = b'0';
            member.size = *size;
            member.name = &name;
            tar.write_all(&member.header()).map_err(Failure::Output)?;
            let bytes = contents.open(content, *size)?;
            return write_bytes(path, bytes, *size, tar);
        }
    }
    member.name = &name;
    tar.write_all(&member.header()).map_err(Failure::Output)
}

/// Writes exactly `size` bytes: a stream of another length is not what was hashed.
fn write_bytes(
    path: &RepoPath,
    mut bytes: Box<dyn Read + Send + '_>,
    size: u64,
    tar: &mut dyn Write,
) -> Result<(), Failure> {
    let mut buffer = vec![0; 128 << 10];
    let mut left = size;
    loop {
        let n = match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(step_error(error, &path.to_string()).into()),
        };
        let changed = || step_error(io::Error::other(Changed(path.clone())), "");
        left = left.checked_sub(n as u64).ok_or_else(changed)?;
        tar.write_all(&buffer[..n]).map_err(Failure::Output)?;
    }
    if left > 0 {
        return Err(StepError::Changed(path.clone()).into());
    }
    tar.write_all(&[0; 512][..ustar::padding(size)])
        .map_err(Failure::Output)
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
