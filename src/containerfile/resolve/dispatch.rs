//! The instructions of every reachable stage, in order, each with what it means at its place.

use super::graph::{Command, Graph, State};
use super::scope::{Scope, Value, known};
use super::{Placed, Resolver, platform, warn};
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::expand::{ExpandError, Expansion, Lexer};
use crate::containerfile::instruction::Instruction;
use crate::containerfile::recipe::{Op, Recipe, Source, Stage, Step, Written};
use std::collections::{BTreeMap, BTreeSet};

/// Build arguments that never reach the environment.
const NOT_IN_ENV: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

/// One instruction at its place.
pub(super) struct At<'s, 'f> {
    pub(super) placed: &'s Placed<'f>,
    /// Where it takes files from, one for COPY and one for each mount.
    pub(super) sources: Vec<Source>,
    lexer: Lexer<'s>,
    /// The variable that only an unlocked base could define, when a word names one.
    pub(super) unsure: Option<String>,
}

impl At<'_, '_> {
    /// `word` with its variables replaced.
    pub(super) fn expand(&mut self, scope: &Scope, word: &str) -> Result<Value, Fault> {
        let expansion = self.lexer.expand(word, scope);
        self.value(scope, word, expansion)
    }

    /// The body of a heredoc with its variables replaced (rule 58).
    pub(super) fn expand_body(&mut self, scope: &Scope, body: &str) -> Result<Value, Fault> {
        let expansion = Lexer::of_heredoc(self.lexer.budget).expand(body, scope);
        self.value(scope, body, expansion)
    }

    /// `word` with its variables replaced, cut into words.
    pub(super) fn expand_words(&mut self, scope: &Scope, word: &str) -> Result<Vec<Value>, Fault> {
        let expansion = self.lexer.expand(word, scope);
        let words = expansion.as_ref().map(|e| e.words.clone()).unwrap_or_default();
        let value = self.value(scope, word, expansion)?;
        if !value.known {
            return Ok(vec![value]);
        }
        Ok(words.iter().map(|word| known(word)).collect())
    }

    fn value(
        &mut self,
        scope: &Scope,
        word: &str,
        expansion: Result<Expansion, ExpandError>,
    ) -> Result<Value, Fault> {
        let unmatched = match &expansion {
            Ok(expansion) => &expansion.unmatched,
            Err(error) => &error.unmatched,
        };
        if let Some(name) = scope.unsure(unmatched) {
            self.unsure.get_or_insert_with(|| name.to_owned());
            return Ok(Value {
                text: word.to_owned(),
                known: false,
            });
        }
        match expansion {
            Ok(expansion) => Ok(known(&expansion.text)),
            Err(error) => Err(self.placed.blame(error.into_fault(word), word)),
        }
    }

    /// An error on this instruction.
    pub(super) fn fault(&self, fault: Fault, word: &str) -> Fault {
        self.placed.blame(fault, word)
    }
}

impl<'a> Resolver<'a> {
    /// The recipe of the reachable stages.
    pub(super) fn carry_out(
        mut self,
        graph: Graph<'_>,
        target: usize,
        reachable: &BTreeSet<usize>,
    ) -> Result<Recipe, Fault> {
        let stages: Vec<usize> = reachable
            .iter()
            .copied()
            .filter(|i| graph.states[*i].is_stage)
            .collect();
        let numbers: BTreeMap<usize, usize> = stages.iter().enumerate().map(|(n, i)| (*i, n)).collect();
        let mut scopes = BTreeMap::new();
        let mut done = Vec::with_capacity(stages.len());
        for index in stages {
            let state = &graph.states[index];
            let mut scope = self.enter_stage(state, &scopes)?;
            let mut steps = Vec::with_capacity(state.commands.len());
            let commands = if state.replaced {
                &[][..]
            } else {
                &state.commands[..]
            };
            for command in commands {
                let blame = |e| command.placed.of_trigger(e);
                let sources = places(&graph, index, command, &numbers).map_err(blame)?;
                steps.push(self.step(&mut scope, command, sources).map_err(blame)?);
            }
            scopes.insert(index, scope);
            done.push(self.stage(state, &numbers, steps));
        }
        self.warnings.sort_by_key(|warning| warning.line);
        Ok(Recipe {
            platform: self.inputs.platform.clone(),
            stages: done,
            target: numbers.get(&target).copied().unwrap_or_default(),
            whole: self.whole,
            warnings: self.warnings,
            syntax: None,
            facts: scopes.get(&target).map(Scope::facts).unwrap_or_default(),
            written: Written {
                locked: self.locked,
                unlocked: self.unlocked,
                ..Written::default()
            },
        })
    }

