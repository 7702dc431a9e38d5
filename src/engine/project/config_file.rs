//! rings.yaml out of the sources.

use crate::config::{self, Project};
use crate::engine::Failure;
use crate::model::{Problem, RepoPath};
use crate::tree::SourceTree;

/// The most bytes of rings.yaml (SEC-A10), and one more to notice a longer one.
const CONFIG_LIMIT: u64 = 1 << 20;

/// The project that rings.yaml at `path` describes, with notes.
pub fn read(tree: &dyn SourceTree, path: &RepoPath) -> Result<(Project, Vec<Problem>), Failure> {
    let bytes = match tree.read(path, CONFIG_LIMIT) {
        Ok(bytes) => bytes,
        Err(crate::tree::TreeError::Missing(_)) => {
            return Err(Failure::request(
                format!("{path} is not there"),
                "commit it, or read the working copy with --worktree",
            ));
        }
        Err(crate::tree::TreeError::Limit { .. }) => {
            return Err(Failure::request(
                format!("{path} is larger than 1 MiB"),
                "make it smaller",
            ));
        }
        Err(other) => return Err(other.into()),
    };
    config::read(&bytes, path).map_err(Failure::Project)
}
