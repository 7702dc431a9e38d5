//! Variables that other builders hand down, hide or expand differently.

use super::{Dialect, Fault, Look};
use crate::containerfile::parse::{Node, parse};
use crate::containerfile::recipe::{Op, Source, Stage};
use std::collections::BTreeSet;

impl Look<'_> {
    /// Rule 25: arguments of a parent stage, which only BuildKit hands down.
    pub(super) fn inherited(&self, stage: &Stage) -> Option<Fault> {
        if !matches!(self.dialect, Dialect::Classic | Dialect::Buildah) {
            return None;
        }
        let above = self.arguments_above(stage);
        let mut own = BTreeSet::new();
        for step in &stage.steps {
            let uses = |name: &&String| match &step.op {
                Op::Run(run) => run.args.iter().any(|(arg, _)| arg == *name),
                Op::Cmd(_) | Op::Entrypoint(_) | Op::Healthcheck(_) | Op::Shell(_) => false,
                _ => names(&step.original, name),
            };
            let found = above.iter().filter(|name| !own.contains(*name)).find(uses);
            if let Some(name) = found {
                let what = format!(
                    "{} does not hand ARG {name} down to the stages built on its own",
                    self.name()
                );
                return Some((step.line, what, "declare it again in this stage"));
            }
            if let Op::Arg(pairs) = &step.op {
                own.extend(pairs.iter().map(|(name, _)| name.clone()));
            }
        }
        None
    }

    pub(super) fn arguments_above(&self, stage: &Stage) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let (mut at, mut left) = (&stage.base, self.recipe.stages.len());
        while let (Source::Stage(number), 1..) = (at, left) {
            let Some(parent) = self.recipe.stages.get(*number) else {
                break;
            };
            for step in &parent.steps {
                if let Op::Arg(pairs) = &step.op {
                    all.extend(pairs.iter().map(|(name, _)| name.clone()));
                }
            }
            (at, left) = (&parent.base, left - 1);
        }
        all
    }

    /// Rule 28: an ARG after an ENV of its name.
    pub(super) fn differing(&self) -> Option<Fault> {
        if !matches!(self.dialect, Dialect::Classic | Dialect::Buildah) {
            return None;
        }
        let warning = self
            .recipe
            .warnings
            .iter()
            .find(|w| w.code == "builders-differ")?;
        self.differs(warning.line, "an ARG after an ENV of the same name")
    }

    /// Rules 30 and 31: forms of variables, in what is expanded.
    pub(super) fn written(&self) -> Option<Fault> {
        if self.dialect == Dialect::Current || self.recipe.syntax.is_some() && self.dialect == Dialect::Old {
            return None;
        }
        let file = parse(&self.recipe.written.text).ok()?;
        let mut reached = true;
        for node in &file.nodes {
            if node.name() == "from" {
                reached = self.recipe.stages.iter().any(|stage| stage.line == node.start);
                continue;
            }
            if reached && let Some(fault) = self.node(node) {
                return Some(fault);
            }
        }
        None
    }

    pub(super) fn node(&self, node: &Node) -> Option<Fault> {
        if self.dialect == Dialect::Old
            && node
                .flags
                .iter()
                .any(|flag| flag.starts_with("--chmod=") && flag.contains('$'))
        {
            return self.cannot(node.start, "variables in --chmod");
        }
        if matches!(
            node.name().as_str(),
            "run" | "cmd" | "entrypoint" | "shell" | "healthcheck"
        ) {
            return None;
        }
        let form = forms(&node.original).find(|form| !self.knows(form))?;
        self.cannot(node.start, &format!("the form ${{…{form}…}}"))
    }

    pub(super) fn knows(&self, form: &str) -> bool {
        match self.dialect {
            Dialect::Buildah => matches!(form, ":-" | ":+"),
            _ => matches!(form, ":-" | ":+" | ":?" | "?"),
        }
    }
}

/// Whether a text has `$name` or `${name…`.
fn names(text: &str, name: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        rest.strip_prefix(name)
            .is_some_and(|after| !after.starts_with(word))
    })
}

/// The operators of all `${name…}` in a text: `:-`, `#`, `//`, …
fn forms(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("${").filter_map(move |(at, _)| {
        let rest = &text[at + 2..];
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let operator = rest.trim_start_matches(word);
        let length = match operator.as_bytes() {
            [b':', _, ..] => 2,
            [b'#', b'#', ..] | [b'%', b'%', ..] | [b'/', b'/', ..] => 2,
            [b'}', ..] | [] => return None,
            _ => 1,
        };
        operator.get(..length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_names_are_found() {
        let all: Vec<&str> = forms("a ${x} ${x:-1} ${y#p} ${y##p} ${z//a/b} ${z+1} $x").collect();
        assert_eq!(all, [":-", "#", "##", "//", "+"]);
        assert!(names("COPY $A /x", "A") && names("${A:-1}", "A"));
        assert!(!names("$AB", "A") && !names("A", "A"));
    }
}
