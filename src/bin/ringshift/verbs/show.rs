//! `show`.

use super::named;
use crate::open;
use crate::settings::Settings;
use crate::ui::{self, Ui, table};
use ringshift::engine::Failure;
use ringshift::wire;
use ringshift::wire::release::ReleaseShape;

/// Shows one release.
pub fn run(settings: &Settings, ui: &Ui, text: &str) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let head = store.journal.head()?;
    let state = head.map_or(empty, |head| head.entry.state);
    let release = named::release(&store, &state, text)?;
    let record = store.journal.record(&release.record)?;
    let holders = state
        .chain
        .iter()
        .filter(|ring| state.release(ring) == Some(&release));
    let post = (state.post() == Some(&release)).then_some("post");
    let rings: Vec<&str> = holders.map(AsRef::as_ref).chain(post).collect();
    match ui.json {
        true => ui.print(&wire::line(
            "release",
            &ReleaseShape::new(&release, &record, rings),
        )),
        false => ui.print(&ui::release::release(
            &release,
            &record,
            &rings,
            table::terminal_width(),
        )),
    }
    Ok(0)
}
