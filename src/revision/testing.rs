//! Recipes and contexts by hand, for the tests of this folder.

use super::manifest::{ContextTree, Contexts, Manifest};
use super::{Inputs, Limits, Plan, Records, SelectError, compute, select};
use crate::containerfile::ignore::Ignore;
use crate::containerfile::recipe::*;
use crate::model::{Platform, RepoPath};
use crate::tree::memory::MemoryTree;
use std::collections::BTreeMap;

pub(super) fn transfer(words: &[&str], destination: &str) -> Transfer {
    Transfer {
        add: false,
        from: Source::Context,
        sources: words.iter().map(|w| TransferSource::Path((*w).into())).collect(),
        destination: destination.into(),
        chown: None,
        chmod: None,
        link: false,
        parents: false,
        exclude: Vec::new(),
        checksum: None,
        keep_git_dir: false,
        unpack: None,
    }
}

pub(super) fn copy(words: &[&str]) -> Op {
    Op::Transfer(transfer(words, "/d/"))
}

pub(super) fn parents(word: &str) -> Op {
    Op::Transfer(Transfer {
        parents: true,
        ..transfer(&[word], "/d/")
    })
}

pub(super) fn excluding(word: &str, patterns: &[&str]) -> Op {
    Op::Transfer(Transfer {
        exclude: patterns.iter().map(|p| (*p).into()).collect(),
        ..transfer(&[word], "/d/")
    })
}

pub(super) fn bind(source: &str) -> Op {
    Op::Run(Run {
        command: Command::Shell("true".into()),
        heredocs: Vec::new(),
        mounts: vec![Mount {
            kind: MountKind::Bind {
                from: Source::Context,
                source: source.into(),
            },
            target: "/m".into(),
            options: Vec::new(),
        }],
        network: None,
        security: None,
        devices: Vec::new(),
        args: Vec::new(),
    })
}

/// One stage from scratch; the steps stand on the lines from 2.
pub(super) fn recipe(ops: Vec<Op>) -> Recipe {
    let step = |(line, op)| Step {
        line,
        original: String::new(),
        trigger: false,
        unresolved: false,
        op,
    };
    let stage = Stage {
        line: 1,
        name: None,
        base: Source::Scratch,
        platform: None,
        workdir: None,
        steps: (2..).zip(ops).map(step).collect(),
    };
    over(vec![stage])
}

/// A recipe of these stages, for the last one.
pub(super) fn over(stages: Vec<Stage>) -> Recipe {
    Recipe {
        platform: Platform::default(),
        target: stages.len() - 1,
        stages,
        whole: None,
        warnings: Vec::new(),
        syntax: None,
        facts: crate::containerfile::BaseFacts::default(),
        written: Default::default(),
    }
}

pub(super) fn contexts<'t>(tree: &'t MemoryTree, ignore: &str) -> Contexts<'t> {
    Contexts {
        main: ContextTree {
            tree,
            root: RepoPath::root(),
            ignore: Ignore::parse(ignore.as_bytes()).unwrap_or_default(),
            display: RepoPath::root(),
        },
        named: BTreeMap::new(),
    }
}

pub(super) fn manifest(tree: &MemoryTree, ignore: &str, ops: Vec<Op>) -> Result<Manifest, SelectError> {
    select(&recipe(ops), &contexts(tree, ignore), &Limits::default())
}

/// The targets that the first word reads, root after root; a file goes by its name, a bare folder ends in `/`.
pub(super) fn read(tree: &MemoryTree, ignore: &str, op: Op) -> Result<Vec<String>, SelectError> {
    let manifest = manifest(tree, ignore, vec![op])?;
    let roots = manifest.sections.iter().flat_map(|s| &s.roots);
    let shown = roots.flat_map(|root| {
        root.entries.iter().map(|read| match read.kind {
            _ if read.target.is_root() => String::from_utf8_lossy(&root.name).into_owned(),
            crate::tree::Kind::Directory => format!("{}/", read.target),
            _ => read.target.to_string(),
        })
    });
    Ok(shown.collect())
}

pub(super) fn records(recipe: &Recipe, tree: &MemoryTree, ignore: &str) -> Records {
    let contexts = contexts(tree, ignore);
    let manifest = select(recipe, &contexts, &Limits::default()).unwrap_or_default();
    let plan = Plan {
        recipe,
        manifest: &manifest,
    };
    compute(&[plan], &Inputs::default()).1
}
