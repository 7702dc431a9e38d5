//! One random change of a world.

use super::dice::Dice;
use super::files::{archive, ignore, ignore_line, is_below, link, new_path, plain};
use super::generate::{named_folder, stage_name};
use super::lines;
use super::noise;
use super::words::{NAMES, PLATFORM, value_of};
use super::world::{File, Named, Tree, World};

type Change = fn(&mut Dice, &mut World) -> Option<()>;

/// The kinds of flips, by how often they come. A kind that begins with `noise` must leave the revision alone.
const ALL: [(usize, (&str, Change)); 34] = [
    (14, ("content", |d, w| content(d, &mut w.files))),
    (4, ("exec", |d, w| executable(d, &mut w.files))),
    (6, ("add", |d, w| add(d, &mut w.files))),
    (5, ("delete", |d, w| delete(d, &mut w.files))),
    (4, ("rename", |d, w| rename(d, &mut w.files))),
    (3, ("rename-folder", |d, w| rename_folder(d, &mut w.files))),
    (4, ("retarget", |d, w| retarget(d, &mut w.files))),
    (2, ("link-or-file", |d, w| swap_kind(d, &mut w.files))),
    (3, ("archive", |d, w| repack(d, &mut w.files))),
    (4, ("ignore-add", ignore_add)),
    (3, ("ignore-remove", |d, w| ignore_edit(d, w, lines::remove))),
    (3, ("ignore-reorder", |d, w| ignore_edit(d, w, lines::swap))),
    (1, ("ignore-own", ignore_own)),
    (1, ("ignore-whole", ignore_whole)),
    (5, ("named-content", |d, w| in_named(d, w, content))),
    (2, ("named-add", |d, w| in_named(d, w, add))),
    (2, ("named-delete", |d, w| in_named(d, w, delete))),
    (2, ("named-retarget", |d, w| in_named(d, w, retarget))),
    (2, ("named-ignore", named_ignore)),
    (1, ("named-other", named_other)),
    (4, ("line-delete", lines::delete)),
    (3, ("line-duplicate", lines::duplicate)),
    (4, ("line-swap", lines::exchange)),
    (8, ("line-word", lines::word)),
    (4, ("line-new", lines::insert)),
    (4, ("line-body", lines::body)),
    (3, ("arg-change", arg_change)),
    (3, ("arg-add", arg_add)),
    (1, ("arg-remove", arg_remove)),
    (2, ("target", target)),
    (1, ("platform", platform)),
    (2, ("noise-between", noise::between)),
    (3, ("noise-case", noise::case)),
    (2, ("noise-continuation", noise::continuation)),
];

/// A flip of some kind, and its name.
pub fn flip(dice: &mut Dice, world: &World) -> (&'static str, World) {
    loop {
        let (kind, change) = dice.weighed(&ALL);
        let mut flipped = world.clone();
        if change(dice, &mut flipped).is_some() && flipped != *world {
            return (kind, flipped);
        }
    }
}

/// A path of the tree that `wanted` accepts.
fn choose(dice: &mut Dice, tree: &Tree, wanted: impl Fn(&str, &File) -> bool) -> Option<String> {
    let fits = tree.iter().filter(|(path, file)| wanted(path, file));
    let all: Vec<&String> = fits.map(|(path, _)| path).collect();
    (!all.is_empty()).then(|| dice.one(&all).clone())
}

fn is_ignore(path: &str) -> bool {
    path.ends_with(".dockerignore")
}

fn any(path: &str, _: &File) -> bool {
    !is_ignore(path)
}

fn has_text(path: &str, file: &File) -> bool {
    any(path, file) && matches!(file, File::Plain(_) | File::Script { .. })
}

fn is_link(_: &str, file: &File) -> bool {
    matches!(file, File::Link { .. })
}

fn content(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, has_text)?;
    match tree.get_mut(&path)? {
        // Of the same size, now and then.
        File::Plain(text) | File::Script { executable: text } => match text.pop() {
            Some(last) if dice.chance(50) => text.push(if last == 'z' { 'y' } else { 'z' }),
            last => text.extend(last.into_iter().chain(['z'])),
        },
        _ => return None,
    }
    Some(())
}

fn executable(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, has_text)?;
    let file = tree.get_mut(&path)?;
    *file = match file.clone() {
        File::Plain(text) => File::Script { executable: text },
        File::Script { executable } => File::Plain(executable),
        other => other,
    };
    Some(())
}

fn add(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = new_path(dice, tree)?;
    let file = match dice.chance(15) {
        true => link(dice),
        false => plain(dice),
    };
    tree.insert(path, file);
    Some(())
}

fn delete(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, any)?;
    tree.remove(&path).map(drop)
}

fn rename(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, any)?;
    let new = match dice.chance(50) {
        true => format!("{path}2"),
        false => new_path(dice, tree)?,
    };
    let file = tree.remove(&path)?;
    tree.insert(new, file).is_none().then_some(())
}

fn rename_folder(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, |path, _| path.contains('/'))?;
    let folder = path.rsplit_once('/')?.0;
    let new = format!("{folder}{}", dice.pick(&["2", "x", "/n"]));
    let moved: Vec<String> = tree
        .keys()
        .filter(|path| is_below(path, folder))
        .cloned()
        .collect();
    for path in moved {
        let file = tree.remove(&path)?;
        tree.insert(path.replacen(folder, &new, 1), file);
    }
    Some(())
}

