//! What a source word names in the files of a stage or of a project image (`COPY --from`): wildcards
//! (rule 37), links that are followed (41), `--parents` (53) and `--exclude` (54).

use super::StepError;
use super::copy::{Inside, Picked, What};
use super::rootfs::{Body, Entry, Id, Meta, Rootfs};
use crate::containerfile::glob;
use crate::containerfile::ignore::{Matched, PatternSet};
use crate::containerfile::recipe::Transfer;
use crate::model::RepoPath;
use std::collections::BTreeMap;

/// The things that `word` names, in the order in which they are copied.
///
/// # Errors
/// [`StepError::NotFound`] for a path at which nothing stands (rule 39); [`StepError::Value`] for a pattern that is
/// none.
pub(crate) fn pick(from: &Rootfs, word: &str, transfer: &Transfer) -> Result<Vec<Picked>, StepError> {
    let exclude = patterns(&transfer.exclude)?;
    if transfer.parents {
        return parents(from, word, exclude);
    }
    let filter = Filter {
        include: None,
        exclude,
    };
    let matches = expand(from, word)?;
    matches.iter().map(|path| one(from, path, &filter)).collect()
}

/// A path, or what a wildcard matches, before links at its end are followed.
fn expand(from: &Rootfs, word: &str) -> Result<Vec<RepoPath>, StepError> {
    let clean = RepoPath::clean(word);
    let (plain, wildcard) = glob::split(clean.as_bytes());
    if wildcard.is_empty() {
        return Ok(vec![clean]);
    }
    let base = from.resolve(&RepoPath::root(), plain, true)?;
    if from.at(&base).is_none() {
        return Err(StepError::NotFound(word.into()));
    }
    let bad = |_| StepError::Value(format!("`{word}` is a malformed wildcard"));
    let depth = glob::depth(wildcard);
    let mut found = Vec::new();
    let mut todo = vec![(RepoPath::root(), 0)];
    while let Some((path, level)) = todo.pop() {
        if !path.is_root() && glob::matches(wildcard, path.as_bytes()).map_err(bad)? {
            found.push(base.join(&path));
            continue;
        }
        if level < depth {
            todo.extend(names(from, &base.join(&path)).map(|name| (path.child(name), level + 1)));
        }
    }
    Ok(found)
}

/// The names in a folder, the last one first; none when it is no folder.
fn names<'a>(from: &'a Rootfs, path: &RepoPath) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let names = match from.at(path).map(|e| &e.body) {
        Some(Body::Folder(names)) => Some(names),
        _ => None,
    };
    names
        .into_iter()
        .flat_map(|names| names.keys().rev().map(Vec::as_slice))
}

fn one(from: &Rootfs, path: &RepoPath, filter: &Filter) -> Result<Picked, StepError> {
    let at = from.resolve(&RepoPath::root(), path.as_bytes(), true)?;
    let missing = || StepError::NotFound(format!("/{path}"));
    let entry = from.at(&at).ok_or_else(missing)?;
    let what = match &entry.body {
        Body::Folder(_) => What::Folder(filter.inside(from, &at)?),
        _ => What::Leaf(entry.clone()),
    };
    Ok(Picked {
        name: path.name().to_vec(),
        what,
    })
}

/// `--parents`: the word is a pattern below its pivot, and the path from there on is kept (rule 53).
fn parents(from: &Rootfs, word: &str, exclude: Option<PatternSet>) -> Result<Vec<Picked>, StepError> {
    let (base, pattern) = word.split_once("/./").unwrap_or(("/", word));
    let pattern = RepoPath::clean(pattern);
    if !glob::has_wildcard(base.as_bytes()) && !glob::has_wildcard(pattern.as_bytes()) {
        let whole = RepoPath::clean(base).join(&pattern);
        let at = from.resolve(&RepoPath::root(), whole.as_bytes(), true)?;
        from.find(&at).ok_or_else(|| StepError::NotFound(word.into()))?;
    }
    let filter = Filter {
        include: patterns(&[pattern.as_bytes()])?,
        exclude,
    };
    let bases = expand(from, base)?;
    bases.iter().map(|path| one(from, path, &filter)).collect()
}

fn patterns<T: AsRef<[u8]>>(texts: &[T]) -> Result<Option<PatternSet>, StepError> {
    if texts.is_empty() {
        return Ok(None);
    }
    let set = PatternSet::new(texts).map_err(|(_, error)| StepError::Value(error.to_string()))?;
    Ok(Some(set))
}

/// Which entries below a folder are copied.
struct Filter {
    include: Option<PatternSet>,
    exclude: Option<PatternSet>,
}

/// What both sets said of a folder.
#[derive(Clone, Default)]
struct Judged {
    include: Matched,
    exclude: Matched,
}

impl Filter {
    /// What is copied of a folder, each folder before what it holds. A folder that is not copied itself is made
    /// when something in it is.
    fn inside(&self, from: &Rootfs, at: &RepoPath) -> Result<Vec<Inside>, StepError> {
        let mut all = Vec::new();
        let mut waiting: Vec<Inside> = Vec::new();
        let mut todo = Vec::new();
        let push = |todo: &mut Vec<_>, path: &RepoPath, judged: &Judged| {
            let inside = names(from, &at.join(path));
            todo.extend(inside.map(|name| (path.child(name), judged.clone())));
        };
        push(&mut todo, &RepoPath::root(), &Judged::default());
        while let Some((path, above)) = todo.pop() {
            waiting.retain(|folder| path.starts_with(&folder.path));
            let Some(id) = from.find(&at.join(&path)) else {
                continue;
            };
            let (copied, excluded, judged) = self.judge(&path, &above)?;
            let entry = from.entry(id);
            let is_folder = matches!(entry.body, Body::Folder(_));
            if copied {
                all.append(&mut waiting);
                all.push(inside(path.clone(), entry, id));
            } else if is_folder {
                waiting.push(inside(path.clone(), entry, id));
            }
            let reopens = self.exclude.as_ref().is_some_and(PatternSet::has_exceptions);
            if is_folder && (!excluded || reopens) {
                push(&mut todo, &path, &judged);
            }
        }
        Ok(all)
    }

    /// Whether a path is copied, whether it is excluded, and what its children need to know.
    fn judge(&self, path: &RepoPath, above: &Judged) -> Result<(bool, bool, Judged), StepError> {
        let mut judged = Judged::default();
        let ask = |set: &Option<PatternSet>, above: &Matched, below: &mut Matched| match set {
            None => Ok(None),
            Some(set) => {
                let verdict = set
                    .judge(path.as_bytes(), above)
                    .map_err(|(_, error)| StepError::Value(error.to_string()))?;
                *below = verdict.state;
                Ok::<_, StepError>(Some(verdict.matched))
            }
        };
        let included = ask(&self.include, &above.include, &mut judged.include)?.unwrap_or(true);
        let excluded = ask(&self.exclude, &above.exclude, &mut judged.exclude)?.unwrap_or(false);
        Ok((included && !excluded, excluded, judged))
    }
}

fn inside(path: RepoPath, entry: &Entry, id: Id) -> Inside {
    match &entry.body {
        Body::Folder(_) => folder(path, entry.meta.clone()),
        _ => Inside {
            path,
            entry: entry.clone(),
            same: Some(id),
        },
    }
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
