//! `explain`.

mod against;

use crate::args::SourceArgs;
use crate::open::{self, Caches, Uncommitted};
use crate::settings::Settings;
use crate::ui::{Ui, count, table};
use ringshift::containerfile::recipe::{MountKind, Op, Recipe, Source};
use ringshift::engine::Failure;
use ringshift::engine::project::{Image, Loaded};
use ringshift::model::ImageName;
use ringshift::wire;
use serde_json::{Value, json};

/// Explains a revision.
pub fn run(
    settings: &Settings,
    ui: &Ui,
    name: &str,
    records: bool,
    against: Option<&str>,
    source: &SourceArgs,
) -> Result<u8, Failure> {
    let name = ImageName::new(name).map_err(|error| Failure::request(error.to_string(), error.hint()))?;
    let caches = Caches::open(settings);
    let opened = open::loaded(settings, &caches, source, Uncommitted::Use)?;
    super::plan::tell_warnings(ui, &opened);
    let image = opened.project.image(&name)?;
    if records {
        caches.save();
        ui.print_raw(image.records.preimage().as_bytes());
        return Ok(0);
    }
    if let Some(text) = against {
        let done = against::compare(settings, ui, &caches, &opened.project, &name, &image, text);
        caches.save();
        return done;
    }
    caches.save();
    match ui.json {
        true => ui.print(&wire::line("explain", &shape(&opened.project, &name, &image)?)),
        false => ui.print(&text(&opened.project, &name, &image)?),
    }
    Ok(0)
}

fn dependencies(project: &Loaded, name: &ImageName) -> Vec<String> {
    project
        .sources
        .images
        .get(name)
        .into_iter()
        .flat_map(|s| &s.dependencies)
        .map(ToString::to_string)
        .collect()
}

/// The references to images outside the project, with their lines.
fn external(image: &Image) -> Vec<(String, u32)> {
    let recipes = image.variants.iter().map(|variant| &*variant.recipe);
    let mut found: Vec<(String, u32)> = recipes.flat_map(of_recipe).collect();
    found.sort();
    found.dedup();
    found
}

fn of_recipe(recipe: &Recipe) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut add = |source: &Source, line: u32| {
        if let Source::External(reference) = source {
            found.push((reference.to_string(), line));
        }
    };
    for stage in &recipe.stages {
        add(&stage.base, stage.line);
        for step in &stage.steps {
            match &step.op {
                Op::Transfer(transfer) => add(&transfer.from, step.line),
                Op::Run(run) => run.mounts.iter().for_each(|mount| match &mount.kind {
                    MountKind::Bind { from, .. } | MountKind::Cache { from: Some(from), .. } => {
                        add(from, step.line)
                    }
                    _ => {}
                }),
                _ => {}
            }
        }
    }
    found
}

fn shape(project: &Loaded, name: &ImageName, image: &Image) -> Result<Value, Failure> {
    let records: Vec<Value> = image
        .records
        .iter()
        .map(|record| json!({"line": record.line, "kind": record.kind, "value": record.payload}))
        .collect();
    let reads: Vec<Value> = project
        .reads(name, image)?
        .into_iter()
        .map(|(path, mode, digest)| json!({"path": path, "mode": mode, "sha256": digest.hex()}))
        .collect();
    let external: Vec<Value> = external(image)
        .into_iter()
        .map(|(reference, line)| json!({"reference": reference, "line": line}))
        .collect();
    let warnings: Vec<Value> = project
        .warnings_of(name, image)
        .iter()
        .map(|w| json!({"line": w.line, "code": w.code, "message": w.message}))
        .collect();
    Ok(json!({
        "image": name,
        "revision": image.revision,
        "records": records,
        "reads": reads,
        "dependencies": dependencies(project, name),
        "external": external,
        "warnings": warnings,
        "file": image.file.to_string(),
    }))
}

fn text(project: &Loaded, name: &ImageName, image: &Image) -> Result<String, Failure> {
    let mut out = format!("{name}  revision {}\n{}\n\n", image.revision, image.file);
    let rows: Vec<Vec<table::Cell>> = image
        .records
        .iter()
        .map(|record| {
            let line = record.line.map(|line| line.to_string()).unwrap_or_default();
            vec![line.into(), record.kind.into(), record.payload.as_str().into()]
        })
        .collect();
    out.push_str(&table::render(&rows, 2, table::terminal_width()));
    let dependencies = dependencies(project, name);
    if !dependencies.is_empty() {
        out.push_str(&format!("\n\nstands on {}", dependencies.join(", ")));
    }
    for (reference, line) in external(image) {
        out.push_str(&format!("\noutside: {reference} (line {line})"));
    }
    for warning in project.warnings_of(name, image) {
        let word = if warning.is_note() { "note" } else { "warning" };
        out.push_str(&format!(
            "\n{word}: line {}: {} [{}]",
            warning.line, warning.message, warning.code
        ));
    }
    let read = project.reads(name, image)?.len();
    out.push_str(&format!("\n\n{} read", count(read as u64, "file", "files")));
    Ok(out)
}
