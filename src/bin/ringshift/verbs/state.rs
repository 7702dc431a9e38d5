//! `state show` and `state verify`.

use crate::args::StateVerb;
use crate::open;
use crate::settings::Settings;
use crate::ui::{Ui, count};
use ringshift::engine::{Failure, Store, verify};
use ringshift::wire;
use serde_json::{Value, json};

/// Shows or verifies the store.
pub fn run(settings: &Settings, ui: &Ui, what: &StateVerb) -> Result<u8, Failure> {
    let (store, _) = open::store_alone(settings)?;
    match what {
        StateVerb::Show { seq } => {
            let stored = match seq {
                Some(seq) => store.journal.at(*seq)?,
                None => store.journal.head()?,
            };
            let stored = stored.ok_or_else(|| match seq {
                Some(seq) => Failure::request(format!("the journal has no entry {seq}"), "ringshift log"),
                None => no_journal(&store),
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
        StateVerb::Verify => {
            let report = verify::verify(&store)?;
            // Nothing is whole; a registry without a journal is most likely not the one that was meant.
            if report.entries == 0 && report.problems.is_empty() && !store.is_folder() {
                return Err(no_journal(&store));
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
    }
}

/// What to do depends on who makes a journal there.
fn no_journal(store: &Store) -> Failure {
    match store.is_folder() {
        true => Failure::request(
            "the store has no journal yet",
            "`ringshift build` writes its first entry",
        ),
        false => Failure::request(
            format!("{} has no journal of {}", store.location, store.project),
            "check the address and the project: nothing of it is there",
        ),
    }
}
