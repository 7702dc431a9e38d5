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

/// Where `path` leads; the entry is `None` when nothing stands there. The entry is never a link.
///
/// # Errors
/// [`ViewError`]; [`ViewError::Links`] for a circle or a chain of more than 255.
pub fn follow(view: &mut View<'_>, path: &RepoPath) -> Result<(RepoPath, Option<Id>), ViewError> {
    let mut at = path.clone();
    let mut walked = 0;
    loop {
        let before = walked;
        let next = one_pass(view, &at, &mut walked)?;
        if walked > MOST_LINKS || next.as_bytes().len() > LONGEST {
            return Err(ViewError::Links(path.clone()));
        }
        if before == walked {
            let id = view.lookup(&next)?;
            return Ok((next, id));
        }
        at = next;
    }
}

/// Replaces each link on the way by its text, once.
fn one_pass(view: &mut View<'_>, path: &RepoPath, walked: &mut usize) -> Result<RepoPath, ViewError> {
    let mut at = RepoPath::root();
    for name in path.components() {
        let candidate = at.child(name);
        if *walked > MOST_LINKS || candidate.as_bytes().len() > LONGEST {
            return Err(ViewError::Links(path.clone()));
        }
        match link_at(view, &candidate)? {
            Some(text) => {
                *walked += 1;
                at = at.resolve(text);
            }
            None => at = candidate,
        }
    }
    Ok(at)
}

/// The text of the link at `path`, the folders on the way taken as a kernel takes them.
fn link_at(view: &mut View<'_>, path: &RepoPath) -> Result<Option<Vec<u8>>, ViewError> {
    let Some(real) = kernel_path(view, path)? else {
        return Ok(None);
    };
    match view.lookup(&real)? {
        Some(id) if view.kind(id) == Kind::Link => view.link(&real).map(Some),
        _ => Ok(None),
    }
}

/// `path` with the links before its last component resolved; `None` when the way leads nowhere, or out.
fn kernel_path(view: &mut View<'_>, path: &RepoPath) -> Result<Option<RepoPath>, ViewError> {
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
        match view.lookup(&next)?.map(|id| view.kind(id)) {
            Some(Kind::Directory) => at = next,
            Some(Kind::Link) => {
                let text = view.link(&next)?;
                walked += 1;
                if text.starts_with(b"/") || walked > KERNEL_LINKS {
                    return Ok(None);
                }
                let parts = text.split(|b| *b == b'/').filter(|p| !matches!(*p, b"" | b"."));
                waiting.extend(parts.rev().map(<[u8]>::to_vec));
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(at))
}
