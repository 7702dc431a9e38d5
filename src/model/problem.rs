//! What is wrong with a file of the project, with its place, for someone who can act.
//!
//! Shared by all readers of files: rings.yaml, container files, overlays. A reader collects
//! [`Problem`]s; [`Problem::render`] writes one as `check` shows it.

mod render;
mod source;

pub use source::Source;

use std::fmt;

/// How much a [`Problem`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Allowed, but worth a look.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// The word before the place.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Where in a file: `PATH:LINE:COLUMN`, from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, relative to the repository.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// Which characters of a file are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// How many characters; what lies beyond the line's end is not shown. 0: only a point is known.
    pub length: u32,
}

impl Span {
    /// The span of `length` characters at `line` and `column`, both from 1.
    pub fn new(line: u32, column: u32, length: u32) -> Self {
        Self { line, column, length }
    }

    /// The beginning of a file.
    pub fn start() -> Self {
        Self::new(1, 1, 0)
    }
}

/// The line that is shown under a problem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snippet {
    /// The line's text, without its end.
    pub text: String,
    /// The characters before the marked ones.
    pub start: usize,
    /// How many characters are marked.
    pub length: usize,
    /// A few words beside the marks.
    pub label: Option<String>,
}

/// One thing that is wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// How much it matters.
    pub severity: Severity,
    /// A stable code such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// The line in question, where it can be shown.
    pub snippet: Option<Snippet>,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at a place that has no text to show.
    pub fn new(place: Place, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            place,
            severity: Severity::Error,
            code,
            message: message.into(),
            snippet: None,
            hint: None,
        }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a few words beside the marks.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(snippet) = &mut self.snippet {
            snippet.label = Some(label.into());
        }
        self
    }

    /// The same as a warning or note.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The text that `check` prints, without a newline at its end: severity, place and message, the
    /// line with its marks, the hint. Control characters of the file are not passed on.
    pub fn render(&self) -> String {
        let mut out = format!("{self}");
        // Who may silence it needs its name.
        if self.severity > Severity::Error {
            out.push_str(&format!(" [{}]", self.code));
        }
        if let Some(snippet) = &self.snippet {
            out.push('\n');
            out.push_str(&snippet.render(self.place.line));
        }
        if let Some(hint) = &self.hint {
            out.push_str("\nhint: ");
            out.push_str(&printable(hint).replace('\n', "\n      "));
        }
        out
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}: {}", self.place, self.message);
        write!(f, "{}: {}", self.severity.word(), printable(&text))
    }
}

/// A text for people: its lines stay, control characters besides are replaced, since they could move the cursor of a
/// terminal, or write what nobody said.
pub fn printable(text: &str) -> String {
    let shown = |c| if c == '\n' { c } else { render::printable(c) };
    text.chars().map(shown).collect()
}

/// At least one problem, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems in order of place, or `None` when there are none.
    pub fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
        problems.dedup();
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems in order of place.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// The problems in order of place.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source::new("images/api/Dockerfile", "FROM x\nCOPY target/app /app\n")
    }

    #[test]
    fn a_problem_looks_like_the_sketch() {
        let problem = source()
            .problem(
                Span::new(2, 6, 10),
                "ignored",
                "`COPY` reads a file that .dockerignore leaves out",
            )
            .label("ignored by .dockerignore:3 (`**/target`)")
            .hint("build it in a stage of this file");
        let want = "\
error: images/api/Dockerfile:2:6: `COPY` reads a file that .dockerignore leaves out
  |
2 | COPY target/app /app
  |      ^^^^^^^^^^ ignored by .dockerignore:3 (`**/target`)
hint: build it in a stage of this file";
        assert_eq!(problem.render(), want);
    }

    #[test]
    fn a_place_outside_the_text_is_survived() {
        for span in [Span::new(0, 0, 9), Span::new(9, 9, 9), Span::new(2, 900, 9)] {
            assert!(!source().problem(span, "c", "m").render().is_empty());
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_marks() {
        let text = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
        let rendered = Source::new("f", text)
            .problem(Span::new(1, 5001, 4), "c", "m")
            .render();
        let lines: Vec<&str> = rendered.lines().collect();
        assert!(lines[2].chars().count() < 110);
        let at = lines[3]
            .find('^')
            .map(|at| lines[2].chars().skip(at).take(4).collect::<String>());
        assert_eq!(at.as_deref(), Some("HERE"));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let rendered = Source::new("f", "a\u{1b}[31m\tb")
            .problem(Span::start(), "c", "m\u{1b}[2J\nm")
            .label("l\u{7f}")
            .hint("h\u{9b}\nh")
            .render();
        assert!(
            !rendered.contains(|c: char| c.is_control() && c != '\n'),
            "{rendered:?}"
        );
        assert!(rendered.contains("[2J\nm") && rendered.contains("h\u{fffd}\n      h"));
    }

    #[test]
    fn problems_are_sorted_by_place_and_said_once() {
        let s = source();
        let late = s.problem(Span::new(2, 1, 1), "b", "late");
        let early = s.problem(Span::new(1, 1, 1), "a", "early");
        let all = Problems::of(vec![late.clone(), early.clone(), late.clone()]).map(Problems::into_vec);
        assert_eq!(all, Some(vec![early, late]));
        assert!(Problems::of(Vec::new()).is_none());
    }
}
