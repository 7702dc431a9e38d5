//! The arguments that FROM sees (rules 14, 26, 29 and 79): platform arguments, then every ARG before the first FROM.

use super::{Resolver, Sections, warn};
use crate::containerfile::error::Fault;
use crate::containerfile::instruction::Instruction;

/// The arguments that tell of the builder (rule 29).
pub(super) const BUILD_ARGUMENTS: [&str; 5] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
];

const EPOCH: &str = "SOURCE_DATE_EPOCH";

impl Resolver<'_> {
    /// Fills `globals`.
    pub(super) fn read_globals(&mut self, sections: &Sections<'_>) -> Result<(), Fault> {
        self.platform_arguments(sections);
        for placed in &sections.globals {
            let Instruction::Arg(pairs) = &placed.typed.instruction else {
                continue;
            };
            for (name, default) in pairs {
                let value = match (self.args.get(name), default) {
                    (Some(value), _) => value.clone(),
                    (None, Some(default)) => {
                        let expansion = self.lexer.expand(default, &self.globals);
                        let text = expansion.map(|e| e.text).map_err(|e| e.into_fault(default));
                        text.map_err(|e| placed.blame(e, default))?
                    }
                    (None, None) => continue,
                };
                self.globals.insert(name.clone(), value);
            }
            self.warn_of_build_arguments(placed.line, pairs.iter().map(|(name, _)| name));
        }
        self.epoch(sections)
    }

    fn platform_arguments(&mut self, sections: &Sections<'_>) {
        let target = &self.inputs.platform;
        let last = sections
            .stages
            .last()
            .and_then(|(from, _)| match &from.typed.instruction {
                Instruction::From(from) => from.name.clone(),
                _ => None,
            });
        let stage = self
            .inputs
            .target
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .or(last);
        let pairs = [
            ("BUILDPLATFORM", "linux/amd64".to_owned()),
            ("BUILDOS", "linux".to_owned()),
            ("BUILDOSVERSION", String::new()),
            ("BUILDARCH", "amd64".to_owned()),
            ("BUILDVARIANT", String::new()),
            ("TARGETPLATFORM", target.to_string()),
            ("TARGETOS", target.os.clone()),
            ("TARGETOSVERSION", String::new()),
            ("TARGETARCH", target.architecture.clone()),
            ("TARGETVARIANT", target.variant.clone()),
            ("TARGETSTAGE", stage.unwrap_or_else(|| "default".to_owned())),
        ];
        for (name, value) in pairs {
            let value = self.args.get(name).cloned().unwrap_or(value);
            self.globals.insert(name.to_owned(), value);
        }
    }

    /// Warns of declared arguments that only the builder knows.
    pub(super) fn warn_of_build_arguments<'n>(&mut self, line: u32, names: impl Iterator<Item = &'n String>) {
        for name in names {
            if BUILD_ARGUMENTS.contains(&name.as_str()) && !self.args.contains_key(name) {
                self.warnings.push(warn::build_platform(line, name));
            }
        }
    }

    /// SOURCE_DATE_EPOCH is a number, or names something whose time only the builder knows (rule 79).
    fn epoch(&mut self, sections: &Sections<'_>) -> Result<(), Fault> {
        let declared = self.globals.get(EPOCH).filter(|value| !value.is_empty());
        let Some(value) = self.args.get(EPOCH).or(declared).cloned() else {
            return Ok(());
        };
        if value.is_empty() {
            self.args.remove(EPOCH);
            self.globals.remove(EPOCH);
            return Ok(());
        }
        let Ok(seconds) = value.parse::<i64>() else {
            return self.epoch_of(&value, sections);
        };
        for map in [&mut self.args, &mut self.globals] {
            if let Some(value) = map.get_mut(EPOCH) {
                *value = seconds.to_string();
            }
        }
        Ok(())
    }

    fn epoch_of(&mut self, value: &str, sections: &Sections<'_>) -> Result<(), Fault> {
        let stage = sections
            .stages
            .iter()
            .any(|(from, _)| match &from.typed.instruction {
                Instruction::From(from) => from
                    .name
                    .as_deref()
                    .is_some_and(|name| name.eq_ignore_ascii_case(value)),
                _ => false,
            });
        if value != "context" && !stage && !self.contexts.contains_key(value) {
            return Err(Fault::new(format!("{EPOCH} cannot be `{value}`"))
                .at(1)
                .hint("it is a number of seconds since 1970"));
        }
        self.give_up(1, format!("{EPOCH} is taken from `{value}`"));
        Ok(())
    }
}
