//! The rules of the house that a program can check: floors, documentation, length, no `unwrap`.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The code of a file, tests at its foot not counted, may have this many lines.
const LONGEST: usize = 450;

struct Source {
    /// The path below `src`.
    path: String,
    /// Everything.
    text: String,
    /// Everything before the tests at the foot.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![root.clone()], Vec::<PathBuf>::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                // Tables that are compiled in are data.
                false if path.extension().is_some_and(|ext| ext == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        Source {
            path: path.strip_prefix(&root).unwrap().display().to_string(),
            code: code(&text),
            text,
        }
    };
    files.into_iter().map(source).collect()
}

/// The lines before the tests at the foot.
fn code(text: &str) -> String {
    let foot = Regex::new(r"\n#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*(?:pub\(crate\) )?mod tests \{").unwrap();
    foot.find(text).map_or(text, |at| &text[..=at.start()]).to_owned()
}

/// The files that are modules of tests, and those below them.
fn tests(sources: &[Source]) -> Vec<String> {
    let module =
        Regex::new(r"#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*(?:pub(?:\(crate\))? )?mod ([a-z_]+);").unwrap();
    let declared = |source: &Source| -> Vec<String> {
        let folder = source.path.trim_end_matches(".rs");
        let names = module.captures_iter(&source.text);
        names.map(|c| format!("{folder}/{}", &c[1])).collect()
    };
    sources.iter().flat_map(declared).collect()
}

/// The sources that are not tests through and through.
fn product() -> Vec<Source> {
    let mut sources = sources();
    let tests = tests(&sources);
    assert!(!tests.is_empty(), "modules of tests are found");
    sources.retain(|s| {
        !tests
            .iter()
            .any(|test| s.path.trim_end_matches(".rs").starts_with(test))
    });
    sources
}

/// The floors of `docs/architecture.md`.
fn floors() -> BTreeMap<String, u32> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = std::fs::read_to_string(page).unwrap();
    let row = Regex::new(r"(?m)^\| (\d) \| `([a-z]+)` \|").unwrap();
    row.captures_iter(&text)
        .map(|c| (c[2].to_owned(), c[1].parse().unwrap()))
        .collect()
}

/// The module that a file belongs to; none for the program and for lib.rs.
fn module(path: &str) -> Option<&str> {
    if path.starts_with("bin/") || path == "lib.rs" {
        return None;
    }
    path.split('/').next().unwrap().split('.').next()
}

/// The modules that a text names by `crate::`, comments left aside.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let one = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let group = Regex::new(r"\bcrate::\{([^;]*)\}").unwrap();
    let first = Regex::new(r"(?:^|,)\s*([a-z_]+)").unwrap();
    let nested = Regex::new(r"\{[^{}]*\}").unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n");
    found.extend(one.captures_iter(&text).map(|c| c[1].to_owned()));
    for group in group.captures_iter(&text) {
        let flat = nested.replace_all(&group[1], "").into_owned();
        found.extend(first.captures_iter(&flat).map(|c| c[1].to_owned()));
    }
    found
}

#[test]
fn no_module_names_a_higher_floor() {
    let floors = floors();
    let mut wrong = Vec::new();
    for source in product() {
        let Some(own) = module(&source.path) else { continue };
        let Some(floor) = floors.get(own) else {
            panic!("{}: {own} has no floor in docs/architecture.md", source.path);
        };
        for other in named(&source.code) {
            match floors.get(&other) {
                None => wrong.push(format!("{}: {other} has no floor", source.path)),
                Some(above) if above > floor => {
                    wrong.push(format!(
                        "{} (floor {floor}) names {other} (floor {above})",
                        source.path
                    ));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_floors_name_every_module_and_no_other() {
    let modules: BTreeSet<String> = sources()
        .iter()
        .filter_map(|s| module(&s.path).map(str::to_owned))
        .collect();
    assert_eq!(floors().into_keys().collect::<BTreeSet<_>>(), modules);
}

#[test]
fn groups_of_names_are_read() {
    let text = "use crate::{\n    model::{Digest, Version},\n    state::State,\n};\n// crate::engine\ncrate::tree::x";
    let wanted = ["model", "state", "tree"].map(str::to_owned);
    assert_eq!(named(text), BTreeSet::from(wanted));
}

#[test]
fn every_file_says_what_it_is() {
    for source in product() {
        let first = source.text.lines().find(|l| !is_attribute(l));
        let named = first.is_some_and(|line| line.starts_with("//!"));
        assert!(named, "src/{}: begins without `//!`", source.path);
    }
}

/// The attributes of a file stand before its documentation.
fn is_attribute(line: &str) -> bool {
    line.starts_with("#!") || line.starts_with("    ") || line.starts_with(")]")
}

#[test]
fn files_are_short() {
    let long: Vec<String> = product()
        .iter()
        .map(|s| (s.code.lines().count(), &s.path))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, path)| format!("src/{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split these: {long:#?}");
}

#[test]
fn nothing_unwraps_outside_tests() {
    let unwrap = Regex::new(r"\.unwrap\(\)|\b(todo|unimplemented|dbg)!").unwrap();
    let mut wrong = Vec::new();
    for source in product() {
        for (number, line) in source.code.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            if unwrap.is_match(code) {
                wrong.push(format!("src/{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
