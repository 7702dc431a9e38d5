//! The recorded histories of `fixtures/vectors/histories.jsonl`, played in memory.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    clippy::disallowed_methods
)]

#[path = "model/git.rs"]
mod git;
#[path = "model/world.rs"]
mod world;

use ringshift::model::{ImageName, RingName};
use ringshift::plan::Refusal;
use serde_json::Value;
use std::collections::BTreeMap;
use world::{Done, World};

fn exit(done: &Done) -> i64 {
    match done {
        Done::Nothing | Done::Changed => 0,
        Done::Partly(_) => 8,
        Done::Refused(refusal) => match refusal {
            Refusal::Request { .. } => 1,
            Refusal::Usage { .. } => 2,
            Refusal::NothingToUnshift { .. } => 6,
            Refusal::LostFixes { .. }
            | Refusal::Frozen { .. }
            | Refusal::Rule { .. }
            | Refusal::NeedsCommits { .. } => 8,
            Refusal::Journal(_) => 5,
        },
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn git_step(world: &mut World, step: &Value) {
    let project = &mut world.project;
    let list = |v: &Value| -> Vec<String> {
        v.as_array()
            .map(|a| a.iter().map(|t| t.as_str().unwrap().into()).collect())
            .unwrap_or_default()
    };
    match text(step, "git") {
        "commit" => {
            let edit: BTreeMap<_, _> = step["edit"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(image, e)| (image.clone(), (list(&e["add"]), list(&e["remove"]))))
                .collect();
            project.commit(text(step, "label"), &edit);
        }
        "branch" => {
            let at = project.labels[text(step, "at")];
            project.branches.insert(text(step, "name").into(), at);
        }
        "switch" => project.branch = text(step, "name").into(),
        "merge" => project.merge(text(step, "from"), text(step, "label"), false),
        "squash" => project.merge(text(step, "from"), text(step, "label"), true),
        "cherry-pick" => project.pick(text(step, "commit"), text(step, "label"), false),
        "revert" => project.pick(text(step, "commit"), text(step, "label"), true),
        other => panic!("{other}"),
    }
}

fn play(history: &Value) -> Result<(), String> {
    let names = |v: &Value| -> Vec<ImageName> {
        v.as_array()
            .unwrap()
            .iter()
            .map(|n| ImageName::new(n.as_str().unwrap()).unwrap())
            .collect()
    };
    let images = history["images"].as_array().unwrap().iter();
    let images = images
        .map(|i| git::Image {
            name: ImageName::new(text(i, "name")).unwrap(),
            deps: names(&i["deps"]),
        })
        .collect();
    let rings = history["rings"].as_array().unwrap().iter();
    let rings = rings
        .map(|r| RingName::new(r.as_str().unwrap()).unwrap())
        .collect();
    let project = git::Project::new(images, ImageName::new(text(history, "root")).unwrap());
    let mut world = World::new(project, rings);
    for (number, step) in history["steps"].as_array().unwrap().iter().enumerate() {
        if step.get("git").is_some() {
            git_step(&mut world, step);
            continue;
        }
        let args: Vec<&str> = step["run"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a.as_str().unwrap())
            .collect();
        let done = world.run(&args);
        let got = exit(&done);
        let at = format!("{} step {number} {args:?}", text(history, "id"));
        let why = match &done {
            Done::Refused(r) => format!("{r} {r:?}"),
            Done::Partly(r) => format!("{r:?}"),
            _ => String::new(),
        };
        if got != step["exit"] {
            return Err(format!(
                "{at}: exit {got}, wanted {}: {why}\n  board {}",
                step["exit"],
                world.board()
            ));
        }
        if world.board() != step["board"] {
            return Err(format!(
                "{at}: board\n  got    {}\n  wanted {}\n  {why}",
                world.board(),
                step["board"]
            ));
        }
        if world.entries() != step["entries"] {
            return Err(format!(
                "{at}: {} entries, wanted {}",
                world.entries(),
                step["entries"]
            ));
        }
    }
    Ok(())
}

#[test]
fn every_recorded_history_is_played_to_the_letter() {
    let lines = std::fs::read_to_string("fixtures/vectors/histories.jsonl").unwrap();
    let failed: Vec<String> = lines
        .lines()
        .filter_map(|line| play(&serde_json::from_str(line).unwrap()).err())
        .collect();
    assert!(
        failed.is_empty(),
        "{} failed\n{}",
        failed.len(),
        failed.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
}
