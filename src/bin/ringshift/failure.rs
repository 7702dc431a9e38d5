//! From a failure to what a person reads and what a program sees: message, causes, hint, exit code.

use crate::ui::age::age;
use crate::ui::{REFUSED, Ui, plain as printable};
use ringshift::builder::BuildError;
use ringshift::engine::Failure;
use ringshift::engine::failure::Unbuilt;
use ringshift::model::{RingName, Version};
use ringshift::plan::{CommitsError, Loss, Refusal};
use ringshift::registry::RegistryError;
use ringshift::registry::remote::RemoteError;
use ringshift::state::journal::JournalError;
use ringshift::wire;
use std::io::ErrorKind;
use std::process::ExitCode;

/// A failure, ready to be shown.
struct Shown {
    code: u8,
    message: String,
    details: Vec<String>,
    causes: Vec<String>,
    hint: Option<String>,
}

/// A wrong command line, or a request for help or version.
pub fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|arg| arg == "--json");
    if error.use_stderr() && json {
        let text = error.to_string();
        let message = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        let shape = wire::Error {
            code: 2,
            message: &message,
            causes: &[],
            hint: Some("ringshift --help"),
        };
        let mut err = std::io::stderr();
        let _ = std::io::Write::write_all(&mut err, format!("{}\n", wire::line("error", &shape)).as_bytes());
    } else {
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// A bug of ours: says so, with what is needed to report it, and exits with 70.
pub fn on_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info
        .location()
        .map(|at| format!(" at {}:{}", at.file(), at.line()))
        .unwrap_or_default();
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let mut err = std::io::stderr();
    let text = format!(
        "error: this is a bug of ringshift {}{place}: {what}\nhint: the store is safe; please report this with the command you ran\n",
        env!("CARGO_PKG_VERSION")
    );
    let _ = std::io::Write::write_all(&mut err, text.as_bytes());
    std::process::exit(70);
}

/// Prints a failure; the exit code of cli.md 4.
pub fn present(ui: &Ui, failure: &Failure) -> ExitCode {
    let shown = show(ui, failure);
    if ui.json {
        ui.talk(&line(&shown, &shown.message));
        return ExitCode::from(shown.code);
    }
    if let Failure::Project(problems) = failure {
        for problem in problems.as_slice() {
            ui.talk(&problem.render());
        }
        return ExitCode::from(shown.code);
    }
    ui.talk(&format!(
        "{REFUSED}error{REFUSED:#}: {}",
        printable(&shown.message)
    ));
    below(ui, &shown);
    ExitCode::from(shown.code)
}

/// Tells what a train passed over.
pub fn passed_over(ui: &Ui, ring: &RingName, refusal: &Refusal) {
    let shown = refused(ui, refusal);
    if ui.json {
        let message = format!("passed over {ring}: {}", shown.message);
        ui.talk(&line(&shown, &message));
        return;
    }
    ui.warn(&format!("passed over {ring}: {}", shown.message));
    below(ui, &shown);
}

/// A failure as a line of JSON.
fn line(shown: &Shown, message: &str) -> String {
    let causes: Vec<String> = shown.details.iter().chain(&shown.causes).cloned().collect();
    let shape = wire::Error {
        code: i32::from(shown.code),
        message,
        causes: &causes,
        hint: shown.hint.as_deref(),
    };
    wire::line("error", &shape)
}

/// What stands below the message.
fn below(ui: &Ui, shown: &Shown) {
    for detail in &shown.details {
        ui.talk(&format!("  {}", printable(detail)));
    }
    for cause in &shown.causes {
        ui.talk(&format!("caused by: {}", printable(cause)));
    }
    if let Some(hint) = &shown.hint {
        ui.talk(&format!("hint: {}", printable(hint).replace('\n', "\n      ")));
    }
}

fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

