//! The text that problems are found in.

use super::{Place, Problem, Snippet, Span};
use std::sync::Arc;

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

    fn snippet(&self, span: Span) -> Option<Snippet> {
        let text = self.line(span.line)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let count = text.chars().count();
        let start = (span.column as usize).saturating_sub(1).min(count);
        (!text.trim().is_empty()).then(|| Snippet {
            text: text.into(),
            start,
            length: (span.length as usize).min(count - start).max(1),
            label: None,
        })
    }
}
