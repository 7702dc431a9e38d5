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
        let mine = sections.iter_mut().filter(|section| section.context == name);
        let mut reads: Vec<(&mut Read, u32)> = mine
            .flat_map(|section| {
                let line = section.line;
                let reads = section.roots.iter_mut().flat_map(|root| &mut root.entries);
                reads.map(move |read| (read, line))
            })
            .filter(|(read, _)| read.kind != Kind::Directory)
            .collect();
        // What several instructions read is asked for several times; trees answer from memory then.
        let hashed: Vec<Result<u64, TreeError>> = reads
            .par_iter_mut()
            .map(|(read, _)| {
                let (size, digest) = digest(read, context, limits)?;
                read.content = digest;
                Ok(size)
            })
            .collect();
        check(&reads, hashed, limits)?;
    }
    Ok(())
}

/// The first failure in the order of paths, if there is any, or the first file that makes all of them too large.
fn check(
    reads: &[(&mut Read, u32)],
    hashed: Vec<Result<u64, TreeError>>,
    limits: &Limits,
) -> Result<(), HashError> {
    let sum = hashed
        .iter()
        .flatten()
        .fold(0_u64, |sum, size| sum.saturating_add(*size));
    if sum <= limits.context && hashed.iter().all(Result::is_ok) {
        return Ok(());
    }
    let mut all: Vec<_> = reads.iter().zip(hashed).collect();
    all.sort_by(|((a, _), _), ((b, _), _)| a.path.cmp(&b.path));
    all.dedup_by(|((a, _), _), ((b, _), _)| a.path == b.path);
    let mut total = 0;
    for ((read, line), hashed) in all {
        let bounded = hashed.and_then(|size| {
            total += size;
            within(total, limits.context, &read.path, "the files of the context are")
        });
        bounded.map_err(|source| HashError {
            line: *line,
            path: read.path.clone(),
            source,
        })?;
    }
    Ok(())
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
