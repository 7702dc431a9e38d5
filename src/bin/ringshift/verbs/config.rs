//! `config`: each setting with its value and where it came from.

use crate::open;
use crate::settings::Settings;
use crate::settings::builder::Choice;
use crate::ui::{Ui, table};
use ringshift::engine::Failure;
use ringshift::wire;
use serde_json::{Value, json};

/// Prints the settings.
pub fn run(settings: &Settings, ui: &Ui) -> Result<u8, Failure> {
    let project = settings
        .config
        .is_some()
        .then(|| open::project(settings))
        .transpose()?;
    let mut rows: Vec<(&str, String, String)> = Vec::new();
    if let Some(config) = &settings.config {
        rows.push(("config", config.value.display().to_string(), config.from.clone()));
    }
    match (&settings.project, &project) {
        (Some(name), _) => rows.push(("project", name.value.to_string(), name.from.clone())),
        (None, Some(project)) => rows.push(("project", project.name.to_string(), "rings.yaml".into())),
        (None, None) => {}
    }
    if let Ok(place) = open::place(settings, project.as_ref()) {
        rows.push(("registry", place.value.to_string(), place.from));
    }
    rows.push(("actor", settings.actor.value.clone(), settings.actor.from.clone()));
    rows.push((
        "cache",
        settings.cache.value.display().to_string(),
        settings.cache.from.clone(),
    ));
    rows.extend(Choice::without_flag(project.as_ref())?.rows());
    if ui.json {
        let all: Vec<Value> = rows
            .iter()
            .map(|(name, value, from)| json!({"name": name, "value": value, "from": from}))
            .collect();
        ui.print(&wire::line("config", &json!({ "settings": all })));
        return Ok(0);
    }
    let rows: Vec<Vec<table::Cell>> = rows
        .into_iter()
        .map(|(name, value, from)| vec![name.into(), value.into(), format!("({from})").into()])
        .collect();
    ui.print(&table::render(&rows, 0, table::terminal_width()));
    Ok(0)
}
