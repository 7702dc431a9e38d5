//! `status`.

use crate::open;
use crate::settings::Settings;
use crate::ui::board::Summaries;
use crate::ui::{self, Ui, table};
use ringshift::engine::Failure;
use ringshift::engine::board::Board;
use ringshift::wire;
use ringshift::wire::status::StatusShape;

/// Shows the board.
pub fn run(settings: &Settings, ui: &Ui, images: bool) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let head = store.journal.head()?;
    let mut board = Board::read(&store, head.as_ref(), &empty)?;
    if ui.json {
        ui.print(&wire::line("status", &StatusShape::new(&board)));
        return Ok(0);
    }
    board.look_back(&store, head.as_ref())?;
    if head.is_some() && !empty.chain.is_empty() && board.state.chain != empty.chain {
        ui.warn("rings.yaml has other rings than the store; the store's are shown");
    }
    let mut summaries = Summaries::new();
    if let Ok(repository) = settings.git() {
        let held = board
            .rings
            .iter()
            .filter_map(|ring| ring.held.as_ref())
            .chain(&board.post);
        let held = held.map(|(_, record)| &record.commit);
        let prepared = board
            .state
            .ante
            .values()
            .filter_map(|image| image.commit.as_ref());
        for commit in held.chain(prepared) {
            let summary = repository.info(commit).map(|info| info.summary);
            summaries.extend(summary.ok().map(|summary| (commit.clone(), summary)));
        }
    }
    let width = table::terminal_width();
    ui.print(&ui::board::board(
        &board,
        &store.location,
        &summaries,
        settings.now,
        width,
    ));
    if images {
        ui.print(&format!("\n{}", ui::board::images(&board, width)));
    }
    Ok(0)
}
