//! Random folders: files, links that lead anywhere, archives, ignore files.

use super::dice::Dice;
use super::world::{File, Tree};

const PLAIN: [&str; 20] = [
    "a.txt",
    "b.md",
    "x",
    "n.log",
    ".hidden",
    "s/x",
    "s/y.txt",
    "s/n.log",
    "s/k/z.txt",
    "s/k/n.log",
    "s/sp ace.txt",
    "t/x",
    "t/u/x",
    "t/u/v/w.md",
    "a/c.md",
    "a/b/c.txt",
    "a/b/x",
    "a/b/b/x",
    "o/p.txt",
    "o/x",
];

const LINKS: [&str; 7] = ["l", "lc", "ld", "s/l", "s/ld", "t/u/l", "a/b/l"];

const TARGETS: [&str; 28] = [
    "a.txt",
    "x",
    "s",
    "s/",
    "t/u",
    "a/b",
    "./a",
    "s/x",
    "../a.txt",
    "../t",
    "../s/k",
    "../../x",
    "/t/x",
    "/s",
    "/a/b/../c.md",
    "../../etc/passwd",
    "/etc/passwd",
    "l",
    "lc",
    "/ld",
    "../ld",
    "../l",
    "ld/x",
    "s/ld/x",
    "nowhere",
    "..",
    ".",
    "s/../t/x",
];

pub const ARCHIVES: [&str; 3] = ["p.tar", "s/q.tgz", "t/r.tar.gz"];

/// Texts of a file; few, so that files are equal now and then.
pub fn text(dice: &mut Dice) -> String {
    let line = dice.pick(&["1\n", "2\n", "$V\n", "a b\n", "", "#!/bin/sh\necho hi\n", "é\r\n"]);
    line.repeat(dice.between(1, 2))
}

pub fn plain(dice: &mut Dice) -> File {
    let text = text(dice);
    match dice.chance(15) {
        true => File::Script { executable: text },
        false => File::Plain(text),
    }
}

pub fn link(dice: &mut Dice) -> File {
    File::Link {
        link: dice.pick(&TARGETS).into(),
    }
}

pub fn archive(dice: &mut Dice, path: &str) -> File {
    const MEMBERS: [&str; 12] = [
        "f x 644 0 0 1",
        "f in/y.txt 755 5 6 22",
        "f in/z 600 0 0 3",
        "d in 700 0 0",
        "d e 755 1 1",
        "l in/l y.txt",
        "l ln /d0",
        "h hard x",
        "f ./a.txt 640 0 0 4",
        "f x 644 0 0 other",
        "f /abs 644 0 0 5",
        "f in/../up 644 0 0 6",
    ];
    let mut members = vec![dice.pick(&["f x 644 0 0 0", "f x 600 7 8 0"])];
    let count = dice.between(0, 4);
    members.extend(dice.some(&MEMBERS, count));
    let kind = match path.ends_with("gz") {
        true => "tar gzip",
        false => "tar",
    };
    File::Archive {
        archive: kind.into(),
        members: members.iter().map(|member| format!("{member}\n")).collect(),
    }
}

/// The context: some files, links and archives.
pub fn context(dice: &mut Dice) -> Tree {
    let mut tree = folder(dice, 7, 12);
    for path in ARCHIVES {
        if dice.chance(20) {
            let file = archive(dice, path);
            tree.insert(path.into(), file);
        }
    }
    if dice.chance(5) {
        tree.insert("no.tar".into(), File::Plain("no archive\n".into()));
    }
    tree
}

/// A folder of files and links.
pub fn folder(dice: &mut Dice, least: usize, most: usize) -> Tree {
    let mut tree = Tree::new();
    let count = dice.between(least, most);
    for path in dice.some(&PLAIN, count) {
        tree.insert(path.into(), plain(dice));
    }
    let links = dice.weighed(&[(35, 0), (30, 1), (20, 2), (15, 4)]);
    for path in dice.some(&LINKS, links) {
        tree.insert(path.into(), link(dice));
    }
    tree
}

/// A path that no tree has yet, beside its files.
pub fn new_path(dice: &mut Dice, tree: &Tree) -> Option<String> {
    let free = |path: &&&str| {
        !tree.contains_key(**path)
            && !tree
                .keys()
                .any(|other| is_below(path, other) || is_below(other, path))
    };
    let all = PLAIN
        .iter()
        .chain(&["new.txt", "s/new", "s/k/new.log", "t/new.md", "a/b/new"]);
    let free: Vec<&&str> = all.filter(free).collect();
    match free.is_empty() {
        true => None,
        false => Some((*dice.one(&free)).into()),
    }
}

/// Whether `path` stands below `folder`.
pub fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The lines of an ignore file for a tree.
pub fn ignore(dice: &mut Dice, tree: &Tree) -> String {
    let count = dice.between(1, 6);
    let lines: Vec<String> = (0..count).map(|_| ignore_line(dice, tree)).collect();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub fn ignore_line(dice: &mut Dice, tree: &Tree) -> String {
    const PATTERNS: [&str; 34] = [
        "*.log",
        "**/*.log",
        "**.log",
        "s",
        "s/*",
        "s/**",
        "t/",
        "a/**/b",
        "a/**/x",
        "**/x",
        "**/b",
        "*/k",
        "*/*",
        "s/k",
        "a/b",
        "Dockerfile",
        ".dockerignore",
        "*",
        "**",
        "**/*.txt",
        "s/*/n.log",
        "[a-s]",
        "[^a-s]/x",
        "?",
        "a.tx?",
        "/x",
        "./s/x",
        "s/../t",
        "l",
        "**/l*",
        "# t",
        "",
        "sub",
        "*ignore",
    ];
    let mut line = match dice.below(10) {
        0..5 => dice.pick(&PATTERNS).to_owned(),
        _ => pattern_of(dice, tree),
    };
    if dice.chance(38) && !line.is_empty() && !line.starts_with('#') {
        line.insert_str(0, dice.pick(&["!", "!", "!", "! ", "!/"]));
    }
    if dice.chance(4) {
        line = format!(" {line}  ");
    }
    line
}

/// A pattern near a path of the tree.
fn pattern_of(dice: &mut Dice, tree: &Tree) -> String {
    let paths: Vec<&String> = tree.keys().collect();
    let path = dice.one(&paths).clone();
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    let keep = dice.between(1, parts.len());
    parts.truncate(keep);
    if dice.chance(40) {
        let at = dice.below(parts.len());
        let part = parts[at].clone();
        parts[at] = match dice.below(4) {
            0 => "*".into(),
            1 => "**".into(),
            2 => format!("{}*", &part[..part.chars().next().map_or(0, char::len_utf8)]),
            _ => match part.split_once('.') {
                Some((_, end)) => format!("*.{end}"),
                None => "?".into(),
            },
        };
    }
    let path = parts.join("/");
    match dice.below(12) {
        0 => format!("**/{path}"),
        1 => format!("{path}/**"),
        2 => format!("/{path}"),
        3 => format!("{path}/"),
        4 => format!("{path}/*"),
        _ => path,
    }
}
