//! The tar file of a layer: members sorted, nothing in it that depends on the machine.

use crate::builder::content::{Contents, step_error};
use crate::builder::rootfs::{Body, Change, Entry, Id, Meta, Rootfs};
use crate::builder::ustar::{self, Member};
use crate::builder::{BuildError, StepError};
use crate::model::RepoPath;
use crate::registry::Repository;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Which side failed.
pub(super) enum Failure {
    Input(StepError),
    Output(io::Error),
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::Input(error)
    }
}

impl Failure {
    pub(super) fn at(self, repository: &Repository, line: u32) -> BuildError {
        match self {
            Self::Input(error) => error.at(line),
            Self::Output(source) => BuildError::Write {
                repository: repository.clone(),
                source,
            },
        }
    }
}

/// Writes the tar file of some changes.
pub(super) fn write(
    rootfs: &Rootfs,
    changes: &[Change],
    contents: &Contents<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut tar = Tar {
        rootfs,
        contents,
        named: BTreeMap::new(),
        buffer: vec![0; BUFFER],
        out,
    };
    for change in changes {
        match change {
            Change::Gone(path) => tar.mark(&whiteout(path))?,
            Change::Is { path, id, opaque } => {
                tar.entry(path, *id)?;
                if *opaque {
                    tar.mark(&path.child(b".wh..wh..opq"))?;
                }
            }
        }
    }
    tar.bytes(&ustar::END)
}

/// The name that says that `path` is gone.
fn whiteout(path: &RepoPath) -> RepoPath {
    let name = [b".wh.", path.name()].concat();
    path.parent().unwrap_or_default().child(&name)
}

/// How much is read at once.
const BUFFER: usize = 128 << 10;

struct Tar<'a> {
    rootfs: &'a Rootfs,
    contents: &'a Contents<'a>,
    /// The first name of each entry that was written, for hard links.
    named: BTreeMap<Id, &'a RepoPath>,
    buffer: Vec<u8>,
    out: &'a mut dyn Write,
}

impl<'a> Tar<'a> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::Output)
    }

    fn mark(&mut self, path: &RepoPath) -> Result<(), Failure> {
        let meta = Meta::default();
        let member = Member {
            name: path.as_bytes(),
            tag: b'0',
            target: b"",
            size: 0,
            meta: &meta,
            device: (0, 0),
        };
        self.bytes(&member.header())
    }

    fn entry(&mut self, path: &'a RepoPath, id: Id) -> Result<(), Failure> {
        let Entry { meta, body } = self.rootfs.entry(id);
        let mut name = path.as_bytes().to_vec();
        let mut member = Member {
            name: &[],
            tag: b'5',
            target: b"",
            size: 0,
            meta,
            device: (0, 0),
        };
        let mut content = None;
        match body {
            Body::Folder(_) => name.push(b'/'),
            _ if self.named.contains_key(&id) => {
                member.tag = b'1';
                member.target = self.named[&id].as_bytes();
            }
            Body::Link(text) => {
                member.tag = b'2';
                member.target = text;
            }
            Body::Special { tag, device } => {
                member.tag = *tag;
                member.device = *device;
            }
            Body::File { content: bytes, size } => {
                self.named.insert(id, path);
                member.tag = b'0';
                member.size = *size;
                content = Some((bytes, *size));
            }
        }
        member.name = &name;
        self.bytes(&member.header())?;
        match content {
            Some((content, size)) => self.content(path, self.contents.open(content, size)?, size),
            None => Ok(()),
        }
    }

    /// Writes exactly `size` bytes: a stream of another length is not what was hashed.
    fn content(
        &mut self,
        path: &RepoPath,
        mut from: Box<dyn Read + Send + '_>,
        size: u64,
    ) -> Result<(), Failure> {
        let changed = || StepError::Changed(path.clone());
        let mut left = size;
        loop {
            let n = match from.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(step_error(error, &path.to_string()).into()),
            };
            left = left.checked_sub(n as u64).ok_or_else(changed)?;
            self.out.write_all(&self.buffer[..n]).map_err(Failure::Output)?;
        }
        if left > 0 {
            return Err(changed().into());
        }
        self.bytes(&[0; 512][..ustar::padding(size)])
    }
}
