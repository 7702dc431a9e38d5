//! Ignore files: what of a context is left out (rules 60 to 69).
//!
//! The file is not asked path by path. It is evaluated while a folder is walked, each entry with what its folder
//! left behind ([`PatternSet::judge`]); that is how BuildKit does it, and it shows (rule 66).

mod clean;
mod pattern;
mod regexp;
mod set;

pub use clean::clean;
pub use pattern::{Pattern, PatternError};
pub use set::{Matched, PatternSet, Verdict};

use crate::model::RepoPath;
use crate::model::path::escape;
use crate::tree::{Kind, SourceTree, TreeError};
use std::sync::Arc;

/// The longest line that BuildKit reads (Go's `bufio.MaxScanTokenSize`).
const LONGEST_LINE: usize = 64 * 1024;

/// A parsed ignore file. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    set: Arc<PatternSet>,
    lines: Arc<[(u32, String)]>,
    name: Option<Arc<str>>,
}

/// An ignore file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct IgnoreError {
    /// Line of the ignore file, from 1.
    pub line: u32,
    /// What is wrong, a sentence without its full stop.
    pub message: String,
    /// How to mend it.
    pub hint: &'static str,
}

impl Ignore {
    /// The ignore file that leaves nothing out.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the text of an ignore file (rule 63).
    ///
    /// # Errors
    /// [`IgnoreError`] for a pattern that is malformed at sight, or a line over 64 KiB. A pattern whose regular
    /// expression does not compile is an error when it is first compared with a path ([`Ignore::judge`]).
    pub fn parse(bytes: &[u8]) -> Result<Self, IgnoreError> {
        let lines = lines(bytes)?;
        let set = PatternSet::new(lines.iter().map(|(_, pattern)| pattern))
            .map_err(|(index, error)| explain_error(lines[index].0, &lines[index].1, &error))?;
        let lines = lines.iter().map(|(line, pattern)| (*line, shown(pattern)));
        Ok(Self {
            lines: lines.collect(),
            set: Arc::new(set),
            name: None,
        })
    }

    /// The same, with the path that messages call it by; `.dockerignore` unless told.
    #[must_use]
    pub fn named(mut self, path: &RepoPath) -> Self {
        self.name = Some(path.to_string().into());
        self
    }

    /// The path that messages call it by.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(".dockerignore")
    }

    /// Judges one entry of a context: `path` from the context's root, `parent` the state of its folder
    /// (the default at the root).
    ///
    /// # Errors
    /// [`IgnoreError`] naming the line whose regular expression does not compile (rule 65).
    pub fn judge(&self, path: &[u8], parent: &Matched) -> Result<Verdict, IgnoreError> {
        let named = |(index, error): (usize, PatternError)| {
            let (line, text) = &self.lines[index];
            explain_error(*line, text.as_bytes(), &error)
        };
        self.set.judge(path, parent).map_err(named)
    }

    /// Whether a folder that is left out need not be entered: nothing in it can be kept.
    pub fn closes(&self, folder: &[u8]) -> bool {
        self.set.closes(folder)
    }

    /// Whether both surely leave out the same: neither anything, or both from one text read once.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.set, &other.set) || (self.is_none() && other.is_none())
    }

    /// Whether it leaves nothing out.
    pub fn is_none(&self) -> bool {
        self.set.patterns().is_empty()
    }

    /// The line and pattern that leave `path` out, or the folder it lies in; `None` when it is kept.
    pub fn explain(&self, path: &RepoPath) -> Option<(u32, &str)> {
        let mut at = RepoPath::root();
        let mut state = Matched::default();
        let mut by = None;
        for name in path.components() {
            at = at.child(name);
            let verdict = self.judge(at.as_bytes(), &state).ok()?;
            state = verdict.state;
            by = verdict.by.filter(|_| verdict.matched);
            if by.is_some() && self.closes(at.as_bytes()) {
                break;
            }
        }
        let (line, text) = &self.lines[by?];
        Some((*line, text))
    }

    /// The patterns after cleaning, `!` included, in the order of the file.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(_, text)| text.as_str())
    }
}

