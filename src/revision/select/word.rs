//! One source word of a COPY or ADD, or the source of a mount (rules 35 to 41, 70).

use super::error::{At, SelectError};
use super::gather::{self, Filter};
use crate::containerfile::glob;
use crate::model::RepoPath;
use crate::revision::follow::follow;
use crate::revision::manifest::Root;
use crate::revision::view::{Id, View};
use crate::revision::wildcard;

/// What a word without `--parents` names, and whether it is a wildcard.
pub(super) fn read(
    view: &mut View<'_>,
    at: &At<'_>,
    exclude: &[String],
) -> Result<(bool, Vec<Root>), SelectError> {
    let filter = Filter::excluding(at, exclude)?;
    let word = RepoPath::clean(at.word);
    let wild = glob::has_wildcard(word.as_bytes());
    let mut roots = Vec::new();
    for named in named(view, at, &word)? {
        let (path, id) = existing(view, at, &named)?;
        roots.push(gather::root(view, at, &filter, &named, (&path, id))?);
    }
    Ok((wild, roots))
}

/// The paths that a clean word names: itself, or what the wildcard matches.
pub(super) fn named(view: &mut View<'_>, at: &At<'_>, word: &RepoPath) -> Result<Vec<RepoPath>, SelectError> {
    let (plain, wild) = glob::split(word.as_bytes());
    if wild.is_empty() {
        return Ok(vec![word.clone()]);
    }
    if glob::check(wild).is_err() {
        return Err(at.bad_wildcard());
    }
    let plain = RepoPath::clean(plain);
    match wildcard::expand(view, &plain, wild).map_err(|e| at.view(e))? {
        Some(matches) => Ok(matches),
        None => {
            let (path, _) = follow(view, &plain).map_err(|e| at.view(e))?;
            Err(at.missing(view, &path))
        }
    }
}

/// The entry that a path leads to.
pub(super) fn existing(
    view: &mut View<'_>,
    at: &At<'_>,
    named: &RepoPath,
) -> Result<(RepoPath, Id), SelectError> {
    match follow(view, named).map_err(|e| at.view(e))? {
        (path, Some(id)) => Ok((path, id)),
        (path, None) => Err(at.missing(view, &path)),
    }
}

/// What a mount's source names: a path, never a wildcard.
pub(super) fn mounted(view: &mut View<'_>, at: &At<'_>) -> Result<Root, SelectError> {
    let named = RepoPath::clean(at.word);
    let (path, id) = existing(view, at, &named)?;
    gather::root(view, at, &Filter::default(), &named, (&path, id))
}
