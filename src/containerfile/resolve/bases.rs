//! Where stages start from, and the triggers that fire there (rules 14, 17, 18, 20, 77 and 78).

use super::graph::{Command, Graph};
use super::scope::DEFAULT_PATH;
use super::{Base, BaseFacts, NamedContext, Placed, Resolver, platform, warn};
use crate::containerfile::error::{Fault, quoted, told_of_trigger};
use crate::containerfile::instruction::{Instruction, typed};
use crate::containerfile::parse::{lower, parse_body};
use crate::containerfile::recipe::{Source, Unlocked};
use crate::model::{Platform, Reference};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A reference as people write it: without `docker.io/library/` and `:latest`; so named contexts are called.
pub(super) fn familiar(name: &str) -> Option<String> {
    let reference = reference(name).ok()?;
    let name = reference.name();
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let mut text = match name.strip_prefix("library/") {
        Some(name) if !name.contains('/') => name.to_owned(),
        _ => name.to_owned(),
    };
    if let Some(tag) = reference.tag().filter(|tag| *tag != "latest") {
        text = format!("{text}:{tag}");
    }
    if let Some(digest) = reference.digest() {
        text = format!("{text}@{digest}");
    }
    Some(text)
}

/// What a named context is as a source.
pub(super) fn source_of(name: &str, context: &NamedContext) -> Source {
    match context {
        NamedContext::Folder => Source::Named(name.to_owned()),
        NamedContext::Project(image) => Source::Project(image.clone()),
        NamedContext::External(reference) => Source::External(reference.clone()),
    }
}

fn reference(text: &str) -> Result<Reference, Fault> {
    let bad = || Fault::new(format!("{} is no image reference", quoted(text)));
    // A registry may have upper-case letters, if it looks like one.
    let name = match text.split_once('/') {
        Some((registry, rest)) if registry.contains(['.', ':']) => rest,
        _ => text,
    };
    let name = name.split([':', '@']).next().unwrap_or_default();
    if lower(name) != name {
        let hint = "the name of an image has no upper-case letters; FROM names a stage in lower case too";
        return Err(bad().hint(hint));
    }
    let is_id = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_id(text) {
        return Err(bad().hint("an image is named, or pinned as NAME@sha256:…"));
    }
    text.parse()
        .map_err(|_| bad().hint("write [registry/]name[:tag][@sha256:…]"))
}

fn scratch() -> BaseFacts {
    BaseFacts {
        env: vec![("PATH".to_owned(), DEFAULT_PATH.to_owned())],
        workdir: Some("/".to_owned()),
        ..BaseFacts::default()
    }
}

impl<'a> Resolver<'a> {
    /// The named context that a name of a stage or image means.
    pub(super) fn context(&self, name: &str) -> Option<&NamedContext> {
        if self.contexts.is_empty() || matches!(lower(name).as_str(), "scratch" | "context") {
            return None;
        }
        self.contexts.get(&familiar(name)?)
    }

    /// Finds out where all reachable stages start from, until no trigger reaches another one.
    pub(super) fn resolve_bases(
        &mut self,
        graph: &mut Graph<'_>,
        target: usize,
    ) -> Result<BTreeSet<usize>, Fault> {
        let mut fired = BTreeSet::new();
        loop {
            let reachable = graph.reachable(target);
            let steps = self.lexer.budget.spend(graph.states.len());
            steps.map_err(|message| Fault::new(message).at(1))?;
            for index in 0..graph.states.len() {
                self.resolve_base(graph, index, reachable.contains(&index))?;
            }
            let mut reaches_more = false;
            for index in &reachable {
                reaches_more |= self.fire(graph, *index, &mut fired)?;
            }
            if !reaches_more {
                return Ok(reachable);
            }
        }
    }

