//! One classic docker build at a time on a machine, and no image removed meanwhile.
//!
//! The classic builder's cache are the images in the daemon's storage. It looks at all of them, and fails when one that
//! it saw is gone before its turn comes.

use crate::builder::Cancel;
use rustix::fs::OFlags;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is looked whether another run is done.
const GLANCE: Duration = Duration::from_millis(20);

/// Among the threads of this process.
static TURN: Mutex<()> = Mutex::new(());

/// The turn; the next one's when it is let go of.
pub(super) struct Turn {
    /// Of the runs of this user. It is let go of before the threads' own.
    _file: Option<File>,
    _guard: MutexGuard<'static, ()>,
}

/// Waits for the turn. Whoever wants to stop does not wait for other runs; where no lock file can be made, nobody does.
pub(super) fn hold(cancel: &Cancel) -> Turn {
    let guard = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Turn {
        _file: lock(&place(), cancel),
        _guard: guard,
    }
}

fn place() -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    std::env::temp_dir().join(format!("ringshift-docker-{user}.lock"))
}

fn lock(place: &Path, cancel: &Cancel) -> Option<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = File::options();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags);
    let file = options.open(place).ok()?;
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(std::fs::TryLockError::WouldBlock) if !cancel.requested() => std::thread::sleep(GLANCE),
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn builds_wait_for_each_other_among_threads() {
        let first = hold(&Cancel::default());
        assert!(TURN.try_lock().is_err());
        drop(first);
        drop(hold(&Cancel::default()));
    }

    #[test]
    fn runs_wait_for_each_other_until_they_are_to_stop() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("lock");
        let (go, stop) = (Cancel::default(), Cancel::default());
        let first = lock(&file, &go).unwrap();
        stop.request();
        assert!(lock(&file, &stop).is_none());
        std::thread::scope(|scope| {
            let next = scope.spawn(|| lock(&file, &go).is_some());
            drop(first);
            assert!(next.join().unwrap());
        });
        std::fs::write(place.path().join("target"), "").unwrap();
        std::os::unix::fs::symlink("target", place.path().join("link")).unwrap();
        assert!(
            lock(&place.path().join("link"), &go).is_none(),
            "no link is followed"
        );
    }
}
