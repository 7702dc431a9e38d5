//! Walking the tree of rings.yaml: every helper takes a node, gives a value or collects a problem.

use super::yaml::{Node, Value};
use crate::model::near::nearest;
use crate::model::{NameError, Problem, RepoPath, Source, Span};
use std::collections::BTreeMap;

/// The most problems that are told of one file.
pub const MOST: usize = 200;

/// Collects the problems of one file.
pub struct Walk {
    /// The file.
    pub source: Source,
    /// The folder that its paths are relative to.
    pub folder: RepoPath,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
    /// What is worth a note.
    pub notes: Vec<Problem>,
}

/// The entries of a map whose keys are known.
pub struct Fields<'n> {
    /// Where the map is named: its key, or its beginning.
    pub span: Span,
    found: BTreeMap<&'static str, (Span, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a key; an empty one counts as absent.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        let (_, node) = self.found.get(key)?;
        (node.value != Value::Null).then_some(*node)
    }

    /// Where a key stands.
    pub fn key(&self, key: &str) -> Option<Span> {
        self.found.get(key).map(|(span, _)| *span)
    }
}

impl Walk {
    /// Begins with the file whose paths are relative to `folder`.
    pub fn new(source: Source, folder: RepoPath) -> Self {
        Self {
            source,
            folder,
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Collects a problem.
    pub fn say(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.tell(|source| source.problem(span, code, message));
    }

    /// Collects a problem with what to do.
    pub fn say_hint(
        &mut self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.tell(|source| source.problem(span, code, message).hint(hint));
    }

    /// What `text` was most likely meant to be; not looked for when nothing more will be told.
    pub fn nearest<'c>(&self, text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
        let full = self.problems.len() >= MOST;
        (!full).then(|| nearest(text, candidates)).flatten()
    }

    /// Collects a problem, unless there are [`MOST`] already: finding a line takes time.
    fn tell(&mut self, problem: impl FnOnce(&Source) -> Problem) {
        if self.problems.len() < MOST {
            self.problems.push(problem(&self.source));
        }
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("`{what}` is {}, not {wanted}", node.value.kind());
        let quoted = match &node.value {
            Value::Number(written) => Some(written.clone()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        match quoted.filter(|_| wanted == "a text") {
            Some(written) => {
                let hint = format!("put it in quotes: \"{}\"", shorten(&written));
                self.say_hint(node.span, "wrong-type", message, hint);
            }
            None => self.say(node.span, "wrong-type", message),
        }
    }

    /// The fields of a map, told against the `known` ones: unknown and repeated keys are problems.
    pub fn fields<'n>(
        &mut self,
        node: &'n Node,
        span: Span,
        what: &str,
        known: &[&'static str],
    ) -> Option<Fields<'n>> {
        let Value::Map(entries) = &node.value else {
            self.wrong(node, what, "a map");
            return None;
        };
        let mut found = BTreeMap::new();
        for (key, value) in entries {
            let Some(name) = self.key_text(key) else { continue };
            match known.iter().find(|k| **k == name) {
                None => self.unknown(key.span, name, what, known),
                Some(known) => {
                    if let Some((first, _)) = found.insert(*known, (key.span, value)) {
                        self.repeated(key.span, first, name);
                    }
                }
            }
        }
        Some(Fields { span, found })
    }

    /// The entries of a map with free keys, in order; repeated keys are problems and left out.
    pub fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(Span, &'n str, &'n Node)> {
        let Value::Map(entries) = &node.value else {
            self.wrong(node, what, "a map");
            return Vec::new();
        };
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut found = Vec::new();
        for (key, value) in entries {
            let Some(name) = self.key_text(key) else { continue };
            match seen.get(name) {
                Some(first) => self.repeated(key.span, *first, name),
                None => {
                    seen.insert(name, key.span);
                    found.push((key.span, name, value));
                }
            }
        }
        found
    }

    fn key_text<'n>(&mut self, key: &'n Node) -> Option<&'n str> {
        match &key.value {
            Value::Text(text) if text == "<<" => {
                self.say_hint(
                    key.span,
                    "unknown-key",
                    "merge keys (`<<`) are not read",
                    "write the keys out",
                );
                None
            }
            Value::Text(text) => Some(text),
            Value::Number(text) => {
                let hint = format!("put it in quotes: \"{}\"", shorten(text));
                self.say_hint(key.span, "wrong-type", "a key is a number, not a text", hint);
                None
            }
            other => {
                self.say(
                    key.span,
                    "wrong-type",
                    format!("a key is {}, not a text", other.kind()),
                );
                None
            }
        }
    }

