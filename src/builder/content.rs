//! Where the bytes of a file are, and how they are read and checked.

use super::{BuildError, Job, StepError, archive};
use crate::model::{Digest, RepoPath};
use sha2::Digest as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A file's bytes, by reference.
#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes that stand in the container file.
    Bytes(Arc<[u8]>),
    /// A file of a context, with the digest it had when the revision was computed.
    Source {
        /// The named context; `None` is the build context.
        context: Option<Arc<str>>,
        /// Where in the context's tree.
        path: RepoPath,
        /// SHA-256 of the content.
        digest: Digest,
    },
    /// A member of an archive, kept aside.
    Spooled {
        /// The file without a name that holds it.
        spool: Arc<File>,
        /// Where it begins there.
        offset: u64,
        /// SHA-256 of the content.
        digest: Digest,
    },
    /// A member of a layer of a project image.
    Layer(Member),
}

/// A member of a layer in the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The repository that has the layer.
    pub repository: crate::registry::Repository,
    /// The layer's digest.
    pub layer: Digest,
    /// Its place among the layer's members, from 0.
    pub number: u64,
}

/// Where bytes were kept aside: the file, and where they begin in it.
type Place = (Arc<File>, u64);

/// Opens contents.
pub(crate) struct Contents<'a> {
    job: &'a Job<'a>,
    kept: BTreeMap<Member, Place>,
}

impl<'a> Contents<'a> {
    pub(crate) fn new(job: &'a Job<'a>) -> Self {
        Self {
            job,
            kept: BTreeMap::new(),
        }
    }

    /// Makes members of layers ready to be opened in any order: each layer is read once.
    pub(crate) fn prepare<'c>(&mut self, wanted: impl Iterator<Item = &'c Content>) -> Result<(), StepError> {
        let mut layers: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        for content in wanted {
            if let Content::Layer(member) = content
                && !self.kept.contains_key(member)
            {
                let key = (member.repository.clone(), member.layer);
                layers.entry(key).or_default().insert(member.number);
            }
        }
        for ((repository, layer), numbers) in layers {
            let failed = read_error(layer.to_string());
            let stream = self.job.registry.blob(&repository, &layer)?;
            let found = keep_members(stream, &numbers).map_err(failed)?;
            for (number, place) in found {
                let member = Member {
                    repository: repository.clone(),
                    layer,
                    number,
                };
                self.kept.insert(member, place);
            }
        }
        Ok(())
    }

    /// A stream of the content of `size` bytes. It ends in an error when the bytes are not those that were hashed;
    /// members of layers must have been [prepared](Contents::prepare).
    pub(crate) fn open<'s>(
        &'s self,
        content: &'s Content,
        size: u64,
    ) -> Result<Box<dyn Read + Send + 's>, StepError> {
        match content {
            Content::Bytes(bytes) => Ok(Box::new(&bytes[..])),
            Content::Source {
                context,
                path,
                digest,
            } => self.open_source(context.as_deref(), path, *digest),
            Content::Spooled { spool, offset, .. } => Ok(Box::new(part(spool, *offset, size))),
            Content::Layer(member) => match self.kept.get(member) {
                Some((spool, offset)) => Ok(Box::new(part(spool, *offset, size))),
                None => Err(StepError::NotFound(format!(
                    "member {} of {}",
                    member.number, member.layer
                ))),
            },
        }
    }

    /// A file of a context as a stream that checks itself.
    pub(crate) fn open_source(
        &self,
        context: Option<&str>,
        path: &RepoPath,
        digest: Digest,
    ) -> Result<Box<dyn Read + Send + '_>, StepError> {
        let tree = self
            .job
            .contexts
            .get(context)
            .ok_or_else(|| StepError::NotFound(path.to_string()))?;
        Ok(Box::new(Checked {
            inner: tree.tree.open(path)?,
            hash: sha2::Sha256::new(),
            want: digest,
            path: path.clone(),
        }))
    }

    /// The whole of a small file.
    pub(crate) fn small(&mut self, content: &Content, size: u64, limit: u64) -> Result<Vec<u8>, StepError> {
        if size > limit {
            return Err(StepError::Value(format!("a file of more than {limit} bytes")));
        }
        self.prepare(std::iter::once(content))?;
        let mut bytes = Vec::new();
        let read = self.open(content, size)?.read_to_end(&mut bytes);
        read.map_err(|e| step_error(e, "a file of the image"))?;
        Ok(bytes)
    }
}

/// Makes an error of what a stream of [`Contents::open`] failed with.
pub(crate) fn step_error(error: io::Error, what: &str) -> StepError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Changed>()) {
        Some(changed) => StepError::Changed(changed.0.clone()),
        None => read_error(what.to_owned())(error),
    }
}

pub(crate) fn read_error(what: String) -> impl FnOnce(io::Error) -> StepError {
    move |source| StepError::Read { what, source }
}

/// Marks an [`io::Error`] as "not what was hashed" (SEC-A2).
#[derive(Debug, thiserror::Error)]
#[error("{0} changed")]
pub(crate) struct Changed(pub(crate) RepoPath);

struct Checked<'a> {
    inner: Box<dyn Read + Send + 'a>,
    hash: sha2::Sha256,
    want: Digest,
    path: RepoPath,
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        if n == 0 && !buffer.is_empty() {
            let found = std::mem::replace(&mut self.hash, sha2::Sha256::new());
            if Digest::from_bytes(found.finalize().into()) != self.want {
                return Err(io::Error::other(Changed(self.path.clone())));
            }
        }
        Ok(n)
    }
}

/// `length` bytes of a file from `offset` on.
fn part(file: &Arc<File>, offset: u64, length: u64) -> io::Take<Part> {
    Part {
        file: Arc::clone(file),
        at: offset,
    }
    .take(length)
}

struct Part {
    file: Arc<File>,
    at: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// A file without a name, to which contents are appended.
pub(crate) struct Spool {
    file: File,
    end: u64,
}

impl Spool {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            end: 0,
        })
    }

    /// Appends all of a stream.
    pub(crate) fn keep(&mut self, from: &mut dyn Read) -> io::Result<Kept> {
        let mut from = Hashing {
            inner: from,
            hash: sha2::Sha256::new(),
        };
        let size = io::copy(&mut from, &mut self.file)?;
        let offset = self.end;
        self.end += size;
        Ok(Kept {
            offset,
            size,
            digest: Digest::from_bytes(from.hash.finalize().into()),
        })
    }

    pub(crate) fn finish(mut self) -> io::Result<Arc<File>> {
        self.file.flush()?;
        Ok(Arc::new(self.file))
    }
}

/// A content that was appended to a [`Spool`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) offset: u64,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
}

struct Hashing<'a> {
    inner: &'a mut dyn Read,
    hash: sha2::Sha256,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}

fn keep_members(mut stream: Box<dyn Read + Send>, numbers: &BTreeSet<u64>) -> io::Result<Vec<(u64, Place)>> {
    let mut spool = Spool::new()?;
    let mut places = Vec::new();
    archive::for_each(&mut stream, &mut |number, _, bytes| {
        if numbers.contains(&number) {
            places.push((number, spool.keep(bytes)?.offset));
        }
        Ok(())
    })?;
    let file = spool.finish()?;
    let place = |(number, offset)| (number, (Arc::clone(&file), offset));
    Ok(places.into_iter().map(place).collect())
}

impl StepError {
    /// The same error, with the line of the instruction.
    pub(crate) fn at(self, line: u32) -> BuildError {
        match self {
            Self::Registry(error) => BuildError::Registry(error),
            source => BuildError::Instruction { line, source },
        }
    }
}
