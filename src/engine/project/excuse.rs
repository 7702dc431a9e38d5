//! Why a source is missing that stands on the disk (B8): git ignores it, or it was never committed.

use super::Origin;
use crate::model::RepoPath;
use crate::revision::SelectError;
use crate::tree::disk::DiskTree;
use crate::tree::{Kind, SourceTree};

impl Origin {
    /// The same error with the reason and the remedy, when the working copy has what is missing.
    pub(super) fn excuse(&self, mut error: SelectError) -> SelectError {
        let Some(path) = error.missing.clone() else {
            return error;
        };
        let Some((kind, ignored)) = self.on_disk(&path) else {
            return error;
        };
        if ignored {
            error.message = format!("`{path}` is ignored by git, so no commit holds it");
            error.hint = Some(remedy(&path, kind));
        } else if matches!(kind, Kind::File { .. } | Kind::Link | Kind::Directory) {
            error.hint = Some("the working copy has it: commit it, or add --worktree".into());
        }
        error
    }

    /// What stands at a path of the working copy, and whether git ignores it.
    fn on_disk(&self, path: &RepoPath) -> Option<(Kind, bool)> {
        let (workdir, repository) = (self.workdir.as_ref()?, self.repository.as_ref()?);
        let kind = DiskTree::open(workdir).ok()?.kind(path).ok()??;
        let ignored = repository.is_ignored(path, kind == Kind::Directory).ok()?;
        Some((kind, ignored))
    }
}

/// The named context that reads it from disk.
fn remedy(path: &RepoPath, kind: Kind) -> String {
    let (folder, word) = match kind {
        Kind::Directory => (path.clone(), ".".to_owned()),
        _ => (
            path.parent().unwrap_or_default(),
            RepoPath::clean(path.name()).to_string(),
        ),
    };
    format!(
        "build it in a stage of this file, or have its folder read from disk, in rings.yaml\n\
         contexts: {{NAME: {{path: {folder}, generated: true}}}}\n\
         and here COPY --from=NAME {word} …"
    )
}