fn show(ui: &Ui, failure: &Failure) -> Shown {
    let plain = |code: u8, hint: Option<&str>| Shown {
        code,
        message: failure.to_string(),
        details: Vec::new(),
        causes: causes(failure),
        hint: hint.map(Into::into),
    };
    match failure {
        Failure::Refused(refusal) => refused(ui, refusal),
        Failure::Project(problems) => Shown {
            details: problems
                .as_slice()
                .iter()
                .map(|p| format!("{}: {}", p.place, p.message))
                .collect(),
            hint: problems.as_slice().first().and_then(|p| p.hint.clone()),
            ..plain(1, None)
        },
        Failure::Request { hint, .. } => plain(1, hint.as_deref()),
        Failure::Conflict => plain(4, Some("run `ringshift status`, then the same command again")),
        Failure::Taken { .. } => plain(4, Some("run the same command again: it takes the next number")),
        Failure::Journal(error) => journal(error, plain),
        Failure::Registry(error) => plain(registry_code(error), registry_hint(error).as_deref()),
        Failure::Git(error) => plain(git_code(error), error.hint()),
        Failure::Commits(error) => plain(8, commits_hint(error)),
        Failure::Build(unbuilt) => not_built(unbuilt, plain(build_code(unbuilt), None)),
        Failure::Interrupted => plain(130, None),
        Failure::Tree(error) => plain(1, error.hint()),
        Failure::Io { .. } => plain(5, None),
        Failure::Bug(_) => plain(
            70,
            Some("the store is safe; please report this with the command you ran"),
        ),
    }
}

fn journal(error: &JournalError, plain: impl Fn(u8, Option<&str>) -> Shown) -> Shown {
    match error {
        JournalError::Registry(error) => plain(registry_code(error), registry_hint(error).as_deref()),
        JournalError::Newer { .. } => plain(7, Some("use the newer ringshift that wrote it")),
        JournalError::Lagging => plain(
            5,
            Some("name the registry itself, no cache or copy of it; or use another registry"),
        ),
        JournalError::Busy => plain(4, Some("run the same command again")),
        JournalError::WentBack { mark, .. } => {
            let hint = format!(
                "ask whoever runs the registry; if it was restored from a copy, and you accept that: rm {mark}"
            );
            plain(7, Some(&hint))
        }
        JournalError::Old { .. } => plain(
            7,
            Some("ask whoever runs the registry whether it is the living one; or allow a greater --max-age"),
        ),
        JournalError::Damaged { .. } | JournalError::Broken(_) => plain(7, Some(DAMAGED)),
    }
}

/// What to do about a store that is not whole.
const DAMAGED: &str = "`ringshift state verify` lists all that is damaged; restore the folder from a copy";

fn registry_code(error: &RegistryError) -> u8 {
    match error {
        RegistryError::Held(_) => 4,
        RegistryError::Newer(_) | RegistryError::Damaged { .. } | RegistryError::Missing(_) => 7,
        RegistryError::Io { source, .. } if source.kind() == ErrorKind::InvalidData => 7,
        RegistryError::Io { .. } => 5,
        RegistryError::Remote(error) => remote_code(error),
    }
}

/// A wrong address or setting is the request's fault, everything else the outside's.
fn remote_code(error: &RemoteError) -> u8 {
    match error {
        RemoteError::Address(_) | RemoteError::Setup { .. } => 1,
        _ => 5,
    }
}

fn registry_hint(error: &RegistryError) -> Option<String> {
    match error {
        RegistryError::Remote(error) => error.hint(),
        other => folder_hint(other).map(Into::into),
    }
}

fn folder_hint(error: &RegistryError) -> Option<&'static str> {
    match error {
        RegistryError::Held(_) => Some("wait for the other run to end, then run this again"),
        RegistryError::Newer(_) => Some("use the newer ringshift that wrote it"),
        RegistryError::Damaged { .. } => Some(DAMAGED),
        RegistryError::Missing(_) => Some(DAMAGED),
        RegistryError::Remote(_) => None,
        RegistryError::Io { source, .. } => match source.kind() {
            ErrorKind::InvalidData => Some(DAMAGED),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Some("let this user write there, or name another store: --registry oci:PATH")
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Some("make room, then run the same command again: nothing is lost")
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Some(
                "the store is a folder: move what stands in its place away, or name another: --registry oci:PATH",
            ),
            _ => None,
        },
    }
}

fn git_code(error: &ringshift::git::GitError) -> u8 {
    use ringshift::git::GitError;
    match error {
        GitError::Objects(_) => 5,
        GitError::MissingCommit { .. } | GitError::CutOff(_) => 8,
        _ => 1,
    }
}

fn commits_hint(error: &CommitsError) -> Option<&'static str> {
    match error {
        CommitsError::Missing { shallow: true, .. } => Some("git fetch --unshallow"),
        CommitsError::Missing { shallow: false, .. } => Some("git fetch --all"),
        CommitsError::NoClone => Some("run it in a clone of the project"),
        CommitsError::Failed(_) => None,
    }
}

fn build_code(unbuilt: &[Unbuilt]) -> u8 {
    let outside = unbuilt.iter().any(|u| {
        matches!(
            u.error,
            BuildError::NeedsBuilder { .. }
                | BuildError::Refused { .. }
                | BuildError::Program { .. }
                | BuildError::Registry(_)
                | BuildError::Write { .. }
        )
    });
    if outside { 5 } else { 1 }
}

