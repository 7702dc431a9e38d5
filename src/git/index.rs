#![expect(clippy::disallowed_methods, reason = "edge: the git program")]
//! What git tracks: read by libgit2, or by the git program where libgit2 refuses (split or sparse index).

use super::{GitError, Repository};
use git2::Oid;
use std::path::Path;
use std::process::{Command, Stdio};

/// The flag of an index entry whose file a sparse checkout leaves out.
const SKIP_WORKTREE: u16 = 1 << 14;

/// An entry of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedFile {
    /// From the root of the working copy.
    pub path: Vec<u8>,
    /// Git's mode.
    pub mode: u32,
    /// The blob, or the commit of a submodule.
    pub id: Oid,
    /// Whether a sparse checkout leaves it out.
    pub absent: bool,
}

impl Repository {
    /// All entries of the index.
    ///
    /// # Errors
    /// [`GitError::Unsupported`] when neither libgit2 nor the git program can read it.
    pub fn tracked(&self) -> Result<Vec<TrackedFile>, GitError> {
        let workdir = self.require_workdir()?;
        match self.lock().index() {
            Ok(index) => Ok(index.iter().map(entry).collect()),
            Err(e) => by_program(workdir).ok_or_else(|| GitError::Unsupported {
                path: workdir.into(),
                reason: format!("its index cannot be read ({})", e.message()),
            }),
        }
    }

    /// Whether the modes on the disk mean anything (`core.fileMode`).
    pub fn has_file_modes(&self) -> bool {
        let config = self.lock().config();
        config.and_then(|c| c.get_bool("core.filemode")).unwrap_or(true)
    }
}

fn entry(entry: git2::IndexEntry) -> TrackedFile {
    TrackedFile {
        path: entry.path,
        mode: entry.mode,
        id: entry.id,
        absent: entry.flags_extended & SKIP_WORKTREE != 0,
    }
}

/// `git ls-files` with no hook, monitor or inherited variable (SEC-A7, SEC-A12).
fn by_program(workdir: &Path) -> Option<Vec<TrackedFile>> {
    let inherited = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    let out = Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(["ls-files", "--stage", "-t", "-z"])
        .current_dir(workdir)
        .env_clear()
        .envs(inherited)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    if !out.status.success() {
        return None;
    }
    let records = out.stdout.split(|b| *b == 0).filter(|record| !record.is_empty());
    records.map(parse).collect()
}

/// `<tag> <mode> <id> <stage>\t<path>`; the tag `S` says that the file is left out.
fn parse(record: &[u8]) -> Option<TrackedFile> {
    let tab = record.iter().position(|b| *b == b'\t')?;
    let mut words = str::from_utf8(&record[..tab]).ok()?.split(' ');
    let tag = words.next()?;
    Some(TrackedFile {
        mode: u32::from_str_radix(words.next()?, 8).ok()?,
        id: Oid::from_str(words.next()?).ok()?,
        path: record[tab + 1..].to_vec(),
        absent: tag == "S",
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn records_of_ls_files_are_read_whatever_the_path_holds() {
        let id = "1".repeat(40);
        let found = parse(format!("S 100755 {id} 0\ta\tb\nc").as_bytes()).unwrap();
        assert_eq!(
            (found.path.as_slice(), found.mode, found.absent),
            (&b"a\tb\nc"[..], 0o100_755, true)
        );
        assert!(!parse(format!("H 100644 {id} 0\tx").as_bytes()).unwrap().absent);
        for bad in ["", "H", "H 100644", "\t", "H 9 1 0\tx"] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
