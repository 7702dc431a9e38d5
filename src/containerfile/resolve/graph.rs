//! Stages and what each takes from the others (rules 15, 20 to 22): names, numbers, cycles.
//!
//! As BuildKit does, an image that COPY or a mount names is entered behind the stages: a number
//! past the last stage can reach it.

use super::{Placed, Resolver, Sections, platform, warn};
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::expand::Nothing;
use crate::containerfile::instruction::{FromWords, Instruction, mount};
use crate::containerfile::parse::lower;
use crate::containerfile::recipe::Source;
use crate::model::Platform;
use std::collections::{BTreeMap, BTreeSet};

/// An instruction of a stage, and the states that it takes files from: one for COPY, one for each mount.
#[derive(Debug)]
pub(super) struct Command<'f> {
    pub(super) placed: Placed<'f>,
    pub(super) sources: Vec<usize>,
}

/// A stage, or an image that an instruction names.
#[derive(Debug)]
pub(super) struct State<'f> {
    /// The line of its FROM, or of the instruction that names it.
    pub(super) line: u32,
    pub(super) name: Option<String>,
    /// What FROM names, variables replaced.
    pub(super) base_text: String,
    /// The stage that it builds on.
    pub(super) base: Option<usize>,
    /// `--platform`.
    pub(super) platform: Option<Platform>,
    /// Whether it has a FROM of its own.
    pub(super) is_stage: bool,
    /// Whether a named context stands in its place (rule 78).
    pub(super) replaced: bool,
    pub(super) commands: Vec<Command<'f>>,
    pub(super) dependencies: BTreeSet<usize>,
    /// Where it starts from, once that is known; not of stages on stages.
    pub(super) source: Option<Source>,
    pub(super) facts: Option<super::BaseFacts>,
    /// Whether its reference is known to be well formed.
    pub(super) checked: bool,
    /// Whether the triggers of its base are in `commands`.
    pub(super) triggered: bool,
}

impl State<'_> {
    /// An image that an instruction on `line` names.
    fn image(line: u32, reference: &str) -> Self {
        Self {
            line,
            name: None,
            base_text: reference.to_owned(),
            base: None,
            platform: None,
            is_stage: false,
            replaced: false,
            commands: Vec::new(),
            dependencies: BTreeSet::new(),
            source: None,
            facts: None,
            checked: false,
            triggered: false,
        }
    }
}

/// All states.
#[derive(Debug, Default)]
pub(super) struct Graph<'f> {
    pub(super) states: Vec<State<'f>>,
    /// The states by number; images that COPY finds by number twice stand in it twice.
    order: Vec<usize>,
    names: BTreeMap<String, usize>,
}

