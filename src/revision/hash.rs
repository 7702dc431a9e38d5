//! Puts the content digests into a selection: every file once, in parallel.

use super::limits::Limits;
use super::manifest::{ContextTree, Contexts, Read, Section};
use crate::model::{Digest, RepoPath};
use crate::tree::{Kind, TreeError};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// An entry that could not be hashed.
pub(super) struct HashError {
    /// The line of the instruction that reads it.
    pub line: u32,
    /// Where it stands in its tree.
    pub path: RepoPath,
    /// Why.
    pub source: TreeError,
}

/// Reads the digest of every file and link in `sections`.
///
/// # Errors
/// The first entry, in the order of contexts and paths, that is too large or cannot be read.
pub(super) fn fill(
    sections: &mut [Section],
    contexts: &Contexts<'_>,
    limits: &Limits,
) -> Result<(), HashError> {
    let names: BTreeSet<Option<String>> = sections.iter().map(|s| s.context.clone()).collect();
    for name in names {
        let Some(context) = contexts.get(name.as_deref()) else {
            continue;
        };
        let digests = digests(sections, &name, context, limits)?;
        let mine = sections.iter_mut().filter(|s| s.context == name);
        for read in mine.flat_map(|s| &mut s.roots).flat_map(|r| &mut r.entries) {
            if let Ok(found) = digests.binary_search_by(|(path, _)| path.cmp(&read.path)) {
                read.content = digests[found].1;
            }
        }
    }
    Ok(())
}

/// The digests of all files and links of one context, sorted by path.
fn digests(
    sections: &[Section],
    name: &Option<String>,
    context: &ContextTree<'_>,
    limits: &Limits,
) -> Result<Vec<(RepoPath, Digest)>, HashError> {
    let mine = sections.iter().filter(|s| s.context == *name);
    let all = mine.flat_map(|s| s.roots.iter().flat_map(|r| &r.entries).map(|read| (read, s.line)));
    let mut reads: Vec<(&Read, u32)> = all.filter(|(read, _)| read.kind != Kind::Directory).collect();
    reads.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    reads.dedup_by(|a, b| a.0.path == b.0.path);
    let hashed: Vec<Result<(u64, Digest), TreeError>> = reads
        .par_iter()
        .map(|(read, _)| digest(read, context, limits))
        .collect();
    let mut total = 0;
    let mut out = Vec::with_capacity(reads.len());
    for ((read, line), hashed) in reads.into_iter().zip(hashed) {
        let bounded = hashed.and_then(|(size, digest)| {
            total += size;
            within(total, limits.context, &read.path, "the files of the context are").map(|()| digest)
        });
        let digest = bounded.map_err(|source| HashError {
            line,
            path: read.path.clone(),
            source,
        })?;
        out.push((read.path.clone(), digest));
    }
    Ok(out)
}

fn digest(read: &Read, context: &ContextTree<'_>, limits: &Limits) -> Result<(u64, Digest), TreeError> {
    let (size, content) = match read.kind {
        Kind::File { .. } => context.tree.measure(&read.path)?,
        _ => (0, context.tree.content(&read.path)?),
    };
    within(size, limits.file, &read.path, "the file is")?;
    Ok((size, content))
}

fn within(size: u64, most: u64, path: &RepoPath, what: &str) -> Result<(), TreeError> {
    if size > most {
        return Err(TreeError::Limit {
            path: path.clone(),
            what: format!("{what} larger than {most} bytes"),
        });
    }
    Ok(())
}
