//! Words that instructions are made of: sources, destinations, variables, flags.

use super::dice::Dice;
use super::files::{ARCHIVES, ignore_line};
use super::world::{File, Tree};

/// The names that ARG, ENV and build arguments give values.
pub const NAMES: [&str; 5] = ["V", "W", "G", "U", "N"];

/// Platform ARGs (rule 29).
pub const PLATFORM: [&str; 9] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETSTAGE",
];

/// A value for a variable of that name: `U` is a user, `N` a mode, the others are paths and pieces of them.
pub fn value_of(dice: &mut Dice, name: &str) -> String {
    match name {
        "U" => dice.pick(&["5", "7", "0:7"]).into(),
        "N" => dice.pick(&["644", "755", "600"]).into(),
        _ => value(dice),
    }
}

fn value(dice: &mut Dice) -> String {
    dice.pick(&[
        "a.txt", "s", "t/x", "x", "s/k", "5", "./s", "a/b", "1", "", "b.md",
    ])
    .into()
}

/// A variable, in one of the forms of rule 31.
pub fn variable(dice: &mut Dice) -> String {
    let name = match dice.chance(8) {
        // An ENV of the image `base`.
        true => "BASE",
        false => dice.pick(&NAMES),
    };
    let forms = [
        "$@",
        "${@}",
        "$@",
        "${@}",
        "${@:-s}",
        "${@-a.txt}",
        "${@:+t}",
        "${@+x}",
        "${@#*/}",
        "${@##./}",
        "${@%/*}",
        "${@%%.*}",
        "${@/s/t}",
        "${@//x/a.txt}",
        "${@:-${G}}",
        "${@:-$W}",
        "${@#./}",
        "${@/./}",
    ];
    dice.pick(&forms).replace('@', name)
}

/// Text with a variable or without, for values of ENV, LABEL and the like.
pub fn value_word(dice: &mut Dice, escape: char) -> String {
    match dice.below(12) {
        0..5 => value_or(dice, "v"),
        5..8 => variable(dice),
        8 => format!("\"a {}\"", variable(dice)),
        9 => format!("'{}'", variable(dice)),
        10 => format!("a{escape}$V"),
        _ => format!("x{}y", variable(dice)),
    }
}

fn value_or(dice: &mut Dice, other: &str) -> String {
    let value = value(dice);
    match value.is_empty() {
        true => other.into(),
        false => value,
    }
}

fn entry(dice: &mut Dice, tree: &Tree) -> String {
    let paths: Vec<&String> = tree.keys().collect();
    match paths.is_empty() {
        true => "x".into(),
        false => dice.one(&paths).clone(),
    }
}

/// A folder of the tree, or `None` when it has none.
fn folder(dice: &mut Dice, tree: &Tree) -> Option<String> {
    let parents = tree
        .keys()
        .filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned()));
    let all: Vec<String> = parents.collect();
    (!all.is_empty()).then(|| {
        let folder = dice.one(&all);
        match (dice.chance(40), folder.split_once('/')) {
            (true, Some((top, _))) => top.to_owned(),
            _ => folder,
        }
    })
}

/// A source as COPY and mounts take it.
pub fn path(dice: &mut Dice, tree: &Tree) -> String {
    let word = match dice.below(100) {
        0..33 => entry(dice, tree),
        33..63 => folder(dice, tree).unwrap_or_else(|| ".".into()),
        63..70 => ".".into(),
        70..82 => through_link(dice, tree),
        82..95 => return variable(dice),
        95..98 => "nowhere".into(),
        _ => "..".into(),
    };
    match dice.below(14) {
        0 => format!("/{word}"),
        1 => format!("./{word}"),
        2 => format!("{word}/"),
        3 => format!("t/../{word}"),
        4 => format!("../{word}"),
        _ => word,
    }
}

fn through_link(dice: &mut Dice, tree: &Tree) -> String {
    let links: Vec<&String> = tree
        .iter()
        .filter(|(_, file)| matches!(file, File::Link { .. }))
        .map(|(path, _)| path)
        .collect();
    if links.is_empty() {
        return entry(dice, tree);
    }
    let link = dice.one(&links).clone();
    let rest = dice.pick(&["", "", "", "/", "/x", "/k", "/b", "/..", "/*", "/u"]);
    format!("{link}{rest}")
}

/// A source with a wildcard (rule 37).
pub fn wildcard(dice: &mut Dice, tree: &Tree) -> String {
    if dice.chance(30) {
        let fixed = [
            "*",
            "*.txt",
            "*/x",
            "s/*",
            "s/?",
            "*/*",
            "[a-l]*",
            "a.tx[t]",
            "**/x",
            "a/*/x",
            "l*",
            "s/l*",
            "*/k/*",
            "*.nope",
            "[^s]*",
            "ld/*",
            "$V*",
            "${W:-s}/*",
            ".*",
        ];
        return dice.pick(&fixed).into();
    }
    let path = entry(dice, tree);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    let at = dice.below(parts.len());
    let part = &parts[at];
    parts[at] = match (dice.below(4), part.split_once('.')) {
        (0, _) => "*".into(),
        (1, Some((_, end))) => format!("*.{end}"),
        (2, _) => format!("?{}", part.chars().skip(1).collect::<String>()),
        _ => format!("{}*", part.chars().next().unwrap_or('x')),
    };
    parts.join("/")
}

/// A source with `--parents` (rule 53).
pub fn parents_path(dice: &mut Dice, tree: &Tree) -> String {
    match dice.below(10) {
        0..3 => path(dice, tree),
        3..5 => {
            let path = entry(dice, tree);
            match path.split_once('/') {
                Some((first, rest)) => format!("{first}/./{rest}"),
                None => format!("./{path}"),
            }
        }
        5..8 => dice
            .pick(&[
                "**/*.txt",
                "**/x",
                "s/./**/*.txt",
                "a/**/x",
                "./**/n.log",
                "**",
                "s/**",
                "t/./u/**",
                "*/x",
                "*/./x",
                "s/k/./*",
                "./s/./k",
                "a/./b/b",
                "**/b",
                "ld/x",
                "./ld/./x",
                "s/./ld",
                "l",
            ])
            .into(),
        _ => wildcard(dice, tree),
    }
}

/// An archive of the tree, if there is one.
pub fn archive(dice: &mut Dice, tree: &Tree) -> Option<String> {
    let all: Vec<&str> = ARCHIVES
        .into_iter()
        .filter(|path| tree.contains_key(*path))
        .collect();
    (!all.is_empty()).then(|| dice.one(&all).to_owned())
}

pub fn exclude(dice: &mut Dice, tree: &Tree) -> String {
    let line = ignore_line(dice, tree);
    let line = line.trim().replace(' ', "");
    match line.is_empty() || line.starts_with('#') {
        true => "*.log".into(),
        false => line,
    }
}

/// The mode of `--chmod` (rule 51).
pub fn chmod(dice: &mut Dice) -> String {
    dice.pick(&[
        "644",
        "0755",
        "4755",
        "600",
        "1777",
        "u=rwX,go=rX",
        "+x",
        "a-w",
        "go-rwx",
        "u+x",
        "a=r",
        "$N",
    ])
    .into()
}

pub fn chown(dice: &mut Dice, names: bool) -> String {
    let all: &[&str] = match names {
        true => &["5", "5:6", "0:7", "app", "app:grp", ":9", "5:grp", "$U"],
        false => &["5", "5:5", "5:6", "0:7", "${U:-3}"],
    };
    dice.pick(all).into()
}
