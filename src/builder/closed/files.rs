//! The files of the contexts: which, and how they come onto the disk.

#![expect(clippy::disallowed_methods, reason = "edge: lays out build contexts")]

use super::super::content::step_error;
use super::super::{BuildError, Job, StepError};
use super::cannot;
use crate::containerfile::recipe::Op;
use crate::model::{Digest, RepoPath};
use crate::revision::manifest::{ContextTree, Section};
use crate::tree::Kind;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// How many links are followed to find where one leads.
const MOST_LINKS: usize = 40;

/// What is laid out of one context, by the path below its root.
pub(super) type Set = BTreeMap<RepoPath, Laid>;

/// One file, link or folder.
#[derive(Debug, Clone)]
pub(super) struct Laid {
    kind: Kind,
    content: Digest,
    /// Where it stands in the tree of the context; nowhere for an empty file that only stands in.
    path: Option<RepoPath>,
    /// The line of the instruction that reads it.
    line: u32,
}

/// All that the manifest of a job names, by context. The build context is there even when nothing reads it.
pub(super) fn sets(job: &Job<'_>) -> Result<BTreeMap<Option<String>, Set>, BuildError> {
    let mut sets = BTreeMap::from([(None, Set::new())]);
    for section in job.manifest.sections.iter().chain(&job.manifest.whole) {
        let context = job.contexts.get(section.context.as_deref()).ok_or_else(|| {
            let name = section.context.clone().unwrap_or_default();
            StepError::NotFound(name).at(section.line)
        })?;
        let set = sets.entry(section.context.clone()).or_default();
        add(set, context, section);
    }
    for section in job
        .manifest
        .sections
        .iter()
        .filter(|section| keeps_parents(job, section))
    {
        let key = &section.context;
        if let (Some(context), Some(set)) = (job.contexts.get(key.as_deref()), sets.get_mut(key)) {
            let links = section
                .roots
                .iter()
                .flat_map(|root| root.entries.iter())
                .filter(|read| read.kind == Kind::Link);
            for link in links {
                stand_in(set, context, &link.path, section.line).map_err(|error| error.at(section.line))?;
            }
        }
    }
    Ok(sets)
}

/// Whether a section is that of a COPY with `--parents`.
fn keeps_parents(job: &Job<'_>, section: &Section) -> bool {
    let stage = job.recipe.stages.get(section.stage);
    let step = stage.and_then(|stage| stage.steps.get(section.step));
    step.is_some_and(|step| matches!(&step.op, Op::Transfer(transfer) if transfer.parents))
}

