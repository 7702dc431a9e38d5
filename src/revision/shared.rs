//! What folders hold, kept for the images that see the same: many copy the same library.
//!
//! A folder's entries are a function of the tree, the context's root and its ignore file, so an answer that one image
//! waited for is the next one's, digests included. Answers are kept for contexts in one tree; words with `--exclude` or
//! `--parents` have their own.

use super::manifest::{ContextTree, Read};
use crate::containerfile::ignore::Ignore;
use crate::model::RepoPath;
use crate::tree::SourceTree;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Folders of one tree, by path, and what contexts see in them.
pub struct Shared {
    tree: Arc<dyn SourceTree>,
    folders: Mutex<HashMap<RepoPath, Vec<Seen>>>,
}

/// One folder through the eyes of a context.
struct Seen {
    root: RepoPath,
    ignore: Ignore,
    entries: Arc<[Read]>,
}

impl Seen {
    fn is_of(&self, context: &ContextTree<'_>) -> bool {
        self.root == context.root && self.ignore.is_same(&context.ignore)
    }
}

impl Shared {
    /// Nothing is known yet of `tree`.
    pub fn new(tree: Arc<dyn SourceTree>) -> Self {
        Self {
            tree,
            folders: Mutex::default(),
        }
    }

    /// What `context` reads of the folder at `path` in the tree, if that is known.
    pub(super) fn get(&self, context: &ContextTree<'_>, path: &RepoPath) -> Option<Arc<[Read]>> {
        if !self.holds(context) {
            return None;
        }
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = folders.get(path)?.iter().find(|seen| seen.is_of(context))?;
        Some(Arc::clone(&seen.entries))
    }

    /// Keeps what `context` reads of the folder at `path`.
    pub(super) fn put(&self, context: &ContextTree<'_>, path: &RepoPath, entries: &Arc<[Read]>) {
        if !self.holds(context) {
            return;
        }
        let seen = Seen {
            root: context.root.clone(),
            ignore: context.ignore.clone(),
            entries: Arc::clone(entries),
        };
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.entry(path.clone()).or_default().push(seen);
    }

    fn holds(&self, context: &ContextTree<'_>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.tree), std::ptr::from_ref(context.tree))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{copy, excluding, recipe};
    use super::super::{Contexts, Limits, Manifest, select_sharing};
    use super::*;
    use crate::containerfile::recipe::Op;
    use crate::tree::memory::MemoryTree;

    fn context<'t>(tree: &'t Arc<dyn SourceTree>, root: &str, ignore: &str) -> Contexts<'t> {
        Contexts {
            main: ContextTree {
                tree: &**tree,
                root: RepoPath::clean(root),
                ignore: Ignore::parse(ignore.as_bytes()).unwrap(),
                display: RepoPath::clean(root),
            },
            named: Default::default(),
        }
    }

    fn tree() -> Arc<dyn SourceTree> {
        let tree = MemoryTree::new().file("s/lib/x.c", "x").file("s/lib/x.h", "h");
        Arc::new(tree.file("s/lib/deep/y", "y"))
    }

    #[test]
    fn what_is_shared_is_what_each_would_have_found_alone() {
        let tree = tree();
        let shared = Shared::new(tree.clone());
        let alone = |contexts: &Contexts<'_>, op: Op| {
            select_sharing(&recipe(vec![op]), contexts, &Limits::default(), None)
        };
        let together = |contexts: &Contexts<'_>, op: Op| {
            select_sharing(&recipe(vec![op]), contexts, &Limits::default(), Some(&shared))
        };
        let contexts = [
            context(&tree, "", ""),
            context(&tree, "s", ""),
            context(&tree, "", "**/*.h\n"),
            context(&tree, "", "**/*.c\n"),
        ];
        for _ in 0..2 {
            for contexts in &contexts {
                for word in ["s/lib", "lib", ".", "s/lib/deep", "s/li*"] {
                    let found = together(contexts, copy(&[word]));
                    assert_eq!(found, alone(contexts, copy(&[word])), "{word}");
                    let found = together(contexts, excluding(word, &["**/x.c"]));
                    assert_eq!(found, alone(contexts, excluding(word, &["**/x.c"])), "{word}");
                }
            }
        }
        assert!(!shared.folders.lock().unwrap().is_empty());
    }

    #[test]
    fn a_folder_is_walked_once_for_all_that_see_the_same() {
        let tree = tree();
        let shared = Shared::new(tree.clone());
        let contexts = context(&tree, "", "");
        let read = || -> Manifest {
            let recipe = recipe(vec![copy(&["s/lib"])]);
            select_sharing(&recipe, &contexts, &Limits::default(), Some(&shared)).unwrap()
        };
        let (one, two) = (read(), read());
        let entries = |manifest: &Manifest| Arc::clone(&manifest.sections[0].roots[0].entries);
        assert!(Arc::ptr_eq(&entries(&one), &entries(&two)));
    }

    #[test]
    fn another_tree_is_never_answered_from_it() {
        let shared = Shared::new(tree());
        let other: Arc<dyn SourceTree> = Arc::new(MemoryTree::new().file("s/lib/z", "z"));
        let contexts = context(&other, "", "");
        let recipe = recipe(vec![copy(&["s/lib"])]);
        let found = select_sharing(&recipe, &contexts, &Limits::default(), Some(&shared)).unwrap();
        assert_eq!(found.sections[0].roots[0].entries.len(), 1);
        assert!(shared.folders.lock().unwrap().is_empty());
    }
}
