//! `state`: shows, verifies, repairs, copies and rebuilds the store.

use super::moves;
use crate::args::{Change, SourceArgs, StateVerb};
use crate::open::{self, Caches, Uncommitted};
use crate::settings::Settings;
use crate::ui::{Ui, count};
use ringshift::engine::{Failure, Store, copy, pointers, rebuild, verify};
use ringshift::wire;
use serde_json::{Value, json};

/// What is asked of the store itself.
pub fn run(settings: &Settings, ui: &Ui, what: &StateVerb) -> Result<u8, Failure> {
    // What is looked at is what stands there.
    settings.fresh.set(!matches!(what, StateVerb::Show { .. }));
    match what {
        StateVerb::Show { seq } => show(ui, &open::store_alone(settings)?.0, *seq),
        StateVerb::Verify => verified(ui, &open::store_alone(settings)?.0),
        StateVerb::Repair => repaired(ui, &open::store_alone(settings)?.0),
        StateVerb::Copy { from, to } => copied(settings, ui, from, to),
        StateVerb::Rebuild { change } => rebuilt(settings, ui, change),
    }
}

/// Where nothing is, the wrong place may have been asked.
fn no_journal(store: &Store) -> Failure {
    Failure::request(
        format!("{} has no journal of {}", store.location, store.project),
        "`ringshift build` writes its first entry; if there should be one, check the place and the project",
    )
}

/// Shows an entry, whole.
fn show(ui: &Ui, store: &Store, seq: Option<u64>) -> Result<u8, Failure> {
    let stored = match seq {
        Some(seq) => store.journal.at(seq)?,
        None => store.journal.head()?,
    };
    let stored = stored.ok_or_else(|| match seq {
        Some(seq) => Failure::request(format!("the journal has no entry {seq}"), "ringshift log"),
        None => no_journal(store),
    })?;
    let entry = serde_json::to_value(&stored.entry).unwrap_or(Value::Null);
    match ui.json {
        true => ui.print(&wire::line(
            "entry",
            &json!({"digest": stored.digest, "entry": entry}),
        )),
        false => {
            let pretty = serde_json::to_string_pretty(&entry).unwrap_or_default();
            ui.print(&format!("{}\n{pretty}", stored.digest));
        }
    }
    Ok(0)
}

/// Verifies the whole store.
fn verified(ui: &Ui, store: &Store) -> Result<u8, Failure> {
    let report = verify::verify(store)?;
    // Nothing is whole; a registry without a journal is most likely not the one that was meant.
    if report.entries == 0 && report.problems.is_empty() && !store.is_folder() {
        return Err(no_journal(store));
    }
    if ui.json {
        let body = json!({
            "entries": report.entries, "releases": report.releases, "images": report.images,
            "problems": report.problems, "warnings": report.warnings,
        });
        ui.print(&wire::line("verify", &body));
    } else {
        report.warnings.iter().for_each(|warning| ui.warn(warning));
        report
            .problems
            .iter()
            .for_each(|problem| ui.talk(&format!("error: {problem}")));
        ui.print(&format!(
            "{}, {}, {}: {}",
            count(report.entries, "entry", "entries"),
            count(report.releases as u64, "release", "releases"),
            count(report.images as u64, "image", "images"),
            if report.problems.is_empty() {
                "whole"
            } else {
                "damaged"
            }
        ));
    }
    Ok(if report.problems.is_empty() { 0 } else { 7 })
}

/// Rewrites the ring tags, removes old claims and votes.
fn repaired(ui: &Ui, store: &Store) -> Result<u8, Failure> {
    let Some(head) = store.journal.head()? else {
        moves::nothing(ui);
        return Ok(0);
    };
    let stale = pointers::stale(store, &head.entry.state)?;
    pointers::repair(store)?;
    store.journal.settled();
    let removed = store.journal.clean(head.entry.seq)?;
    if ui.json {
        ui.print(&wire::line(
            "repair",
            &json!({"written": stale, "removed": removed}),
        ));
    } else if stale.is_empty() && removed == 0 {
        ui.print("Nothing to do.");
    } else {
        if !stale.is_empty() {
            ui.say("Wrote", &format!("ring tags {}", stale.join(", ")));
        }
        if removed > 0 {
            ui.say("Removed", &format!("{removed} old claims and votes"));
        }
    }
    Ok(0)
}

/// Copies the whole store.
fn copied(settings: &Settings, ui: &Ui, from: &str, to: &str) -> Result<u8, Failure> {
    let (from, to) = (
        open::store_named(settings, from)?,
        open::store_to_fill(settings, to)?,
    );
    let copied = copy::copy(&from, &to)?;
    copied.note.iter().for_each(|note| ui.warn(note));
    if ui.json {
        let body = json!({"entries": copied.entries, "versions": copied.versions, "bytes": copied.bytes});
        ui.print(&wire::line("copy", &body));
    } else {
        let what = format!(
            "{} and {} to {}",
            count(copied.entries, "entry", "entries"),
            count(copied.versions, "version", "versions"),
            to.location
        );
        ui.say("Copied", &what);
    }
    Ok(0)
}

/// Makes a new journal.
fn rebuilt(settings: &Settings, ui: &Ui, change: &Change) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let source = SourceArgs::default();
    let loaded = open::loaded(settings, &caches, &source, Uncommitted::Use)?.project;
    let root = &loaded.project.root;
    let explicit = loaded.sources.images.get(root);
    let outline = rebuild::Outline {
        empty: open::empty_state(&loaded.project),
        images: loaded.sources.images.keys().cloned().collect(),
        explicit: explicit
            .map(|root| root.dependencies.iter().cloned().collect())
            .unwrap_or_default(),
    };
    let store = open::store(settings, &loaded.project)?;
    let reason = change
        .reason
        .as_deref()
        .unwrap_or("rebuilt from ring tags and labels");
    let rebuilt = rebuild::read(&store, &outline, &settings.author(Some(reason)))?;
    if change.dry_run {
        return Ok(moves::tell_proposal(ui, Some(rebuilt.proposal), &[]));
    }
    let committed = rebuild::write(&store, &rebuilt)?;
    let code = moves::tell(ui, &committed, &rebuilt.proposal);
    if let Some(note) = pointers::settle(&store, None) {
        ui.warn(&note);
    }
    Ok(code)
}
