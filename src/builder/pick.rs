//! What a source word names in the files of a stage or of a project image (`COPY --from`).

use super::StepError;
use super::copy::{Inside, Picked, What};
use super::rootfs::{Body, Entry, Meta, Rootfs};
use crate::containerfile::recipe::Transfer;
use crate::model::RepoPath;
use std::collections::BTreeMap;

/// The things that `word` names, in the order in which they are copied.
///
/// # Errors
/// [`StepError::NotFound`] for a path at which nothing stands (rule 39).
pub(crate) fn pick(from: &Rootfs, word: &str, _transfer: &Transfer) -> Result<Vec<Picked>, StepError> {
    let path = RepoPath::clean(word);
    let at = from.resolve(&RepoPath::root(), path.as_bytes(), true)?;
    let entry = from.at(&at).ok_or_else(|| StepError::NotFound(word.into()))?;
    let what = match &entry.body {
        Body::Folder(_) => What::Folder(inside(from, &at)),
        _ => What::Leaf(entry.clone()),
    };
    Ok(vec![Picked {
        name: path.name().to_vec(),
        what,
    }])
}

/// All that a folder holds, each folder before what it holds.
fn inside(from: &Rootfs, at: &RepoPath) -> Vec<Inside> {
    let mut all = Vec::new();
    let mut todo = vec![RepoPath::root()];
    while let Some(path) = todo.pop() {
        let Some(id) = from.find(&at.join(&path)) else {
            continue;
        };
        let entry = from.entry(id);
        if let Body::Folder(names) = &entry.body {
            todo.extend(names.keys().rev().map(|name| path.child(name)));
        }
        if path.is_root() {
            continue;
        }
        all.push(match &entry.body {
            Body::Folder(_) => folder(path, entry.meta.clone()),
            _ => Inside {
                path,
                entry: entry.clone(),
                same: Some(id),
            },
        });
    }
    all
}

/// A folder with this metadata.
pub(crate) fn folder(path: RepoPath, meta: Meta) -> Inside {
    Inside {
        path,
        entry: Entry {
            meta,
            body: Body::Folder(BTreeMap::new()),
        },
        same: None,
    }
}
