#![expect(clippy::disallowed_methods, reason = "edge: the folder of a layout")]
//! Where the parts of one layout lie, and how they get there durably.

use crate::model::Digest;
use crate::registry::{RegistryError, Repository};
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

/// The version of the layout format that is written, and the newest that is read.
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// A leftover is removed when nobody has it open and it is older than this.
const OLD: Duration = Duration::from_secs(3600);

/// One layout's folder.
#[derive(Debug, Clone)]
pub(super) struct Place {
    repository: Repository,
    folder: PathBuf,
}

impl Place {
    /// The place of a repository. Its name must not lead anywhere else.
    pub fn new(root: &Path, repository: &Repository) -> Result<Self, RegistryError> {
        let good = |part: &str| {
            let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            part.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && part.bytes().all(legal)
        };
        if !repository.as_str().split('/').all(good) {
            return Err(RegistryError::Io {
                action: format!("use `{}` as a repository", repository.as_str().escape_debug()),
                source: io::ErrorKind::InvalidInput.into(),
            });
        }
        Ok(Self {
            folder: root.join(repository.as_str()),
            repository: repository.clone(),
        })
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn index(&self) -> PathBuf {
        self.folder.join("index.json")
    }

    pub fn marker(&self) -> PathBuf {
        self.folder.join("oci-layout")
    }

    pub fn lock_file(&self) -> PathBuf {
        self.folder.join(".lock")
    }

    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    fn blobs(&self) -> PathBuf {
        self.folder.join("blobs/sha256")
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join(".tmp")
    }

    /// Makes the folder a layout, if it is none yet.
    pub fn make(&self) -> Result<(), RegistryError> {
        if self.marker().exists() && self.blobs().is_dir() && self.temporary().is_dir() {
            return Ok(());
        }
        make_folder(&self.temporary())?;
        make_folder(&self.blobs())?;
        if !self.marker().exists() {
            let file = self.new_file()?;
            self.fill(file, &self.marker(), LAYOUT.as_bytes())?;
        }
        self.sync()
    }

    /// A file that has no name yet among what others read. Locked while its writer lives.
    pub fn new_file(&self) -> Result<NamedTempFile, RegistryError> {
        let folder = self.temporary();
        let made = tempfile::Builder::new()
            .prefix("w-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(&folder)
            .and_then(|file| match file.as_file().try_lock() {
                Err(std::fs::TryLockError::Error(e)) if e.kind() != io::ErrorKind::Unsupported => Err(e),
                _ => Ok(file),
            });
        made.map_err(|e| failed("write into", &folder, e))
    }

    /// Writes a whole file in place of what stood there, durable but for its name.
    pub fn fill(&self, mut file: NamedTempFile, to: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
        file.write_all(bytes).map_err(|e| failed("write", to, e))?;
        self.persist(file, to)
    }

    /// Gives a written file its name. The name is on the disk after [`Place::sync`].
    pub fn persist(&self, file: NamedTempFile, to: &Path) -> Result<(), RegistryError> {
        file.as_file().sync_all().map_err(|e| failed("write", to, e))?;
        file.persist(to).map_err(|e| failed("write", to, e.error))?;
        Ok(())
    }

    /// Puts the names in the layout's folder on the disk.
    pub fn sync(&self) -> Result<(), RegistryError> {
        sync_folder(&self.folder)
    }

    /// Puts the names of all blobs on the disk.
    pub fn sync_blobs(&self) -> Result<(), RegistryError> {
        sync_folder(&self.blobs())
    }

    /// Removes what runs that died have left. Whatever cannot be removed stays.
    pub fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(self.temporary()) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if is_old(&path) && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

fn is_old(path: &Path) -> bool {
    let written = std::fs::symlink_metadata(path).and_then(|m| m.modified());
    written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > OLD))
}

/// Makes a folder and those above it, each durable in the one above.
fn make_folder(path: &Path) -> Result<(), RegistryError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    match std::fs::create_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(failed("make", path, e)),
        _ => {}
    }
    sync_folder(parent.unwrap_or(Path::new(".")))
}

fn sync_folder(path: &Path) -> Result<(), RegistryError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(|e| failed("write", path, e))
}

/// The error of the file system for what was tried.
pub(super) fn failed(verb: &str, path: &Path, source: io::Error) -> RegistryError {
    RegistryError::Io {
        action: format!("{verb} {}", path.display()),
        source,
    }
}
