#![expect(clippy::disallowed_methods, reason = "edge: files below a root")]
//! Files below a root, reached component by component from open folders (SEC-A1).

use crate::cache::file_ids::Stat;
use crate::model::RepoPath;
use crate::tree::Kind;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// How many folders are held open for the next question.
const OPEN: usize = 128;

/// An open root and some open folders below it.
#[derive(Debug)]
pub(super) struct Beneath {
    root: Arc<OwnedFd>,
    folders: Mutex<HashMap<RepoPath, Arc<OwnedFd>>>,
}

/// A name in a folder, and its kind where the file system tells without being asked for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raw {
    pub name: Vec<u8>,
    pub kind: FileType,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub file_type: FileType,
    mode: u32,
    pub stat: Stat,
}

impl Look {
    /// The kind; a file is executable when its mode has one of the `bits`.
    pub fn kind(&self, bits: u32) -> Kind {
        match self.file_type {
            FileType::RegularFile => Kind::File {
                executable: self.mode & bits != 0,
            },
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Special,
        }
    }
}

impl Beneath {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self::from_fd(rustix::fs::open(folder, flags, Mode::empty())?))
    }

    fn from_fd(fd: OwnedFd) -> Self {
        Self {
            root: Arc::new(fd),
            folders: Mutex::default(),
        }
    }

    /// The folder at a path as a root of its own; `None` when there is none.
    pub fn descend(&self, path: &RepoPath) -> io::Result<Option<Self>> {
        let folder = self.folder(path)?;
        let fd = folder.map(|folder| folder.try_clone()).transpose()?;
        Ok(fd.map(Self::from_fd))
    }

    /// The names in a folder, unsorted; `None` when no folder is there.
    pub fn list(&self, path: &RepoPath) -> io::Result<Option<Vec<Raw>>> {
        let Some(folder) = self.folder(path)? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for entry in Dir::read_from(&*folder)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                match self.look(&path.child(name))? {
                    Some(look) => kind = look.file_type,
                    None => continue,
                }
            }
            found.push(Raw {
                name: name.to_vec(),
                kind,
            });
        }
        Ok(Some(found))
    }

    /// What stands at a path below the root; no link is followed.
    pub fn look(&self, path: &RepoPath) -> io::Result<Option<Look>> {
        let Some(folder) = self.parent(path)? else {
            return Ok(None);
        };
        match rustix::fs::statat(&*folder, path.name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(look(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// A regular file, open, with its stat. Anything else is refused before and after it is opened.
    pub fn open_file(&self, path: &RepoPath) -> io::Result<(File, Stat)> {
        let regular = self.look(path)?.ok_or(io::ErrorKind::NotFound)?;
        check_regular(&regular)?;
        let folder = self.parent(path)?.ok_or(io::ErrorKind::NotFound)?;
        // Should a FIFO have taken its place meanwhile, opening does not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&*folder, path.name(), flags, Mode::empty())?);
        let found = look(&rustix::fs::fstat(&file)?);
        check_regular(&found)?;
        Ok((file, found.stat))
    }

    /// The text of a link.
    pub fn read_link(&self, path: &RepoPath) -> io::Result<Vec<u8>> {
        let folder = self.parent(path)?.ok_or(io::ErrorKind::NotFound)?;
        let text = rustix::fs::readlinkat(&*folder, path.name(), Vec::new())?;
        Ok(text.into_bytes())
    }

    fn parent(&self, path: &RepoPath) -> io::Result<Option<Arc<OwnedFd>>> {
        match path.parent() {
            Some(parent) => self.folder(&parent),
            None => Ok(None),
        }
    }

    /// The open folder at a path; `None` when the way there leads through something else.
    fn folder(&self, path: &RepoPath) -> io::Result<Option<Arc<OwnedFd>>> {
        let (mut at, mut fd) = self.nearest(path);
        let Some(rest) = path.strip_prefix(&at) else {
            return Ok(None);
        };
        for name in rest.components() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(&*fd, name, flags, Mode::empty()) {
                Ok(opened) => fd = Arc::new(opened),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
            at = at.child(name);
            self.keep(&at, &fd);
        }
        Ok(Some(fd))
    }

    /// The path itself or the nearest folder above it that is open.
    fn nearest(&self, path: &RepoPath) -> (RepoPath, Arc<OwnedFd>) {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = path.clone();
        while let Some(parent) = at.parent() {
            if let Some(known) = folders.get(&at) {
                return (at, known.clone());
            }
            at = parent;
        }
        (at, self.root.clone())
    }

    fn keep(&self, path: &RepoPath, fd: &Arc<OwnedFd>) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= OPEN {
            folders.clear();
        }
        folders.insert(path.clone(), fd.clone());
    }
}

/// The stat of an open file.
pub(super) fn stat_of(file: &File) -> io::Result<Stat> {
    Ok(look(&rustix::fs::fstat(file)?).stat)
}

/// The clock, in nanoseconds since 1970, to tell which stats are too young to be trusted.
pub(super) fn now() -> i128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |d| i128::try_from(d.as_nanos()).unwrap_or(i128::MAX))
}

fn check_regular(look: &Look) -> io::Result<()> {
    match look.file_type {
        FileType::RegularFile => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

#[expect(clippy::allow_attributes, reason = "the widths differ from system to system")]
#[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "see above")]
fn look(stat: &rustix::fs::Stat) -> Look {
    let time = |seconds: i128, nanoseconds: i128| seconds * 1_000_000_000 + nanoseconds;
    Look {
        file_type: FileType::from_raw_mode(stat.st_mode),
        mode: u32::from(stat.st_mode),
        stat: Stat {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: time(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: time(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
        },
    }
}
