//! Which stages a target reaches, and what each of their instructions means once every variable is
//! known (rules 13 to 34 and 70 to 80): a [`File`] and the [`World`] become a [`Recipe`].

mod bases;
mod config;
mod dispatch;
mod doubt;
mod globals;
mod graph;
mod platform;
mod ports;
mod remote;
mod run;
mod scope;
#[cfg(test)]
mod testing;
mod transfer;
mod warn;

pub use bases::trigger_reads;

use super::error::{Fault, ResolveError, told_of_trigger};
use super::expand::{Budget, Lexer};
use super::instruction::{Instruction, Typed, typed};
use super::parse::{File, Node};
use super::recipe::{NotUnderstood, Recipe, Source, Stage, Unlocked, Warning, Written};
use crate::model::Digest;
use crate::model::{ImageName, Platform, Reference};
use std::collections::BTreeMap;

/// All that is outside the container file.
pub struct Inputs<'a> {
    /// The build arguments.
    pub args: &'a BTreeMap<String, String>,
    /// The stage that is asked for; the last one when none is (rule 21).
    pub target: Option<&'a str>,
    /// The platform that is built for.
    pub platform: &'a Platform,
    /// The named contexts (rule 78).
    pub contexts: &'a BTreeMap<String, NamedContext>,
    /// What images there are.
    pub world: &'a dyn World,
}

/// What a named context is (rule 78).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedContext {
    /// A folder.
    Folder,
    /// An image of the project.
    Project(ImageName),
    /// Another image.
    External(Reference),
}

/// Answers while stages resolve.
pub trait World {
    /// The image of the project that a reference, variables replaced, names; `None` when it names another image.
    ///
    /// # Errors
    /// When the reference cannot be one of either.
    fn project_image(&self, reference: &str) -> Result<Option<ProjectRef>, ResolveError>;

    /// The name that `reference`, which is no image of the project, shares with the project itself: it
    /// may be one all the same.
    fn namesake(&self, _reference: &Reference) -> Option<String> {
        None
    }

    /// What pins an outside image that a trigger reaches and no stage did before: files are copied from it, and nothing
    /// of its config matters. BuildKit does not look at it.
    ///
    /// # Errors
    /// When the image cannot be used.
    fn late(&self, _reference: &Reference, _platform: &Platform) -> Result<Option<Digest>, ResolveError> {
        Ok(None)
    }

    /// What is known of an image that a reachable stage uses. An external image that is not locked
    /// is [`BaseFacts::unknown`].
    ///
    /// # Errors
    /// When the image cannot be used.
    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError>;
}

/// A reference to an image of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRef {
    /// Which.
    pub image: ImageName,
    /// The tag that is written; it has no meaning.
    pub tag: Option<String>,
    /// The digest that is written; an error.
    pub digest: Option<String>,
}

/// An image that a stage uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// An image of the project.
    Project(ImageName),
    /// Another image, for a platform.
    External {
        /// Which.
        reference: Reference,
        /// For which platform.
        platform: Platform,
    },
}

/// What of an image's config can matter to one that builds FROM it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BaseFacts {
    /// Env, in order.
    pub env: Vec<(String, String)>,
    /// Whether Env may hold more than `env` says: the image is not locked, or stands on one that is not.
    pub open: bool,
    /// The ONBUILD triggers, in order.
    pub onbuild: Vec<String>,
    /// User, when set.
    pub user: Option<String>,
    /// WorkingDir, when set and known.
    pub workdir: Option<String>,
    /// What a locked reference stands for: it enters the revision by this digest alone.
    pub digest: Option<Digest>,
}

impl BaseFacts {
    /// Nothing is known: an unlocked image. It is taken to have no triggers.
    pub fn unknown() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }
}

/// The recipe of a container file.
///
/// # Errors
/// [`ResolveError`] for what BuildKit would refuse too, and for the rows of the rule table marked REJ.
pub fn resolve(file: &File, inputs: &Inputs<'_>) -> Result<Recipe, ResolveError> {
    let override_ = inputs.args.get("BUILDKIT_SYNTAX").cloned();
    let syntax = match override_ {
        Some(reference) => Some(super::syntax::Syntax { reference, line: 1 }),
        None => file.syntax.clone(),
    };
    let mut recipe = match syntax {
        Some(syntax) if !syntax.is_ours() => foreign(file, inputs, &syntax),
        _ => {
            let mut recipe = understood(file, inputs)?;
            recipe.syntax = syntax.map(|syntax| syntax.reference);
            recipe
        }
    };
    recipe.written = Written {
        text: file.text.clone(),
        args: inputs.args.clone(),
        target: inputs.target.map(str::to_owned),
        ..recipe.written
    };
    Ok(recipe)
}

