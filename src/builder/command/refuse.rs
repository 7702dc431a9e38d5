//! What a builder reads differently from BuildKit, or not at all: refused with its line, before anything is done.
//!
//! There is one dialect, today's BuildKit's. Where another builder was seen to make another image of the same text,
//! or none, it is not asked (containerfile 2, columns D and A). BuildKit itself says what it is too old for.

mod instruction;
mod order;
mod variables;

use super::look::Found;
use crate::builder::BuildError;
use crate::containerfile::parse::parse;
use crate::containerfile::recipe::{Healthcheck, MountKind, Op, Recipe, Source, Stage, Step};
use crate::model::BuilderKind;

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
            Dialect::Old => "the BuildKit of docker 20.10".into(),
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
        if self.dialect == Dialect::Classic && !self.found.is_of(&self.recipe.platform) {
            let line = self.recipe.stages.first().map_or(1, |stage| stage.line);
            return self.cannot(line, &format!("the platform {}", self.recipe.platform));
        }
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
            .or_else(|| self.ordered(stage))
    }

    /// Whether an image is pinned by the lock: the text of a trigger stays as it is, and its builder would not know.
    fn is_pinned_elsewhere(&self, source: &Source, step: &Step) -> bool {
        let Source::External(reference) = source else {
            return false;
        };
        let digest = reference.digest().unwrap_or_default();
        !digest.is_empty() && !step.original.contains(digest)
    }

    fn step(&self, step: &Step) -> Option<Fault> {
        if step.trigger && from(step).any(|source| matches!(source, Source::Project(_) | Source::Named(_))) {
            let what = format!(
                "the base's ONBUILD names an image of the project: {}",
                step.original
            );
            return Some((step.line, what, "write the instruction into this file"));
        }
        if step.trigger && from(step).any(|source| self.is_pinned_elsewhere(source, step)) {
            let what = format!(
                "the base's ONBUILD names an image by its tag alone: {}",
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
            Op::OnBuild(text) if text.contains('\n') && !self.heredocs() => {
                self.cannot(step.line, "ONBUILD with a heredoc")
            }
            Op::Arg(pairs) if pairs.iter().any(|(name, _)| name == "TARGETSTAGE") => {
                self.cannot(step.line, "ARG TARGETSTAGE")
            }
            _ => None,
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
