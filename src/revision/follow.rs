//! Following symbolic links inside a context, as BuildKit does it (rule 41).
//!
//! Absolute targets and `..` stop at the context's root. The texts of links are joined and cleaned without a look
//! at what the joined path runs through; only then is the outcome looked at again. That is not what a kernel
//! does with `..` after a link to a folder, but it is what the builder does.

use super::view::{Id, View, ViewError};
use crate::model::RepoPath;
use crate::tree::Kind;

/// The most links in one resolution.
const MOST_LINKS: usize = 255;
/// The most links a kernel follows on the way to an entry.
const KERNEL_LINKS: usize = 40;
/// A path that grows beyond this in the following is a trap.
const LONGEST: usize = 4096;
/// The most bytes of paths that one resolution looks up; no honest one comes near.
const MOST_WORK: usize = 4 << 20;

/// Where `path` leads; the entry is `None` when nothing stands there. The entry is never a link.
///
/// # Errors
/// [`ViewError`]; [`ViewError::Links`] for a circle or a chain of more than 255.
pub fn follow(view: &mut View<'_>, path: &RepoPath) -> Result<(RepoPath, Option<Id>), ViewError> {
    let mut trail = Trail {
        view,
        start: path,
        walked: 0,
        work: 0,
        blocked: false,
    };
    let mut at = path.as_bytes().to_vec();
    loop {
        let before = trail.walked;
        let next = trail.one_pass(&at)?;
        let clean = RepoPath::clean(&next);
        if trail.blocked {
            return Ok((clean, None));
        }
        if before == trail.walked && clean.as_bytes() == at {
            let id = view.lookup(&clean)?;
            return Ok((clean, id));
        }
        at = if before == trail.walked {
            clean.as_bytes().to_vec()
        } else {
            next
        };
    }
}

/// One resolution, and what it has cost so far.
struct Trail<'t, 'v> {
    view: &'t mut View<'v>,
    start: &'t RepoPath,
    walked: usize,
    work: usize,
    /// Set when the way leads through a file.
    blocked: bool,
}

impl Trail<'_, '_> {
    /// Replaces each link on the way by its text, once. The text of an absolute link is not cleaned before the
    /// next pass, so its `..` go up from where the links before them led.
    fn one_pass(&mut self, path: &[u8]) -> Result<Vec<u8>, ViewError> {
        let before = self.walked;
        let mut at: Vec<u8> = Vec::new();
        for name in path.split(|b| *b == b'/').filter(|name| !name.is_empty()) {
            let candidate = RepoPath::clean([at.as_slice(), b"/", name].concat());
            // Before the first link, all that has been passed are plain folders.
            let real = match self.walked == before {
                true => Some(candidate.clone()),
                false => self.kernel_path(&candidate)?,
            };
            at = match self.link_at(real)? {
                Some(text) if text.starts_with(b"/") => text,
                Some(text) => RepoPath::clean([at.as_slice(), b"/", &text].concat())
                    .as_bytes()
                    .to_vec(),
                None => candidate.as_bytes().to_vec(),
            };
            self.bounded(&at)?;
            if self.blocked {
                break;
            }
        }
        Ok(at)
    }

    fn bounded(&self, at: &[u8]) -> Result<(), ViewError> {
        if self.walked > MOST_LINKS || self.work > MOST_WORK || at.len() > LONGEST {
            return Err(ViewError::Links(self.start.clone()));
        }
        Ok(())
    }

    fn kind(&mut self, path: &RepoPath) -> Result<Option<Kind>, ViewError> {
        self.work += path.as_bytes().len() + 1;
        self.bounded(path.as_bytes())?;
        let id = self.view.lookup(path)?;
        Ok(id.map(|id| self.view.kind(id)))
    }

    /// The text of the link at a path whose folders are no links.
    fn link_at(&mut self, real: Option<RepoPath>) -> Result<Option<Vec<u8>>, ViewError> {
        let Some(real) = real else {
            return Ok(None);
        };
        match self.kind(&real)? {
            Some(Kind::Link) => {
                self.walked += 1;
                self.view.link(&real).map(Some)
            }
            Some(_) => Ok(None),
            None => {
                let folder = real
                    .parent()
                    .map(|folder| self.kind(&folder))
                    .transpose()?
                    .flatten();
                self.blocked = folder.is_some_and(|kind| kind != Kind::Directory);
                Ok(None)
            }
        }
    }

