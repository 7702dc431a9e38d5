//! Wildcards in a folder that is not sent (rule 38).
//!
//! BuildKit sends what some word of the file names, and looks for a wildcard's matches in that. Where nothing matches and
//! no other word reads anything of the folder, the folder is not there, and the build fails.

use super::error::{At, SelectError};
use crate::containerfile::glob;
use crate::model::RepoPath;
use crate::revision::follow::follow;
use crate::revision::manifest::{Root, Section};
use crate::revision::view::View;

/// A wildcard that matches nothing.
pub(super) struct Unmatched {
    line: u32,
    word: String,
    /// The folder that it stands in, links followed, in the context and in the tree.
    folder: RepoPath,
    in_tree: RepoPath,
}

impl Unmatched {
    /// The word `at`, which is a wildcard, if it names nothing in a folder below the context's root.
    pub(super) fn of(
        view: &mut View<'_>,
        at: &At<'_>,
        parents: bool,
        roots: &[Root],
    ) -> Result<Option<Self>, SelectError> {
        if roots.iter().any(|root| !parents || !root.entries.is_empty()) {
            return Ok(None);
        }
        let plain = match at.word.split_once("/./") {
            Some((pivot, _)) if parents => RepoPath::clean(pivot),
            _ if parents => RepoPath::root(),
            _ => RepoPath::clean(glob::split(RepoPath::clean(at.word).as_bytes()).0),
        };
        let (folder, _) = follow(view, &plain).map_err(|e| at.view(e))?;
        Ok((!folder.is_root()).then(|| Self {
            line: at.line,
            word: at.word.into(),
            in_tree: view.in_tree(&folder),
            folder,
        }))
    }
}

/// Refuses the first of these wildcards in whose folder nothing is read.
pub(super) fn refuse(unmatched: &[Unmatched], sections: &[Section]) -> Result<(), SelectError> {
    let main = || sections.iter().filter(|section| section.context.is_none());
    let read = main()
        .flat_map(|section| &section.roots)
        .flat_map(|root| &root.entries);
    let is_sent = |wildcard: &Unmatched| {
        let mut read = read.clone();
        read.any(|entry| entry.path.starts_with(&wildcard.in_tree))
    };
    let Some(wildcard) = unmatched.iter().find(|wildcard| !is_sent(wildcard)) else {
        return Ok(());
    };
    let at = At::new(wildcard.line, &wildcard.word);
    Err(at.error(
        format!(
            "nothing matches, and nothing else of `{}` is read: builders do not find the folder",
            wildcard.folder
        ),
        Some(format!(
            "remove the word, or let it match a file that is always there, such as `{}/.keep`",
            wildcard.folder
        )),
    ))
}
