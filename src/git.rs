#![expect(clippy::disallowed_methods, reason = "edge: the git repository")]
//! The git repository: which commit is meant, what it stands on, what changed since.
//!
//! Objects are read through libgit2. No hook, filter or program of the repository is run, no
//! `GIT_*` variable is looked at, and user text is never handed to a revision parser (SEC-A7).

pub mod changes;
mod clean;
pub mod error;
pub mod history;
pub mod index;
mod index_file;
pub mod objects;
pub mod patch;
pub mod revision;

pub use changes::{Change, Difference};
pub use error::GitError;
pub use objects::Objects;
pub use patch::PatchId;

use crate::model::{CommitId, RepoPath};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A git repository, for any number of threads.
pub struct Repository {
    inner: Mutex<git2::Repository>,
    objects: Arc<Objects>,
    common_dir: PathBuf,
    workdir: Option<PathBuf>,
    shallow: Vec<git2::Oid>,
}

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// When it was committed, in seconds since 1970 UTC.
    pub time: i64,
    /// The author's name; bytes that are not UTF-8 are replaced.
    pub author: String,
    /// The author's address, likewise.
    pub email: String,
    /// The first paragraph of the message on one line, likewise.
    pub summary: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repository({})", self.common_dir.display())
    }
}

impl Repository {
    /// The repository that `dir` lies in: its own or that of a folder above. Linked worktrees and
    /// bare repositories are repositories.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::Unsupported`], or that of the file system.
    pub fn discover(dir: &Path) -> Result<Self, GitError> {
        prepare();
        let inner = git2::Repository::discover(dir).map_err(|e| GitError::opening(dir, e))?;
        let common_dir = inner.commondir().to_path_buf();
        Ok(Self {
            objects: Arc::new(Objects::open(&common_dir.join("objects"))?),
            workdir: inner.workdir().map(Path::to_path_buf),
            shallow: shallow_boundary(&common_dir),
            common_dir,
            inner: Mutex::new(inner),
        })
    }

    /// The folder that all worktrees share: `.git` of the first one, or the bare repository.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The root of the working copy; `None` in a bare repository.
    pub fn workdir(&self) -> Option<&Path> {
        self.workdir.as_deref()
    }

    /// The root of the working copy, which a bare repository lacks.
    ///
    /// # Errors
    /// [`GitError::Bare`].
    pub fn require_workdir(&self) -> Result<&Path, GitError> {
        self.workdir().ok_or(GitError::Bare)
    }

    /// Whether history was cut off when the repository was cloned.
    pub fn is_shallow(&self) -> bool {
        !self.shallow.is_empty()
    }

    /// The object store, to share with trees.
    pub fn objects(&self) -> &Arc<Objects> {
        &self.objects
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// [`GitError::Unborn`] while there is none, [`GitError::MissingCommit`].
    pub fn head(&self) -> Result<CommitId, GitError> {
        let repo = self.lock();
        let head = repo.head().map_err(|e| GitError::head(&e))?;
        let commit = head.peel_to_commit().map_err(GitError::from)?;
        id(commit.id())
    }

    /// The name of the branch that is checked out, when one is.
    pub fn branch(&self) -> Option<String> {
        let repo = self.lock();
        let head = repo.find_reference("HEAD").ok()?;
        let target = head.symbolic_target_bytes()?.strip_prefix(b"refs/heads/")?;
        Some(String::from_utf8_lossy(target).into_owned())
    }

    /// Time, author and summary of a commit.
    ///
    /// # Errors
    /// [`GitError::MissingCommit`].
    pub fn info(&self, commit: &CommitId) -> Result<CommitInfo, GitError> {
        let repo = self.lock();
        let found = repo
            .find_commit(self.oid(commit)?)
            .map_err(|e| self.missing(commit, e))?;
        let author = found.author();
        // What others wrote reaches terminals: no control character passes.
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect::<String>()
        };
        Ok(CommitInfo {
            time: found.time().seconds(),
            author: text(author.name_bytes()),
            email: text(author.email_bytes()),
            summary: text(found.summary_bytes().unwrap_or_default()),
        })
    }

