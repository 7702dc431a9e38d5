//! What is wrong with a container file: where, what, and how to mend it.

use std::ops::Range;

/// One problem of a container file. The message is a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Fault {
    /// Line of the container file, from 1; 0 while nobody has said which.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// One line on how to mend it.
    pub hint: Option<String>,
    /// The bytes of that line that are meant.
    pub span: Option<Range<usize>>,
}

/// Why bytes are not a container file.
pub type ParseError = Fault;

/// Why a container file has no recipe.
pub type ResolveError = Fault;

impl Fault {
    /// A problem whose line is not known yet.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            line: 0,
            message: message.into(),
            hint: None,
            span: None,
        }
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem on `line`, unless it has a line already.
    #[must_use]
    pub fn at(mut self, line: u32) -> Self {
        if self.line == 0 {
            self.line = line;
        }
        self
    }
}

/// `message` of an instruction that no line of the file holds: a trigger of the base, told at the FROM that fires it
/// (rule 77).
pub(crate) fn told_of_trigger(trigger: &str, message: &str) -> String {
    format!("the trigger {} of the base: {message}", quoted(trigger.trim()))
}

/// A text for a message: at most 80 characters, control characters escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!(
        "`{}`",
        short
            .escape_debug()
            .to_string()
            .replace("\\\\", "\\")
            .replace("\\\"", "\"")
            .replace("\\'", "'")
    )
}
