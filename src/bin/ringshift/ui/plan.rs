//! A plan as people read it.

use super::WAITS;
use super::table::{Cell, render};
use ringshift::engine::difference::{Changed, How};
use ringshift::plan::{Action, Plan, Reason, Step};
use ringshift::wire::plan::Changes;

/// The plan: one line a step, the counts, what is not taken. `verbose` gives every reason its own line.
pub fn plan(plan: &Plan, summary: &str, changes: &Changes, verbose: bool, width: Option<usize>) -> String {
    let mut out = heading(plan, summary);
    if plan.steps.is_empty() {
        out.push_str(&match plan.from_ante {
            true => "\nNothing to build: ante is emptied.".to_owned(),
            false => format!("\nNothing to do: {} unchanged.", images(plan.kept.len())),
        });
    } else {
        out.push('\n');
        out.push_str(&steps(plan, changes, verbose, width));
        out.push_str(&format!("\n\n{}", counts(plan)));
        if !verbose {
            out.push_str(" Reasons in full: ringshift plan -v");
        }
    }
    if !plan.not_taken.is_empty() {
        let names: Vec<&str> = plan.not_taken.iter().map(AsRef::as_ref).collect();
        out.push_str(&format!(
            "\n{WAITS}not taken{WAITS:#} from the commit, though different: {}",
            names.join(", ")
        ));
    }
    out
}

fn heading(plan: &Plan, summary: &str) -> String {
    let held = plan
        .held
        .as_ref()
        .map(|held| format!(" ({})", held.version))
        .unwrap_or_default();
    let summary = if summary.is_empty() {
        String::new()
    } else {
        format!(" \"{summary}\"")
    };
    format!(
        "Against {}{held} at {}{summary}\n",
        plan.target,
        plan.commit.short()
    )
}

fn images(count: usize) -> String {
    match count {
        1 => "1 image".into(),
        n => format!("{n} images"),
    }
}

fn counts(plan: &Plan) -> String {
    let of = |action| plan.steps.iter().filter(|step| step.action == action).count();
    let parts = [
        (of(Action::Build), "to build"),
        (of(Action::Relabel), "to relabel"),
        (of(Action::Adopt), "to adopt"),
        (plan.kept.len(), "unchanged"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    format!("{}.", said.join(", "))
}

fn steps(plan: &Plan, changes: &Changes, verbose: bool, width: Option<usize>) -> String {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for step in &plan.steps {
        let from = step
            .from
            .as_ref()
            .map(|from| format!("{from} → "))
            .unwrap_or_default();
        let why = reasons(step, changes, verbose);
        let (first, rest) = match verbose {
            false => (short(&why, step), &[][..]),
            true => (
                why.first().cloned().unwrap_or_default(),
                why.get(1..).unwrap_or_default(),
            ),
        };
        let word = step.bump.map_or("adopted", |bump| bump.as_str());
        let word = if step.dirty {
            format!("{word}, dirty")
        } else {
            word.to_owned()
        };
        rows.push(vec![
            step.image.as_str().into(),
            format!("{from}{}", step.to).into(),
            word.into(),
            first.into(),
        ]);
        rows.extend(
            rest.iter()
                .map(|why| vec!["".into(), "".into(), "".into(), why.as_str().into()]),
        );
        if verbose {
            rows.push(vec![
                "".into(),
                "".into(),
                "".into(),
                format!("revision {}, rule {}", step.revision.short(), step.rule).into(),
            ]);
        }
    }
    render(&rows, 2, width)
}

/// The reasons on one line: dependencies by name alone when there are several.
fn short(why: &[String], step: &Step) -> String {
    let labels = if step.action == Action::Relabel {
        "; labels only"
    } else {
        ""
    };
    let on: Vec<&str> = step
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Dependency { image, .. } => Some(image.as_str()),
            _ => None,
        })
        .collect();
    let mut parts: Vec<String> = Vec::new();
    for (reason, text) in step.reasons.iter().zip(why) {
        match reason {
            Reason::Dependency { .. } if on.len() > 1 => {}
            _ => parts.push(text.clone()),
        }
    }
    if on.len() > 1 {
        let shown = on.iter().take(4).copied().collect::<Vec<_>>().join(", ");
        let more = on.len().saturating_sub(4);
        parts.push(if more > 0 {
            format!("{shown} and {more} more")
        } else {
            shown
        });
    }
    format!("{}{labels}", parts.join("; "))
}

/// A line for each reason; in full, a line for each file as well.
fn reasons(step: &Step, changes: &Changes, full: bool) -> Vec<String> {
    let lines = |reason: &Reason| match of(reason, step, changes) {
        Some(changed) if full && !changed.is_empty() => changed
            .iter()
            .map(|c| match c.lines.as_slice() {
                [] => format!("{} {}", c.path, c.how),
                lines => format!("{} {} in {}", c.path, c.how, in_words(lines)),
            })
            .collect(),
        _ => vec![words(reason, step, changes)],
    };
    step.reasons.iter().flat_map(lines).collect()
}

/// The files behind a reason.
fn of<'c>(reason: &Reason, step: &Step, changes: &'c Changes) -> Option<&'c [Changed]> {
    match reason {
        Reason::Revision { .. } => changes.images.get(&step.image).map(Vec::as_slice),
        Reason::Environments { .. } => Some(&changes.environments),
        _ => None,
    }
}

/// The files in a few words.
fn in_short(changed: &[Changed]) -> String {
    let place = |c: &Changed| match c.lines.first() {
        Some(line) => format!("{}:{line}", c.path),
        None => c.path.clone(),
    };
    let paths: Vec<String> = changed.iter().take(3).map(place).collect();
    let more = changed.len().saturating_sub(3);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more} {}", paths.join(", "), of_all(changed))
}

/// What became of all files in a few words: that they are changed, unless it can be said better.
fn of_all(changed: &[Changed]) -> String {
    match changed.first().map(|first| &first.how) {
        Some(how @ (How::NowRead | How::NoLongerRead(_) | How::Mode(_)))
            if changed.iter().all(|other| other.how == *how) =>
        {
            how.to_string()
        }
        _ => "changed".to_owned(),
    }
}

/// Numbers of lines, for people.
fn in_words(lines: &[u32]) -> String {
    let shown: Vec<String> = lines.iter().take(8).map(u32::to_string).collect();
    let more = if lines.len() > shown.len() { ", …" } else { "" };
    let word = if lines.len() == 1 { "line" } else { "lines" };
    format!("{word} {}{more}", shown.join(", "))
}

fn words(reason: &Reason, step: &Step, changes: &Changes) -> String {
    let or_none = |version: &Option<ringshift::model::Version>| {
        version.as_ref().map_or("nothing".into(), ToString::to_string)
    };
    match reason {
        Reason::Absent => "not in the ring yet".into(),
        Reason::Revision { old, new } => match of(reason, step, changes) {
            Some(changed) if !changed.is_empty() => in_short(changed),
            _ => format!("revision {} → {}", old.short(), new.short()),
        },
        Reason::Dependency { image, old, new } => format!("{image} {} → {}", or_none(old), or_none(new)),
        Reason::Major => "a major was asked for".into(),
        Reason::Dirty => "the ring's version was built from a working copy".into(),
        Reason::Removed { image } => format!("{image} was removed"),
        Reason::Environments { .. } => match of(reason, step, changes) {
            Some(changed) if !changed.is_empty() => in_short(changed),
            _ => "the environments changed".into(),
        },
    }
}