/// Another frontend reads the file (rule 7): what this dialect makes of it gives the dependencies, if
/// it can read it, and the rest is not understood.
fn foreign(file: &File, inputs: &Inputs<'_>, syntax: &super::syntax::Syntax) -> Recipe {
    let mut recipe = understood(file, inputs).unwrap_or_else(|_| empty(inputs));
    recipe.whole = Some(NotUnderstood {
        line: syntax.line,
        reason: format!("the frontend {} is not known", syntax.reference),
    });
    recipe.warnings.insert(0, warn::foreign_syntax(syntax));
    recipe
}

fn empty(inputs: &Inputs<'_>) -> Recipe {
    Recipe {
        platform: inputs.platform.clone(),
        stages: vec![Stage {
            line: 1,
            name: None,
            base: Source::Scratch,
            platform: None,
            workdir: None,
            steps: Vec::new(),
        }],
        target: 0,
        whole: None,
        warnings: Vec::new(),
        syntax: None,
        facts: BaseFacts::unknown(),
        written: Written::default(),
    }
}

fn understood(file: &File, inputs: &Inputs<'_>) -> Result<Recipe, ResolveError> {
    let budget = Budget::new();
    let mut resolver = Resolver::new(file, inputs, &budget);
    let sections = sections(&file.nodes)?;
    if sections.stages.is_empty() {
        let line = file.nodes.last().map_or(1, |node| node.start);
        let fault = Fault::new("the container file has no FROM");
        return Err(fault.at(line).hint("begin a stage with FROM"));
    }
    resolver.read_globals(&sections)?;
    let mut graph = resolver.build_graph(sections)?;
    let target = graph.target(inputs.target)?;
    resolver.connect(&mut graph)?;
    graph.refuse_cycles()?;
    let reachable = resolver.resolve_bases(&mut graph, target)?;
    graph.refuse_unknown_flags(&reachable)?;
    resolver.carry_out(graph, target, &reachable)
}

/// Whether every instruction is one, with arguments and flags that it can have, and in a stage (rule 12).
///
/// # Errors
/// [`ResolveError`] for the first that is not.
pub fn check_instructions(file: &File) -> Result<(), ResolveError> {
    sections(&file.nodes).map(drop)
}

/// A typed instruction with its place in the file.
#[derive(Debug, Clone)]
struct Placed<'f> {
    node: std::borrow::Cow<'f, Node>,
    typed: Typed,
    /// The line that errors and warnings name.
    line: u32,
    trigger: bool,
}

impl Placed<'_> {
    /// `fault`, said to be a trigger's when this is one.
    fn of_trigger(&self, fault: Fault) -> Fault {
        match self.trigger {
            true => Fault {
                message: told_of_trigger(&self.node.original, &fault.message),
                ..fault
            },
            false => fault,
        }
    }

    /// `fault` on this instruction; with the bytes of `word` when it stands on one line.
    fn blame(&self, fault: Fault, word: &str) -> Fault {
        let mut fault = fault.at(self.line);
        if let (Some(indent), false, None) = (self.node.indent, self.trigger, &fault.span)
            && let Some(at) = self.node.original.find(word).filter(|_| !word.is_empty())
        {
            fault.span = Some(indent + at..indent + at + word.len());
        }
        fault
    }
}

/// The file, cut at each FROM; what stands before the first is global.
struct Sections<'f> {
    globals: Vec<Placed<'f>>,
    stages: Vec<(Placed<'f>, Vec<Placed<'f>>)>,
}

/// Types every instruction, reachable or not (rule 12).
fn sections(nodes: &[Node]) -> Result<Sections<'_>, ResolveError> {
    let mut sections = Sections {
        globals: Vec::new(),
        stages: Vec::new(),
    };
    for node in nodes {
        let placed = Placed {
            node: std::borrow::Cow::Borrowed(node),
            typed: typed(node)?,
            line: node.start,
            trigger: false,
        };
        match (&placed.typed.instruction, sections.stages.last_mut()) {
            (Instruction::From(_), _) => sections.stages.push((placed, Vec::new())),
            (_, Some((_, commands))) => commands.push(placed),
            (Instruction::Arg(_), None) => sections.globals.push(placed),
            (_, None) => {
                let message = format!("{} stands before the first FROM", node.command.to_uppercase());
                return Err(Fault::new(message)
                    .at(node.start)
                    .hint("only ARG may stand there"));
            }
        }
    }
    Ok(sections)
}

/// What all parts of the work share.
struct Resolver<'a> {
    inputs: &'a Inputs<'a>,
    lexer: Lexer<'a>,
    /// The build arguments, SOURCE_DATE_EPOCH in its normal form.
    args: BTreeMap<String, String>,
    /// The arguments that FROM sees (rule 14).
    globals: BTreeMap<String, String>,
    /// The named contexts by their familiar names.
    contexts: BTreeMap<String, NamedContext>,
    warnings: Vec<Warning>,
    whole: Option<NotUnderstood>,
    /// The outside images that are pinned here and not in the file.
    locked: BTreeMap<Reference, Digest>,
    /// The bases of stages of which nothing is known.
    unlocked: Vec<Unlocked>,
}

