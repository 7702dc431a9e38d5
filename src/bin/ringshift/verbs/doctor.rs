//! `doctor`: which builders can be used here, which one would be taken, and why; what the registry of the store can do.

pub mod store;

use crate::open;
use crate::settings::Settings;
use crate::settings::builder::Choice;
use crate::ui::{REFUSED, Ui, table};
use ringshift::builder::command::{Found, Unusable, look};
use ringshift::engine::Failure;
use ringshift::model::BuilderKind;
use ringshift::wire;
use serde_json::{Value, json};

/// One builder as it was found.
struct Looked {
    kind: BuilderKind,
    /// `None`: the native one, which is always there.
    found: Option<Result<Found, Unusable>>,
}

/// Looks at every builder and at the store. Exit code 5 when the builder that is asked for, or the registry, cannot be
/// used, 8 when the registry must not be.
pub fn run(settings: &Settings, ui: &Ui, builder: Option<&str>, dry_run: bool) -> Result<u8, Failure> {
    let project = settings
        .config
        .is_some()
        .then(|| open::project(settings))
        .transpose()?;
    let choice = Choice::of(builder, project.as_ref())?;
    let all: Vec<Looked> = BuilderKind::ALL.map(|kind| looked(kind, &choice)).into();
    let taken = taken(&all, &choice);
    let store = store::look(settings, project.as_ref(), dry_run)?;
    match ui.json {
        true => {
            let mut shape = shape(&all, taken.as_ref());
            if let Some(store) = &store {
                shape["store"] = store.shape();
            }
            ui.print(&wire::line("doctor", &shape));
        }
        false => {
            ui.print(&text(&all, taken.as_ref(), &choice));
            if let Some(store) = &store {
                ui.print(&format!("\n{}", store.text()));
            }
        }
    }
    let builder = if taken.is_none() && choice.kind.is_some() {
        5
    } else {
        0
    };
    Ok(store.map_or(0, |store| store.code()).max(builder))
}

fn looked(kind: BuilderKind, choice: &Choice) -> Looked {
    let engine = choice
        .engine(kind)
        .map(|setting| setting.value)
        .unwrap_or_default();
    let found = (kind != BuilderKind::Native).then(|| look(kind, &engine));
    Looked { kind, found }
}

impl Looked {
    fn unusable(&self) -> Option<&Unusable> {
        self.found.as_ref()?.as_ref().err()
    }

    fn found(&self) -> Option<&Found> {
        self.found.as_ref()?.as_ref().ok()
    }
}

/// The builder that makes what the native one does not, and why it is the one.
fn taken(all: &[Looked], choice: &Choice) -> Option<(BuilderKind, String)> {
    if let Some(asked) = &choice.kind {
        let usable = all
            .iter()
            .find(|b| b.kind == asked.value && b.unusable().is_none());
        return usable.map(|builder| (builder.kind, asked.from.clone()));
    }
    let first = all.iter().find(|builder| builder.found().is_some());
    first.map(|builder| (builder.kind, FIRST.into()))
}

const FIRST: &str = "the first that can be used";

fn shape(all: &[Looked], taken: Option<&(BuilderKind, String)>) -> Value {
    let builder = |b: &Looked| {
        let version = match b.found {
            None => Some(env!("CARGO_PKG_VERSION")),
            Some(_) => b.found().map(|found| found.version.as_str()),
        };
        json!({
            "name": b.kind.as_str(),
            "usable": b.unusable().is_none(),
            "version": version,
            "program": b.found().map(|found| found.program.display().to_string()),
            "why": b.unusable().map(|no| &no.why),
            "hint": b.unusable().map(|no| &no.hint),
        })
    };
    let builders: Vec<Value> = all.iter().map(builder).collect();
    let taken = taken.map(|(kind, from)| json!({"name": kind.as_str(), "from": from}));
    json!({"builders": builders, "taken": taken})
}

fn text(all: &[Looked], taken: Option<&(BuilderKind, String)>, choice: &Choice) -> String {
    let row = |b: &Looked| -> Vec<table::Cell> {
        let (version, what) = match (b.found(), b.unusable()) {
            (Some(found), _) => (found.version.as_str().into(), found.program.display().to_string()),
            (None, Some(no)) => (table::Cell::styled("no", REFUSED), no.why.clone()),
            (None, None) => (
                "built in".into(),
                "images without RUN, on images of the project".into(),
            ),
        };
        vec![b.kind.as_str().into(), version, what.into()]
    };
    let rows: Vec<Vec<table::Cell>> = all.iter().map(row).collect();
    let mut out = table::render(&rows, 2, table::terminal_width());
    out.push_str("\n\n");
    out.push_str(&match (taken, &choice.kind) {
        (Some((kind, from)), Some(_)) => format!("builds: {kind} ({from})"),
        (Some((kind, from)), None) => format!("builds: native where it suffices, else {kind} ({from})"),
        (None, Some(asked)) => format!("{} ({}) cannot be used", asked.value, asked.from),
        (None, None) => "builds: native where it suffices; nothing else can be used".into(),
    });
    for no in all.iter().filter_map(|b| Some((b.kind, b.unusable()?))) {
        out.push_str(&format!("\nhint: {}: {}", no.0, no.1.hint));
    }
    out
}