impl<'f> Graph<'f> {
    fn push(&mut self, state: State<'f>) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    /// Gives a state a number, its base if that is a stage, and its name.
    fn register(&mut self, index: usize) {
        self.order.push(index);
        let state = &mut self.states[index];
        if let Some(base) = self.names.get(&state.base_text) {
            state.base = Some(*base);
        }
        if let Some(name) = &state.name {
            self.names.insert(name.clone(), index);
        }
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.names.get(&lower(name)).copied()
    }

    /// Rule 21.
    pub(super) fn target(&self, name: Option<&str>) -> Result<usize, Fault> {
        let last = self.order.last().copied().unwrap_or_default();
        match name {
            None | Some("") => Ok(last),
            Some(name) => self.named(name).ok_or_else(|| {
                let known: Vec<&str> = self.names.keys().map(String::as_str).collect();
                let fault = Fault::new(format!("there is no stage {} to build", quoted(name)));
                fault.at(self.states[last].line).hint(match known.as_slice() {
                    [] => "no stage has a name: write FROM … AS NAME".to_owned(),
                    known => format!("the stages are {}", known.join(", ")),
                })
            }),
        }
    }

    /// The states that `target` takes something from, itself included (rule 20).
    pub(super) fn reachable(&self, target: usize) -> BTreeSet<usize> {
        let mut reachable = BTreeSet::new();
        let mut todo = vec![target];
        while let Some(index) = todo.pop() {
            if reachable.insert(index) {
                let state = &self.states[index];
                todo.extend(state.base.iter().chain(&state.dependencies));
            }
        }
        reachable
    }

    /// Stages that copy from each other in a circle, reachable or not.
    pub(super) fn refuse_cycles(&self) -> Result<(), Fault> {
        let mut done = BTreeSet::new();
        for start in 0..self.states.len() {
            let mut path = Vec::new();
            let mut on_path = BTreeSet::new();
            let mut enter = |index: usize, path: &mut Vec<_>, on_path: &mut BTreeSet<usize>| {
                if done.insert(index) {
                    path.push((index, self.states[index].dependencies.iter()));
                    on_path.insert(index);
                }
            };
            enter(start, &mut path, &mut on_path);
            while let Some((index, dependencies)) = path.last_mut() {
                match dependencies.next() {
                    Some(next) if on_path.contains(next) => return Err(self.cycle(*next)),
                    Some(next) => enter(*next, &mut path, &mut on_path),
                    None => {
                        on_path.remove(index);
                        path.pop();
                    }
                }
            }
        }
        Ok(())
    }

    /// A flag that nobody knows is an error of the file wherever it stands (rule 12). What is reached is not refused:
    /// a newer builder may know the flag, so it makes the recipe inexact instead, with a warning.
    pub(super) fn refuse_unknown_flags(&self, reachable: &BTreeSet<usize>) -> Result<(), Fault> {
        let unreached = |index: &usize| !reachable.contains(index) || self.states[*index].replaced;
        let states = (0..self.states.len())
            .filter(unreached)
            .map(|index| &self.states[index]);
        for Command { placed, .. } in states.flat_map(|state| &state.commands) {
            if let Some(flag) = &placed.typed.unknown_flag {
                let name = placed.node.name();
                let fault = Fault::new(format!("{} has no flag {}", name.to_uppercase(), quoted(flag)));
                let hint =
                    "remove it, or the stage: nothing that is built reaches it, and builders refuse the file";
                return Err(placed.blame(fault.hint(hint), flag));
            }
        }
        Ok(())
    }

    fn cycle(&self, index: usize) -> Fault {
        let state = &self.states[index];
        let name = state.name.as_deref().unwrap_or(&state.base_text);
        Fault::new(format!(
            "the stage {} copies from itself, directly or through others",
            quoted(name)
        ))
        .at(state.line)
        .hint("a stage can copy from earlier stages only")
    }
}

impl<'a> Resolver<'a> {
    /// The stages, their bases named with global arguments (rules 13 to 16).
    pub(super) fn build_graph<'f>(&mut self, sections: Sections<'f>) -> Result<Graph<'f>, Fault> {
        let mut graph = Graph::default();
        for (placed, commands) in sections.stages {
            let Instruction::From(from) = &placed.typed.instruction else {
                continue;
            };
            let base_text = self.expand_global(&placed, &from.base)?;
            if base_text.is_empty() {
                let fault = Fault::new(format!("{} names nothing", quoted(&from.base)));
                let hint = "declare the ARG before the first FROM, with a default";
                return Err(placed.blame(fault.hint(hint), &from.base));
            }
            let platform = self.stage_platform(&placed, from)?;
            let index = graph.push(State {
                name: from.name.clone(),
                platform,
                is_stage: true,
                commands: commands
                    .into_iter()
                    .map(|placed| Command {
                        placed,
                        sources: Vec::new(),
                    })
                    .collect(),
                ..State::image(placed.line, &base_text)
            });
            graph.register(index);
            self.replace(&mut graph.states[index]);
            let state = &graph.states[index];
            if state.base.is_none() && !state.replaced && base_text.bytes().all(|b| b.is_ascii_digit()) {
                self.warnings.push(warn::numeric_from(placed.line, &base_text));
            }
            if let Some(flag) = &placed.typed.unknown_flag {
                self.give_up(placed.line, format!("the flag {flag} is not known"));
            }
        }
        Ok(graph)
    }

    /// A named context of a stage's name stands in the place of the stage (rule 78).
    fn replace(&self, state: &mut State<'_>) {
        let context = state.name.as_ref().and_then(|name| self.context(name));
        if let Some(context) = context {
            state.replaced = true;
            state.base = None;
            state.source = Some(super::bases::source_of(
                state.name.as_deref().unwrap_or_default(),
                context,
            ));
        }
    }

    fn expand_global(&self, placed: &Placed<'_>, word: &str) -> Result<String, Fault> {
        let expansion = self.lexer.expand(word, &self.globals);
        expansion
            .map(|e| e.text)
            .map_err(|e| placed.blame(e.into_fault(word), word))
    }

    fn stage_platform(&mut self, placed: &Placed<'_>, from: &FromWords) -> Result<Option<Platform>, Fault> {
        let Some(word) = &from.platform else {
            return Ok(None);
        };
        let expansion = self.lexer.expand(word, &self.globals);
        let expansion = expansion.map_err(|e| placed.blame(e.into_fault(word), word))?;
        self.warn_of_build_arguments(placed.line, expansion.matched.iter());
        let platform = platform::parse(&expansion.text);
        platform.map(Some).map_err(|e| placed.blame(e, word))
    }

    /// Finds out what every instruction of every stage takes from where.
    pub(super) fn connect(&self, graph: &mut Graph<'_>) -> Result<(), Fault> {
        for index in 0..graph.states.len() {
            let mut commands = std::mem::take(&mut graph.states[index].commands);
            for command in &mut commands {
                command.sources = self.sources(graph, &command.placed)?;
                Self::enter(graph, index, &command.sources);
            }
            graph.states[index].commands = commands;
        }
        Ok(())
    }

    /// Makes `sources` dependencies of a state, and gives those that are images a number.
    pub(super) fn enter(graph: &mut Graph<'_>, index: usize, sources: &[usize]) {
        for source in sources {
            graph.states[index].dependencies.insert(*source);
            if !graph.states[*source].is_stage {
                graph.register(*source);
            }
        }
    }

    /// The states that an instruction takes files from.
    pub(super) fn sources(&self, graph: &mut Graph<'_>, placed: &Placed<'_>) -> Result<Vec<usize>, Fault> {
        match &placed.typed.instruction {
            Instruction::Transfer(words) => match &words.from {
                Some(from) => Ok(vec![self.copy_source(graph, placed, from)?]),
                None => Ok(Vec::new()),
            },
            Instruction::Run(words) => words
                .mounts
                .iter()
                .map(|text| {
                    let from = mount::from(text).map_err(|e| e.at(placed.line))?;
                    // A mount without `from` counts as one of nothing, even where it takes the context.
                    let from = from.unwrap_or_else(|| "scratch".to_owned());
                    let known = graph.named(&from);
                    Ok(known.unwrap_or_else(|| graph.push(State::image(placed.line, &from))))
                })
                .collect(),
            _ => Ok(Vec::new()),
        }
    }

    /// Rule 22: a number, a name, else an image.
    fn copy_source(&self, graph: &mut Graph<'_>, placed: &Placed<'_>, from: &str) -> Result<usize, Fault> {
        let expansion = self.lexer.expand(from, &Nothing);
        if !expansion.is_ok_and(|e| e.text == *from) {
            let fault = Fault::new("--from takes no variables");
            let hint = "name a stage there: FROM image-with-variables AS name";
            return Err(placed.blame(fault.hint(hint), from));
        }
        let Ok(number) = from.parse::<i64>() else {
            let known = graph.named(from);
            return Ok(known.unwrap_or_else(|| graph.push(State::image(placed.line, from))));
        };
        let found = usize::try_from(number)
            .ok()
            .and_then(|number| graph.order.get(number));
        found.copied().ok_or_else(|| {
            let fault = Fault::new(format!("there is no stage {number}"));
            placed.blame(fault.hint("stages are counted from 0; a name is safer"), from)
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{Case, fault, recipe};
    use super::*;

    #[test]
    fn a_name_means_the_last_stage_before() {
        let text = "FROM locked AS a\nUSER 1\nFROM other AS a\nFROM a\n";
        let recipe = recipe(text);
        assert_eq!(recipe.stages.len(), 2);
        assert_eq!(recipe.stages[1].base, Source::Stage(0));
        assert!(recipe.stages[0].steps.is_empty());
    }

    #[test]
    fn targets_are_found_in_any_case_and_never_by_number() {
        let target = |target| {
            let case = Case {
                target: Some(target),
                ..Case::default()
            };
            case.resolve("FROM locked AS a\nFROM locked AS b")
        };
        assert_eq!(target("A").unwrap().stages[0].name.as_deref(), Some("a"));
        assert!(target("0").unwrap_err().hint.unwrap().contains("a, b"));
    }

    #[test]
    fn circles_are_refused() {
        assert_eq!(fault("FROM locked AS a\nCOPY --from=a x y\nFROM locked").line, 1);
    }
}
