//! A context as a builder sees it: its entries, without what the ignore file leaves out.
//!
//! Folders are read when they are first asked for, and once. A folder that is left out shows when something
//! below it is kept (rule 67).

use super::limits::Limits;
use super::manifest::ContextTree;
use super::shared::Shared;
use crate::containerfile::ignore::{IgnoreError, Matched};
use crate::model::{Digest, RepoPath};
use crate::tree::{Kind, TreeError};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Why a context could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The tree could not answer.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The ignore file cannot be used.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// A limit of SEC-A4 was passed.
    #[error("{path}: {what}")]
    Limit {
        /// Where, from the context's root.
        path: RepoPath,
        /// Which limit, with its value.
        what: String,
    },
    /// A chain of symbolic links is longer than 255, or a circle.
    #[error("{0}: too many symbolic links")]
    Links(RepoPath),
}

/// The number of an entry in a [`View`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(u32);

struct Node {
    name: Box<[u8]>,
    kind: Kind,
    inside: Inside,
}

enum Inside {
    /// Not a folder.
    Nothing,
    /// A folder not read yet, and what its children need to know.
    Unread(Matched),
    /// The entries that show, sorted by name.
    Read(Rc<[Id]>),
}

/// A context seen through its ignore file.
pub struct View<'a> {
    context: &'a ContextTree<'a>,
    limits: Limits,
    nodes: Vec<Node>,
    looked_at: usize,
    shared: Option<&'a Shared>,
    /// The links whose texts were asked for.
    followed: BTreeMap<RepoPath, Digest>,
}

impl<'a> View<'a> {
    /// The root of every view.
    pub const ROOT: Id = Id(0);

    /// Looks at nothing yet.
    pub fn new(context: &'a ContextTree<'a>, limits: Limits) -> Self {
        let root = Node {
            name: Box::default(),
            kind: Kind::Directory,
            inside: Inside::Unread(Matched::default()),
        };
        Self {
            context,
            limits,
            nodes: vec![root],
            looked_at: 0,
            shared: None,
            followed: BTreeMap::new(),
        }
    }

    /// The same, with what others have read of the same folders.
    #[must_use]
    pub(super) fn sharing(self, shared: Option<&'a Shared>) -> Self {
        Self { shared, ..self }
    }

    /// What others have read of the same folders, where that may be asked.
    pub(super) fn shared(&self) -> Option<&'a Shared> {
        self.shared
    }

    /// How much may be looked at.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The context that is looked at.
    pub fn context(&self) -> &'a ContextTree<'a> {
        self.context
    }

    /// What an entry is.
    pub fn kind(&self, id: Id) -> Kind {
        self.nodes[id.0 as usize].kind
    }

    /// An entry's name; empty for the root.
    pub fn name(&self, id: Id) -> &[u8] {
        &self.nodes[id.0 as usize].name
    }

    /// The entries that show in the folder `id`, which stands at `path` from the context's root; sorted by name.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn children(&mut self, id: Id, path: &RepoPath) -> Result<Rc<[Id]>, ViewError> {
        let node = &mut self.nodes[id.0 as usize];
        let state = match &mut node.inside {
            Inside::Nothing => return Ok(Rc::default()),
            Inside::Read(children) => return Ok(Rc::clone(children)),
            Inside::Unread(state) => std::mem::take(state),
        };
        let children: Rc<[Id]> = self.read(path, &state)?.into();
        self.nodes[id.0 as usize].inside = Inside::Read(Rc::clone(&children));
        Ok(children)
    }

    /// The entry at `path`; links are not followed.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn lookup(&mut self, path: &RepoPath) -> Result<Option<Id>, ViewError> {
        let mut at = RepoPath::root();
        let mut id = Self::ROOT;
        for name in path.components() {
            let children = self.children(id, &at)?;
            let Ok(found) = children.binary_search_by(|child| self.name(*child).cmp(name)) else {
                return Ok(None);
            };
            id = children[found];
            at = at.child(name);
        }
        Ok(Some(id))
    }

    /// The path in the tree of an entry that stands at `path` from the context's root.
    pub fn in_tree(&self, path: &RepoPath) -> RepoPath {
        self.context.root.join(path)
    }

    /// The text of the link at `path` from the context's root.
    ///
    /// # Errors
    /// [`ViewError::Tree`].
    pub fn link(&mut self, path: &RepoPath) -> Result<Vec<u8>, ViewError> {
        let place = self.in_tree(path);
        let text = self.context.tree.link(&place)?;
        self.followed.insert(place, Digest::of(&text));
        Ok(text)
    }

    /// The links that [`View::link`] was asked for since the last call: where they stand in the tree, and the SHA-256 of
    /// their texts.
    pub fn take_followed(&mut self) -> BTreeMap<RepoPath, Digest> {
        std::mem::take(&mut self.followed)
    }

    /// Lists one folder and drops what the ignore file leaves out.
    fn read(&mut self, folder: &RepoPath, state: &Matched) -> Result<Vec<Id>, ViewError> {
        let items = self.context.tree.list(&self.in_tree(folder))?;
        self.count(folder, items.len())?;
        let mut shown = Vec::with_capacity(items.len());
        let depth = folder.components().count() + 1;
        for item in items {
            let path = folder.child(&item.name);
            self.check_length(&path, depth)?;
            let verdict = self.context.ignore.judge(path.as_bytes(), state)?;
            let inside = match (item.kind, verdict.matched) {
                (Kind::Directory, false) => Inside::Unread(verdict.state),
                (Kind::Directory, true) => match self.kept_below(&path, &verdict.state)? {
                    Some(children) => Inside::Read(children.into()),
                    None => continue,
                },
                (_, false) => Inside::Nothing,
                (_, true) => continue,
            };
            shown.push(self.add(item.name, item.kind, inside));
        }
        Ok(shown)
    }

    /// What shows below a folder that is left out; `None` when nothing does. Its depth is bounded by the limits.
    fn kept_below(&mut self, folder: &RepoPath, state: &Matched) -> Result<Option<Vec<Id>>, ViewError> {
        if self.context.ignore.closes(folder.as_bytes()) {
            return Ok(None);
        }
        let children = self.read(folder, state)?;
        Ok((!children.is_empty()).then_some(children))
    }

    fn add(&mut self, name: Vec<u8>, kind: Kind, inside: Inside) -> Id {
        let id = Id(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            name: name.into(),
            kind,
            inside,
        });
        id
    }

    fn count(&mut self, folder: &RepoPath, more: usize) -> Result<(), ViewError> {
        self.looked_at += more;
        let most = self.limits.entries.min(u32::MAX as usize - 1);
        if self.looked_at > most {
            return Err(limit(folder, format!("the context has more than {most} entries")));
        }
        Ok(())
    }

    fn check_length(&self, path: &RepoPath, deep: usize) -> Result<(), ViewError> {
        let Limits {
            path: longest, depth, ..
        } = self.limits;
        if path.as_bytes().len() > longest {
            return Err(limit(path, format!("the path is longer than {longest} bytes")));
        }
        if deep > depth {
            return Err(limit(path, format!("the path is deeper than {depth} folders")));
        }
        Ok(())
    }
}

fn limit(path: &RepoPath, what: String) -> ViewError {
    ViewError::Limit {
        path: path.clone(),
        what,
    }
}
