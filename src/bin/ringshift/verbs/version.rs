//! `version`.

use crate::ui::Ui;
use ringshift::engine::Failure;
use serde_json::json;

/// Prints it.
pub fn run(ui: &Ui) -> Result<u8, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    match ui.json {
        true => ui.print(&ringshift::wire::line("version", &json!({ "version": version }))),
        false => ui.print(&format!("ringshift {version}")),
    }
    Ok(0)
}
