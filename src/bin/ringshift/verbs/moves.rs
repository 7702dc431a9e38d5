//! What `shift`, `unshift`, `freeze` and `unfreeze` share: decide, append, point, tell.

use crate::args::Change;
use crate::failure::passed_over;
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::append::{self, Proposal};
use ringshift::engine::{Committed, Failure, Store, pointers};
use ringshift::plan::{Refusal, Transition};
use ringshift::state::journal::Stored;
use ringshift::state::{Entry, State};
use ringshift::wire;
use ringshift::wire::done::DoneShape;

/// Decides on the head that was read, appends, rewrites the ring tags, tells. `basis` is what must not move
/// meanwhile (M10).
pub fn run<B: PartialEq>(
    settings: &Settings,
    ui: &Ui,
    (store, empty): (&Store, &State),
    head: Option<Stored>,
    change: &Change,
    basis: impl Fn(&State) -> B,
    decide: impl Fn(&State, u64) -> Result<Option<Transition>, Refusal>,
) -> Result<u8, Failure> {
    let author = settings.author(change.reason.as_deref());
    let propose = |head: Option<Stored>| -> Result<Option<Proposal>, Failure> {
        let state = head.as_ref().map_or(empty, |head| &head.entry.state).clone();
        let seq = head.as_ref().map_or(0, |head| head.entry.seq);
        let transition = decide(&state, seq)?;
        Ok(transition.and_then(|t| append::propose(head, &state, t, &author)))
    };
    if change.dry_run {
        let proposal = propose(head)?;
        return Ok(tell_proposal(ui, proposal.as_ref()));
    }
    let done = append::append(store, head, basis, propose, empty)?;
    let code = match &done {
        Some((committed, proposal)) => tell(ui, committed, proposal),
        None => {
            nothing(ui);
            0
        }
    };
    let wrote = done
        .as_ref()
        .filter(|(committed, p)| committed.seq == p.entry.seq);
    if let Some(note) = pointers::settle(store, wrote.map(|(committed, _)| &committed.entry)) {
        ui.warn(&note);
    }
    Ok(code)
}

/// Says that there was nothing to do.
pub fn nothing(ui: &Ui) {
    match ui.json {
        true => ui.print(&wire::line("done", &DoneShape::committed(None))),
        false if !ui.quiet => ui.print("Nothing to do."),
        false => {}
    }
}

/// Tells what was written; the exit code.
pub fn tell(ui: &Ui, committed: &Committed, proposal: &Proposal) -> u8 {
    let wrote = committed.seq == proposal.entry.seq;
    let refused = refused(ui, proposal);
    if ui.json {
        let shape = DoneShape::committed(wrote.then_some(committed));
        ui.print(&wire::line("done", &shape.with(&proposal.notes)));
    } else if wrote {
        for line in moves(&committed.entry) {
            ui.say("Moved", &line);
        }
        ui.say(
            "Committed",
            &format!("{}, entry {}", what(&committed.entry), committed.seq),
        );
    }
    refused
}

/// The verb, and the versions that it is about.
fn what(entry: &Entry) -> String {
    let versions = entry
        .versions
        .iter()
        .map(|(name, version)| format!(" {name} {version}"));
    format!("{}{}", entry.verb, versions.collect::<Vec<_>>().join(","))
}

/// Tells what would be written; the exit code.
pub fn tell_proposal(ui: &Ui, proposal: Option<&Proposal>) -> u8 {
    let Some(proposal) = proposal else {
        nothing(ui);
        return 0;
    };
    let refused = refused(ui, proposal);
    let writes = proposal
        .head
        .as_ref()
        .is_none_or(|head| head.entry.state != proposal.entry.state);
    let entry = writes.then_some(&proposal.entry);
    match (ui.json, entry) {
        (true, entry) => {
            let shape = DoneShape::proposed(entry).with(&proposal.notes);
            ui.print(&wire::line("done", &shape));
        }
        (false, Some(entry)) => dry(ui, entry),
        (false, None) => ui.print("Nothing would be written."),
    }
    refused
}

/// Shows an entry that is not written.
fn dry(ui: &Ui, entry: &Entry) {
    ui.print(&format!("Would write entry {}: {}", entry.seq, what(entry)));
    for line in moves(entry) {
        ui.print(&format!("  {line}"));
    }
    for (ring, moved) in &entry.moved {
        if let Some(after) = &moved.after {
            ui.print(&format!("  tag {ring} → {after}"));
        }
    }
}

/// `users 2.3.1 → 2.4.0`, ring by ring.
fn moves(entry: &Entry) -> Vec<String> {
    let word = |v: &Option<ringshift::model::Version>| v.as_ref().map_or("–".into(), ToString::to_string);
    entry
        .moved
        .iter()
        .map(|(ring, m)| format!("{ring} {} → {}", word(&m.before), word(&m.after)))
        .collect()
}

/// Tells notes, and what a train passed over; the exit code that follows (M2).
fn refused(ui: &Ui, proposal: &Proposal) -> u8 {
    proposal.notes.iter().for_each(|note| ui.warn(note));
    for (ring, refusal) in &proposal.refused {
        passed_over(ui, ring, refusal);
    }
    if proposal.refused.is_empty() { 0 } else { 8 }
}
