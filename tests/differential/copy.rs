//! Random COPY and ADD.

use super::dice::Dice;
use super::scene::Scene;
use super::words::{self, archive, chmod, chown, exclude, parents_path, path, variable, wildcard};

/// COPY of the context.
pub fn copy(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let parents = dice.chance(16);
    let mut flags = common(dice, scene);
    if parents {
        flags.push("--parents".into());
    }
    let excludes = dice.weighed(&[(78, 0), (12, 1), (7, 2), (3, 3)]);
    for _ in 0..excludes {
        flags.push(format!("--exclude={}", exclude(dice, scene.tree)));
    }
    let count = dice.weighed(&[(70, 1), (20, 2), (10, 3)]);
    let sources: Vec<String> = (0..count).map(|_| source(dice, scene, parents)).collect();
    finish(dice, scene, "COPY", flags, sources, !parents && excludes == 0)
}

fn source(dice: &mut Dice, scene: &Scene<'_>, parents: bool) -> String {
    match (parents, dice.chance(30)) {
        (true, _) => parents_path(dice, scene.tree),
        (_, true) => wildcard(dice, scene.tree),
        _ => path(dice, scene.tree),
    }
}

/// ADD: archives, and what is none.
pub fn add(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let mut flags = common(dice, scene);
    if dice.chance(30) {
        flags.push(dice.pick(&["--unpack", "--unpack=false", "--unpack=true"]).into());
    }
    if dice.chance(12) {
        flags.push(format!("--exclude={}", exclude(dice, scene.tree)));
    }
    let first = match archive(dice, scene.tree) {
        Some(path) if dice.chance(80) => path,
        _ => path(dice, scene.tree),
    };
    let mut sources = vec![first];
    if dice.chance(20) {
        sources.push(match dice.chance(50) {
            true => "*.tar".into(),
            false => path(dice, scene.tree),
        });
    }
    finish(dice, scene, "ADD", flags, sources, false)
}

/// COPY of a stage, a named context or an image.
pub fn copy_from(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let stages = scene.earlier();
    let folders = scene.folders();
    let mut flags = common(dice, scene);
    let (from, mut made, tree) = match dice.below(10) {
        0..7 if !stages.is_empty() => {
            let (number, stage) = dice.one(&stages);
            let name = stage.name.filter(|_| dice.chance(75));
            let name = name.map(|name| match dice.chance(20) {
                true => name.to_uppercase(),
                false => name,
            });
            (name.unwrap_or_else(|| number.to_string()), stage.made, None)
        }
        0..9 if !folders.is_empty() => {
            let (name, tree) = dice.one(&folders);
            (name.to_owned(), Vec::new(), Some(tree))
        }
        0..8 => return copy(dice, scene),
        _ => ("base".into(), vec!["/etc".into(), "/etc/passwd".into()], None),
    };
    flags.push(format!("--from={from}"));
    let source = match tree {
        Some(tree) if dice.chance(35) => wildcard(dice, tree),
        Some(tree) => path(dice, tree),
        None => {
            made.extend(["/d*", "/d0*/*", "/o/s*", "/etc/pass*"].map(str::to_owned));
            dice.one(&made)
        }
    };
    if dice.chance(10) {
        flags.push("--parents".into());
    }
    if dice.chance(12) {
        flags.push(format!("--exclude={}", exclude(dice, scene.tree)));
    }
    finish(dice, scene, "COPY", flags, vec![source], false)
}

/// COPY of what stands in the container file (rule 58).
pub fn heredoc(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let flags = common(dice, scene);
    let number = scene.number();
    let (operator, indent) = match dice.chance(30) {
        true => ("<<-", dice.pick(&["\t", "\t\t", ""])),
        false => ("<<", dice.pick(&["", "", "\t"])),
    };
    let quote = dice.pick(&["", "", "", "\"", "'"]);
    let end = match operator {
        "<<-" => indent,
        _ => "",
    };
    let mut words = vec![format!("{operator}{quote}A{quote}")];
    let mut bodies = format!("\n{}{end}A", body(dice, indent));
    if dice.chance(35) {
        words.push("<<B".into());
        bodies.push_str(&format!("\n{}B", body(dice, "")));
    }
    let flags = flags.iter().map(|flag| format!("{flag} ")).collect::<String>();
    let folder = format!("/h{number}/");
    scene.now.made.push(folder.clone());
    format!("COPY {flags}{} {folder}{bodies}", words.join(" "))
}

pub fn body(dice: &mut Dice, indent: &str) -> String {
    let count = dice.between(0, 3);
    let lines = (0..count).map(|_| match dice.below(7) {
        0 => format!("v={}\n", variable(dice)),
        1 => "# no comment\n".into(),
        2 => "\"q\" 'r' \\$V \\x ${W}\n".into(),
        3 => "\tin $V\n".into(),
        4 => "\n".into(),
        _ => words::value_of(dice, "V") + "\n",
    });
    lines.map(|line| format!("{indent}{line}")).collect()
}

/// Flags that COPY and ADD share.
fn common(dice: &mut Dice, scene: &Scene<'_>) -> Vec<String> {
    let mut flags = Vec::new();
    if dice.chance(12) {
        flags.push(format!("--chown={}", chown(dice, scene.now.shell)));
    }
    if dice.chance(14) {
        flags.push(format!("--chmod={}", chmod(dice)));
    }
    if dice.chance(14) {
        flags.push("--link".into());
    }
    flags
}

fn finish(
    dice: &mut Dice,
    scene: &mut Scene<'_>,
    name: &str,
    flags: Vec<String>,
    sources: Vec<String>,
    whole: bool,
) -> String {
    let destination = match dice.below(20) {
        0..12 => format!("/d{}/", dice.below(3)),
        12 => "/d0/e/".into(),
        13 => "/d0/ld/".into(),
        14 => "r/".into(),
        15 => "./".into(),
        16 => format!("/p/{}/", variable(dice)),
        17 if sources.len() == 1 => format!("/n{}", scene.number()),
        18 => "/d1/../d0//".into(),
        _ => "/o/".into(),
    };
    let literal = |source: &String| !source.contains(['*', '?', '[', '$']);
    if whole && destination.starts_with("/d") && !destination.contains('l') && sources.iter().any(literal) {
        let path = destination.replace("/d1/../d0//", "/d0");
        scene.now.made.push(path.trim_end_matches('/').into());
    }
    let mut flags = dice.some(&flags, flags.len());
    flags.sort_by_key(|flag| flag.starts_with("--exclude"));
    let flags = flags.iter().map(|flag| format!("{flag} ")).collect::<String>();
    let mut words = sources;
    words.push(destination);
    let blank = words.iter().any(|word| word.contains(' '));
    let plain = !words.iter().any(|word| word.contains(['"', '\\']));
    if blank || (plain && dice.chance(7)) {
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        return format!("{name} {flags}[{}]", words.join(", "));
    }
    format!("{name} {flags}{}", words.join(" "))
}
