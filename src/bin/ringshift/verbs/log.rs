//! `log`.

use super::named;
use crate::open;
use crate::settings::Settings;
use crate::ui::{self, Ui, table};
use ringshift::engine::Failure;
use ringshift::engine::append::is_hidden;
use ringshift::plan::Refusal;
use ringshift::state::Entry;
use ringshift::wire;
use ringshift::wire::log::LogShape;

/// Lists the records, the newest first.
pub fn run(
    settings: &Settings,
    ui: &Ui,
    ring: Option<&str>,
    most: Option<usize>,
    reserved: bool,
) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let of_ante = ring == Some("ante");
    let ring = ring.filter(|_| !of_ante).map(named::ring).transpose()?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut next = store.journal.head()?;
    let chain = next
        .as_ref()
        .map_or(empty.chain, |head| head.entry.state.chain.clone());
    while let Some(stored) = next.filter(|_| most.is_none_or(|most| entries.len() < most)) {
        let older = store.journal.parent(&stored)?;
        let entry = stored.entry;
        let ante_before = older.as_ref().map(|older| &older.entry.state.ante);
        let wanted = match &ring {
            Some(ring) => entry.moved.contains_key(ring),
            None => !of_ante || ante_before.is_none_or(|before| *before != entry.state.ante),
        };
        if wanted && (reserved || !is_hidden(entry.verb)) {
            entries.push(entry);
        }
        next = older;
    }
    if let Some(ring) = ring.filter(|ring| entries.is_empty() && !chain.contains(ring)) {
        return Err(Refusal::no_such_ring(&ring, &chain).into());
    }
    if ui.json {
        ui.print(&wire::line("log", &LogShape::new(entries.iter())));
    } else if entries.is_empty() {
        ui.note("no entry yet; `ringshift build` writes the first");
    } else {
        ui.print(&ui::log::log(&entries, settings.now, table::terminal_width()));
    }
    Ok(0)
}
