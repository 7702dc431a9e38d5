//! The records (`log`).

use super::age::age;
use super::table::{Cell, render};
use ringshift::state::{Entry, Moved, Override, Timestamp, Verb};

/// The entries, one line each, overrides and reasons below.
pub fn log(entries: &[Entry], now: Timestamp, width: Option<usize>) -> String {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for entry in entries {
        let moved: Vec<String> = entry
            .moved
            .iter()
            .map(|(ring, moved)| format!("{ring} {}", arrow(moved)))
            .collect();
        let images: Vec<String> = entry
            .versions
            .iter()
            .map(|(name, v)| format!("{name} {v}"))
            .collect();
        let what = match (moved.is_empty(), images.len()) {
            (false, _) => moved.join(", "),
            (true, 1..=6) => images.join(", "),
            (true, 0) if entry.verb == Verb::Build => "sites".into(),
            (true, 0) => String::new(),
            (true, n) => format!("{n} images"),
        };
        rows.push(vec![
            entry.seq.to_string().into(),
            age(entry.time, now).into(),
            entry.verb.to_string().into(),
            what.into(),
            entry.actor.as_str().into(),
        ]);
        let more = entry
            .reason
            .iter()
            .map(|why| format!("\"{why}\""))
            .chain(entry.overrides.iter().map(words));
        rows.extend(more.map(|text| vec!["".into(), "".into(), "".into(), text.into()]));
    }
    render(&rows, 0, width)
}

fn arrow(moved: &Moved) -> String {
    let version = |v: &Option<ringshift::model::Version>| v.as_ref().map_or("–".into(), ToString::to_string);
    format!("{} → {}", version(&moved.before), version(&moved.after))
}

fn words(overridden: &Override) -> String {
    match overridden {
        Override::Contains { version } => format!("said to contain the fixes of {version}"),
        Override::Drop { version } => format!("drops the fixes of {version}"),
        Override::AllowDirty => "dirty, allowed".into(),
        Override::Head { commit } => format!("its fixes are in HEAD, {}", commit.short()),
    }
}
