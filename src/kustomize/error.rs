//! Why a build fails: a place, a sentence, and how to mend it.

use std::fmt;

/// A build failed, or was refused before anything was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file, with a line where it is known; empty when no file is to blame.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// The kustomization, with its line, that named the place; none where the place is one of its own.
    pub named: Option<String>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Error {
    /// An error at a place.
    pub fn at(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            named: None,
            hint: None,
        }
    }

    /// An error whose place is told later.
    pub fn new(message: impl Into<String>) -> Self {
        Self::at("", message)
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong, and who led there.
    pub fn sentence(&self) -> String {
        match &self.named {
            Some(named) => format!("{} (named in {named})", self.message),
            None => self.message.clone(),
        }
    }

    /// With the line of the kustomization `file` that names the place, if one does and nobody was found before. `resolve`
    /// gives what a word of the file names, as a place is written.
    #[must_use]
    pub fn named_in(mut self, file: &str, text: &str, resolve: impl Fn(&str) -> String) -> Self {
        let path = match self.place.rsplit_once(':') {
            Some((path, line)) if line.bytes().all(|b| b.is_ascii_digit()) => path,
            _ => &self.place,
        };
        if self.named.is_some() || path.is_empty() || path == file {
            return self;
        }
        let names = |word: &str| {
            let named = resolve(word);
            let below = |folder: &str| {
                path.strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            named == path || (word.contains(['.', '/']) && below(&named))
        };
        let word =
            |c: char| !c.is_whitespace() && !matches!(c, '[' | ']' | '{' | '}' | ',' | '"' | '\'' | '=');
        let found = text.lines().position(|line| {
            let line = line.split(" #").next().unwrap_or_default();
            let mut words = line
                .split(|c| !word(c))
                .filter(|word| !word.is_empty() && *word != "-");
            words.any(names)
        });
        if let Some(at) = found {
            self.named = Some(format!("{file}:{}", at + 1));
        }
        self
    }

    /// With a place, unless it has one.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        if self.place.is_empty() {
            place.clone_into(&mut self.place);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.sentence()),
            place => write!(f, "{place}: {}", self.sentence()),
        }
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
