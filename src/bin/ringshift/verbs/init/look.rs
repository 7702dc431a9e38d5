//! What a repository has: container files with what they use, and what compose and bake files say.

use ringshift::config::propose::{self, Found, Hint};
use ringshift::containerfile::recipe::{MountKind, Op, Recipe, Source, TransferSource};
use ringshift::containerfile::{self, Base, BaseFacts, Inputs, ProjectRef, ResolveError, World};
use ringshift::engine::Failure;
use ringshift::model::{Platform, RepoPath, labels};
use ringshift::tree::disk::WorkingCopy;
use ringshift::tree::{Kind, SourceTree};
use std::collections::BTreeMap;

/// All of it.
///
/// # Errors
/// [`Failure::Tree`] when the working copy cannot be read.
pub fn all(tree: &WorkingCopy) -> Result<(Vec<Found>, Vec<Hint>), Failure> {
    let (mut files, mut hints) = (Vec::new(), Vec::new());
    walk(tree, &RepoPath::root(), &mut files, &mut hints)?;
    Ok((files, hints))
}

/// Folders deeper than this hold no images.
const DEPTH: usize = 64;

fn walk(
    tree: &WorkingCopy,
    at: &RepoPath,
    files: &mut Vec<Found>,
    hints: &mut Vec<Hint>,
) -> Result<(), Failure> {
    if at.components().count() > DEPTH {
        return Ok(());
    }
    for item in tree.list(at)? {
        let path = at.child(&item.name);
        match item.kind {
            Kind::Directory => walk(tree, &path, files, hints)?,
            Kind::File { .. } => look(tree, &path, &String::from_utf8_lossy(&item.name), files, hints),
            _ => {}
        }
    }
    Ok(())
}

fn look(tree: &WorkingCopy, path: &RepoPath, name: &str, files: &mut Vec<Found>, hints: &mut Vec<Hint>) {
    let lower = name.to_lowercase();
    let read = || tree.read(path, 4 << 20).unwrap_or_default();
    match lower.as_str() {
        "docker-compose.yml" | "docker-compose.yaml" | "compose.yml" | "compose.yaml" => {
            hints.extend(propose::compose::hints(&read(), path));
        }
        _ if is_bake_file(&lower) => hints.extend(bake(tree, path, &read())),
        _ if is_container_file(&lower) => files.extend(found(path, &read())),
        _ => {}
    }
}

fn is_bake_file(name: &str) -> bool {
    let stem = name.strip_suffix(".hcl").or_else(|| name.strip_suffix(".json"));
    stem.is_some_and(|stem| stem.contains("bake")) || name == "build.hcl"
}

/// Bake's paths are relative to where it is called: the file's folder, or the repository's root,
/// whichever leads to more container files.
fn bake(tree: &WorkingCopy, path: &RepoPath, bytes: &[u8]) -> Vec<Hint> {
    let stands = |hint: &&Hint| {
        let file = hint
            .file
            .clone()
            .unwrap_or_else(|| hint.context.child(b"Dockerfile"));
        matches!(tree.kind(&file), Ok(Some(Kind::File { .. })))
    };
    let from_root = RepoPath::root().child(path.name());
    let here = propose::bake::hints(bytes, path);
    let above = propose::bake::hints(bytes, &from_root);
    match above.iter().filter(stands).count() > here.iter().filter(stands).count() {
        true => above,
        false => here,
    }
}

fn is_container_file(name: &str) -> bool {
    let whole = ["dockerfile", "containerfile"];
    let left_out = [
        ".dockerignore",
        ".containerignore",
        ".md",
        ".sh",
        ".py",
        ".go",
        ".js",
        ".ts",
        ".j2",
        ".tmpl",
        ".template",
        ".tpl",
        ".jinja",
        ".erb",
    ];
    whole.contains(&name)
        || (!left_out.iter().any(|end| name.ends_with(end))
            && whole.iter().any(|w| {
                name.strip_prefix(w)
                    .is_some_and(|rest| rest.starts_with(['.', '-']))
                    || name
                        .strip_suffix(w)
                        .is_some_and(|rest| rest.ends_with(['.', '-']))
            }))
}

/// No image of the project is known yet; none outside is asked.
struct Nobody;

impl World for Nobody {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, _: &Base) -> Result<BaseFacts, ResolveError> {
        Ok(BaseFacts::unknown())
    }
}

/// What a container file uses; one that does not even begin a stage is none.
fn found(path: &RepoPath, bytes: &[u8]) -> Option<Found> {
    let file = containerfile::parse(bytes).ok()?;
    if !file
        .nodes
        .iter()
        .any(|node| node.name().eq_ignore_ascii_case("from"))
    {
        return None;
    }
    let (args, contexts, platform) = (BTreeMap::new(), BTreeMap::new(), Platform::default());
    let inputs = Inputs {
        args: &args,
        target: None,
        platform: &platform,
        contexts: &contexts,
        world: &Nobody,
    };
    let mut found = Found {
        path: path.clone(),
        ..Found::default()
    };
    for node in file
        .nodes
        .iter()
        .filter(|node| node.name().eq_ignore_ascii_case("from"))
    {
        if let [_, word, name] = node.args.as_slice()
            && word.eq_ignore_ascii_case("as")
        {
            found.stages.push(name.to_lowercase());
        }
    }
    match containerfile::resolve(&file, &inputs) {
        Ok(recipe) => uses(&recipe, &mut found),
        Err(_) => {
            let from = file
                .nodes
                .iter()
                .filter(|node| node.name().eq_ignore_ascii_case("from"));
            found
                .references
                .extend(from.filter_map(|node| node.args.first().cloned()));
        }
    }
    Some(found)
}

fn uses(recipe: &Recipe, found: &mut Found) {
    let add = |source: &Source, found: &mut Found| {
        if let Source::External(reference) = source {
            found.references.push(reference.to_string());
        }
    };
    for stage in &recipe.stages {
        add(&stage.base, found);
        for step in &stage.steps {
            match &step.op {
                Op::Transfer(transfer) => {
                    add(&transfer.from, found);
                    if transfer.from == Source::Context {
                        found
                            .sources
                            .extend(transfer.sources.iter().filter_map(|source| match source {
                                TransferSource::Path(path) if !path.contains(['*', '?', '[', '$']) => {
                                    Some(path.clone())
                                }
                                _ => None,
                            }));
                    }
                }
                Op::Label(pairs) => {
                    let vendor = pairs.iter().find(|(key, _)| key == labels::VENDOR);
                    found.vendor = vendor.map(|(_, value)| value.clone()).or(found.vendor.take());
                }
                Op::Run(run) => run.mounts.iter().for_each(|mount| match &mount.kind {
                    MountKind::Bind { from, .. } | MountKind::Cache { from: Some(from), .. } => {
                        add(from, found)
                    }
                    _ => {}
                }),
                _ => {}
            }
        }
    }
}
