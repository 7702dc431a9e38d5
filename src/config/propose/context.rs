//! In which folder a container file is built.

use super::Found;
use crate::model::RepoPath;

/// The folder in which most of what the file copies exists: its own before the repository's before
/// those between, where that leaves a choice.
pub fn choose(file: &Found, exists: &dyn Fn(&RepoPath, &str) -> bool) -> RepoPath {
    let own = file.path.parent().unwrap_or_default();
    let telling: Vec<&String> = file.sources.iter().filter(|source| tells(source)).collect();
    let score = |context: &RepoPath| telling.iter().filter(|source| exists(context, source)).count();
    let mut best = (score(&own), own.clone());
    for candidate in candidates(&own) {
        let found = score(&candidate);
        if found > best.0 {
            best = (found, candidate);
        }
    }
    best.1
}

/// Whether a source says anything: `.` is everywhere.
fn tells(source: &str) -> bool {
    !RepoPath::clean(source).is_root()
}

/// The repository, then the folders between from the inside out.
fn candidates(own: &RepoPath) -> Vec<RepoPath> {
    let mut found = vec![RepoPath::root()];
    let mut at = own.parent();
    while let Some(folder) = at.filter(|folder| !folder.is_root()) {
        at = folder.parent();
        found.push(folder);
    }
    found
}
