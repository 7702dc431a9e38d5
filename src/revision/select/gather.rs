//! Collects the entries of one source.

use super::error::{At, SelectError};
use crate::containerfile::ignore::{Matched, PatternSet};
use crate::model::{Digest, RepoPath};
use crate::revision::hash;
use crate::revision::manifest::{Read, Root};
use crate::revision::view::{Id, View};
use crate::tree::{Kind, SourceTree, TreeError};
use std::sync::Arc;

/// Which entries below a source are read: `--parents` includes, `--exclude` excludes. Both judge paths relative
/// to the source.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) include: Option<PatternSet>,
    pub(super) exclude: Option<PatternSet>,
}

impl Filter {
    /// A filter for the `--exclude`s of an instruction.
    pub(super) fn excluding(at: &At<'_>, patterns: &[String]) -> Result<Self, SelectError> {
        Ok(Self {
            include: None,
            exclude: match patterns {
                [] => None,
                some => Some(patterns_of(at, some)?),
            },
        })
    }

    /// Whether everything below the source is read.
    fn keeps_all(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Whether a folder that is not read may hold something that is.
    fn enters(&self, folder: &RepoPath, excluded: bool) -> bool {
        let excepted = !excluded || self.exclude.as_ref().is_some_and(PatternSet::has_exceptions);
        excepted
            && self
                .include
                .as_ref()
                .is_none_or(|set| may_include_below(set, folder))
    }
}

/// Reads patterns; an error names the one at fault.
pub(super) fn patterns_of(at: &At<'_>, patterns: &[String]) -> Result<PatternSet, SelectError> {
    PatternSet::new(patterns).map_err(|(index, error)| at.pattern(&patterns[index], &error))
}

/// Whether some pattern's plain beginning allows a match below `folder`.
fn may_include_below(set: &PatternSet, folder: &RepoPath) -> bool {
    let wild = |part: &[u8]| part.iter().any(|b| b"*?[]^\\".contains(b));
    set.patterns().iter().any(|pattern| {
        let parts = pattern.text().split(|b| *b == b'/');
        let mut plain = parts.take_while(|part| !wild(part)).peekable();
        let whole = !wild(pattern.text());
        for name in folder.components() {
            match plain.next() {
                Some(part) if part != name => return false,
                Some(_) => {}
                None => return !whole,
            }
        }
        true
    })
}

/// One file or folder, `path` from the context's root, with all that is read of it. `named` is the path before its
/// links were followed.
pub(super) fn root(
    view: &mut View<'_>,
    at: &At<'_>,
    filter: &Filter,
    named: &RepoPath,
    (path, id): (&RepoPath, Id),
) -> Result<Root, SelectError> {
    let kind = view.kind(id);
    let in_tree = view.in_tree(path);
    let shared = view
        .shared()
        .filter(|_| kind == Kind::Directory && filter.keeps_all());
    let known = shared.and_then(|shared| shared.get(view.context(), &in_tree));
    let entries = match known {
        Some(known) => known,
        None => {
            let entries = entries(view, at, filter, path, (id, kind))?;
            if let Some(shared) = shared {
                shared.put(view.context(), &in_tree, &entries);
            }
            entries
        }
    };
    Ok(Root {
        name: named.name().to_vec(),
        path: in_tree,
        kind,
        entries,
    })
}

/// Everything that is read of a file or folder, with its digests.
fn entries(
    view: &mut View<'_>,
    at: &At<'_>,
    filter: &Filter,
    path: &RepoPath,
    (id, kind): (Id, Kind),
) -> Result<Arc<[Read]>, SelectError> {
    let mut collector = Collector {
        at,
        filter,
        base: path,
        in_tree: view.in_tree(path),
        view,
        entries: Vec::new(),
    };
    match kind {
        Kind::Directory => {
            collector.walk(id, &RepoPath::root(), &Matched::default(), &Matched::default())?;
            // Almost in order already, as folders are: a stable sort makes use of that.
            collector.entries.sort_by(|a, b| a.target.cmp(&b.target));
        }
        kind => collector.push(RepoPath::root(), kind)?,
    }
    let mut entries = collector.entries;
    hash::fill(&mut entries, view.context(), view.limits()).map_err(|(path, error)| {
        let word = path.to_string();
        At::new(at.line, &word).view(error.into())
    })?;
    Ok(entries.into())
}

struct Collector<'c, 'v> {
    view: &'c mut View<'v>,
    at: &'c At<'c>,
    filter: &'c Filter,
    /// The source, from the context's root.
    base: &'c RepoPath,
    /// The source, from the tree's root.
    in_tree: RepoPath,
    entries: Vec<Read>,
}

impl Collector<'_, '_> {
    /// Collects what is read below the folder that stands at `below` from the source. The depth of the recursion is
    /// bounded by the view's limits.
    fn walk(
        &mut self,
        id: Id,
        below: &RepoPath,
        included: &Matched,
        excluded: &Matched,
    ) -> Result<(), SelectError> {
        let folder = self.base.join(below);
        let children = self.view.children(id, &folder).map_err(|e| self.at.view(e))?;
        for &child in children.iter() {
            let target = below.child(self.view.name(child));
            let (inside, included) = judge(self.at, self.filter.include.as_ref(), &target, included, true)?;
            let (outside, excluded) = judge(self.at, self.filter.exclude.as_ref(), &target, excluded, false)?;
            let read = inside && !outside;
            match self.view.kind(child) {
                Kind::Directory if read || self.filter.enters(&target, outside) => {
                    let before = self.entries.len();
                    self.walk(child, &target, &included, &excluded)?;
                    if read && before == self.entries.len() {
                        self.bare_folder(target)?;
                    }
                }
                Kind::Directory => {}
                kind if read => self.push(target, kind)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A folder that is read though nothing in it is. Git holds no empty folders (rule 49), so it counts only when
    /// something was left out of it.
    fn bare_folder(&mut self, target: RepoPath) -> Result<(), SelectError> {
        let path = self.in_tree.join(&target);
        let tree = self.view.context().tree;
        if holds_something(tree, &path).map_err(|e| self.at.view(e.into()))? {
            self.push(target, Kind::Directory)?;
        }
        Ok(())
    }

    fn push(&mut self, target: RepoPath, kind: Kind) -> Result<(), SelectError> {
        match kind {
            Kind::Submodule => return Err(self.at.submodule(&self.base.join(&target))),
            Kind::Special => return Err(self.at.special(&self.base.join(&target))),
            Kind::File { .. } | Kind::Link | Kind::Directory => {}
        }
        self.entries.push(Read {
            path: self.in_tree.join(&target),
            target,
            kind,
            content: Digest::EMPTY,
            size: 0,
        });
        Ok(())
    }
}

/// What a set says of an entry; `absent` when there is no set.
fn judge(
    at: &At<'_>,
    set: Option<&PatternSet>,
    path: &RepoPath,
    parent: &Matched,
    absent: bool,
) -> Result<(bool, Matched), SelectError> {
    let Some(set) = set else {
        return Ok((absent, Matched::default()));
    };
    let verdict = set.judge(path.as_bytes(), parent).map_err(|(index, error)| {
        let text = set.patterns().get(index).map_or(b"".as_slice(), |p| p.text());
        at.pattern(&crate::model::path::escape(text), &error)
    })?;
    Ok((verdict.matched, verdict.state))
}

/// Whether a folder holds a file, link or the like at any depth.
fn holds_something(tree: &dyn SourceTree, folder: &RepoPath) -> Result<bool, TreeError> {
    let mut waiting = vec![folder.clone()];
    while let Some(folder) = waiting.pop() {
        for item in tree.list(&folder)? {
            if item.kind != Kind::Directory {
                return Ok(true);
            }
            waiting.push(folder.child(&item.name));
        }
    }
    Ok(false)
}