fn not_built(unbuilt: &[Unbuilt], mut shown: Shown) -> Shown {
    let line = |u: &Unbuilt| {
        let (line, text) = match &u.error {
            BuildError::NeedsBuilder { line, what } => (Some(line), format!("{what} needs a builder")),
            BuildError::Refused { line, what, .. } => (Some(line), what.clone()),
            BuildError::Instruction { line, source } => (Some(line), source.to_string()),
            other => (None, other.to_string()),
        };
        let place = line
            .map(|line| format!("{}:{line}", u.file))
            .unwrap_or_else(|| u.file.clone());
        let check = u.check.as_ref().map(|command| format!("the check `{command}`: "));
        format!("{}: {place}: {}{text}", u.image, check.unwrap_or_default())
    };
    shown.details = unbuilt.iter().map(line).collect();
    shown.causes = unbuilt.iter().flat_map(|u| causes(&u.error)).collect();
    shown
        .causes
        .retain(|cause| !shown.details.iter().any(|detail| detail.contains(cause)));
    let hint = unbuilt.iter().find_map(|u| match &u.error {
        BuildError::Refused { hint, .. } => Some(hint.clone()),
        _ => u.hint.clone(),
    });
    shown.hint =
        hint.or_else(|| Some("what was built is kept; mend it and run the same command again".into()));
    shown
}

fn refused(ui: &Ui, refusal: &Refusal) -> Shown {
    let mut shown = Shown {
        code: 8,
        message: refusal.to_string(),
        details: Vec::new(),
        causes: causes(refusal),
        hint: None,
    };
    match refusal {
        Refusal::Request { hint, .. } => {
            shown.code = 1;
            shown.hint.clone_from(hint);
        }
        Refusal::Usage { hint, .. } => {
            shown.code = 2;
            shown.hint = Some(hint.clone());
        }
        Refusal::NothingToUnshift { history, hint, .. } => {
            shown.code = 6;
            shown.hint.clone_from(hint);
            let versions: Vec<String> = history.iter().map(Version::to_string).collect();
            shown
                .details
                .extend((!versions.is_empty()).then(|| format!("history: {}", versions.join(", "))));
        }
        Refusal::LostFixes { held, losses, .. } => {
            shown.details = losses.iter().flat_map(|loss| lost(ui, loss)).collect();
            shown.hint = Some(format!(
                "merge what is missing, build, and try again; or, when it is in there under another commit,\n\
                 add --contains {held} --reason \"…\"; or, to lose it knowingly, --drop {held} --reason \"…\""
            ));
        }
        Refusal::Frozen { named, freeze, .. } => {
            let why = freeze
                .reason
                .as_ref()
                .map(|why| format!(": \"{why}\""))
                .unwrap_or_default();
            shown.details.push(format!(
                "{named} was frozen by {} on {}{why}",
                freeze.actor, freeze.at
            ));
            let fixed = freeze.commit.as_ref().map(|_| {
                format!("\nor ringshift unfreeze {named} --fixed-in W, to let through what contains W")
            });
            shown.hint = Some(format!(
                "build what fixes it, or lift the freeze: ringshift unfreeze {named}{}",
                fixed.unwrap_or_default()
            ));
        }
        Refusal::Rule { details, hint, .. } => {
            shown.details.clone_from(details);
            shown.hint.clone_from(hint);
        }
        Refusal::NeedsCommits { source, .. } => shown.hint = commits_hint(source).map(Into::into),
        Refusal::Journal(error) => {
            let message = refusal.to_string();
            return journal(error, |code, hint| Shown {
                code,
                message: message.clone(),
                details: Vec::new(),
                causes: causes(refusal),
                hint: hint.map(Into::into),
            });
        }
    }
    shown
}

/// The commits that would be lost, a line each: times are relative for people, UTC for programs.
fn lost(ui: &Ui, loss: &Loss) -> Vec<String> {
    let line = |commit: &ringshift::plan::LostCommit| {
        let when = match ui.json {
            true => commit.time.to_string(),
            false => format!("{} ago", age(commit.time, ui.now)),
        };
        let what = &commit.summary;
        format!(
            "{} {}  {} {what} ({}, {when})",
            loss.image,
            loss.version,
            commit.id.short(),
            commit.author
        )
    };
    match loss.commits.is_empty() {
        true => vec![format!("{} {}", loss.image, loss.version)],
        false => loss.commits.iter().map(line).collect(),
    }
}
