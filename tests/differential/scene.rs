//! Where an instruction stands: what may be named there.

use super::world::{Named, Tree};
use std::collections::BTreeMap;

/// What is known of a stage.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    pub name: Option<String>,
    /// Whether RUN works.
    pub shell: bool,
    /// Paths that surely exist in it.
    pub made: Vec<String>,
}

pub struct Scene<'a> {
    pub tree: &'a Tree,
    pub contexts: &'a BTreeMap<String, Named>,
    pub stages: Vec<Stage>,
    pub now: Stage,
    pub escape: char,
    /// Makes names that no other instruction has.
    pub serial: usize,
}

impl<'a> Scene<'a> {
    pub fn new(tree: &'a Tree, contexts: &'a BTreeMap<String, Named>, escape: char) -> Self {
        Self {
            tree,
            contexts,
            stages: Vec::new(),
            now: Stage::default(),
            escape,
            serial: 0,
        }
    }

    pub fn number(&mut self) -> usize {
        self.serial += 1;
        self.serial
    }

    /// Stages before this one that have a name, and are not replaced by a context.
    pub fn earlier(&self) -> Vec<(usize, Stage)> {
        let replaced = |stage: &Stage| {
            let name = stage.name.as_ref();
            name.is_some_and(|name| self.contexts.contains_key(&name.to_lowercase()))
        };
        let stages = self.stages.iter().cloned().enumerate();
        stages.filter(|(_, stage)| !replaced(stage)).collect()
    }

    /// The named contexts that are folders.
    pub fn folders(&self) -> Vec<(&'a str, &'a Tree)> {
        let folder = |(name, named): (&'a String, &'a Named)| match named {
            Named::Folder(tree) => Some((name.as_str(), tree)),
            Named::Image(_) => None,
        };
        self.contexts.iter().filter_map(folder).collect()
    }
}
