#![expect(clippy::disallowed_methods, reason = "edge: writes the proposed files")]
//! `init`: finds container files, proposes rings.yaml.

use crate::args::SourceArgs;
use crate::open::{self, Caches};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::config::propose::{self, Found, Hint, Input, Outcome, Proposal, RootChoice};
use ringshift::containerfile::recipe::{MountKind, Op, Recipe, Source, TransferSource};
use ringshift::containerfile::{self, Base, BaseFacts, Inputs, ProjectRef, ResolveError, World};
use ringshift::engine::Failure;
use ringshift::model::{ImageName, Platform, Problem, RepoPath};
use ringshift::plan::Refusal;
use ringshift::tree::disk::WorkingCopy;
use ringshift::tree::{Kind, SourceTree};
use ringshift::wire;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Proposes, asks, writes.
pub fn run(
    settings: &Settings,
    ui: &Ui,
    yes: bool,
    dry_run: bool,
    root: Option<&str>,
) -> Result<u8, Failure> {
    if let Some(config) = &settings.config {
        let text = format!("{} is there already and is left as it is", config.value.display());
        match ui.json {
            true => ui.print(&wire::line(
                "init",
                &json!({"written": Vec::<String>::new(), "notes": [text]}),
            )),
            false => ui.note(&text),
        }
        return Ok(0);
    }
    let repository = settings.git()?;
    let workdir = repository.require_workdir()?.to_path_buf();
    let tree = open::worktree(settings, repository)?;
    let ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !yes && !ui.json;
    let name = std::fs::canonicalize(&workdir).unwrap_or_else(|_| workdir.clone());
    let name = name
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let proposal = propose(&tree, &name, root, ask, ui)?;
    if !ui.json {
        ui.print(&proposal.text);
        for (path, _) in &proposal.files {
            ui.note(&format!("{path} is new"));
        }
        proposal.notes.iter().for_each(|note| ui.note(note));
    }
    if dry_run || (!yes && !ask) {
        if dry_run {
            return Ok(0);
        }
        return Err(Refusal::Usage {
            message: "nothing was written: there is no terminal to ask on".into(),
            hint: "ringshift init --yes writes the proposal".into(),
        }
        .into());
    }
    if ask && !agreed("Write this? [y/N] ") {
        ui.note("nothing was written");
        return Ok(0);
    }
    let written = write(&workdir, &proposal)?;
    match ui.json {
        true => ui.print(&wire::line(
            "init",
            &json!({"written": written, "notes": proposal.notes}),
        )),
        false => {
            written.iter().for_each(|path| ui.say("Wrote", path));
            let wrong = wrong(settings);
            wrong.iter().for_each(|problem| ui.talk(&problem.render()));
            ui.say(
                "Next",
                match wrong.is_empty() {
                    true => "git add and commit what is new, then ringshift plan",
                    false => "mend what is wrong, until ringshift check is content; then commit",
                },
            );
        }
    }
    Ok(0)
}

/// What `check` says of the proposal.
fn wrong(settings: &Settings) -> Vec<Problem> {
    let caches = Caches::open(settings);
    let config = RepoPath::clean("rings.yaml");
    match open::checked_with(settings, &caches, &SourceArgs::default(), config) {
        Err(Failure::Project(problems)) => problems.into_vec(),
        _ => Vec::new(),
    }
}

fn propose(
    tree: &WorkingCopy,
    name: &str,
    root: Option<&str>,
    ask: bool,
    ui: &Ui,
) -> Result<Proposal, Failure> {
    let mut files = Vec::new();
    let mut hints = Vec::new();
    walk(tree, &RepoPath::root(), &mut files, &mut hints)?;
    let exists = |context: &RepoPath, source: &str| {
        let path = context.join(&RepoPath::clean(source));
        matches!(tree.kind(&path), Ok(Some(_)))
    };
    let input = Input {
        repository: name,
        files: &files,
        hints: &hints,
        exists: &exists,
    };
    let mut choice = match root {
        Some(name) => {
            let name = ImageName::new(name).map_err(|e| Failure::request(e.to_string(), e.hint()))?;
            RootChoice::Named(name)
        }
        None => RootChoice::Guess,
    };
    loop {
        match propose::propose(&input, &choice) {
            Outcome::Ready(proposal) => return Ok(proposal),
            Outcome::Nothing => {
                return Err(Failure::request(
                    "there is no container file in this repository",
                    "add one, or see a whole project with `ringshift demo`",
                ));
            }
            Outcome::WhichRoot(names) if matches!(choice, RootChoice::Named(_)) => {
                let names: Vec<&str> = names.iter().map(ImageName::as_str).collect();
                return Err(Failure::request(
                    format!("{} cannot be the root image", root.unwrap_or_default()),
                    format!(
                        "the root depends on all others; it may be one of: {}",
                        names.join(", ")
                    ),
                ));
            }
            Outcome::WhichRoot(names) => {
                choice = if ask {
                    ask_root(ui, &names)
                } else {
                    RootChoice::New
                }
            }
        }
    }
}

fn ask_root(ui: &Ui, names: &[ImageName]) -> RootChoice {
    ui.talk("Which image is the root, the one that stands for a whole release?");
    for (number, name) in (1..).zip(names) {
        ui.talk(&format!("  {number}  {name}"));
    }
    ui.talk("  0  a new small image in deploy/");
    let answer = line("Number [0]: ").trim().parse::<usize>().unwrap_or(0);
    match answer.checked_sub(1).and_then(|at| names.get(at)) {
        Some(name) => RootChoice::Named(name.clone()),
        None => RootChoice::New,
    }
}

fn line(prompt: &str) -> String {
    let mut err = std::io::stderr();
    let _ = err.write_all(prompt.as_bytes()).and_then(|()| err.flush());
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    answer
}

fn agreed(prompt: &str) -> bool {
    matches!(line(prompt).trim(), "y" | "Y" | "yes")
}

/// Every file, without overwriting any.
fn write(workdir: &Path, proposal: &Proposal) -> Result<Vec<String>, Failure> {
    let mut written = Vec::new();
    let config = (RepoPath::clean("rings.yaml"), proposal.text.clone());
    for (path, text) in proposal.files.iter().chain([&config]) {
        let target = workdir.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
        let io = |source| Failure::Io {
            action: format!("write {}", target.display()),
            source,
        };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file = std::fs::File::create_new(&target).map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        written.push(path.to_string());
    }
    Ok(written)
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