/// Lays out something where a link leads. BuildKit copies the link as it is under `--parents`, but looks for its
/// target first, whose content plays no part: an empty file does, and nothing that was not hashed comes in.
fn stand_in(set: &mut Set, context: &ContextTree<'_>, link: &RepoPath, line: u32) -> Result<(), StepError> {
    let Some(link) = link.strip_prefix(&context.root) else {
        return Ok(());
    };
    let mut put = |at: &RepoPath, kind, content, path| {
        set.entry(at.clone()).or_insert(Laid {
            kind,
            content,
            path,
            line,
        });
    };
    let (mut at, mut names) = (link.parent().unwrap_or_default(), vec![link.name().to_vec()]);
    let mut left = MOST_LINKS;
    while let Some(name) = names.pop() {
        let next = at.resolve(&name);
        let path = context.root.join(&next);
        match context.tree.kind(&path)? {
            Some(Kind::Link) if left > 0 => {
                left -= 1;
                let text = context.tree.link(&path)?;
                put(&next, Kind::Link, Digest::of(&text), Some(path));
                if text.starts_with(b"/") {
                    at = RepoPath::root();
                }
                names.extend(
                    text.split(|b| *b == b'/')
                        .rev()
                        .filter(|part| !part.is_empty())
                        .map(<[u8]>::to_vec),
                );
            }
            Some(Kind::Directory) => at = next,
            Some(Kind::File { .. }) => {
                put(&next, Kind::File { executable: false }, Digest::EMPTY, None);
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
    put(&at, Kind::Directory, Digest::EMPTY, None);
    Ok(())
}

fn add(set: &mut Set, context: &ContextTree<'_>, section: &Section) {
    let mut put = |path: &RepoPath, kind: Kind, content: Digest| {
        let Some(below) = path.strip_prefix(&context.root) else {
            return;
        };
        let laid = Laid {
            kind,
            content,
            path: Some(path.clone()),
            line: section.line,
        };
        // A folder that is only there to be there gives way to nothing.
        set.entry(below).or_insert(laid);
    };
    for (path, content) in &section.followed {
        put(path, Kind::Link, *content);
    }
    for root in &section.roots {
        if root.kind == Kind::Directory {
            put(&root.path, Kind::Directory, Digest::EMPTY);
        }
        for read in &*root.entries {
            put(&read.path, read.kind, read.content);
        }
    }
}

/// The time that everything has: a second in the past, chosen by all that is laid out. So equal times mean
/// equal contents, for builders that compare no more than size and time, and `make` sees no order.
pub(super) fn time(sets: &BTreeMap<Option<String>, Set>) -> i64 {
    let mut hash = Sha256::new();
    let mut framed = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for (name, set) in sets {
        framed(name.as_deref().unwrap_or_default().as_bytes());
        framed(&(set.len() as u64).to_be_bytes());
        for (path, laid) in set {
            framed(path.as_bytes());
            framed(laid.kind.words().as_bytes());
            framed(&[u8::from(laid.kind == Kind::File { executable: true })]);
            framed(laid.content.as_bytes());
        }
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let number = bytes[..8].iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
    /// 1982; nothing that counts from 1980 on stumbles.
    const FIRST: i64 = 400_000_000;
    FIRST + i64::try_from(number % 1_000_000_000).unwrap_or_default()
}

/// Writes one context. Every content is hashed on its way.
pub(super) fn write(
    job: &Job<'_>,
    name: Option<&str>,
    set: &Set,
    at: &Path,
    time: i64,
) -> Result<(), BuildError> {
    let Some(context) = job.contexts.get(name) else {
        return Err(StepError::NotFound(name.unwrap_or_default().into()).at(1));
    };
    let mut folders = BTreeSet::new();
    folder(at, at, &mut folders).map_err(|e| cannot("make a folder", at, &e).at(1))?;
    for (path, laid) in set {
        let place = at.join(OsStr::from_bytes(path.as_bytes()));
        one(context, laid, at, &place, time, &mut folders).map_err(|error| error.at(laid.line))?;
    }
    for folder in folders.iter().rev() {
        settle(folder, Some(0o755), time).map_err(|e| cannot("set times", folder, &e).at(1))?;
    }
    Ok(())
}

fn one(
    context: &ContextTree<'_>,
    laid: &Laid,
    top: &Path,
    place: &Path,
    time: i64,
    folders: &mut BTreeSet<PathBuf>,
) -> Result<(), StepError> {
    let written = |error: io::Error| cannot("write", place, &error);
    if laid.kind == Kind::Directory {
        return folder(top, place, folders).map_err(written);
    }
    folder(top, place.parent().unwrap_or(top), folders).map_err(written)?;
    let nowhere = RepoPath::root();
    let path = laid.path.as_ref().unwrap_or(&nowhere);
    match laid.kind {
        Kind::Link => {
            let text = context.tree.link(path)?;
            if Digest::of(&text) != laid.content {
                return Err(StepError::Changed(path.clone()));
            }
            symlink(OsStr::from_bytes(&text), place).map_err(written)?;
            settle(place, None, time).map_err(written)
        }
        Kind::File { executable } => {
            let mut from: Box<dyn Read + Send> = match laid.path.is_some() {
                true => context.tree.open(path)?,
                false => Box::new(io::empty()),
            };
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(place)
                .map_err(written)?;
            copy(&mut *from, file, path, &laid.content, written)?;
            let mode = if executable { 0o755 } else { 0o644 };
            settle(place, Some(mode), time).map_err(written)
        }
        Kind::Directory | Kind::Submodule | Kind::Special => {
            let what = laid.kind.words();
            Err(StepError::Value(format!("{path} is {what}")))
        }
    }
}

/// Copies a file, and refuses it when it is not what was hashed (SEC-A2).
fn copy(
    from: &mut (dyn Read + Send),
    mut to: File,
    path: &RepoPath,
    content: &Digest,
    written: impl Fn(io::Error) -> StepError,
) -> Result<(), StepError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|error| step_error(error, &path.to_string()))?,
        };
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read]).map_err(&written)?;
    }
    match Digest::from_bytes(hash.finalize().into()) == *content {
        true => Ok(()),
        false => Err(StepError::Changed(path.clone())),
    }
}

/// Makes a folder and those above it, up to `top`.
fn folder(top: &Path, at: &Path, made: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    if made.contains(at) {
        return Ok(());
    }
    fs::create_dir_all(at)?;
    for above in at.ancestors().take_while(|above| above.starts_with(top)) {
        if !made.insert(above.to_owned()) {
            break;
        }
    }
    Ok(())
}

/// Sets mode and time; a link has no mode.
fn settle(path: &Path, mode: Option<u32>, time: i64) -> io::Result<()> {
    if let Some(mode) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    let moment = Timespec {
        tv_sec: time,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: moment,
        last_modification: moment,
    };
    Ok(rustix::fs::utimensat(
        CWD,
        path,
        &times,
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// Makes a folder.
pub(super) fn folder_at(path: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(path).map_err(|error| cannot("make a folder", path, &error).at(1))
}

/// Writes a file of the folder itself.
pub(super) fn plain(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let parent = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(parent).and_then(|()| fs::write(path, bytes));
    written.map_err(|error| cannot("write", path, &error).at(1))
}
