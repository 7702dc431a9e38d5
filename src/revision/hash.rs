//! Puts the content digests into what was collected: every file once, in parallel.

use super::limits::Limits;
use super::manifest::{ContextTree, Read, Section};
use crate::model::{Digest, RepoPath};
use crate::tree::{Kind, TreeError};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// An entry that cannot be read: where it stands in its tree, and why.
pub(super) type HashError = (RepoPath, TreeError);

/// Reads size and digest of every file and link in `entries`. What several instructions read is asked for several
/// times; trees answer from memory then.
///
/// # Errors
/// The first entry that is too large or cannot be read.
pub(super) fn fill(
    entries: &mut [Read],
    context: &ContextTree<'_>,
    limits: &Limits,
) -> Result<(), HashError> {
    let failed = entries
        .par_iter_mut()
        .filter(|read| read.kind != Kind::Directory)
        .filter_map(|read| {
            let failed = digest(read, context, limits).err()?;
            Some((read.path.clone(), failed))
        })
        .min_by(|(a, _), (b, _)| a.cmp(b));
    failed.map_or(Ok(()), Err)
}

/// Whether the files of each context are small enough together.
///
/// # Errors
/// The line of the instruction and the first file, in the order of paths, that makes them too large.
pub(super) fn check(sections: &[Section], limits: &Limits) -> Result<(), (u32, HashError)> {
    let roots = sections.iter().flat_map(|section| &section.roots);
    let sizes = roots.flat_map(|root| root.entries.iter()).map(|read| read.size);
    // Files that are read twice count twice here; where that matters, they are told apart.
    if sizes.fold(0_u64, u64::saturating_add) <= limits.context {
        return Ok(());
    }
    let names: BTreeSet<Option<&str>> = sections
        .iter()
        .map(|section| section.context.as_deref())
        .collect();
    for name in names {
        let mine = sections
            .iter()
            .filter(|section| section.context.as_deref() == name);
        let mut files: BTreeMap<&RepoPath, (u64, u32)> = BTreeMap::new();
        for section in mine {
            for read in section.roots.iter().flat_map(|root| root.entries.iter()) {
                files.entry(&read.path).or_insert((read.size, section.line));
            }
        }
        let mut total = 0_u64;
        for (path, (size, line)) in files {
            total = total.saturating_add(size);
            within(total, limits.context, path, "the files of the context are")
                .map_err(|error| (line, (path.clone(), error)))?;
        }
    }
    Ok(())
}

fn digest(read: &mut Read, context: &ContextTree<'_>, limits: &Limits) -> Result<(), TreeError> {
    let (size, content): (u64, Digest) = match read.kind {
        Kind::File { .. } => context.tree.measure(&read.path)?,
        _ => (0, context.tree.content(&read.path)?),
    };
    within(size, limits.file, &read.path, "the file is")?;
    (read.size, read.content) = (size, content);
    Ok(())
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
