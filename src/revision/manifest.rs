//! What an image reads of its contexts: every file, by the instruction that reads it.
//!
//! The revision hashes it, the closed world is laid out from it, the native builder copies by it.
//! So nothing that is not in a manifest can ever reach an image.

use crate::containerfile::ignore::Ignore;
use crate::model::{Digest, RepoPath};
use crate::tree::{Kind, SourceTree};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A build context: a folder of a source tree, seen through an ignore file.
pub struct ContextTree<'a> {
    /// Where the files are.
    pub tree: &'a dyn SourceTree,
    /// The folder of `tree` that is the context's root. Links cannot lead out of it (rule 41).
    pub root: RepoPath,
    /// What is left out (rules 60 to 69).
    pub ignore: Ignore,
    /// The root relative to the repository, for messages.
    pub display: RepoPath,
}

/// All contexts of one build.
pub struct Contexts<'a> {
    /// The build context.
    pub main: ContextTree<'a>,
    /// The named contexts that are folders (rule 78).
    pub named: BTreeMap<String, ContextTree<'a>>,
}

impl<'a> Contexts<'a> {
    /// The context that a [`Section`] reads.
    pub fn get(&self, context: Option<&str>) -> Option<&ContextTree<'a>> {
        match context {
            None => Some(&self.main),
            Some(name) => self.named.get(name),
        }
    }
}

/// Everything a recipe reads of its contexts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// One for each stage that begins with a folder (rule 78), source word of a COPY or ADD, each bind mount and each cache seed that reads a
    /// context, in the order of the recipe. Words that read stages, images, URLs, repositories or
    /// heredocs have none.
    pub sections: Vec<Section>,
    /// Every context whole, when the recipe is not exact ([`Recipe::whole`](crate::containerfile::recipe::Recipe)).
    /// Their `stage`, `step` and `source` mean nothing.
    pub whole: Vec<Section>,
}

/// What one source word, or one mount, reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Index into `Recipe::stages`.
    pub stage: usize,
    /// Index into that stage's `steps`, or [`Section::BASE`].
    pub step: usize,
    /// Index into `Transfer::sources` or `Run::mounts` of the step.
    pub source: usize,
    /// The line of the instruction, from 1.
    pub line: u32,
    /// The named context, or `None` for the build context.
    pub context: Option<String>,
    /// Whether the word is a wildcard, so that the word itself enters the revision (rule 37).
    /// A wildcard may have no roots: nothing is copied then, and it is no error (rule 38).
    pub wildcard: bool,
    /// What the word names, in the order in which the builder copies (bytewise for a wildcard).
    /// Exactly one for a literal word, a mount, and a word under `--parents` (unless its `/./` pivot is a wildcard).
    pub roots: Vec<Root>,
    /// The links that the word led through (rule 41): where each stands in the tree of the context, and the SHA-256 of its
    /// text. They do not enter the revision, what they lead to does.
    pub followed: BTreeMap<RepoPath, Digest>,
}

impl Section {
    /// The `step` of what a stage begins with: a named context that stands in the place of an image (rule 78).
    pub const BASE: usize = usize::MAX;
}

/// One file or folder that a source word names.
///
/// To carry out a COPY, take the roots in order. For a [`Kind::File`] root, the file goes to the destination
/// `d` when `d` does not end in `/` and is no folder, else to `d/<name>`. For a [`Kind::Directory`] root each entry goes to
/// `d/<entry.target>` (the folder's own name vanishes, rule 36), and `d` becomes a folder even when there are
/// no entries. Under `--parents` the root is always a folder and the targets hold the kept path (rule 53).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The name a file takes inside a folder destination: the last component of the word or match, as written,
    /// before links are followed. Empty for the context's root.
    pub name: Vec<u8>,
    /// Where it stands in the tree of the context (from the tree's root, not the context's), links followed.
    pub path: RepoPath,
    /// [`Kind::File`] or [`Kind::Directory`], never another.
    pub kind: Kind,
    /// What is read: for a file the file itself, for a folder all that is kept below it, sorted bytewise by target.
    /// Images that read the same folder share them.
    pub entries: Arc<[Read]>,
}

/// One entry that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Where it stands in the tree of the context (from the tree's root): what to `open`.
    pub path: RepoPath,
    /// Where it goes, relative to the root's destination; empty for a [`Kind::File`] root.
    pub target: RepoPath,
    /// A [`Kind::File`], a [`Kind::Link`] (its text is content, its target is not read, rule 42), or a
    /// [`Kind::Directory`] that is kept though nothing kept lies in it. All other folders are implied by the
    /// targets below them, with mode 0755.
    pub kind: Kind,
    /// SHA-256 of the content or the link's text; of nothing for a folder.
    pub content: Digest,
    /// The size of a file, in bytes; 0 for what is none.
    pub size: u64,
}