    fn enter_stage(&self, state: &State<'_>, scopes: &BTreeMap<usize, Scope>) -> Result<Scope, Fault> {
        let scope = match (state.base.and_then(|base| scopes.get(&base)), &state.facts) {
            (Some(base), _) => Scope::of_stage(base),
            (None, Some(facts)) => Scope::of_image(facts),
            (None, None) => Scope::default(),
        };
        self.spend(scope.size(), state.line)?;
        Ok(scope)
    }

    pub(super) fn spend(&self, work: usize, line: u32) -> Result<(), Fault> {
        self.lexer
            .budget
            .spend(work)
            .map_err(|message| Fault::new(message).at(line))
    }

    fn stage(&self, state: &State<'_>, numbers: &BTreeMap<usize, usize>, steps: Vec<Step>) -> Stage {
        let stage = state.base.and_then(|base| numbers.get(&base));
        let own = match stage {
            Some(number) => Source::Stage(*number),
            None => state.source.clone().unwrap_or(Source::Scratch),
        };
        let target = platform::normal(self.inputs.platform);
        let locked = state.facts.as_ref().filter(|facts| facts.digest.is_some());
        let is_image = matches!(own, Source::External(_) | Source::Project(_));
        Stage {
            line: state.line,
            name: state.name.clone(),
            base: own,
            platform: state
                .platform
                .clone()
                .filter(|platform| is_image && *platform != target),
            workdir: locked.and_then(|facts| facts.workdir.clone()),
            steps,
        }
    }

    fn step(
        &mut self,
        scope: &mut Scope,
        command: &Command<'_>,
        sources: Vec<Source>,
    ) -> Result<Step, Fault> {
        let placed = &command.placed;
        if let Some(flag) = &placed.typed.unknown_flag {
            self.give_up(placed.line, format!("the flag {flag} is not known"));
        }
        let mut at = At {
            placed,
            sources,
            lexer: self.lexer,
            unsure: None,
        };
        let op = self.op(scope, &mut at)?;
        Ok(Step {
            line: placed.line,
            original: placed.node.original.trim().to_owned(),
            trigger: placed.trigger,
            unresolved: at.unsure.is_some(),
            op,
        })
    }

    fn op(&mut self, scope: &mut Scope, at: &mut At<'_, '_>) -> Result<Op, Fault> {
        Ok(match &at.placed.typed.instruction {
            Instruction::Transfer(words) => Op::Transfer(self.transfer(scope, at, words)?),
            Instruction::Run(words) => Op::Run(self.run(scope, at, words)?),
            Instruction::Arg(pairs) => Op::Arg(self.arg(scope, at, pairs)?),
            Instruction::Env(pairs) => {
                let pairs = at.pairs(scope, pairs)?;
                for (name, value) in &pairs {
                    scope.set_env(&name.text, value.clone());
                }
                Op::Env(texts(pairs))
            }
            Instruction::OnBuild(text) => {
                scope.onbuild.push(text.clone());
                Op::OnBuild(text.clone())
            }
            Instruction::Expose(words) => Op::Expose(self.expose(scope, at, words)?),
            other => at.config(scope, other)?,
        })
    }

    /// ARG (rules 25 to 28): each name sees the ones before it.
    fn arg(
        &mut self,
        scope: &mut Scope,
        at: &mut At<'_, '_>,
        pairs: &[(String, Option<String>)],
    ) -> Result<Vec<(String, Option<String>)>, Fault> {
        let line = at.placed.line;
        let mut out = Vec::with_capacity(pairs.len());
        for (name, default) in pairs {
            let value = match (self.args.get(name), default) {
                (Some(value), _) => Some(known(value)),
                (None, Some(default)) => Some(at.expand(scope, default)?),
                (None, None) => self.globals.get(name).map(|value| known(value)),
            };
            if value.is_none() {
                scope.declare(name);
            }
            if let Some(value) = value.clone().filter(|_| !NOT_IN_ENV.contains(&name.as_str())) {
                if scope.is_env(name) {
                    self.warnings.push(warn::builders_differ(line, name));
                }
                scope.set_arg(name, value);
            }
            self.spend(value.as_ref().map_or(0, |value| value.text.len()), line)?;
            out.push((name.clone(), value.map(|value| value.text)));
        }
        let undefaulted = pairs.iter().filter(|(_, default)| default.is_none());
        self.warn_of_build_arguments(line, undefaulted.map(|(name, _)| name));
        Ok(out)
    }
}

