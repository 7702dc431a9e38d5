//! What a repository has: container files with what they use, and what compose and bake files say.

use ringshift::config::propose::{self, Found, Hint, Said, Uses};
use ringshift::containerfile::recipe::{MountKind, Op, Recipe, Source, TransferSource};
use ringshift::containerfile::{
    self, Base, BaseFacts, Inputs, NamedContext, Node, ProjectRef, ResolveError, World,
};
use ringshift::engine::Failure;
use ringshift::model::{Platform, RepoPath, labels};
use ringshift::tree::disk::WorkingCopy;
use ringshift::tree::{Kind, SourceTree};
use std::collections::BTreeMap;

/// All that was found.
#[derive(Default)]
pub struct Seen {
    /// The container files.
    pub files: Vec<Found>,
    /// What compose and bake files say.
    pub hints: Vec<Hint>,
    /// What of those could not be read.
    pub notes: Vec<String>,
    parsed: BTreeMap<RepoPath, containerfile::File>,
}

impl Seen {
    fn take(&mut self, said: Said) {
        self.hints.extend(said.hints);
        self.notes.extend(said.notes);
    }

    /// What the container file at `path` uses when it is built as `hint` says.
    pub fn uses(&self, path: &RepoPath, hint: &Hint) -> Option<Uses> {
        let file = self.parsed.get(path)?;
        // Whatever a named context is, it is no reference to an image.
        let contexts = hint.contexts.keys();
        let contexts = contexts
            .map(|name| (name.clone(), NamedContext::Folder))
            .collect();
        let recipe = resolve(file, &hint.args, hint.target.as_deref(), &contexts).ok()?;
        Some(uses(&recipe))
    }
}

/// All of it.
///
/// # Errors
/// [`Failure::Tree`] when the working copy cannot be read.
pub fn all(tree: &WorkingCopy) -> Result<Seen, Failure> {
    let mut seen = Seen::default();
    walk(tree, &RepoPath::root(), &mut seen)?;
    Ok(seen)
}

/// Folders deeper than this hold no images.
const DEPTH: usize = 64;

fn walk(tree: &WorkingCopy, at: &RepoPath, seen: &mut Seen) -> Result<(), Failure> {
    if at.components().count() > DEPTH {
        return Ok(());
    }
    let mut compose = Vec::new();
    for item in tree.list(at)? {
        let path = at.child(&item.name);
        match item.kind {
            Kind::Directory => walk(tree, &path, seen)?,
            Kind::File { .. } => {
                let name = String::from_utf8_lossy(&item.name).to_lowercase();
                match propose::compose::is_compose_file(&name, at.is_root()) {
                    true => compose.push(path),
                    false => look(tree, &path, &name, seen),
                }
            }
            _ => {}
        }
    }
    if !compose.is_empty() {
        let said = propose::compose::hints(compose, &|path| tree.read(path, LIMIT).ok());
        seen.take(said);
    }
    Ok(())
}

/// Files of which more than this is not read, in bytes.
const LIMIT: u64 = 4 << 20;

/// `name` is the file's, in lower case.
fn look(tree: &WorkingCopy, path: &RepoPath, name: &str, seen: &mut Seen) {
    let read = || tree.read(path, LIMIT).unwrap_or_default();
    if is_bake_file(name) {
        seen.take(bake(tree, path, &read()));
    } else if is_container_file(name)
        && let Some((found, file)) = found(path, &read())
    {
        seen.files.push(found);
        seen.parsed.insert(path.clone(), file);
    }
}

fn is_bake_file(name: &str) -> bool {
    let stem = name.strip_suffix(".hcl").or_else(|| name.strip_suffix(".json"));
    stem.is_some_and(|stem| stem.contains("bake")) || name == "build.hcl"
}

