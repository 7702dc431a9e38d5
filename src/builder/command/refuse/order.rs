//! What other builders make of an order of instructions: WORKDIR after USER, commands, SHELL.

use super::{Dialect, Fault, Look};
use crate::containerfile::recipe::{Command, Op, Source, Stage};

impl Look<'_> {
    /// What depends on the order of instructions: WORKDIR after USER (rule 75), commands, SHELL.
    pub(super) fn ordered(&self, stage: &Stage) -> Option<Fault> {
        if !matches!(self.dialect, Dialect::Classic | Dialect::Buildah) {
            return None;
        }
        let (mut user, mut shell, mut cmd, mut entrypoint) = (self.has_user(stage), false, None, None);
        for step in &stage.steps {
            match &step.op {
                Op::User(name) => user = !is_root(name),
                Op::Workdir(path) if user => {
                    let what = format!(
                        "{} gives the folder of WORKDIR {path} to root, not to USER",
                        self.name()
                    );
                    return Some((
                        step.line,
                        what,
                        "write WORKDIR before USER, or make the folder by RUN",
                    ));
                }
                Op::Shell(_) => shell = true,
                Op::Cmd(Command::Shell(_)) | Op::Entrypoint(Command::Shell(_))
                    if shell && self.dialect == Dialect::Buildah =>
                {
                    return self.differs(step.line, "a command in shell form after SHELL");
                }
                _ => {}
            }
            match &step.op {
                Op::Cmd(_) => cmd = Some(step.line),
                Op::Entrypoint(_) => entrypoint = Some(step.line),
                _ => {}
            }
        }
        let line = entrypoint.filter(|_| self.dialect == Dialect::Buildah && self.makes_config(stage))?;
        let plain = stage.base == Source::Scratch && cmd.is_none();
        if plain || cmd.is_some_and(|cmd| cmd > line) {
            return None;
        }
        let what = format!(
            "{} reads an ENTRYPOINT without a CMD after it differently",
            self.name()
        );
        Some((line, what, "write a CMD after the ENTRYPOINT"))
    }

    /// Whether the config of a stage reaches the image: those on the way of FROM (rule 23).
    pub(super) fn makes_config(&self, stage: &Stage) -> bool {
        let mut at = self.recipe.stages.get(self.recipe.target);
        for _ in 0..self.recipe.stages.len() {
            let Some(here) = at else { return false };
            if here.line == stage.line {
                return true;
            }
            at = match here.base {
                Source::Stage(number) => self.recipe.stages.get(number),
                _ => None,
            };
        }
        false
    }

    /// Whether a stage begins with a USER that is not root, as far as this file tells.
    pub(super) fn has_user(&self, stage: &Stage) -> bool {
        let mut at = &stage.base;
        for _ in 0..self.recipe.stages.len() {
            let Source::Stage(number) = at else { return false };
            let Some(parent) = self.recipe.stages.get(*number) else {
                return false;
            };
            let last = parent.steps.iter().rev().find_map(|step| match &step.op {
                Op::User(name) => Some(!is_root(name)),
                _ => None,
            });
            match last {
                Some(user) => return user,
                None => at = &parent.base,
            }
        }
        false
    }
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("" | "0" | "root"))
}
