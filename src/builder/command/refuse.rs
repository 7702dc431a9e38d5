//! What a builder reads differently from BuildKit, or not at all: refused with its line, before anything is done.
//!
//! There is one dialect, today's BuildKit's. Where another builder was seen to make another image of the same text,
//! or none, it is not asked (containerfile 2, columns D and A). BuildKit itself says what it is too old for.

use super::look::Found;
use crate::builder::BuildError;
use crate::containerfile::parse::{Node, parse};
use crate::containerfile::recipe::{
    Healthcheck, MountKind, Op, Recipe, Run, Source, Stage, Step, Transfer, TransferSource,
};
use crate::model::BuilderKind;
use std::collections::BTreeSet;

/// Who reads the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// BuildKit of today.
    Current,
    /// The BuildKit of docker 20.10.
    Old,
    /// docker without BuildKit.
    Classic,
    /// buildah and podman.
    Buildah,
}

/// What is wrong, and what to do.
type Fault = (u32, String, &'static str);

const OTHER: &str = "choose another builder: buildx or buildctl with a current BuildKit";

/// Why a builder will not build a recipe.
pub(super) fn refuses(found: &Found, recipe: &Recipe) -> Option<BuildError> {
    let dialect = match found.kind {
        BuilderKind::Buildah | BuilderKind::Podman => Dialect::Buildah,
        _ if found.is_classic() => Dialect::Classic,
        _ if found.is_old() => Dialect::Old,
        _ => Dialect::Current,
    };
    let look = Look {
        dialect,
        found,
        recipe,
    };
    let (line, what, hint) = look.file()?;
    Some(BuildError::Refused {
        builder: found.kind,
        line,
        what,
        hint: hint.into(),
    })
}

struct Look<'a> {
    dialect: Dialect,
    found: &'a Found,
    recipe: &'a Recipe,
}

