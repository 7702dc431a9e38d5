//! Source words under `--parents` (rule 53).
//!
//! The word is a pattern of the ignore file's kind, so `**` goes to any depth. What stands before a `/./` is the folder
//! that kept paths start from, and may be a wildcard of the COPY kind. Links inside it are not followed.

use super::error::{At, SelectError};
use super::gather::{self, Filter};
use super::word;
use crate::containerfile::glob;
use crate::containerfile::recipe::Transfer;
use crate::model::RepoPath;
use crate::revision::manifest::Root;
use crate::revision::view::View;

/// What a word names, and whether it holds a wildcard.
pub(super) fn read(
    view: &mut View<'_>,
    at: &At<'_>,
    transfer: &Transfer,
) -> Result<(bool, Vec<Root>), SelectError> {
    let (pivot, pattern) = at.word.split_once("/./").unwrap_or(("/", at.word));
    let pivot = RepoPath::clean(pivot);
    let pattern = RepoPath::clean(pattern);
    let wild = glob::has_wildcard(pivot.as_bytes()) || glob::has_wildcard(pattern.as_bytes());
    if !wild {
        required(view, at, &pivot, &pattern)?;
    }
    let mut filter = Filter::excluding(at, &transfer.exclude)?;
    let text = String::from_utf8_lossy(pattern.as_bytes()).into_owned();
    filter.include = Some(gather::patterns_of(at, &[text])?);
    let mut roots = Vec::new();
    for named in word::named(view, at, &pivot)? {
        let (path, id) = word::existing(view, at, &named)?;
        roots.push(gather::root(view, at, &filter, &named, (&path, id))?);
    }
    Ok((wild, roots))
}

/// A literal word must name something, and not by way of a link.
fn required(
    view: &mut View<'_>,
    at: &At<'_>,
    pivot: &RepoPath,
    pattern: &RepoPath,
) -> Result<(), SelectError> {
    let (base, _) = word::existing(view, at, pivot)?;
    let path = base.join(pattern);
    if pattern.is_root() {
        return Err(at.error(
            format!("`{}` names no path to keep", at.word),
            Some("name the files or folders, or write `*`".into()),
        ));
    }
    match view.lookup(&path).map_err(|e| at.view(e))? {
        Some(_) => Ok(()),
        None => Err(at.missing(view, &path)),
    }
}
