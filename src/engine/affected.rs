//! Which images a change of files concerns, and which are rebuilt in consequence.

use super::difference;
use super::failure::Failure;
use super::project::Loaded;
use crate::graph::Graph;
use crate::model::{ImageName, RepoPath};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The images that one path concerns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Affected {
    /// Those that read it: whose container file it is, or whose contexts hold it and a COPY, ADD or mount reads it.
    pub direct: BTreeSet<ImageName>,
    /// Those, and all that depend on one of them, the root's implicit edges left out.
    pub rebuilt: BTreeSet<ImageName>,
}

/// Affected images by path of the repository.
pub type ByPath = BTreeMap<String, Affected>;

/// Of each path, who reads it, or would if it were there.
///
/// # Errors
/// As [`Loaded::read_by`].
pub fn by_paths(project: &Loaded, paths: &[RepoPath]) -> Result<ByPath, Failure> {
    let mut out: ByPath = paths
        .iter()
        .map(|path| (path.to_string(), Affected::default()))
        .collect();
    let names: Vec<&ImageName> = project.project.images.keys().collect();
    let read: Vec<(&ImageName, Vec<RepoPath>)> = names
        .par_iter()
        .map(|name| Ok((*name, project.read_by(name, paths)?)))
        .collect::<Result<_, Failure>>()?;
    for (name, paths) in read {
        for path in paths {
            out.entry(path.to_string())
                .or_default()
                .direct
                .insert(name.clone());
        }
    }
    follow(&mut out, &project.graph()?);
    Ok(out)
}

/// Of these paths, those that say what images are or read: what a change of one rebuilds depends on what it changes, and
/// [`since`] knows.
///
/// # Errors
/// As [`Loaded::is_said_by`].
pub fn indirect(project: &Loaded, paths: &[RepoPath]) -> Result<Vec<RepoPath>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if project.is_said_by(path)? {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// What differs from `old` to `new` in images whose revision differs, file by file; in a new image it is the container
/// file.
///
/// # Errors
/// As [`difference::between`].
pub fn since(old: &Loaded, new: &Loaded) -> Result<ByPath, Failure> {
    let mut out = ByPath::new();
    for (name, source) in &new.sources.images {
        let paths = match old.sources.images.get(name) {
            Some(was) if was.revision == source.revision => continue,
            Some(_) => difference::between(old, new, name)?
                .into_iter()
                .map(|changed| changed.path)
                .collect(),
            None => vec![new.file(name)],
        };
        for path in paths {
            out.entry(path).or_default().direct.insert(name.clone());
        }
    }
    follow(&mut out, &new.graph()?);
    Ok(out)
}

fn follow(paths: &mut ByPath, graph: &Graph) {
    for affected in paths.values_mut() {
        let users = graph.explicit_dependants(&affected.direct);
        affected.rebuilt = users.into_iter().chain(&affected.direct).cloned().collect();
    }
}