    /// The id of a commit's root tree.
    ///
    /// # Errors
    /// [`GitError::MissingCommit`].
    pub fn tree_id(&self, commit: &CommitId) -> Result<git2::Oid, GitError> {
        let oid = self.oid(commit)?;
        self.objects.tree_of(oid).map_err(|e| self.missing(commit, e))
    }

    /// The parents of a commit, in order; in a shallow clone the oldest commits have none.
    ///
    /// # Errors
    /// [`GitError::MissingCommit`].
    pub fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, GitError> {
        let repo = self.lock();
        let found = repo
            .find_commit(self.oid(commit)?)
            .map_err(|e| self.missing(commit, e))?;
        found.parent_ids().map(id).collect()
    }

    /// The configured address of the user, for the journal's actor.
    pub fn user_email(&self) -> Option<String> {
        let config = self.lock().config().ok()?.snapshot().ok()?;
        let email = config.get_str("user.email").ok()?;
        Some(email.to_owned()).filter(|email| !email.is_empty())
    }

    /// Whether git ignores the path: a folder when it ends in `/`. What is tracked may be ignored too.
    ///
    /// # Errors
    /// That of reading ignore files.
    pub fn is_ignored(&self, path: &RepoPath, folder: bool) -> Result<bool, GitError> {
        use std::os::unix::ffi::OsStrExt;
        let mut raw = path.as_bytes().to_vec();
        if folder {
            raw.push(b'/');
        }
        let path = Path::new(std::ffi::OsStr::from_bytes(&raw));
        Ok(self.lock().is_path_ignored(path)?)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, git2::Repository> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn oid(&self, commit: &CommitId) -> Result<git2::Oid, GitError> {
        git2::Oid::from_str(commit.as_str()).map_err(|_| self.absent(commit))
    }

    /// The error for a commit that is not here.
    pub(crate) fn absent(&self, commit: &CommitId) -> GitError {
        GitError::MissingCommit {
            commit: commit.clone(),
            shallow: self.is_shallow(),
        }
    }

    pub(crate) fn missing(&self, commit: &CommitId, error: git2::Error) -> GitError {
        match error.code() {
            git2::ErrorCode::NotFound => self.absent(commit),
            _ => error.into(),
        }
    }
}

/// The id in the model's words.
pub(crate) fn id(oid: git2::Oid) -> Result<CommitId, GitError> {
    let text = oid.to_string();
    text.parse()
        .map_err(|_| GitError::Objects(git2::Error::from_str(&format!("strange object id {text}"))))
}

/// Settings of libgit2 that hold for the whole process.
fn prepare() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Git itself reads objects without hashing them again; contents are hashed by us.
        git2::opts::strict_hash_verification(false);
        // A partial clone reads like any other; what it lacks is said to be missing.
        #[expect(
            unsafe_code,
            reason = "a global setting; every repository is opened after this"
        )]
        // SAFETY: `Once` makes this the only writer, and no repository is opened before it returns.
        let _ = unsafe { git2::opts::set_extensions(&["partialclone"]) };
        // A large pack is looked at through a small window, and objects are not kept by libgit2: what
        // is needed again is remembered by us.
        #[expect(
            unsafe_code,
            reason = "global settings; every repository is opened after this"
        )]
        // SAFETY: as above.
        unsafe {
            let _ = git2::opts::set_mwindow_size(WINDOW);
            let _ = git2::opts::set_mwindow_mapped_limit(4 * WINDOW);
            let _ = git2::opts::set_cache_max_size(CACHE);
        }
    });
}

/// How much of a pack is mapped at once, in bytes.
const WINDOW: usize = 8 << 20;
/// How many bytes of objects libgit2 may keep.
const CACHE: isize = 16 << 20;

/// The commits whose parents were not fetched.
fn shallow_boundary(common_dir: &Path) -> Vec<git2::Oid> {
    let text = std::fs::read_to_string(common_dir.join("shallow")).unwrap_or_default();
    text.lines()
        .filter_map(|line| git2::Oid::from_str(line).ok())
        .collect()
}
