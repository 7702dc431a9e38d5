//! Changes of the container file, and of other texts of lines.

use super::dice::Dice;
use super::instruct::instruction;
use super::scene::{Scene, Stage};
use super::words::{chmod, exclude, path, value_word, variable};
use super::world::World;

pub fn joined<T: AsRef<str>>(lines: &[T]) -> String {
    lines.iter().map(|line| format!("{}\n", line.as_ref())).collect()
}

/// A change of the lines of a text.
pub type Edit = fn(&mut Dice, &mut Vec<String>) -> Option<()>;

pub fn remove(dice: &mut Dice, lines: &mut Vec<String>) -> Option<()> {
    let at = (!lines.is_empty()).then(|| dice.below(lines.len()))?;
    lines.remove(at);
    Some(())
}

#[expect(clippy::ptr_arg, reason = "an edit like `remove`")]
pub fn swap(dice: &mut Dice, lines: &mut Vec<String>) -> Option<()> {
    let at = (lines.len() > 1).then(|| dice.below(lines.len() - 1))?;
    lines.swap(at, at + 1);
    Some(())
}

/// The instructions that are not FROM or a directive.
fn ordinary(world: &World) -> Vec<usize> {
    let is = |line: &str| {
        let upper = line.trim_start().to_uppercase();
        !upper.is_empty() && !upper.starts_with("FROM ") && !upper.starts_with('#')
    };
    let lines = world.container.iter().enumerate();
    lines.filter(|(_, line)| is(line)).map(|(at, _)| at).collect()
}

fn some(dice: &mut Dice, world: &World) -> Option<usize> {
    let all = ordinary(world);
    (!all.is_empty()).then(|| dice.one(&all))
}

pub fn delete(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = some(dice, world)?;
    world.container.remove(at);
    Some(())
}

pub fn duplicate(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = some(dice, world)?;
    let line = world.container[at].clone();
    world.container.insert(at, line);
    Some(())
}

pub fn exchange(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = some(dice, world)?;
    let next = ordinary(world).contains(&(at + 1)).then_some(at + 1)?;
    world.container.swap(at, next);
    Some(())
}

/// Another instruction, in a stage where RUN may stand if it has one.
pub fn insert(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = some(dice, world)?;
    let is_from = |line: &String| line.to_uppercase().starts_with("FROM ");
    let start = world.container[..at].iter().rposition(is_from)?;
    let end = world.container[at..].iter().position(is_from);
    let end = end.map_or(world.container.len(), |end| at + end);
    let shell = world.container[start..end]
        .iter()
        .any(|line| line.to_uppercase().starts_with("RUN") || line.contains("base"));
    let mut scene = Scene::new(&world.files, &world.contexts, world.escape());
    scene.serial = 50;
    scene.now.shell = shell;
    for line in world.container[..start].iter().filter(|line| is_from(line)) {
        scene.stages.push(Stage {
            name: super::generate::stage_name(line).map(|name| name.to_lowercase()),
            shell: false,
            made: vec!["/d*".into(), "/h*/".into()],
        });
    }
    let line = instruction(dice, &mut scene);
    world.container.insert(at, line);
    Some(())
}

/// Another line in a heredoc.
pub fn body(dice: &mut Dice, world: &mut World) -> Option<()> {
    let mut all = ordinary(world);
    all.retain(|at| world.container[*at].contains("<<"));
    let at = (!all.is_empty()).then(|| dice.one(&all))?;
    let mut text: Vec<&str> = world.container[at].split('\n').collect();
    let place = dice.between(1, text.len() - 1);
    let variable = variable(dice);
    let new = format!("# {variable}");
    match dice.below(3) {
        0 if text.len() > 3 && !matches!(text[place].trim_start(), "A" | "B" | "E") => {
            text.remove(place);
        }
        1 => text.insert(place, "# more"),
        _ => text.insert(place, &new),
    }
    world.container[at] = text.join("\n");
    Some(())
}

/// A word of an instruction is another, comes or goes.
pub fn word(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = some(dice, world)?;
    let line = world.container[at].clone();
    let (head, bodies) = match line.split_once('\n') {
        Some((head, bodies)) if line.contains("<<") => (head, Some(bodies)),
        _ => (line.as_str(), None),
    };
    let mut words: Vec<String> = head.split(' ').map(str::to_owned).collect();
    if words.len() < 2 {
        return None;
    }
    let place = dice.between(1, words.len() - 1);
    let upper = words[0].to_uppercase();
    let copies = matches!(upper.as_str(), "COPY" | "ADD");
    match dice.below(8) {
        0 if copies => words.insert(1, flag(dice, world, upper == "COPY")),
        1 if copies && words.len() > 3 && words[1].starts_with("--") => {
            words.remove(1);
        }
        2 if words.len() > 2 => words.swap(place, 1.max(place - 1)),
        // No unknown flags: newer builders may know them, so that they are no error where they are not reached.
        3 if !words[place].starts_with("--") => words[place].push_str(dice.pick(&["x", "/", "$G", "*"])),
        4 if copies => words.insert(place, path(dice, &world.files)),
        5 if words.len() > 2 => {
            words.remove(place);
        }
        6 if words[place].contains('=') => {
            let escape = world.escape();
            let (name, _) = words[place].split_once('=')?;
            words[place] = format!("{name}={}", value_word(dice, escape));
        }
        _ if copies => words[place] = path(dice, &world.files),
        _ => words[place] = value_word(dice, world.escape()),
    }
    let head = words.join(" ");
    world.container[at] = match bodies {
        Some(bodies) => format!("{head}\n{bodies}"),
        None => head,
    };
    Some(())
}

fn flag(dice: &mut Dice, world: &World, copy: bool) -> String {
    match dice.below(6) {
        1 if copy => "--parents".into(),
        0 | 1 => "--link".into(),
        2 => format!("--chmod={}", chmod(dice)),
        3 => format!("--chown={}", dice.pick(&["5", "6:6", "0:0", "0"])),
        _ => format!("--exclude={}", exclude(dice, &world.files)),
    }
}
