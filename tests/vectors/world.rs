//! A container file with its context, as the vectors write it down, and the revision of that.

use ringshift::containerfile::ignore::{Ignore, ignore_file_for};
use ringshift::containerfile::{
    Base, BaseFacts, Inputs, NamedContext, ProjectRef, ResolveError, World, parse, resolve,
};
use ringshift::model::{Digest, Platform, RepoPath, Revision};
use ringshift::pack::Pack;
use ringshift::revision::{self, ContextTree, Contexts, Limits, Plan, Records};
use ringshift::tree::SourceTree;
use ringshift::tree::memory::MemoryTree;
use serde_json::Value;
use std::collections::BTreeMap;

/// The base images of the vectors, as a lock would hold them; `whole` with digest and working directory, as well.
struct Locked {
    whole: bool,
}

impl World for Locked {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let Base::External { reference, .. } = base else {
            return Ok(BaseFacts::unknown());
        };
        let second = reference.tag() == Some("2");
        let triggers = [
            "ARG OBARG=dflt",
            "COPY ob.txt /ob.txt",
            "RUN echo \"onbuild $OBARG\" > /ob.run",
        ];
        let env = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ),
            ("BASEENV", if second { "second" } else { "fromBase" }),
        ];
        Ok(BaseFacts {
            env: env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            onbuild: match reference.name().ends_with("/ob") {
                true => triggers.iter().map(|t| (*t).into()).collect(),
                false => Vec::new(),
            },
            workdir: self.whole.then(|| "/".to_owned()),
            digest: self.whole.then(|| Digest::of(reference.to_string().as_bytes())),
            ..BaseFacts::default()
        })
    }
}

/// Base images of which nothing is known.
struct Unlocked;

impl World for Unlocked {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, _: &Base) -> Result<BaseFacts, ResolveError> {
        Ok(BaseFacts::unknown())
    }
}

fn tree(files: &Value) -> MemoryTree {
    let files = files.as_object().cloned().unwrap_or_default();
    files.iter().fold(MemoryTree::new(), |tree, (path, spec)| {
        let text = |key: &str| spec[key].as_str().map(str::to_owned);
        if let Some(text) = spec.as_str() {
            tree.file(path, text)
        } else if let Some(target) = text("link") {
            tree.link(path, target)
        } else if spec["fifo"].as_bool() == Some(true) {
            tree.special(path)
        } else if spec["dir"].as_bool() == Some(true) {
            tree.directory(path)
        } else if let Some(other) = text("hardlink") {
            tree.file(path, files[&other].as_str().unwrap_or_default())
        } else if let Some(base64) = text("base64") {
            tree.file(path, base64)
        } else if spec["mode"].as_u64().is_some_and(|mode| mode & 0o111 != 0) {
            tree.executable(path, text("data").unwrap_or_default())
        } else {
            tree.file(path, text("data").unwrap_or_default())
        }
    })
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().cloned().unwrap_or_default();
    pairs
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect()
}

fn context(tree: &MemoryTree, ignore: Option<RepoPath>) -> Result<ContextTree<'_>, String> {
    let ignore = match ignore {
        Some(path) => Ignore::parse(&tree.read(&path, 1 << 20).map_err(|e| e.to_string())?),
        None => Ok(Ignore::none()),
    };
    Ok(ContextTree {
        tree,
        root: RepoPath::root(),
        ignore: ignore.map_err(|e| e.to_string())?,
        display: RepoPath::root(),
    })
}

/// The revision of one world, all base images locked.
pub fn revision(world: &Value) -> Result<Revision, String> {
    Ok(resolved(world, &Locked { whole: true })?.revision())
}

/// The records of one world.
pub fn records(world: &Value) -> Result<Records, String> {
    let known = Locked {
        whole: world["locked"] == true,
    };
    match world["unlocked"].as_bool() {
        Some(true) => resolved(world, &Unlocked),
        _ => resolved(world, &known),
    }
}

fn resolved(world: &Value, images: &dyn World) -> Result<Records, String> {
    let files = tree(&world["files"]);
    let name = RepoPath::clean(world["dockerfile"].as_str().unwrap_or("Dockerfile"));
    let bytes = files.read(&name, 1 << 20).map_err(|e| e.to_string())?;
    let folders: BTreeMap<String, MemoryTree> = world["contexts"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, files)| (name.clone(), tree(files)))
        .collect();
    let args = strings(&world["args"]);
    let platform: Platform = world["platform"]
        .as_str()
        .unwrap_or("linux/amd64")
        .parse()
        .map_err(|_| "platform")?;
    let recipe = parse(&bytes)
        .and_then(|file| {
            let inputs = Inputs {
                args: &args,
                target: world["target"].as_str(),
                platform: &platform,
                contexts: &folders
                    .keys()
                    .map(|name| (name.clone(), NamedContext::Folder))
                    .collect(),
                world: images,
            };
            resolve(&file, &inputs)
        })
        .map_err(|e| e.to_string())?;
    let ignore = ignore_file_for(&name, &RepoPath::root(), &files).map_err(|e| e.to_string())?;
    let mut contexts = Contexts {
        main: context(&files, ignore)?,
        named: BTreeMap::new(),
    };
    for (name, tree) in &folders {
        let own = RepoPath::clean(".dockerignore");
        let own = tree.kind(&own).ok().flatten().map(|_| own);
        contexts.named.insert(name.clone(), context(tree, own)?);
    }
    let manifest = revision::select(&recipe, &contexts, &Limits::default()).map_err(|e| e.to_string())?;
    let plan = Plan {
        recipe: &recipe,
        manifest: &manifest,
    };
    let inputs = revision::Inputs {
        epoch: world["epoch"].as_str(),
        target: world["target"].as_str(),
        container_file: &bytes,
        args: args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        ..revision::Inputs::default()
    };
    let records = revision::compute(&[plan], &inputs).1;
    let Value::Object(pack) = &world["pack"] else {
        return Ok(records);
    };
    let pack = serde_json::to_vec(pack).map_err(|e| e.to_string())?;
    let pack = Pack::read(&pack).map_err(|e| e.to_string())?;
    Ok(revision::with_environments(records, &pack).1)
}