/// The ignore file of a build: `<container file>.dockerignore` beside the container file when there is one, even
/// an empty one; else `.dockerignore` at the context's root (rule 60).
///
/// # Errors
/// [`TreeError`] when the tree cannot be read.
pub fn ignore_file_for(
    container_file: &RepoPath,
    context_root: &RepoPath,
    tree: &dyn SourceTree,
) -> Result<Option<RepoPath>, TreeError> {
    let beside = RepoPath::clean([container_file.as_bytes(), b".dockerignore"].concat());
    for path in [beside, context_root.child(b".dockerignore")] {
        if let Some(Kind::File { .. } | Kind::Link) = tree.kind(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The patterns with their line numbers, as BuildKit's reader of ignore files gives them.
fn lines(bytes: &[u8]) -> Result<Vec<(u32, Vec<u8>)>, IgnoreError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut patterns = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        if line.len() >= LONGEST_LINE {
            return Err(IgnoreError {
                line: number,
                message: "the line is longer than 65,535 bytes".into(),
                hint: "write a shorter pattern",
            });
        }
        let text = clean::trim(line);
        if !line.starts_with(b"#") && !text.is_empty() {
            patterns.push((number, normal(text)));
        }
    }
    Ok(patterns)
}

/// One pattern cleaned: blanks after `!` gone, one leading slash gone.
fn normal(text: &[u8]) -> Vec<u8> {
    let (bang, text) = match text.strip_prefix(b"!") {
        Some(rest) => (b"!".as_slice(), clean::trim(rest)),
        None => (b"".as_slice(), text),
    };
    if text.is_empty() {
        return bang.to_vec();
    }
    let cleaned = clean(text);
    let bare = match cleaned.as_slice() {
        [b'/', rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    [bang, bare].concat()
}

/// A pattern for people: what does not print is escaped, its own backslashes are not doubled.
fn shown(pattern: &[u8]) -> String {
    escape(pattern).replace(r"\\", r"\")
}

fn explain_error(line: u32, pattern: &[u8], error: &PatternError) -> IgnoreError {
    let hint = match error {
        PatternError::LoneBang => "write the path to keep after `!`",
        PatternError::Malformed => "close every `[`, and write no backslash at the end",
        PatternError::Regexp(_) => "write the character without the backslash, or put it in brackets",
    };
    IgnoreError {
        line,
        message: format!("`{}` cannot be used: {error}", shown(pattern)),
        hint,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn left_out(file: &str, path: &str) -> bool {
        let ignore = Ignore::parse(file.as_bytes()).unwrap();
        ignore.explain(&RepoPath::clean(path)).is_some()
    }

    #[test]
    fn lines_are_cleaned() {
        let file = "\u{feff}# no\n #yes\r\n! /a/../b/ \n//x\n/\n.\n\n";
        let ignore = Ignore::parse(file.as_bytes()).unwrap();
        assert_eq!(
            ignore.patterns().collect::<Vec<_>>(),
            ["#yes", "!b", "x", "/", "."]
        );
    }

    #[test]
    fn patterns_are_anchored_and_stars_stop_at_slashes() {
        assert!(left_out("*.md", "a.md"));
        assert!(!left_out("*.md", "d/a.md"));
        assert!(left_out("**/*.md", "d/e/a.md"));
        assert!(left_out("**/*.md", "a.md"));
        assert!(left_out("**.log", "s/k/c.log"));
        assert!(left_out("x/**", "x/y"));
        assert!(!left_out("x/**", "xy"));
        assert!(left_out("target", "target/debug/x"));
    }

    #[test]
    fn a_later_exception_reaches_below_a_folder_left_out() {
        assert!(!left_out("a\n!a/b", "a/b/c"));
        assert!(left_out("a\n!a/b", "a/c"));
    }

    #[test]
    fn the_line_that_leaves_out_is_named() {
        let ignore = Ignore::parse(b"# x\n\n**/target\n!keep\n").unwrap();
        assert_eq!(
            ignore.explain(&RepoPath::clean("a/target/b")),
            Some((3, "**/target"))
        );
        assert_eq!(ignore.explain(&RepoPath::clean("a/b")), None);
    }

    #[test]
    fn malformed_patterns_name_their_line() {
        for bad in ["a\n!\n", "a\n[x\n", "a\n!/\n", "a\nb\\\n"] {
            assert_eq!(Ignore::parse(bad.as_bytes()).unwrap_err().line, 2, "{bad}");
        }
    }

    #[test]
    fn a_broken_expression_is_an_error_only_when_compared() {
        let quiet = Ignore::parse(b"!a\\M\n").unwrap();
        assert!(!quiet.judge(b"x", &Matched::default()).unwrap().matched);
        let loud = Ignore::parse(b"\na\\M\n").unwrap();
        assert_eq!(loud.judge(b"x", &Matched::default()).unwrap_err().line, 2);
    }

    #[test]
    fn a_very_long_line_is_refused() {
        assert!(Ignore::parse(&vec![b'a'; 65_535]).is_ok());
        assert!(Ignore::parse(&vec![b'a'; 65_536]).is_err());
    }
}