/// Bake's paths are relative to where it is called: the file's folder, or the repository's root,
/// whichever leads to more container files.
fn bake(tree: &WorkingCopy, path: &RepoPath, bytes: &[u8]) -> Said {
    let stands = |hint: &&Hint| {
        let file = hint
            .file
            .clone()
            .unwrap_or_else(|| hint.context.child(b"Dockerfile"));
        matches!(tree.kind(&file), Ok(Some(Kind::File { .. })))
    };
    let here = propose::bake::hints(bytes, path, &path.parent().unwrap_or_default());
    let above = propose::bake::hints(bytes, path, &RepoPath::root());
    let standing = |said: &Said| said.hints.iter().filter(stands).count();
    match standing(&above) > standing(&here) {
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
                    .is_some_and(|rest| rest.starts_with(['.', '-', '_']))
                    || name
                        .strip_suffix(w)
                        .is_some_and(|rest| rest.ends_with(['.', '-', '_']))
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

fn resolve(
    file: &containerfile::File,
    args: &BTreeMap<String, String>,
    target: Option<&str>,
    contexts: &BTreeMap<String, NamedContext>,
) -> Result<Recipe, ResolveError> {
    let platform = Platform::default();
    let inputs = Inputs {
        args,
        target,
        platform: &platform,
        contexts,
        world: &Nobody,
    };
    containerfile::resolve(file, &inputs)
}

/// A container file with what it uses where nothing is said of its build; one that does not even
/// begin a stage is none.
fn found(path: &RepoPath, bytes: &[u8]) -> Option<(Found, containerfile::File)> {
    let file = containerfile::parse(bytes).ok()?;
    let is_from = |node: &&Node| node.name().eq_ignore_ascii_case("from");
    let from: Vec<&Node> = file.nodes.iter().filter(is_from).collect();
    if from.is_empty() {
        return None;
    }
    let mut found = Found {
        path: path.clone(),
        stages: from.iter().filter_map(|node| stage(node)).collect(),
        last: from.last().and_then(|node| stage(node)),
        ..Found::default()
    };
    match resolve(&file, &BTreeMap::new(), None, &BTreeMap::new()) {
        Ok(recipe) => {
            let uses = uses(&recipe);
            (found.references, found.sources) = (uses.references, uses.sources);
            found.vendor = vendor(&recipe);
        }
        Err(_) => {
            let words = from.iter().filter_map(|node| node.args.first().cloned());
            found.references.extend(words);
        }
    }
    Some((found, file))
}

/// What a FROM calls its stage.
fn stage(from: &Node) -> Option<String> {
    match from.args.as_slice() {
        [_, word, name] if word.eq_ignore_ascii_case("as") => Some(name.to_lowercase()),
        _ => None,
    }
}

fn vendor(recipe: &Recipe) -> Option<String> {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let labels = steps.filter_map(|step| match &step.op {
        Op::Label(pairs) => Some(pairs),
        _ => None,
    });
    let mut named = labels.flatten().filter(|(key, _)| key == labels::VENDOR);
    named.next_back().map(|(_, value)| value.clone())
}

fn uses(recipe: &Recipe) -> Uses {
    let mut found = Uses::default();
    for stage in &recipe.stages {
        add(&stage.base, &mut found);
        for step in &stage.steps {
            match &step.op {
                Op::Transfer(transfer) => {
                    add(&transfer.from, &mut found);
                    if transfer.from == Source::Context {
                        found.sources.extend(plain(&transfer.sources));
                    }
                }
                Op::Run(run) => run.mounts.iter().for_each(|mount| match &mount.kind {
                    MountKind::Bind { from, .. } | MountKind::Cache { from: Some(from), .. } => {
                        add(from, &mut found)
                    }
                    _ => {}
                }),
                _ => {}
            }
        }
    }
    found
}

fn add(source: &Source, found: &mut Uses) {
    if let Source::External(reference) = source {
        found.references.push(reference.to_string());
    }
}

/// The sources that are a path as they stand.
fn plain(sources: &[TransferSource]) -> impl Iterator<Item = String> {
    sources.iter().filter_map(|source| match source {
        TransferSource::Path(path) if !path.contains(['*', '?', '[', '$']) => Some(path.clone()),
        _ => None,
    })
}
