//! One writer of an index at a time.

use super::place::{Place, failed};
use crate::registry::RegistryError;
use std::fs::{File, OpenOptions, TryLockError};
use std::time::Duration;

/// How long, and how often, it is tried: ten seconds together.
const PAUSE: Duration = Duration::from_millis(10);
const TRIES: u32 = 1000;

/// The lock of a layout; ends with the value, or with the process. The file stays where it is: to
/// remove it would give two writers two locks.
pub(super) fn hold(place: &Place) -> Result<File, RegistryError> {
    let path = place.lock_file();
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options.open(&path).map_err(|e| failed("lock", &path, e))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(e)) => return Err(failed("lock", &path, e)),
        }
    }
    Err(RegistryError::Held(place.folder().display().to_string()))
}
