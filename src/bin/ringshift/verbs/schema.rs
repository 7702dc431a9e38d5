//! `schema`: the JSON Schema of rings.yaml.

use crate::ui::Ui;
use ringshift::engine::Failure;

/// Prints it.
pub fn run(ui: &Ui) -> Result<u8, Failure> {
    let schema = ringshift::config::schema();
    ui.print(&match ui.json {
        true => schema.to_string(),
        false => serde_json::to_string_pretty(&schema).unwrap_or_default(),
    });
    Ok(0)
}
