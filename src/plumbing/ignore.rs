//! The question of `dockerignore.jsonl`.

use super::{error, tree};
use crate::containerfile::ignore::Ignore;
use crate::model::RepoPath;
use crate::revision::view::{Id, View, ViewError};
use crate::revision::{ContextTree, Limits};
use crate::tree::Kind;
use serde_json::{Value, json};

/// What an ignore file keeps: `{pats, files}` to `{kept, patterns}`; folders end in `/`.
pub fn ignore(input: &Value) -> Value {
    let ignore = match Ignore::parse(super::text(input, "pats").as_bytes()) {
        Ok(ignore) => ignore,
        Err(e) => return error(e),
    };
    let tree = tree(input);
    // Go has no empty list here, but none at all.
    let patterns: Vec<String> = ignore.patterns().map(Into::into).collect();
    let patterns = Some(patterns).filter(|p| !p.is_empty());
    let context = ContextTree {
        tree: &tree,
        root: RepoPath::root(),
        ignore,
        display: RepoPath::root(),
    };
    let mut view = View::new(&context, Limits::default());
    let mut kept = Vec::new();
    match walk(&mut view, View::ROOT, &RepoPath::root(), &mut kept) {
        Ok(()) => {
            kept.sort_unstable();
            json!({ "kept": kept, "patterns": patterns })
        }
        Err(e) => error(e),
    }
}

/// Depth is bounded by the limits of the view.
fn walk(view: &mut View<'_>, id: Id, path: &RepoPath, kept: &mut Vec<String>) -> Result<(), ViewError> {
    for &child in view.children(id, path)?.iter() {
        let path = path.child(view.name(child));
        let slash = if view.kind(child) == Kind::Directory {
            "/"
        } else {
            ""
        };
        kept.push(format!("{}{slash}", String::from_utf8_lossy(path.as_bytes())));
        walk(view, child, &path, kept)?;
    }
    Ok(())
}
