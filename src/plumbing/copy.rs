//! The question of `copywild.jsonl`.

use super::{error, tree};
use crate::containerfile::glob;
use crate::containerfile::ignore::Ignore;
use crate::model::RepoPath;
use crate::revision::view::View;
use crate::revision::{ContextTree, Limits, wildcard};
use serde_json::{Value, json};

/// What a COPY source names: `{pattern, files}` to `{matches}`. A literal word names itself, whether it exists or
/// not. The answer is sorted as text; a copy goes in the order of the walk.
pub fn copy(input: &Value) -> Value {
    let tree = tree(input);
    let context = ContextTree {
        tree: &tree,
        root: RepoPath::root(),
        ignore: Ignore::none(),
        display: RepoPath::root(),
    };
    let mut view = View::new(&context, Limits::default());
    let word = RepoPath::clean(super::text(input, "pattern"));
    let (plain, wild) = glob::split(word.as_bytes());
    let matches = match wild {
        b"" => Ok(Some(vec![word.clone()])),
        wild => wildcard::expand(&mut view, &RepoPath::clean(plain), wild),
    };
    // BuildKit answers a literal word from the root, and matches relative to it.
    let slash = if wild.is_empty() { "/" } else { "" };
    match matches {
        Ok(Some(paths)) => {
            let text = |p: &RepoPath| format!("{slash}{}", String::from_utf8_lossy(p.as_bytes()));
            let mut matches: Vec<String> = paths.iter().map(text).collect();
            matches.sort_unstable();
            json!({ "matches": matches })
        }
        Ok(None) => error("no such file"),
        Err(e) => error(e),
    }
}
