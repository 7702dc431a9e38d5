//! Random worlds.

use super::dice::Dice;
use super::files::{context, folder, ignore};
use super::instruct::{arg_word, instruction};
use super::scene::{Scene, Stage};
use super::words::{NAMES, PLATFORM, value_of};
use super::world::{File, Named, World};
use std::collections::BTreeMap;

pub fn world(dice: &mut Dice) -> World {
    let mut world = World {
        name: dice
            .pick(&[
                "Dockerfile",
                "Dockerfile",
                "Dockerfile",
                "Dockerfile",
                "sub/App.Dockerfile",
            ])
            .into(),
        container: Vec::new(),
        files: context(dice),
        contexts: contexts(dice),
        args: args(dice),
        target: None,
        platform: "linux/amd64".into(),
        unlocked: dice.chance(12),
    };
    if dice.chance(60) {
        let lines = ignore(dice, &world.files);
        world.files.insert(".dockerignore".into(), File::Plain(lines));
    }
    if dice.chance(12) {
        let lines = ignore(dice, &world.files);
        world
            .files
            .insert(format!("{}.dockerignore", world.name), File::Plain(lines));
    }
    world.container = container(dice, &world);
    let names: Vec<String> = world
        .container
        .iter()
        .filter_map(|line| stage_name(line))
        .collect();
    if !names.is_empty() && dice.chance(20) {
        let name = dice.one(&names);
        world.target = Some(match dice.chance(40) {
            true => name.to_uppercase(),
            false => name,
        });
    }
    world
}

/// The name that a FROM gives its stage.
pub fn stage_name(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let is_from = words
        .first()
        .is_some_and(|word| word.eq_ignore_ascii_case("from"));
    match words.as_slice() {
        [.., as_, name] if is_from && as_.eq_ignore_ascii_case("as") => Some((*name).into()),
        _ => None,
    }
}

/// Named contexts: one of its own name, one that is an image's name, one that is a stage's (rule 78).
fn contexts(dice: &mut Dice) -> BTreeMap<String, Named> {
    let mut contexts = BTreeMap::new();
    for (name, percent) in [("ctx", 25), ("other", 10), ("s0", 6), ("s1", 4), ("base", 2)] {
        if dice.chance(percent) {
            let named = match name != "base" && dice.chance(15) {
                true => Named::Image("base".into()),
                false => Named::Folder(named_folder(dice)),
            };
            contexts.insert(name.into(), named);
        }
    }
    contexts
}

pub fn named_folder(dice: &mut Dice) -> super::world::Tree {
    let mut tree = folder(dice, 2, 6);
    if dice.chance(35) {
        let lines = ignore(dice, &tree);
        tree.insert(".dockerignore".into(), File::Plain(lines));
    }
    tree
}

fn args(dice: &mut Dice) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    for name in NAMES {
        if dice.chance(15) {
            args.insert(name.into(), value_of(dice, name));
        }
    }
    if dice.chance(5) {
        args.insert(dice.pick(&PLATFORM[..4]).into(), "other".into());
    }
    if dice.chance(5) {
        args.insert("UNDECLARED".into(), "1".into());
    }
    args
}

fn container(dice: &mut Dice, world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    let escape = match dice.chance(12) {
        true => {
            lines.push("# escape=`".into());
            '`'
        }
        false => '\\',
    };
    let mut globals = Vec::new();
    let count = dice.between(0, 2);
    for name in dice.some(&["V", "W", "G"], count) {
        globals.push(format!("ARG {}", arg_word(dice, name)));
    }
    if dice.chance(12) {
        globals.push("ARG FROM_BASE=base".into());
    }
    lines.extend(globals.iter().cloned());
    let variable = globals.iter().any(|line| line.contains("FROM_BASE"));
    let mut scene = Scene::new(&world.files, &world.contexts, escape);
    let count = dice.weighed(&[(28, 1), (36, 2), (26, 3), (10, 4)]);
    for number in 0..count {
        let name = (number + 1 < count || dice.chance(30)).then(|| format!("s{number}"));
        lines.push(from(dice, &mut scene, name, variable));
        for _ in 0..dice.between(1, 5) {
            lines.push(instruction(dice, &mut scene));
        }
        if number + 1 == count && number > 0 && dice.chance(60) {
            lines.push(of_earlier(dice, &scene));
        }
        let stage = std::mem::take(&mut scene.now);
        scene.stages.push(stage);
    }
    lines
}

/// Something of an earlier stage, so that it is reached.
fn of_earlier(dice: &mut Dice, scene: &Scene<'_>) -> String {
    let earlier = scene.earlier();
    if earlier.is_empty() {
        return "LABEL none=1".into();
    }
    let (number, stage) = dice.one(&earlier);
    let mut made = stage.made;
    if !made.is_empty() && dice.chance(75) {
        return format!("COPY --from={number} {} /of/", dice.one(&made));
    }
    made.extend(["/d*/", "/o/*", "/h*/*"].map(str::to_owned));
    let source = dice.one(&made);
    format!("COPY --from={number} {source} /of/")
}

fn from(dice: &mut Dice, scene: &mut Scene<'_>, name: Option<String>, variable: bool) -> String {
    let stages: Vec<Stage> = scene
        .stages
        .iter()
        .filter(|stage| stage.name.is_some())
        .cloned()
        .collect();
    let image = |image: &str| Stage {
        name: Some(image.into()),
        shell: true,
        made: vec!["/etc".into()],
    };
    let base = match dice.below(20) {
        0..9 => image("base"),
        9..11 => image("scratch"),
        11 => image("trig"),
        12 if scene.contexts.contains_key("other") => image("other"),
        _ if !stages.is_empty() => dice.one(&stages),
        _ => image("base"),
    };
    let called = base.name.clone().unwrap_or_default();
    let replaced = scene.contexts.get(&called.to_lowercase());
    scene.now = match replaced {
        _ if called == "scratch" => Stage::default(),
        None => base,
        Some(Named::Image(_)) => image(&called),
        Some(Named::Folder(_)) => Stage::default(),
    };
    scene.now.name.clone_from(&name);
    let word = match called.as_str() {
        "base" if variable => dice
            .pick(&["$FROM_BASE", "${FROM_BASE:-base}", "base"])
            .to_owned(),
        _ if dice.chance(4) => format!("\"{called}\""),
        _ => called,
    };
    let flag = match dice.below(24) {
        0 => "--platform=$BUILDPLATFORM ",
        1 => "--platform=linux/amd64 ",
        _ => "",
    };
    let name = name.map(|name| match dice.below(8) {
        0 => format!(" as {name}"),
        1 => format!(" AS {}", name.to_uppercase()),
        _ => format!(" AS {name}"),
    });
    format!("FROM {flag}{word}{}", name.unwrap_or_default())
}