impl At<'_, '_> {
    /// Names and values; all of them see what was before the instruction (rule 32).
    pub(super) fn pairs(
        &mut self,
        scope: &Scope,
        pairs: &[(String, String)],
    ) -> Result<Vec<(Value, Value)>, Fault> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| Ok((self.expand(scope, name)?, self.expand(scope, value)?)))
            .collect()
    }
}

/// The texts of pairs.
pub(super) fn texts(pairs: Vec<(Value, Value)>) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.text, value.text))
        .collect()
}

/// Where an instruction of stage `here` takes files from. A stage must stand before (rule 22); only a
/// trigger can name its own, and means what is there by then.
fn places(
    graph: &Graph<'_>,
    here: usize,
    command: &Command<'_>,
    numbers: &BTreeMap<usize, usize>,
) -> Result<Vec<Source>, Fault> {
    let place = |index: &usize| {
        let state = &graph.states[*index];
        if !state.is_stage {
            return Ok(state.source.clone().unwrap_or(Source::Scratch));
        }
        match numbers.get(index) {
            Some(number) if state.replaced || *index <= here => Ok(Source::Stage(*number)),
            _ => {
                let name = state.name.clone().unwrap_or_else(|| index.to_string());
                let fault = Fault::new(format!("the stage {} comes after this one", quoted(&name)));
                let fault = fault.hint("move it up: files come from earlier stages only");
                Err(command.placed.blame(fault, &name))
            }
        }
    };
    command.sources.iter().map(place).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{Case, codes, ops, recipe};
    use super::*;

    fn arg(recipe: &Recipe) -> Option<String> {
        ops(recipe).into_iter().find_map(|op| match op {
            Op::Arg(pairs) => pairs[0].1.clone(),
            _ => None,
        })
    }

    #[test]
    fn an_argument_takes_the_command_line_then_its_default_then_the_global() {
        let global = "ARG A=global\nFROM locked\nARG A";
        assert_eq!(arg(&recipe(global)).as_deref(), Some("global"));
        assert_eq!(arg(&recipe(&format!("{global}=own"))).as_deref(), Some("own"));
        let cli = Case::arg("A", "").resolve(&format!("{global}=own")).unwrap();
        assert_eq!(arg(&cli).as_deref(), Some(""));
        assert_eq!(arg(&recipe("FROM locked\nARG A")), None);
    }

    #[test]
    fn one_instruction_sees_what_was_before_it() {
        let recipe = recipe("FROM locked\nENV a=1\nENV a=2 b=$a\n");
        let Op::Env(pairs) = &ops(&recipe)[1] else {
            panic!("an ENV");
        };
        assert_eq!(pairs[1], ("b".into(), "1".into()));
    }

    #[test]
    fn a_run_sees_the_arguments_that_no_env_hides() {
        let recipe = recipe("FROM locked\nARG A=1\nARG B=2\nENV A=3\nRUN ls");
        let Some(Op::Run(run)) = ops(&recipe).pop() else {
            panic!("a RUN");
        };
        assert_eq!(run.args, [("B".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn an_argument_after_an_env_of_its_name_is_told() {
        assert_eq!(codes("FROM locked\nENV A=1\nARG A=2"), ["builders-differ"]);
        assert_eq!(codes("FROM locked\nARG LANG=2"), ["builders-differ"]);
        assert_eq!(codes("FROM locked\nARG A=2\nENV A=1"), [""; 0]);
        assert_eq!(codes("FROM --platform=$BUILDPLATFORM locked"), ["build-platform"]);
    }

    #[test]
    fn what_only_an_unlocked_base_knows_stays_as_written() {
        let recipe = recipe("FROM other\nENV A=$HOME/x\nWORKDIR /w/$A\nENV B=1\nUSER $B");
        let steps = &recipe.stages[0].steps;
        assert_eq!(steps[1].op, Op::Workdir("/w/$A".into()));
        let unresolved: Vec<bool> = steps.iter().map(|step| step.unresolved).collect();
        assert_eq!(unresolved, [true, true, false, false]);
        assert!(recipe.whole.is_none());
        assert!(recipe.facts().open);
        assert_eq!(recipe.facts().env, [("B".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_locked_base_tells_its_variables() {
        let recipe = recipe("FROM locked\nWORKDIR $LANG$NONE");
        assert_eq!(ops(&recipe), [Op::Workdir("C".into())]);
        assert_eq!(recipe.facts().workdir.as_deref(), Some("/srv/C"));
    }
}