    fn resolve_base(&mut self, graph: &mut Graph<'_>, index: usize, reachable: bool) -> Result<(), Fault> {
        let state = &mut graph.states[index];
        if state.base.is_some() || state.facts.is_some() || (state.checked && !reachable) {
            return Ok(());
        }
        let (line, text) = (state.line, state.base_text.clone());
        if text == "scratch" && !state.replaced {
            state.source = Some(Source::Scratch);
            state.facts = Some(scratch());
            return Ok(());
        }
        let reference = reference(&text).map_err(|e| e.at(line))?;
        // An image that no stage reached at first, but a trigger does, keeps its own triggers to itself.
        let late = std::mem::replace(&mut state.checked, true) && !state.is_stage;
        if !reachable {
            return Ok(());
        }
        let state_fires = state.is_stage && !state.replaced;
        let platform = state
            .platform
            .clone()
            .unwrap_or_else(|| self.inputs.platform.clone());
        let source = match state.source.clone() {
            Some(source) => source,
            None => self.base_source(line, &text, reference)?,
        };
        let facts = match (late, &source) {
            (false, _) => self.facts(line, &source, &platform)?,
            (true, Source::External(reference)) => BaseFacts {
                digest: self
                    .inputs
                    .world
                    .late(reference, &platform::normal(&platform))
                    .map_err(|e| e.at(line))?,
                ..BaseFacts::unknown()
            },
            (true, _) => BaseFacts::unknown(),
        };
        if let (Source::External(reference), true) = (&source, facts.open && state_fires) {
            self.unlocked.push(Unlocked {
                line,
                reference: match &facts.digest {
                    Some(digest) => reference.clone().pinned(digest),
                    None => reference.clone(),
                },
                platform: platform::normal(&platform),
            });
        }
        let source = match (source, &facts.digest) {
            (Source::External(reference), Some(digest)) => {
                if reference.digest().is_none() {
                    self.locked.insert(reference.clone(), *digest);
                }
                Source::External(reference.pinned(digest))
            }
            (source, _) => source,
        };
        let state = &mut graph.states[index];
        state.source = Some(source);
        state.facts = Some(facts);
        Ok(())
    }

    fn base_source(&mut self, line: u32, text: &str, reference: Reference) -> Result<Source, Fault> {
        if let Some(context) = self.context(text) {
            let name = familiar(text).unwrap_or_else(|| text.to_owned());
            return Ok(source_of(&name, context));
        }
        let Some(project) = self.inputs.world.project_image(text).map_err(|e| e.at(line))? else {
            if let Some(name) = self.inputs.world.namesake(&reference) {
                self.warnings.push(warn::own_name(line, text, &name));
            }
            return Ok(Source::External(reference));
        };
        if let Some(digest) = project.digest {
            let message = format!(
                "{} is an image of the project and cannot be pinned to {digest}",
                project.image
            );
            return Err(Fault::new(message).at(line).hint(format!(
                "remove the digest: the ring decides the version; or keep the pin: \
                 `contexts: {{\"{text}\": \"docker-image://{text}\"}}` of the image in rings.yaml"
            )));
        }
        if let Some(tag) = project.tag {
            self.warnings
                .push(warn::project_tag(line, project.image.as_str(), &tag));
        }
        Ok(Source::Project(project.image))
    }

    fn facts(&mut self, line: u32, source: &Source, target: &Platform) -> Result<BaseFacts, Fault> {
        let base = match source {
            Source::Project(image) => Base::Project(image.clone()),
            Source::External(reference) => Base::External {
                reference: reference.clone(),
                platform: platform::normal(target),
            },
            _ => return Ok(scratch()),
        };
        let facts = self.inputs.world.base(&base).map_err(|e| e.at(line))?;
        if let (Source::External(reference), true) = (source, facts.open) {
            let text = reference.to_string();
            if facts.digest.is_some() {
                let platform = platform::normal(target);
                self.warnings.push(warn::half_locked(line, &text, &platform));
            } else if reference.digest().is_none() {
                self.warnings.push(warn::unlocked_base(line, &text));
            }
        }
        Ok(facts)
    }

