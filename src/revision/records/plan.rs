//! The plan: what is done, stage by stage (containerfile 1, record 2).

use super::env::Env;
use super::metadata::Metadata;
use super::{Records, run, transfer, words};
use crate::containerfile::recipe::{Op, Recipe, Source, Stage};
use crate::model::RepoPath;
use crate::revision::manifest::Manifest;
use crate::tree::Kind;

/// What a stage leaves to those that start from it, as far as normal forms need it.
#[derive(Clone, Default)]
pub(super) struct State {
    /// The working directory; `None` when only a base image knows.
    pub(super) workdir: Option<RepoPath>,
    /// The shell that SHELL set, if any did.
    pub(super) shell: Option<Vec<String>>,
    /// The variables that ENV set.
    env: Env,
}

/// Writes the records of all stages.
pub(in crate::revision) fn plan(recipe: &Recipe, manifest: &Manifest, out: &mut Records) {
    let chain = base_chain(recipe);
    let mut states: Vec<State> = Vec::new();
    for (number, stage) in recipe.stages.iter().enumerate() {
        let line = Some(stage.line);
        out.text(line, "stage", &format!("{number} {}", words::source(&stage.base)));
        if matches!(stage.base, Source::Named(_)) {
            out.push(line, "reads", String::new());
        }
        if let Some(platform) = stage.platform.as_ref().filter(|p| **p != recipe.platform) {
            out.text(line, "stage-platform", &platform.to_string());
        }
        let mut state = inherited(stage, &states);
        let mut metadata = Metadata::default();
        let folders = |step| only_folders(stage, manifest, (number, step));
        steps(stage, folders, &mut state, &mut metadata, out);
        state.env.write(out);
        if chain.contains(&number) {
            metadata.write(out);
        }
        states.push(state);
    }
}

fn steps(
    stage: &Stage,
    folders: impl Fn(usize) -> bool,
    state: &mut State,
    metadata: &mut Metadata,
    out: &mut Records,
) {
    for (number, step) in stage.steps.iter().enumerate() {
        let line = Some(step.line);
        if step.unresolved {
            out.text(line, "unresolved", &step.original);
        }
        match &step.op {
            Op::Transfer(transfer) => transfer::write(transfer, state, folders(number), line, out),
            Op::Run(run) => {
                state.env.write(out);
                run::write(run, line, out);
            }
            Op::Env(pairs) => state.env.set(pairs, line),
            Op::User(user) => out.text(line, "user", user),
            Op::Workdir(text) => {
                let path = workdir(state.workdir.as_ref(), text);
                // One below the one just made makes both.
                out.drop_last(|last| last.kind == "workdir" && below(&path, &last.payload));
                out.text(line, "workdir", &path);
                let known = state.workdir.as_ref().filter(|_| !step.unresolved);
                state.workdir = joined(known, text);
            }
            Op::Shell(shell) => {
                out.list(
                    line,
                    "shell",
                    &shell.iter().map(String::as_str).collect::<Vec<_>>(),
                );
                state.shell = Some(shell.clone());
            }
            // Its values stand where they were expanded, and at each RUN that sees them.
            Op::Arg(_) => {}
            op => metadata.take(op, state, line),
        }
    }
}

/// Whether an instruction copies nothing but the contents of folders, so that a slash after its destination says
/// nothing new (rule 44).
fn only_folders(stage: &Stage, manifest: &Manifest, place: (usize, usize)) -> bool {
    let Some(Op::Transfer(transfer)) = stage.steps.get(place.1).map(|step| &step.op) else {
        return false;
    };
    let sections = manifest.sections.iter().filter(|s| (s.stage, s.step) == place);
    let folders =
        sections.filter(|s| !s.roots.is_empty() && s.roots.iter().all(|r| r.kind == Kind::Directory));
    folders.count() == transfer.sources.len()
}

/// Whether an absolute path lies below another.
fn below(path: &str, folder: &str) -> bool {
    let (path, inside) = (RepoPath::clean(path), RepoPath::clean(folder));
    folder.starts_with('/') && path != inside && path.starts_with(&inside)
}

/// The target and the stages it stands on: only their metadata reaches the image (rule 23).
fn base_chain(recipe: &Recipe) -> Vec<usize> {
    let mut chain = vec![recipe.target];
    let mut at = recipe.target;
    while let Some(Source::Stage(base)) = recipe.stages.get(at).map(|stage| &stage.base) {
        if chain.contains(base) {
            break;
        }
        chain.push(*base);
        at = *base;
    }
    chain
}

fn inherited(stage: &Stage, states: &[State]) -> State {
    match &stage.base {
        Source::Scratch => State {
            workdir: Some(RepoPath::root()),
            ..State::default()
        },
        Source::Stage(number) => states.get(*number).cloned().unwrap_or_default(),
        _ => State {
            workdir: stage
                .workdir
                .as_deref()
                .filter(|w| w.starts_with('/'))
                .map(RepoPath::clean),
            ..State::default()
        },
    }
}

/// The working directory after WORKDIR, when it is known.
fn joined(before: Option<&RepoPath>, text: &str) -> Option<RepoPath> {
    match before {
        _ if text.starts_with('/') => Some(RepoPath::clean(text)),
        before => before.map(|before| before.resolve(text)),
    }
}

/// The working directory as the config has it: an absolute one as it is written (rule 75).
fn workdir(before: Option<&RepoPath>, text: &str) -> String {
    match joined(before, text) {
        _ if text.starts_with('/') => text.into(),
        Some(path) => words::absolute(&path),
        None => words::destination(None, text.trim_end_matches('/')),
    }
}
