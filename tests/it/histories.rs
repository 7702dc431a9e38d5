//! The recorded histories of `fixtures/vectors/histories.jsonl`, in memory and through the binary.

use crate::model::git::{Image, Project};
use crate::model::world::World;
use crate::sandbox::Sandbox;
use ringshift::model::{ImageName, RingName};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a tool step has to look like, and looked like.
#[derive(Debug, PartialEq)]
struct After {
    exit: Value,
    board: Value,
    entries: Value,
}

/// Something that plays tool steps.
trait Player {
    fn project(&mut self) -> &mut Project;
    /// Runs a command; what is there after it, and what was said.
    fn run(&mut self, args: &[&str]) -> (After, String);
    /// What must hold when a history has ended.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Player for World {
    fn project(&mut self) -> &mut Project {
        &mut self.project
    }

    fn run(&mut self, args: &[&str]) -> (After, String) {
        let done = World::run(self, args);
        let after = After {
            exit: done.exit().into(),
            board: self.board(),
            entries: self.entries().into(),
        };
        (after, done.why())
    }
}

/// The binary in a repository on disk.
struct Binary {
    sandbox: Sandbox,
    project: Project,
}

impl Player for Binary {
    fn project(&mut self) -> &mut Project {
        &mut self.project
    }

    fn run(&mut self, args: &[&str]) -> (After, String) {
        let label = |word: &&str| match word.strip_prefix('@') {
            Some(label) => self.project.labels[label].to_string(),
            None => (*word).to_owned(),
        };
        let args: Vec<String> = args.iter().map(label).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = self.sandbox.run(&args);
        let entries = self.log().len();
        let after = After {
            exit: json!(ran.code),
            board: self.sandbox.board(),
            entries: entries.into(),
        };
        (after, format!("{}{}", ran.out, ran.err))
    }

    /// The entries alone give the board: each starts where the one before it left off. And the store
    /// is whole.
    fn end(&mut self) -> Result<(), String> {
        let mut rings: BTreeMap<String, Value> = BTreeMap::new();
        for entry in self.log().iter().rev() {
            for (ring, moved) in entry["rings"].as_object().unwrap() {
                let held = rings
                    .insert(ring.clone(), moved["after"].clone())
                    .unwrap_or_default();
                if held != moved["before"] {
                    return Err(format!("{ring} held {held}, and the entry after it says {entry}"));
                }
            }
        }
        let status = self.sandbox.json(&["status"]);
        for ring in status["rings"].as_array().unwrap() {
            let told = rings.remove(ring["name"].as_str().unwrap()).unwrap_or_default();
            if told != ring["release"]["version"] {
                return Err(format!("the entries end with {told} in {ring}"));
            }
        }
        let verified = self.sandbox.run(&["state", "verify"]);
        match verified.code {
            Some(0) => Ok(()),
            _ => Err(format!("the store is not whole: {verified:?}")),
        }
    }
}

impl Binary {
    fn log(&self) -> Vec<Value> {
        let log = self.sandbox.json(&["log"]);
        log["entries"].as_array().unwrap().clone()
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().into_iter().flatten();
    list.map(|word| word.as_str().unwrap()).collect()
}

fn git_step(project: &mut Project, step: &Value) {
    let owned = |value: &Value| texts(value).into_iter().map(String::from).collect();
    match text(step, "git") {
        "commit" => {
            let edit = step["edit"].as_object().unwrap().iter();
            let edit = edit.map(|(image, e)| (image.clone(), (owned(&e["add"]), owned(&e["remove"]))));
            project.commit(text(step, "label"), &edit.collect());
        }
        "branch" => project.branch_at(text(step, "name"), text(step, "at")),
        "switch" => project.switch(text(step, "name")),
        "merge" => project.merge(text(step, "from"), text(step, "label"), false),
        "squash" => project.merge(text(step, "from"), text(step, "label"), true),
        "cherry-pick" => project.pick(text(step, "commit"), text(step, "label"), false),
        "revert" => project.pick(text(step, "commit"), text(step, "label"), true),
        other => panic!("{other}"),
    }
}

fn images(history: &Value) -> (Vec<Image>, ImageName, Vec<RingName>) {
    let name = |text: &str| ImageName::new(text).unwrap();
    let images = history["images"].as_array().unwrap().iter();
    let images = images.map(|image| Image {
        name: name(text(image, "name")),
        deps: texts(&image["deps"]).into_iter().map(name).collect(),
    });
    let rings = texts(&history["rings"]).into_iter();
    let rings = rings.map(|ring| RingName::new(ring).unwrap()).collect();
    (images.collect(), name(text(history, "root")), rings)
}

fn in_memory(history: &Value) -> World {
    let (images, root, rings) = images(history);
    World::new(Project::new(images, root, &rings), rings)
}

fn on_disk(history: &Value) -> Binary {
    let (images, root, rings) = images(history);
    let sandbox = Sandbox::bare();
    let project = Project::laid(&sandbox.repo(), images, root, &rings);
    Binary { sandbox, project }
}

fn play(history: &Value, player: &mut dyn Player) -> Result<(), String> {
    let at = text(history, "id");
    for (number, step) in history["steps"].as_array().unwrap().iter().enumerate() {
        if step.get("git").is_some() {
            git_step(player.project(), step);
            continue;
        }
        let args = texts(&step["run"]);
        let wanted = After {
            exit: step["exit"].clone(),
            board: step["board"].clone(),
            entries: step["entries"].clone(),
        };
        let (got, said) = player.run(&args);
        if got != wanted {
            return Err(format!(
                "{at} step {number} {args:?}\n  got    {got:?}\n  wanted {wanted:?}\n  {said}"
            ));
        }
    }
    player.end().map_err(|why| format!("{at}: {why}"))
}

fn recorded() -> Vec<Value> {
    let lines = std::fs::read_to_string("fixtures/vectors/histories.jsonl").unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn all_agree(failed: &[String]) {
    let shown = failed.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} failed\n{shown}", failed.len());
}

#[test]
fn every_recorded_history_is_played_to_the_letter_in_memory() {
    let failed = recorded()
        .iter()
        .filter_map(|history| play(history, &mut in_memory(history)).err())
        .collect::<Vec<_>>();
    all_agree(&failed);
}

#[test]
fn every_recorded_history_is_played_to_the_letter_by_the_binary() {
    let histories = recorded();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut failed = Vec::new();
        while let Some(history) = histories.get(next.fetch_add(1, Ordering::Relaxed)) {
            failed.extend(play(history, &mut on_disk(history)).err());
        }
        failed
    };
    let failed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap())
            .collect::<Vec<_>>()
    });
    all_agree(&failed);
}
