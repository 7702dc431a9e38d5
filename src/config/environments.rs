//! The environments: every subfolder with a kustomization.

mod check;
mod manifest;

pub use check::check;

use crate::model::{EnvironmentName, RepoPath};
use crate::tree::{Kind, SourceTree, TreeError};
use std::collections::BTreeMap;

/// The codes of all warnings about manifests; they can be silenced.
pub const CODES: [&str; 8] = [
    "deprecated-api",
    "duplicate-object",
    "invalid-object-name",
    "missing-namespace",
    "missing-reference",
    "plain-secret",
    "selector-matches-nothing",
    "unpinned-image",
];

/// The names of a kustomization; a folder has exactly one.
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The environments below `folder` with the paths of their folders. A folder whose name is no
/// environment's, or that holds no kustomization, is none; a missing `folder` has none.
///
/// # Errors
/// [`TreeError`] when the sources cannot be read.
pub fn list(
    tree: &dyn SourceTree,
    folder: &RepoPath,
) -> Result<BTreeMap<EnvironmentName, RepoPath>, TreeError> {
    let mut found = BTreeMap::new();
    for (name, path) in folders(tree, folder)? {
        if let Ok(name) = EnvironmentName::new(name) {
            found.insert(name, path);
        }
    }
    Ok(found)
}

/// Whether the kustomization of a folder is a component, which is nothing by itself.
pub fn is_component(tree: &dyn SourceTree, folder: &RepoPath) -> bool {
    let file = kustomizations(tree, folder)
        .unwrap_or_default()
        .into_iter()
        .next();
    let text = file.and_then(|file| tree.read(&file, 1 << 20).ok());
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    text.lines().any(|line| {
        line.strip_prefix("kind:")
            .is_some_and(|kind| kind.trim().trim_matches(['"', '\'']) == "Component")
    })
}

/// The subfolders with a kustomization, by name.
fn folders(tree: &dyn SourceTree, folder: &RepoPath) -> Result<Vec<(String, RepoPath)>, TreeError> {
    if tree.kind(folder)? != Some(Kind::Directory) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for item in tree.list(folder)? {
        let path = folder.child(&item.name);
        if item.kind == Kind::Directory && !kustomizations(tree, &path)?.is_empty() {
            found.push((String::from_utf8_lossy(&item.name).into_owned(), path));
        }
    }
    Ok(found)
}

fn kustomizations(tree: &dyn SourceTree, folder: &RepoPath) -> Result<Vec<RepoPath>, TreeError> {
    let mut found = Vec::new();
    for name in NAMES {
        let path = folder.child(name.as_bytes());
        if matches!(tree.kind(&path)?, Some(Kind::File { .. } | Kind::Link)) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::sample_tree::Sample;
    use super::*;

    #[test]
    fn every_subfolder_with_a_kustomization_is_an_environment() {
        let tree = Sample::of(&[
            ("environments/dev/kustomization.yaml", ""),
            ("environments/prod/Kustomization", ""),
            ("environments/notes/README.md", ""),
            ("environments/Bad Name/kustomization.yml", ""),
            ("environments/kustomization.yaml", ""),
        ]);
        let found = list(&tree, &RepoPath::clean("environments")).unwrap();
        let names: Vec<&str> = found.keys().map(EnvironmentName::as_str).collect();
        assert_eq!(names, ["dev", "prod"]);
        assert!(list(&tree, &RepoPath::clean("none")).unwrap().is_empty());
        assert_eq!(
            check(&tree, &RepoPath::clean("environments")).unwrap()[0].code,
            "invalid-name"
        );
    }
}