fn retarget(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, is_link)?;
    let link = link(dice);
    tree.insert(path, link).map(drop)
}

fn swap_kind(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, any)?;
    let file = match tree[&path] {
        File::Link { .. } => plain(dice),
        _ => link(dice),
    };
    tree.insert(path, file).map(drop)
}

fn repack(dice: &mut Dice, tree: &mut Tree) -> Option<()> {
    let path = choose(dice, tree, |_, file| matches!(file, File::Archive { .. }))?;
    let file = archive(dice, &path);
    tree.insert(path, file).map(drop)
}

fn ignore_add(dice: &mut Dice, world: &mut World) -> Option<()> {
    let path = choose(dice, &world.files, |path, _| is_ignore(path));
    let path = path.unwrap_or_else(|| ".dockerignore".into());
    let line = ignore_line(dice, &world.files);
    let file = world
        .files
        .entry(path)
        .or_insert_with(|| File::Plain(String::new()));
    let File::Plain(text) = file else { return None };
    let mut all: Vec<&str> = text.lines().collect();
    all.insert(dice.between(0, all.len()), &line);
    *text = lines::joined(&all);
    Some(())
}

fn ignore_edit(dice: &mut Dice, world: &mut World, edit: lines::Edit) -> Option<()> {
    let path = choose(dice, &world.files, |path, _| is_ignore(path))?;
    edit_text(dice, world.files.get_mut(&path)?, edit)
}

fn edit_text(dice: &mut Dice, file: &mut File, edit: lines::Edit) -> Option<()> {
    let File::Plain(text) = file else { return None };
    let mut all: Vec<String> = text.lines().map(str::to_owned).collect();
    edit(dice, &mut all)?;
    *text = lines::joined(&all);
    Some(())
}

/// An ignore file that belongs to the container file comes or goes.
fn ignore_own(dice: &mut Dice, world: &mut World) -> Option<()> {
    let path = format!("{}.dockerignore", world.name);
    if world.files.remove(&path).is_none() {
        let text = match dice.chance(30) {
            true => String::new(),
            false => ignore(dice, &world.files),
        };
        world.files.insert(path, File::Plain(text));
    }
    Some(())
}

fn ignore_whole(_: &mut Dice, world: &mut World) -> Option<()> {
    world.files.remove(".dockerignore").map(drop)
}

fn named<'w>(dice: &mut Dice, world: &'w mut World) -> Option<&'w mut Tree> {
    let trees = world.contexts.values_mut().filter_map(|named| match named {
        Named::Folder(tree) => Some(tree),
        Named::Image(_) => None,
    });
    let mut trees: Vec<&mut Tree> = trees.collect();
    (!trees.is_empty()).then(|| trees.swap_remove(dice.below(trees.len())))
}

fn in_named(
    dice: &mut Dice,
    world: &mut World,
    change: fn(&mut Dice, &mut Tree) -> Option<()>,
) -> Option<()> {
    let tree = named(dice, world)?;
    change(dice, tree)
}

fn named_ignore(dice: &mut Dice, world: &mut World) -> Option<()> {
    let tree = named(dice, world)?;
    match tree.get_mut(".dockerignore") {
        Some(file) if dice.chance(60) => {
            let edit = dice.one(&[lines::remove as lines::Edit, lines::swap]);
            edit_text(dice, file, edit)
        }
        _ => {
            let text = ignore(dice, tree);
            tree.insert(".dockerignore".into(), File::Plain(text));
            Some(())
        }
    }
}

/// A named context comes, goes, or is another.
fn named_other(dice: &mut Dice, world: &mut World) -> Option<()> {
    let name = dice.pick(&["ctx", "other", "s0", "s1", "base"]);
    let named = match dice.below(3) {
        0 => return world.contexts.remove(name).map(drop),
        1 => Named::Image("base".into()),
        _ => Named::Folder(named_folder(dice)),
    };
    world.contexts.insert(name.into(), named);
    Some(())
}

fn arg_change(dice: &mut Dice, world: &mut World) -> Option<()> {
    let names: Vec<String> = world.args.keys().cloned().collect();
    let name = (!names.is_empty()).then(|| dice.one(&names))?;
    let value = value_of(dice, &name);
    world.args.insert(name, value).map(drop)
}

fn arg_add(dice: &mut Dice, world: &mut World) -> Option<()> {
    let name = match dice.chance(85) {
        true => dice.pick(&NAMES),
        false => dice.pick(&PLATFORM),
    };
    let value = value_of(dice, name);
    world.args.insert(name.into(), value).is_none().then_some(())
}

fn arg_remove(dice: &mut Dice, world: &mut World) -> Option<()> {
    let names: Vec<String> = world.args.keys().cloned().collect();
    let name = (!names.is_empty()).then(|| dice.one(&names))?;
    world.args.remove(&name).map(drop)
}

fn target(dice: &mut Dice, world: &mut World) -> Option<()> {
    let mut names: Vec<Option<String>> = world.container.iter().map(|line| stage_name(line)).collect();
    names.retain(Option::is_some);
    names.push(None);
    world.target = dice.one(&names);
    Some(())
}

fn platform(dice: &mut Dice, world: &mut World) -> Option<()> {
    world.platform = dice.pick(&["linux/amd64", "linux/386"]).into();
    Some(())
}