    /// `path` with the links before its last component resolved as a kernel does it; `None` when the way leads
    /// nowhere, or out of the context.
    fn kernel_path(&mut self, path: &RepoPath) -> Result<Option<RepoPath>, ViewError> {
        self.work += 8 * path.as_bytes().len();
        self.bounded(path.as_bytes())?;
        let mut waiting: Vec<Vec<u8>> = path.components().map(<[u8]>::to_vec).collect();
        waiting.reverse();
        let mut at = RepoPath::root();
        let mut walked = 0;
        while let Some(name) = waiting.pop() {
            if name == b".." {
                let Some(up) = at.parent() else {
                    return Ok(None);
                };
                at = up;
                continue;
            }
            let next = at.child(&name);
            if waiting.is_empty() {
                return Ok(Some(next));
            }
            match self.kind(&next)? {
                Some(Kind::Directory) => at = next,
                Some(Kind::Link) => {
                    let text = self.view.link(&next)?;
                    walked += 1;
                    if text.starts_with(b"/") || walked > KERNEL_LINKS {
                        return Ok(None);
                    }
                    let parts = text.split(|b| *b == b'/').filter(|p| !matches!(*p, b"" | b"."));
                    waiting.extend(parts.rev().map(<[u8]>::to_vec));
                }
                Some(_) => {
                    self.blocked = true;
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::Limits;
    use super::super::testing::contexts;
    use super::*;
    use crate::tree::memory::MemoryTree;

    fn leads(tree: &MemoryTree, path: &str) -> Result<String, ViewError> {
        let contexts = contexts(tree, "");
        let mut view = View::new(&contexts.main, Limits::default());
        follow(&mut view, &RepoPath::clean(path)).map(|(path, _)| path.to_string())
    }

    fn chain(length: usize) -> MemoryTree {
        let link = |tree: MemoryTree, n| tree.link(format!("l{n}"), format!("l{}", n + 1));
        (0..length).fold(MemoryTree::new().file(format!("l{length}"), ""), link)
    }

    #[test]
    fn targets_are_clamped_at_the_root() {
        let tree = MemoryTree::new()
            .file("etc/x", "")
            .link("d/abs", "/etc/x")
            .link("d/up", "../../../etc/x")
            .link("d/folder", "../etc");
        for path in ["d/abs", "d/up", "d/folder/x"] {
            assert_eq!(leads(&tree, path).unwrap(), "etc/x", "{path}");
        }
    }

    #[test]
    fn long_chains_are_followed_and_endless_ones_refused() {
        assert_eq!(leads(&chain(40), "l0").unwrap(), "l40");
        assert_eq!(leads(&chain(255), "l0").unwrap(), "l255");
        assert!(matches!(leads(&chain(256), "l0"), Err(ViewError::Links(_))));
        let growing = MemoryTree::new().link("a", "a/a/a/a");
        assert!(leads(&growing, "a").is_err());
    }

    #[test]
    fn texts_are_joined_before_what_they_run_through_is_looked_at() {
        let tree = MemoryTree::new()
            .directory("x/y")
            .link("d", "x/y")
            .link("l", "d/../z");
        assert_eq!(leads(&tree, "l").unwrap(), "z");
    }

    #[test]
    fn the_dots_of_an_absolute_text_go_up_from_where_it_led() {
        let tree = MemoryTree::new()
            .directory("x/y")
            .link("d", "x/y")
            .link("l", "/d/../z");
        assert_eq!(leads(&tree, "l").unwrap(), "x/z");
    }

    #[test]
    fn what_does_not_exist_keeps_its_path() {
        let tree = MemoryTree::new().link("l", "gone").file("f", "");
        assert_eq!(leads(&tree, "l/x/../y").unwrap(), "gone/y");
        assert_eq!(leads(&tree, "f/x").unwrap(), "f/x");
    }
}
