//! The flags of an instruction: which it knows, of which kind, each at most once but for lists.

use crate::containerfile::error::{Fault, quoted};
use std::collections::BTreeMap;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, or `true` or `false`.
    Switch,
    /// A text.
    Text,
    /// A text; may be repeated.
    List,
}

/// The flags that were given.
#[derive(Debug, Default)]
pub(super) struct Flags {
    given: BTreeMap<String, Vec<String>>,
    unknown: Option<String>,
}

impl Flags {
    /// Reads the words before the arguments.
    pub(super) fn read(words: &[String], known: &[(&str, Kind)]) -> Result<Self, Fault> {
        let mut flags = Self::default();
        for word in words {
            flags.take(word, known)?;
        }
        Ok(flags)
    }

    fn take(&mut self, word: &str, known: &[(&str, Kind)]) -> Result<(), Fault> {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        let name = flag.strip_prefix("--").unwrap_or(flag);
        let Some((_, kind)) = known.iter().find(|(known, _)| *known == name) else {
            self.unknown.get_or_insert_with(|| flag.to_owned());
            return Ok(());
        };
        let values = self.given.entry(name.to_owned()).or_default();
        if !values.is_empty() && *kind != Kind::List {
            return Err(Fault::new(format!("{flag} stands here twice")).hint("keep one of the two"));
        }
        values.push(match kind {
            Kind::Switch => switch(flag, value)?.to_owned(),
            _ => value.ok_or_else(|| missing(flag))?.to_owned(),
        });
        Ok(())
    }

    /// The value of a text flag; empty counts as not given.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.given.get(name)?.first()?;
        (!value.is_empty()).then(|| value.clone())
    }

    /// The values of a list flag.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.given.get(name).cloned().unwrap_or_default()
    }

    /// Whether a switch is on; `None` when it was not given.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        Some(self.given.get(name)?.first()? == "true")
    }

    /// The first flag that the instruction does not know.
    pub(super) fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }
}

fn missing(flag: &str) -> Fault {
    Fault::new(format!("{flag} has no value")).hint(format!("write {flag}=VALUE"))
}

fn switch<'v>(flag: &str, value: Option<&'v str>) -> Result<&'v str, Fault> {
    match value {
        None => Ok("true"),
        Some("") => Err(missing(flag)),
        Some(value) if value.eq_ignore_ascii_case("true") => Ok("true"),
        Some(value) if value.eq_ignore_ascii_case("false") => Ok("false"),
        Some(value) => {
            let message = format!("{flag} cannot be {}", quoted(value));
            Err(Fault::new(message).hint("it is true or false"))
        }
    }
}
