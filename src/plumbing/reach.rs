//! `plumbing reach`: which paths of the context and which images a target reads.

use super::{error, text, texts};
use crate::containerfile::recipe::{MountKind, Op, Recipe, Source, TransferSource};
use crate::containerfile::{Base, BaseFacts, Inputs, ProjectRef, ResolveError, World, parse, resolve};
use crate::model::{Platform, RepoPath};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A container file, arguments and target to what they read: `{dockerfile, args, target, onbuild}` to
/// `{context, images}`; `context` is null, `"ALL"`, or the paths and patterns.
pub fn reach(input: &Value) -> Value {
    let triggers = input
        .get("onbuild")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let world = Outside {
        triggers: triggers.filter_map(Value::as_str).map(str::to_owned).collect(),
        images: RefCell::default(),
    };
    let recipe = parse(text(input, "dockerfile").as_bytes()).and_then(|file| {
        let inputs = Inputs {
            args: &texts(input, "args"),
            target: input.get("target").and_then(Value::as_str),
            platform: &Platform::default(),
            contexts: &BTreeMap::new(),
            world: &world,
        };
        resolve(&file, &inputs)
    });
    match recipe {
        Ok(recipe) => json!({
            "context": context(&recipe),
            "images": world.images.take(),
            "config": config(recipe.facts()),
        }),
        Err(e) => {
            let mut answer = error(e);
            answer["images"] = json!(world.images.take());
            answer
        }
    }
}

/// The image of the vectors that has triggers. (All others have none, as the measured answers show.)
const WITH_TRIGGERS: &str = "docker.io/library/img1:latest";

/// The world of the vectors: every outside image has one variable.
struct Outside {
    triggers: Vec<String>,
    images: RefCell<BTreeSet<String>>,
}

impl World for Outside {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let mut onbuild = Vec::new();
        if let Base::External { reference, .. } = base {
            let reference = reference.to_string();
            if reference == WITH_TRIGGERS {
                onbuild.clone_from(&self.triggers);
            }
            self.images.borrow_mut().insert(reference);
        }
        Ok(BaseFacts {
            env: vec![("PATH".into(), "/bin".into())],
            onbuild,
            ..BaseFacts::default()
        })
    }
}

/// What of the result's config the resolver knows.
fn config(facts: &BaseFacts) -> Value {
    let env = facts.env.iter().map(|(name, value)| format!("{name}={value}"));
    json!({
        "Env": env.collect::<Vec<_>>(),
        "OnBuild": facts.onbuild,
        "User": facts.user.as_deref().unwrap_or_default(),
        "WorkingDir": facts.workdir.as_deref().unwrap_or_default(),
    })
}

fn context(recipe: &Recipe) -> Value {
    if recipe.whole.is_some() {
        return "ALL".into();
    }
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let paths: BTreeSet<RepoPath> = steps
        .flat_map(|step| read_by(&step.op))
        .map(RepoPath::clean)
        .collect();
    if paths.iter().any(RepoPath::is_root) {
        return "ALL".into();
    }
    if paths.is_empty() {
        return Value::Null;
    }
    paths
        .iter()
        .map(|path| String::from_utf8_lossy(path.as_bytes()))
        .collect()
}

/// The paths of the context that an instruction reads.
fn read_by(op: &Op) -> Vec<&str> {
    match op {
        Op::Transfer(transfer) if transfer.from == Source::Context => {
            let sources = transfer.sources.iter();
            sources
                .filter_map(|source| match source {
                    TransferSource::Path(path) => Some(path.as_str()),
                    _ => None,
                })
                .collect()
        }
        Op::Run(run) => {
            let mounts = run.mounts.iter();
            mounts
                .filter_map(|mount| match &mount.kind {
                    MountKind::Bind {
                        from: Source::Context,
                        source,
                    } => Some(source.as_str()),
                    _ => None,
                })
                .collect()
        }
        _ => Vec::new(),
    }
}
