//! What a stage knows at one of its lines: environment, arguments, user, folder (rules 25 to 34).

use super::BaseFacts;
use crate::containerfile::expand::Variables;
use std::collections::{BTreeMap, BTreeSet};

/// PATH where a base has none.
pub(super) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A value, as text or as it is written where only an unlocked base could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) known: bool,
}

#[derive(Debug, Clone)]
struct Variable {
    value: Value,
    /// Set by ARG, not by ENV or the base.
    is_arg: bool,
}

/// The state of a stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    variables: BTreeMap<String, Variable>,
    /// Env of the config, in order.
    config: Vec<(String, Value)>,
    positions: BTreeMap<String, usize>,
    /// The names that ARG declares without a value.
    valueless: BTreeSet<String>,
    /// Whether the base may define variables that nobody here knows.
    open: bool,
    pub(super) user: Option<String>,
    pub(super) workdir: Option<String>,
    pub(super) onbuild: Vec<String>,
}

impl Variables for Scope {
    fn get(&self, name: &str) -> Option<&str> {
        let variable = self.variables.get(name).filter(|variable| variable.value.known)?;
        Some(&variable.value.text)
    }
}

impl Scope {
    /// A stage on an image.
    pub(super) fn of_image(facts: &BaseFacts) -> Self {
        let mut scope = Self {
            open: facts.open,
            user: facts.user.clone(),
            workdir: facts.workdir.clone(),
            ..Self::default()
        };
        for (name, value) in &facts.env {
            scope.set_env(name, known(value));
        }
        if !scope.open && !scope.positions.contains_key("PATH") {
            scope.set_env("PATH", known(DEFAULT_PATH));
        }
        scope
    }

    /// A stage on a stage: it inherits arguments too, but the Env of the config comes over them.
    pub(super) fn of_stage(base: &Self) -> Self {
        let mut scope = base.clone();
        scope.onbuild.clear();
        for (name, value) in &base.config {
            scope.insert(name, value.clone(), false);
        }
        if base.open {
            // The base may hold an Env of the same name, which would come over the argument.
            let hidden = scope
                .variables
                .iter_mut()
                .filter(|(name, _)| !base.positions.contains_key(*name));
            hidden.for_each(|(_, variable)| variable.value.known = false);
        }
        scope
    }

    /// Whether the base may define more than is known.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// How much it holds, for the budget.
    pub(super) fn size(&self) -> usize {
        self.variables.len() * 256
    }

    /// ENV.
    pub(super) fn set_env(&mut self, name: &str, value: Value) {
        self.insert(name, value.clone(), false);
        match self.positions.get(name) {
            Some(at) => self.config[*at].1 = value,
            None => {
                self.positions.insert(name.to_owned(), self.config.len());
                self.config.push((name.to_owned(), value));
            }
        }
    }

    /// ARG with a value.
    pub(super) fn set_arg(&mut self, name: &str, value: Value) {
        self.insert(name, value, true);
    }

    fn insert(&mut self, name: &str, value: Value, is_arg: bool) {
        self.variables.insert(name.to_owned(), Variable { value, is_arg });
    }

    /// ARG without a value.
    pub(super) fn declare(&mut self, name: &str) {
        self.valueless.insert(name.to_owned());
    }

    /// Why nobody knows `name`, as the end of a sentence that begins with the word that names it.
    pub(super) fn why_unsure(&self, name: &str) -> String {
        let declared = match self.valueless.contains(name) && !self.variables.contains_key(name) {
            true => format!("; `ARG {name}` has no value here"),
            false => String::new(),
        };
        format!("names ${name}, which an unlocked base may define{declared}")
    }

    /// Whether ENV or the base sets `name` (rule 28).
    pub(super) fn is_env(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|variable| !variable.is_arg)
    }

    /// The first of `names`, not found set, that only an unlocked base could define.
    pub(super) fn unsure<'n>(&self, names: &'n BTreeSet<String>) -> Option<&'n str> {
        let unsure = |name: &&String| match self.variables.get(*name) {
            Some(variable) => !variable.value.known,
            None => self.open,
        };
        names.iter().find(unsure).map(String::as_str)
    }

    /// The arguments that a RUN sees (rules 27 and 28), by name.
    pub(super) fn arguments(&self) -> Vec<(String, String)> {
        let arguments = self.variables.iter().filter(|(_, variable)| variable.is_arg);
        arguments
            .map(|(name, variable)| (name.clone(), variable.value.text.clone()))
            .collect()
    }

    /// What an image that builds FROM this one sees.
    pub(super) fn facts(&self) -> BaseFacts {
        let known = self.config.iter().filter(|(_, value)| value.known);
        BaseFacts {
            env: known
                .map(|(name, value)| (name.clone(), value.text.clone()))
                .collect(),
            open: self.open || self.config.iter().any(|(_, value)| !value.known),
            onbuild: self.onbuild.clone(),
            user: self.user.clone(),
            workdir: self.workdir.clone(),
            digest: None,
        }
    }
}

/// A value that is known.
pub(super) fn known(text: &str) -> Value {
    Value {
        text: text.to_owned(),
        known: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_comes_over_inherited_arguments() {
        let mut base = Scope::of_image(&BaseFacts::default());
        base.set_env("A", known("env"));
        base.set_arg("A", known("arg"));
        assert_eq!(base.get("A"), Some("arg"));
        assert_eq!(Scope::of_stage(&base).get("A"), Some("env"));
    }

    #[test]
    fn an_open_base_makes_inherited_arguments_unsure() {
        let mut base = Scope::of_image(&BaseFacts::unknown());
        base.set_arg("A", known("arg"));
        let names = BTreeSet::from(["A".to_owned()]);
        assert_eq!(base.unsure(&names), None);
        assert_eq!(Scope::of_stage(&base).unsure(&names), Some("A"));
    }

    #[test]
    fn order_stays_when_a_value_changes() {
        let mut scope = Scope::of_image(&BaseFacts::default());
        for (name, value) in [("A", "1"), ("B", "2"), ("A", "3")] {
            scope.set_env(name, known(value));
        }
        let names: Vec<_> = scope.facts().env.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["PATH", "A", "B"]);
    }
}
