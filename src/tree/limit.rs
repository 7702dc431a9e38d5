//! The limits that every tree keeps (SEC-A4).

use super::TreeError;
use crate::model::RepoPath;

/// Bytes of a path.
pub const PATH: usize = 4096;
/// Components of a path.
pub const DEPTH: usize = 128;
/// Bytes of a file.
pub const FILE: u64 = 2 << 30;

/// Refuses a path that is too long or too deep.
///
/// # Errors
/// [`TreeError::Limit`].
pub fn check(path: &RepoPath) -> Result<(), TreeError> {
    if path.as_bytes().len() > PATH {
        return Err(over(path, format!("a path longer than {PATH} bytes")));
    }
    if path.components().count() > DEPTH {
        return Err(over(path, format!("folders deeper than {DEPTH}")));
    }
    Ok(())
}

/// Refuses a file that is too large.
///
/// # Errors
/// [`TreeError::Limit`].
pub fn check_size(path: &RepoPath, size: u64) -> Result<(), TreeError> {
    if size > FILE {
        return Err(over(path, format!("{size} bytes, more than {FILE}")));
    }
    Ok(())
}

fn over(path: &RepoPath, what: String) -> TreeError {
    TreeError::Limit {
        path: path.clone(),
        what,
    }
}