impl<'a> Resolver<'a> {
    fn new(file: &File, inputs: &'a Inputs<'a>, budget: &'a Budget) -> Self {
        let familiar = |name: &String| bases::familiar(name).unwrap_or_else(|| name.clone());
        Self {
            inputs,
            lexer: Lexer::new(file.escape, budget),
            args: inputs.args.clone(),
            globals: BTreeMap::new(),
            contexts: inputs
                .contexts
                .iter()
                .map(|(name, context)| (familiar(name), context.clone()))
                .collect(),
            warnings: Vec::new(),
            whole: None,
            locked: BTreeMap::new(),
            unlocked: Vec::new(),
        }
    }

    /// Marks the recipe as not exact, with a warning that names the line; the first reason stays.
    fn give_up(&mut self, line: u32, reason: impl Into<String>) {
        let reason = reason.into();
        self.warnings.push(warn::not_understood(line, &reason));
        self.whole.get_or_insert(NotUnderstood { line, reason });
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::testing::{Case, fault, recipe};
    use super::*;

    #[test]
    fn only_what_the_target_reaches_is_in_the_recipe() {
        let text = "FROM locked AS a\nFROM locked AS b\nENV X=1\nFROM locked\nCOPY --from=B /x /y\n";
        let recipe = recipe(text);
        let names: Vec<_> = recipe.stages.iter().map(|s| s.name.as_deref()).collect();
        assert_eq!(names, [Some("b"), None]);
        assert_eq!(recipe.target, 1);
    }

    #[test]
    fn a_foreign_frontend_is_not_understood() {
        for body in ["FROM shop/base\n", "(what) ever\n"] {
            let recipe = recipe(&format!("# syntax=x/y:1\n{body}"));
            assert_eq!(recipe.whole.unwrap().line, 1);
            assert_eq!(recipe.warnings[0].code, "foreign-syntax");
        }
        let base = recipe("# syntax=x/y:1\nFROM shop/base\n").stages[0].base.clone();
        assert_eq!(base, Source::Project(ImageName::new("base").unwrap()));
        let ours = recipe("# syntax=docker/dockerfile:1.7\nFROM locked");
        assert_eq!(ours.syntax.as_deref(), Some("docker/dockerfile:1.7"));
        let overridden = Case::arg("BUILDKIT_SYNTAX", "x/y");
        assert!(overridden.resolve("FROM locked").unwrap().whole.is_some());
    }

    #[test]
    fn an_unknown_flag_makes_the_recipe_inexact() {
        let recipe = recipe("FROM locked\nRUN --later=1 ls");
        assert_eq!(recipe.whole.unwrap().line, 2);
        let unreachable = fault("FROM locked AS a\nRUN --later=1 ls\nFROM locked");
        assert_eq!((unreachable.line, unreachable.span), (2, Some(4..11)));
        assert_eq!(unreachable.message, "RUN has no flag `--later`");
        assert!(unreachable.hint.is_some());
    }

    #[test]
    fn errors_have_line_hint_and_place() {
        let place = fault("FROM locked\n  COPY ${X:?} /\n");
        assert_eq!((place.line, place.span), (2, Some(7..13)));
        assert!(place.hint.is_some());
        for (text, line) in [
            ("RUN ls\nFROM a", 1),
            ("ARG A=1\n", 1),
            ("FROM a\nCPOY a b", 2),
            ("FROM a AS x\nFROM a\nCOPY --from=2 a b", 3),
            ("FROM a\nCOPY --from=$x a b", 2),
            ("FROM a\nRUN --mount=from=$x,target=/m ls", 2),
            (
                "FROM a\nCOPY --from=later a b\nFROM a AS later\nCOPY --from=0 a b",
                1,
            ),
        ] {
            assert_eq!(fault(text).line, line, "{text}");
        }
    }

    #[test]
    fn no_file_takes_long_or_panics() {
        let big = "x".repeat(10 << 20);
        let deep = format!("FROM a\nENV X={}\n", "${X:-".repeat(5000));
        let chain: String = (0..3000)
            .map(|i| format!("FROM s{i} AS s{}\nARG A{i}=1\n", i + 1))
            .collect();
        let doubling: String = (0..60).map(|_| "ENV A=$A$A\n".to_owned()).collect();
        let texts = [
            big,
            deep,
            format!("FROM locked AS s0\n{chain}"),
            format!("FROM locked\nENV A=xx\n{doubling}"),
            "FROM a\0\nRUN \0".to_owned(),
            format!("FROM locked\n{}", "EXPOSE 0-65535\n".repeat(5000)),
        ];
        for text in texts {
            drop(Case::default().resolve(&text));
        }
        assert!(fault(&format!("FROM locked\nENV A=xx\n{doubling}")).line > 10);
    }
}