    fn unknown(&mut self, span: Span, name: &str, what: &str, known: &[&'static str]) {
        let hint = match self.nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.say_hint(
            span,
            "unknown-key",
            format!("unknown key `{}` in {what}", shorten(name)),
            hint,
        );
    }

    fn repeated(&mut self, span: Span, first: Span, name: &str) {
        let message = format!("the key `{}` stands here twice", shorten(name));
        self.say_hint(
            span,
            "duplicate-key",
            message,
            format!("it stands first in line {}", first.line),
        );
    }

    /// A text.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) if text.contains(['\n', '\r']) => {
                self.say(
                    node.span,
                    "invalid-value",
                    format!("`{what}` has more than one line"),
                );
                None
            }
            Value::Text(text) if text.is_empty() => {
                self.say(node.span, "invalid-value", format!("`{what}` is empty"));
                None
            }
            Value::Text(text) => Some(text),
            _ => {
                self.wrong(node, what, "a text");
                None
            }
        }
    }

    /// A text that may become an argument of a program: it does not begin with `-` (SEC-A12).
    pub fn word(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.text(node, what)?;
        if text.starts_with('-') {
            self.say(node.span, "invalid-value", format!("`{what}` begins with `-`"));
            return None;
        }
        Some(text.into())
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                self.wrong(node, what, "true or false");
                None
            }
        }
    }

    /// A number from 0.
    pub fn count(&mut self, node: &Node, what: &str) -> Option<u32> {
        let parsed = match &node.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        };
        if parsed.is_none() {
            self.say(
                node.span,
                "wrong-type",
                format!("`{what}` is not a whole number from 0"),
            );
        }
        parsed
    }

    /// The items of a list.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.value {
            Value::List(items) => items,
            _ => {
                self.wrong(node, what, "a list");
                &[]
            }
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<String> {
        let items = self.list(node, what);
        items
            .iter()
            .filter_map(|item| self.text(item, what).map(Into::into))
            .collect()
    }

    /// Codes of warnings.
    pub fn codes(&mut self, node: &Node) -> Vec<String> {
        let known: Vec<_> = super::codes().into_iter().map(|code| (code, code)).collect();
        let items = self.list(node, "silence");
        let codes = items
            .iter()
            .filter_map(|item| self.choice(item, "silence", &known));
        codes.map(Into::into).collect()
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = match self.nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("possible: {}", words.join(", ")),
        };
        self.say_hint(
            node.span,
            "invalid-value",
            format!("`{}` is no value of `{what}`", shorten(text)),
            hint,
        );
        None
    }

    /// A name of the model.
    pub fn name<T>(
        &mut self,
        span: Span,
        text: &str,
        what: &str,
        new: impl Fn(String) -> Result<T, NameError>,
    ) -> Option<T> {
        match new(text.to_owned()) {
            Ok(name) => Some(name),
            Err(error) => {
                let said = match error {
                    NameError::Reserved(_) => "is reserved",
                    NameError::TooLong(_) => "is longer than 63 characters",
                    NameError::Grammar(_) => "is not a valid name",
                };
                let message = format!("the {what} `{}` {said}", shorten(text));
                self.say_hint(span, "invalid-name", message, error.hint());
                None
            }
        }
    }

    /// A path, relative to the file's folder, that stays in the repository (SEC-A1).
    pub fn path(&mut self, node: &Node, what: &str) -> Option<RepoPath> {
        let text = self.text(node, what)?;
        if text.starts_with('/') {
            let hint = "paths are relative to the folder of rings.yaml";
            self.say_hint(
                node.span,
                "outside",
                format!("`{what}` is an absolute path"),
                hint,
            );
            return None;
        }
        let mut whole = self.folder.as_bytes().to_vec();
        whole.push(b'/');
        whole.extend_from_slice(text.as_bytes());
        let whole = whole.strip_prefix(b"/").unwrap_or(&whole);
        let path = RepoPath::relative(whole);
        if path.is_none() {
            self.say(
                node.span,
                "outside",
                format!("`{what}` leaves the repository: {}", shorten(text)),
            );
        }
        path
    }
}

/// A text for a message: at most 80 characters of it.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into(),
    }
}
