//! `graph`.

use crate::args::{GraphFormat, SourceArgs};
use crate::open::{self, Caches, Uncommitted};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::Failure;
use ringshift::graph::draw;
use ringshift::wire;

/// Draws the graph.
pub fn run(settings: &Settings, ui: &Ui, format: GraphFormat, source: &SourceArgs) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let opened = open::loaded(settings, &caches, source, Uncommitted::Use)?;
    super::plan::tell_warnings(ui, &opened);
    let graph = opened.project.graph()?;
    let text = match format {
        _ if ui.json => wire::line("graph", &draw::json(&graph)),
        GraphFormat::Json => wire::line("graph", &draw::json(&graph)),
        GraphFormat::Text => draw::tree(&graph),
        GraphFormat::Dot => draw::dot(&graph),
        GraphFormat::Mermaid => draw::mermaid(&graph),
        GraphFormat::Svg => draw::svg(&graph),
    };
    caches.save();
    ui.print(&text);
    Ok(0)
}