    /// Puts the triggers of a stage's base before its own instructions (rule 77). The triggers of an
    /// image that is only copied from never run, but BuildKit resolves what they name.
    fn fire(
        &mut self,
        graph: &mut Graph<'_>,
        index: usize,
        fired: &mut BTreeSet<Source>,
    ) -> Result<bool, Fault> {
        let state = &mut graph.states[index];
        if std::mem::replace(&mut state.triggered, true) {
            return Ok(false);
        }
        let (line, is_stage) = (state.line, state.is_stage);
        if !is_stage && !state.source.clone().is_some_and(|source| fired.insert(source)) {
            return Ok(false);
        }
        let mut reaches_more = false;
        let mut commands = Vec::new();
        for text in triggers(graph, index) {
            let placed = trigger(&text, line).map_err(|e| Fault {
                line,
                span: None,
                ..e
            })?;
            let sources = self
                .sources(graph, &placed)
                .map_err(|e| placed.of_trigger(e).at(line))?;
            reaches_more |= !sources.is_empty();
            Self::enter(graph, index, &sources);
            commands.push(Command { placed, sources });
        }
        let own = &mut graph.states[index].commands;
        commands.append(own);
        *own = commands;
        Ok(reaches_more)
    }
}

fn triggers(graph: &Graph<'_>, index: usize) -> Vec<String> {
    let state = &graph.states[index];
    let Some(base) = state.base else {
        let facts = state.facts.as_ref().filter(|_| !state.replaced);
        return facts.map(|facts| facts.onbuild.clone()).unwrap_or_default();
    };
    let commands = graph.states[base].commands.iter();
    commands
        .filter_map(|command| match &command.placed.typed.instruction {
            Instruction::OnBuild(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

/// Whether a trigger makes the image depend on more than the base: it reads the context or another image, or gives an
/// argument a meaning. What is no instruction does, too.
pub fn trigger_reads(text: &str) -> bool {
    match trigger(text, 1).map(|placed| placed.typed.instruction) {
        Ok(Instruction::Run(run)) => !run.mounts.is_empty(),
        Ok(Instruction::Arg(_) | Instruction::Transfer(_) | Instruction::OnBuild(_)) | Err(_) => true,
        Ok(_) => false,
    }
}

/// The instruction of a trigger; errors name the FROM that fires it.
fn trigger(text: &str, line: u32) -> Result<Placed<'static>, Fault> {
    let blame = |e: Fault| Fault {
        message: told_of_trigger(text, &e.message),
        ..e
    };
    let file = parse_body(text.as_bytes()).map_err(blame)?;
    let [node] = file.nodes.as_slice() else {
        return Err(blame(Fault::new("it is more than one instruction")));
    };
    let typed = typed(node).map_err(blame)?;
    if matches!(typed.instruction, Instruction::From(_)) {
        return Err(blame(Fault::new("FROM cannot be a trigger")));
    }
    Ok(Placed {
        node: Cow::Owned(node.clone()),
        typed,
        line,
        trigger: true,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{Case, codes, fault, ops, recipe};
    use super::*;
    use crate::containerfile::recipe::Op;
    use crate::model::ImageName;

    #[test]
    fn images_of_the_project_are_known_by_name() {
        let shop = |name| Source::Project(ImageName::new(name).unwrap());
        assert_eq!(recipe("ARG N=base\nFROM shop/$N").stages[0].base, shop("base"));
        assert_eq!(codes("FROM shop/base:1.2"), ["project-tag"]);
        let fault = fault(&format!(
            "FROM locked\nCOPY --from=shop/base@sha256:{} a b",
            "0".repeat(64)
        ));
        assert_eq!(fault.line, 2);
    }

    #[test]
    fn a_base_that_is_called_like_the_project_is_told() {
        assert_eq!(codes("FROM shop:1"), ["own-name", "unlocked-base"]);
        assert_eq!(
            codes("FROM locked\nCOPY --from=x.y/shop a b"),
            ["own-name", "unlocked-base"]
        );
        let external = NamedContext::External("shop:1".parse().unwrap());
        let case = Case {
            contexts: [("shop:1".to_owned(), external)].into(),
            ..Case::default()
        };
        let codes: Vec<_> = case
            .resolve("FROM shop:1")
            .unwrap()
            .warnings
            .iter()
            .map(|w| w.code)
            .collect();
        assert_eq!(codes, ["unlocked-base"]);
    }

    #[test]
    fn unlocked_and_numeric_bases_are_told() {
        assert_eq!(codes("FROM other"), ["unlocked-base"]);
        assert_eq!(codes("FROM locked\nCOPY --from=other a b"), ["unlocked-base"]);
        assert_eq!(codes("FROM locked\nFROM 0"), ["numeric-from", "unlocked-base"]);
    }

    #[test]
    fn triggers_run_first_and_belong_to_the_from() {
        let recipe = recipe("FROM shop/triggers\nUSER u");
        let steps = &recipe.stages[0].steps;
        assert!(matches!(steps[0].op, Op::Transfer(_)) && steps[0].trigger && steps[0].line == 1);
        assert!(matches!(steps[1].op, Op::Run(_)));
        assert!(matches!(steps[2].op, Op::User(_)) && !steps[2].trigger);
    }

    #[test]
    fn triggers_of_a_stage_fire_once() {
        let text = "FROM locked AS a\nONBUILD USER u\nFROM a AS b\nFROM b\nCMD x";
        let recipe = recipe(text);
        assert_eq!(recipe.stages[1].steps.len(), 1);
        assert_eq!(ops(&recipe).len(), 1);
        let own = super::super::testing::recipe("FROM locked\nONBUILD USER u");
        assert_eq!(own.facts().onbuild, ["USER u"]);
    }

    #[test]
    fn a_bad_trigger_names_the_from() {
        let fault = fault("FROM locked AS a\nONBUILD COPY a\nFROM locked AS b\nFROM a");
        assert_eq!(fault.line, 4);
    }

    #[test]
    fn a_trigger_that_fails_is_said_to_be_one() {
        let said = |trigger: &str| {
            let fault = fault(&format!("FROM locked AS a\nONBUILD {trigger}\nFROM a"));
            assert_eq!(fault.line, 3);
            fault.message
        };
        for trigger in [
            "COPY a",
            "COPY https://h/u /x",
            "COPY --from=7 a b",
            "WORKDIR ${X:?}",
        ] {
            let told = said(trigger);
            assert!(
                told.starts_with(&format!("the trigger `{trigger}` of the base: ")),
                "{told}"
            );
        }
    }

    #[test]
    fn named_contexts_stand_for_stages_and_images() {
        let case = |name: &str| Case {
            contexts: [(name.to_owned(), NamedContext::Folder)].into(),
            ..Case::default()
        };
        let copied = case("lib").resolve("FROM locked\nCOPY --from=lib a b").unwrap();
        let Op::Transfer(transfer) = &ops(&copied)[0] else {
            panic!("a COPY");
        };
        assert_eq!(transfer.from, Source::Named("lib".into()));
        let stage = "FROM other AS lib\nCOPY x y\nFROM lib";
        let replaced = case("lib").resolve(stage).unwrap();
        assert_eq!(replaced.stages[0].base, Source::Named("lib".into()));
        assert!(replaced.stages[0].steps.is_empty());
        let image = case("docker.io/library/other:latest")
            .resolve("FROM other")
            .unwrap();
        assert_eq!(image.stages[0].base, Source::Named("other".into()));
    }

    #[test]
    fn references_are_checked_where_nothing_reaches_them() {
        assert_eq!(fault("FROM locked AS two\nFROM Two\nFROM locked").line, 2);
        assert_eq!(familiar("docker.io/library/a:latest").unwrap(), "a");
        assert_eq!(familiar("x.y/a:1").unwrap(), "x.y/a:1");
        assert!(reference(&"a".repeat(64)).is_err());
    }
}
