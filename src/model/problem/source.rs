//! The text that problems are found in.

use super::{Place, Problem, Snippet, Span};
use std::sync::Arc;

/// The most characters of a line that are kept before a span.
const KEPT: usize = 250;

/// A file's text with its name, from which problems are made.
#[derive(Debug, Clone)]
pub struct Source {
    path: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// The text of the file that messages call `path`.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// What messages call the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One line without its end, counted from 1.
    pub fn line(&self, number: u32) -> Option<&str> {
        self.text.lines().nth(number.checked_sub(1)? as usize)
    }

    /// A problem at `span`, with its line.
    pub fn problem(&self, span: Span, code: &'static str, message: impl Into<String>) -> Problem {
        let place = Place {
            path: self.path.to_string(),
            line: span.line,
            column: span.column,
        };
        let mut problem = Problem::new(place, code, message);
        problem.snippet = self.snippet(span);
        problem
    }

    /// The line around the span: all of it, unless it is very long.
    fn snippet(&self, span: Span) -> Option<Snippet> {
        let text = self.line(span.line)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let column = (span.column as usize).saturating_sub(1);
        let skipped = column.saturating_sub(KEPT);
        let mut kept: String = text.chars().skip(skipped).take(4 * KEPT).collect();
        if skipped > 0 {
            kept.replace_range(..kept.chars().next().map_or(0, char::len_utf8), "…");
        }
        let count = kept.chars().count();
        let start = (column - skipped).min(count);
        (!kept.trim().is_empty()).then(|| Snippet {
            text: kept,
            start,
            length: (span.length as usize).min(count - start).max(1),
            label: None,
        })
    }
}