impl Look<'_> {
    fn name(&self) -> String {
        match self.dialect {
            Dialect::Classic => "docker without BuildKit".into(),
            Dialect::Old => format!("{} on docker 20.10", self.found.kind),
            _ => self.found.kind.to_string(),
        }
    }

    fn cannot(&self, line: u32, what: &str) -> Option<Fault> {
        Some((line, format!("{} does not know {what}", self.name()), OTHER))
    }

    fn differs(&self, line: u32, what: &str) -> Option<Fault> {
        Some((line, format!("{} reads {what} differently", self.name()), OTHER))
    }

    fn file(&self) -> Option<Fault> {
        self.foreign()
            .or_else(|| self.recipe.stages.iter().find_map(|stage| self.stage(stage)))
            .or_else(|| self.differing())
            .or_else(|| self.written())
    }

    /// A frontend of its own (rule 7): what it makes of the names of images nobody here knows.
    fn foreign(&self) -> Option<Fault> {
        let whole = self.recipe.whole.as_ref()?;
        let file = parse(&self.recipe.written.text).ok()?;
        let asked = file.syntax.is_some() || self.recipe.written.args.contains_key("BUILDKIT_SYNTAX");
        if !asked || self.recipe.syntax.is_some() {
            return None;
        }
        if matches!(self.dialect, Dialect::Classic | Dialect::Buildah) {
            return self.cannot(whole.line, "other frontends");
        }
        let uses = |source: &Source| matches!(source, Source::Project(_));
        let stage = self
            .recipe
            .stages
            .iter()
            .find(|stage| uses(&stage.base) || stage.steps.iter().any(|step| from(step).any(uses)))?;
        let what = "images of the project cannot be given to another frontend".to_owned();
        Some((
            stage.line,
            what,
            "take the `# syntax=` line away, or name images outside the project",
        ))
    }

    fn stage(&self, stage: &Stage) -> Option<Fault> {
        match &stage.base {
            Source::Named(name) if self.dialect != Dialect::Current => {
                return self.cannot(stage.line, &format!("FROM {name}, a folder"));
            }
            _ => {}
        }
        if self.dialect == Dialect::Classic && stage.platform.is_some() {
            return self.cannot(stage.line, "FROM --platform");
        }
        stage
            .steps
            .iter()
            .find_map(|step| self.step(step))
            .or_else(|| self.inherited(stage))
    }

    fn step(&self, step: &Step) -> Option<Fault> {
        if step.trigger && from(step).any(|source| matches!(source, Source::Project(_) | Source::Named(_))) {
            let what = format!(
                "the base's ONBUILD names an image of the project: {}",
                step.original
            );
            return Some((step.line, what, "write the instruction into this file"));
        }
        if self.dialect == Dialect::Current {
            return None;
        }
        if let Some(Source::Named(name)) = from(step).find(|source| matches!(source, Source::Named(_)))
            && self.dialect != Dialect::Buildah
        {
            return self.cannot(step.line, &format!("the named context {name}"));
        }
        match &step.op {
            Op::Transfer(transfer) => self.transfer(step.line, transfer),
            Op::Run(run) => self.run(step.line, run),
            Op::Healthcheck(Healthcheck::Test { start_interval, .. }) if *start_interval != 0 => {
                self.cannot(step.line, "HEALTHCHECK --start-interval")
            }
            Op::Arg(pairs) if pairs.iter().any(|(name, _)| name == "TARGETSTAGE") => {
                self.cannot(step.line, "ARG TARGETSTAGE")
            }
            _ => None,
        }
    }

    fn transfer(&self, line: u32, transfer: &Transfer) -> Option<Fault> {
        let verb = if transfer.add { "ADD" } else { "COPY" };
        let heredoc = transfer
            .sources
            .iter()
            .any(|s| matches!(s, TransferSource::Heredoc(_)));
        let git = transfer
            .sources
            .iter()
            .any(|s| matches!(s, TransferSource::Git(_)));
        let flags = [
            (heredoc && !self.heredocs(), "a heredoc"),
            (transfer.parents, "--parents"),
            (!transfer.exclude.is_empty(), "--exclude"),
            (transfer.link, "--link"),
            (transfer.checksum.is_some(), "--checksum"),
            (transfer.keep_git_dir, "--keep-git-dir"),
            (transfer.unpack.is_some(), "--unpack"),
            (git, "a git repository"),
            (
                transfer.chmod.is_some() && self.dialect == Dialect::Classic,
                "--chmod",
            ),
            (
                transfer
                    .chmod
                    .as_deref()
                    .is_some_and(|mode| mode.parse::<u32>().is_err()),
                "a --chmod in letters",
            ),
        ];
        let (_, what) = flags.into_iter().find(|(used, _)| *used)?;
        self.cannot(line, &format!("{verb} with {what}"))
    }

    /// Whether it knows heredocs.
    fn heredocs(&self) -> bool {
        match self.found.kind {
            BuilderKind::Buildah => self.found.at_least(1, 33),
            BuilderKind::Podman => self.found.at_least(4, 9),
            _ => self.dialect == Dialect::Current,
        }
    }

    fn run(&self, line: u32, run: &Run) -> Option<Fault> {
        let classic = self.dialect == Dialect::Classic;
        let flags = [
            (!run.heredocs.is_empty() && !self.heredocs(), "a heredoc"),
            (classic && !run.mounts.is_empty(), "--mount"),
            (run.security.is_some(), "--security"),
            (!run.devices.is_empty(), "--device"),
            (
                run.network.is_some() && self.dialect != Dialect::Buildah,
                "--network",
            ),
        ];
        if let Some((_, what)) = flags.into_iter().find(|(used, _)| *used) {
            return self.cannot(line, &format!("RUN with {what}"));
        }
        // A secret by another way than a file.
        let env = |mount: &crate::containerfile::recipe::Mount| {
            mount.kind == MountKind::Secret && mount.options.iter().any(|(key, _)| key == "env")
        };
        run.mounts.iter().any(env).then_some(())?;
        self.cannot(line, "RUN with a secret in a variable")
    }

    /// Rule 25: arguments of a parent stage, which only BuildKit hands down.
    fn inherited(&self, stage: &Stage) -> Option<Fault> {
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

    fn arguments_above(&self, stage: &Stage) -> BTreeSet<String> {
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
    fn differing(&self) -> Option<Fault> {
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
    fn written(&self) -> Option<Fault> {
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

    fn node(&self, node: &Node) -> Option<Fault> {
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

    fn knows(&self, form: &str) -> bool {
        match self.dialect {
            Dialect::Buildah => matches!(form, ":-" | ":+"),
            _ => matches!(form, ":-" | ":+" | ":?" | "?"),
        }
    }
}

/// The places that an instruction takes files from.
fn from(step: &Step) -> impl Iterator<Item = &Source> {
    let (one, many) = match &step.op {
        Op::Transfer(transfer) => (Some(&transfer.from), &[][..]),
        Op::Run(run) => (None, run.mounts.as_slice()),
        _ => (None, &[][..]),
    };
    let mounts = many.iter().filter_map(|mount| match &mount.kind {
        MountKind::Bind { from, .. } => Some(from),
        MountKind::Cache { from, .. } => from.as_ref(),
        _ => None,
    });
    one.into_iter().chain(mounts)
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
#[expect(clippy::unwrap_used, reason = "tests")]
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
