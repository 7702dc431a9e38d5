#![expect(clippy::disallowed_methods, reason = "edge: writes the proposed files")]
//! `init`: finds container files, proposes rings.yaml.

mod look;

use crate::open::{self, Caches};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::config::propose::{self, Hint, Input, Outcome, Proposal, RootChoice};
use ringshift::engine::{Failure, found};
use ringshift::git::Repository;
use ringshift::model::{ImageName, Problem, RepoPath};
use ringshift::plan::Refusal;
use ringshift::tree::SourceTree;
use ringshift::tree::disk::WorkingCopy;
use ringshift::tree::overlay::Overlay;
use ringshift::wire;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// Proposes, asks, writes.
pub fn run(
    settings: &Settings,
    ui: &Ui,
    yes: bool,
    dry_run: bool,
    root: Option<&str>,
) -> Result<u8, Failure> {
    if let Some(config) = &settings.config {
        let mut notes = vec![format!(
            "{} is there already and is left as it is",
            config.value.display()
        )];
        notes.extend(journal(settings, dry_run)?);
        match ui.json {
            true => ui.print(&wire::line(
                "init",
                &json!({"written": Vec::<String>::new(), "notes": notes}),
            )),
            false => notes.iter().for_each(|note| ui.note(note)),
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
    let choice = match root {
        Some(name) => {
            let name = ImageName::new(name).map_err(|e| Failure::request(e.to_string(), e.hint()))?;
            RootChoice::Named(name)
        }
        None => RootChoice::Guess,
    };
    let mut asked = Asked {
        repository: name,
        choice,
        ask,
        ui,
    };
    let caches = Caches::open(settings);
    let (proposal, wrong) = propose(&caches, repository, &Arc::new(tree), &mut asked)?;
    caches.save();
    if !ui.json {
        ui.print(&proposal.text);
        for (path, _) in &proposal.files {
            ui.note(&format!("{path} is new"));
        }
        proposal.notes.iter().for_each(|note| ui.note(note));
    }
    if dry_run || (!yes && !ask) {
        if dry_run {
            if ui.json {
                let body = json!({"proposal": proposal.text, "notes": proposal.notes});
                ui.print(&wire::line("init", &body));
            }
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

/// Makes the journal in the registry that rings.yaml or a flag names; what was done, in words. A folder gets its own
/// from the first build.
fn journal(settings: &Settings, dry_run: bool) -> Result<Option<String>, Failure> {
    let Ok(project) = open::project(settings) else {
        return Ok(None);
    };
    let open::Place::Registry(host) = open::place(settings, Some(&project))?.value else {
        return Ok(None);
    };
    let store = open::store(settings, &project)?;
    if dry_run {
        let there = store.journal.head()?.is_some();
        return Ok(Some(match there {
            true => format!("{host} has a journal already, which is left as it is"),
            false => format!("would make the journal in {host}"),
        }));
    }
    let made = found::found(&store, &open::empty_state(&project), &settings.author(None))?;
    Ok(Some(match made {
        Some(made) => format!("made the journal in {host}: entry {}", made.seq),
        None => format!("{host} has a journal already, which is left as it is"),
    }))
}

/// How often what cannot be built is left out and the rest proposed again.
const ROUNDS: usize = 8;

/// The proposal, and what is wrong with it all the same.
fn propose(
    caches: &Caches,
    repository: &Arc<Repository>,
    tree: &Arc<WorkingCopy>,
    asked: &mut Asked<'_>,
) -> Result<(Proposal, Vec<Problem>), Failure> {
    let seen = look::all(tree)?;
    let uses = |path: &RepoPath, hint: &Hint| seen.uses(path, hint);
    let exists = |context: &RepoPath, source: &str| {
        let path = context.join(&RepoPath::clean(source));
        matches!(tree.kind(&path), Ok(Some(_)))
    };
    let mut wrong = BTreeMap::new();
    let repository_name = asked.repository.clone();
    for round in 1.. {
        let input = Input {
            repository: &repository_name,
            files: &seen.files,
            hints: &seen.hints,
            wrong: &wrong,
            exists: &exists,
            uses: &uses,
        };
        let mut proposal = asked.propose(&input)?;
        proposal.notes.splice(0..0, seen.notes.iter().cloned());
        let config = RepoPath::clean("rings.yaml");
        let mut new: BTreeMap<RepoPath, Vec<u8>> = BTreeMap::new();
        new.insert(config.clone(), proposal.text.clone().into_bytes());
        new.extend(
            proposal
                .files
                .iter()
                .map(|(path, text)| (path.clone(), text.clone().into_bytes())),
        );
        let overlay = Arc::new(Overlay::new(tree.clone(), new));
        let problems = open::proposed(caches, repository, overlay, config)?;
        let before = wrong.len();
        for problem in &problems {
            let path = RepoPath::clean(problem.place.path.as_bytes());
            if seen.files.iter().any(|file| file.path == path) {
                let why = format!("{path}:{}: {}", problem.place.line, problem.message);
                let hint = problem.hint.iter().map(|hint| format!("; {hint}"));
                let why = why + &hint.collect::<String>();
                wrong.entry(path).or_insert(why);
            }
        }
        if wrong.len() == before || round == ROUNDS {
            return Ok((proposal, problems));
        }
    }
    Err(Failure::Bug("no proposal came of it".into()))
}

/// What a person is asked, or has said already.
struct Asked<'u> {
    repository: String,
    choice: RootChoice,
    ask: bool,
    ui: &'u Ui,
}

impl Asked<'_> {
    fn propose(&mut self, input: &Input<'_>) -> Result<Proposal, Failure> {
        loop {
            match (propose::propose(input, &self.choice), &self.choice) {
                (Outcome::Ready(proposal), _) => return Ok(proposal),
                (Outcome::Nothing, _) => return Err(nothing(input)),
                (Outcome::WhichRoot(names), RootChoice::Named(root)) => return Err(no_root(root, &names)),
                (Outcome::WhichRoot(names), _) if self.ask => self.choice = ask_root(self.ui, &names),
                (Outcome::WhichRoot(_), _) => self.choice = RootChoice::New,
            }
        }
    }
}

fn nothing(input: &Input<'_>) -> Failure {
    match input.wrong.iter().next() {
        Some((_, why)) => Failure::request(
            "no container file of this repository can be used as it stands",
            why.clone(),
        ),
        None => Failure::request(
            "there is no container file in this repository",
            "add one, or see a whole project with `ringshift demo`",
        ),
    }
}

fn no_root(root: &ImageName, names: &[ImageName]) -> Failure {
    let names: Vec<&str> = names.iter().map(ImageName::as_str).collect();
    Failure::request(
        format!("{root} cannot be the root image"),
        format!(
            "the root depends on all others; it may be one of: {}",
            names.join(", ")
        ),
    )
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
