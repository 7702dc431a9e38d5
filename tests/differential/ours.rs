//! What ringshift makes of a world: its revision.

use super::world::{File, Named, Tree, World};
use ringshift::containerfile::ignore::{Ignore, ignore_file_for};
use ringshift::containerfile::recipe::{Recipe, Source};
use ringshift::containerfile::{
    self, Base, BaseFacts, NamedContext, ProjectRef, ResolveError, parse, resolve,
};
use ringshift::model::{Reference, RepoPath, Revision};
use ringshift::revision::{self, ContextTree, Contexts, Limits, Plan, Records};
use ringshift::tree::SourceTree;
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeMap;

pub struct Answer {
    pub revision: Revision,
    pub records: Records,
    /// Whether all was understood; if not, everything enters.
    pub exact: bool,
    /// The first lines of the stages in the recipe, and whether the image stands on them.
    stages: Vec<(u32, bool)>,
}

impl Answer {
    /// Whether a line is of a stage that others only copy from or mount: what it reads enters, though the image may hold
    /// nothing of it (rule 24).
    pub fn is_aside(&self, line: u32) -> bool {
        let stage = self.stages.iter().rev().find(|(first, _)| *first <= line);
        stage.is_some_and(|(_, under)| !under)
    }
}

/// The stages, each with whether the target stands on it.
fn stages(recipe: &Recipe) -> Vec<(u32, bool)> {
    let mut stages: Vec<(u32, bool)> = recipe.stages.iter().map(|stage| (stage.line, false)).collect();
    let mut at = Some(recipe.target);
    while let Some(number) = at {
        stages[number].1 = true;
        at = match recipe.stages[number].base {
            Source::Stage(base) => Some(base),
            _ => None,
        };
    }
    stages
}

/// The images that the judge makes, as a lock would hold them; without one of them, perhaps.
struct Locked {
    base: bool,
}

impl containerfile::World for Locked {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let name = match base {
            Base::External { reference, .. } => reference.name(),
            Base::Project(_) => "",
        };
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let (env, onbuild): (&[_], &[&str]) = match name {
            "docker.io/library/base" if self.base => (&[("PATH", path), ("BASE", "s")], &[]),
            "docker.io/library/trig" => (
                &[("PATH", path), ("BASE", "s"), ("V", "a.txt"), ("TRIG", "s")],
                &["ARG W=x", "COPY *.txt $V /trig/", "RUN echo $W $V > /o/trig"],
            ),
            _ => return Ok(BaseFacts::unknown()),
        };
        Ok(BaseFacts {
            env: env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            onbuild: onbuild.iter().map(|t| (*t).into()).collect(),
            workdir: Some("/".into()),
            ..BaseFacts::default()
        })
    }
}

fn tree(files: &Tree) -> MemoryTree {
    files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, file)| match file {
            File::Link { link } => tree.link(path, link),
            File::Script { executable } => tree.executable(path, executable),
            _ => tree.file(path, file.bytes()),
        })
}

fn context(tree: &MemoryTree, ignore: Option<RepoPath>) -> Result<ContextTree<'_>, String> {
    let ignore = match ignore {
        Some(path) => Ignore::parse(&tree.read(&path, 1 << 20).map_err(text)?).map_err(text)?,
        None => Ignore::none(),
    };
    Ok(ContextTree {
        tree,
        root: RepoPath::root(),
        ignore,
        display: RepoPath::root(),
    })
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// The revision, or why there is none.
pub fn answer(world: &World) -> Result<Answer, String> {
    let files = tree(&world.tree());
    let mut folders = BTreeMap::new();
    let mut named = BTreeMap::new();
    let mut images = BTreeMap::new();
    for (name, context) in &world.contexts {
        match context {
            Named::Folder(files) => {
                folders.insert(name.clone(), tree(files));
                named.insert(name.clone(), NamedContext::Folder);
            }
            Named::Image(image) => {
                let reference: Reference = image.parse().map_err(text)?;
                images.insert(name.as_str(), reference.to_string());
                named.insert(name.clone(), NamedContext::External(reference));
            }
        }
    }
    let inputs = containerfile::Inputs {
        args: &world.args,
        target: world.target.as_deref(),
        platform: &world.platform.parse().map_err(text)?,
        contexts: &named,
        world: &Locked {
            base: !world.unlocked,
        },
    };
    let bytes = world.text().into_bytes();
    let recipe = parse(&bytes)
        .and_then(|file| resolve(&file, &inputs))
        .map_err(text)?;
    let ignore = ignore_file_for(&RepoPath::clean(&world.name), &RepoPath::root(), &files).map_err(text)?;
    let mut contexts = Contexts {
        main: context(&files, ignore)?,
        named: BTreeMap::new(),
    };
    for (name, tree) in &folders {
        let own = RepoPath::clean(".dockerignore");
        let own = tree.kind(&own).map_err(text)?.map(|_| own);
        contexts.named.insert(name.clone(), context(tree, own)?);
    }
    let manifest = revision::select(&recipe, &contexts, &Limits::default()).map_err(text)?;
    let plan = Plan {
        recipe: &recipe,
        manifest: &manifest,
    };
    let args = world.args.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let inputs = revision::Inputs {
        epoch: None,
        container_file: &bytes,
        args: args.collect(),
        target: world.target.as_deref(),
        images,
    };
    let (revision, records) = revision::compute(&[plan], &inputs);
    Ok(Answer {
        revision,
        records,
        exact: recipe.whole.is_none(),
        stages: stages(&recipe),
    })
}
