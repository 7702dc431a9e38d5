//! The documents, and the blocks of code in them.

use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A document: its path in the repository, and its text.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// Every Markdown file for people: those at the top and those in `docs`.
pub fn pages() -> Vec<Page> {
    let mut paths = tracked(|path| {
        path.extension().is_some_and(|ext| ext == "md")
            && (path.components().count() == 1 || path.starts_with("docs"))
    });
    paths.sort();
    let read = |path: PathBuf| Page {
        text: std::fs::read_to_string(root().join(&path)).unwrap(),
        path,
    };
    paths.into_iter().map(read).collect()
}

/// The files of the repository (tracked, or new and not ignored) that `wanted` picks.
pub fn tracked(wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let out = std::process::Command::new("git")
        .args(["-c", "safe.directory=*"])
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "the tests run in a git clone");
    let text = String::from_utf8(out.stdout).unwrap();
    let mut paths: Vec<PathBuf> = text
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| wanted(path) && root().join(path).is_file());
    paths
}

/// A fenced block of code.
pub struct Block {
    /// What stands behind the fence: `sh`, `console`, …
    pub kind: String,
    /// The number of its first line, from 1.
    pub line: usize,
    pub lines: Vec<String>,
}

pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => {
                open = Some(Block {
                    kind: kind.to_owned(),
                    line: number + 2,
                    lines: Vec::new(),
                });
            }
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of code is not closed");
    blocks
}

#[test]
fn the_worked_example_of_the_revision_is_true() {
    let page = std::fs::read_to_string(root().join("docs/reference/revision.md")).unwrap();
    let block = |language: &str| {
        let from = page.split(&format!("\n```{language}\n")).last().unwrap();
        from.split("\n```").next().unwrap().to_owned()
    };
    let place = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_ringshift"));
    let path = std::env::var("PATH").unwrap();
    let ran = std::process::Command::new("sh")
        .args(["-ec", &block("bash")])
        .current_dir(place.path())
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim_end(), block("text"));
}
