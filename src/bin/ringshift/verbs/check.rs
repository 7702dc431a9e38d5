//! `check`.

use crate::args::SourceArgs;
use crate::open::{self, Caches};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::Failure;
use ringshift::model::{Problem, Severity};
use ringshift::wire;
use serde_json::{Value, json};

/// Finds every problem. Without flags it looks at the working copy: a check comes before a commit.
pub fn run(settings: &Settings, ui: &Ui, source: &SourceArgs) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let checked = open::checked(settings, &caches, source);
    caches.save();
    let (project, problems) = match checked {
        Ok((project, warnings)) => (Some(project), warnings),
        Err(Failure::Project(problems)) => (None, problems.into_vec()),
        Err(other) => return Err(other),
    };
    let wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
    if ui.json {
        let problems: Vec<Value> = problems.iter().map(shape).collect();
        ui.print(&wire::line("check", &json!({ "problems": problems })));
        return Ok(u8::from(wrong));
    }
    let (notes, told): (Vec<&Problem>, Vec<&Problem>) = problems
        .iter()
        .partition(|problem| problem.severity == Severity::Note && ui.verbose == 0);
    for problem in told {
        ui.talk(&problem.render());
    }
    match notes.len() {
        0 => {}
        1 => ui.note("1 note more: ringshift check -v"),
        n => ui.note(&format!("{n} notes more: ringshift check -v")),
    }
    if let Some(project) = project
        && !wrong
    {
        let project = &project.project;
        let (images, rings) = (project.images.len(), project.rings.len());
        ui.print(&format!(
            "{}: {images} images, {rings} rings, nothing wrong",
            project.name
        ));
    }
    Ok(u8::from(wrong))
}

fn shape(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.word(),
        "code": problem.code,
        "place": problem.place.to_string(),
        "message": problem.message,
        "hint": problem.hint,
    })
}
