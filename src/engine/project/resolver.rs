//! Container files to recipes, for all images of a project: what a base hands down is asked of the
//! base's own container file.

use super::Locks;
use crate::config::{self, Allowance, ContextSource, Project};
use crate::containerfile::{
    self, Base, BaseFacts, Fault, Inputs, NamedContext, ProjectRef, ResolveError, World,
    recipe::{Op, Recipe, Step, Warning},
};
use crate::engine::Failure;
use crate::model::{
    Digest, ImageName, Platform, Problem, Problems, Reference, RepoPath, Severity, Source, Span,
};
use crate::tree::SourceTree;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The largest container file, in bytes.
pub(super) const LIMIT: u64 = 16 << 20;

/// A container file with its recipe.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Its path.
    pub file: RepoPath,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Its text, for messages.
    pub source: Source,
    /// What it asks for.
    pub recipe: Arc<Recipe>,
}

impl Resolved {
    /// Where a word stands on a line, for marks.
    pub fn span_of(&self, line: u32, word: &str) -> Span {
        span_of(&self.source, line, word)
    }
}

fn span_of(source: &Source, line: u32, word: &str) -> Span {
    let text = source.line(line).unwrap_or_default();
    match text.find(word).filter(|_| !word.is_empty()) {
        Some(at) => {
            let column = text[..at].chars().count() + 1;
            Span::new(line, column as u32, word.chars().count() as u32)
        }
        None => {
            let lead = text.chars().take_while(|c| c.is_whitespace()).count();
            Span::new(line, lead as u32 + 1, text.trim().chars().count() as u32)
        }
    }
}

/// The container file of an image (rule 1).
pub(super) fn file(project: &Project, tree: &dyn SourceTree, name: &ImageName) -> Option<RepoPath> {
    let image = project.images.get(name)?;
    match &image.file {
        Some(file) => Some(file.clone()),
        None => config::default_file(tree, &image.context).ok().flatten(),
    }
}

/// Resolves images on demand, each once.
pub struct Resolver<'a> {
    project: &'a Project,
    tree: &'a dyn SourceTree,
    platform: &'a Platform,
    locks: &'a Locks,
    done: RefCell<BTreeMap<ImageName, Option<Resolved>>>,
    open: RefCell<BTreeSet<ImageName>>,
    problems: RefCell<Vec<Problem>>,
    failure: RefCell<Option<Failure>>,
}

impl<'a> Resolver<'a> {
    /// A resolver of the images of `project` in `tree`, for one platform.
    pub fn new(
        project: &'a Project,
        tree: &'a dyn SourceTree,
        platform: &'a Platform,
        locks: &'a Locks,
    ) -> Self {
        Self {
            project,
            tree,
            platform,
            locks,
            done: RefCell::default(),
            open: RefCell::default(),
            problems: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// Every image that has a recipe; what is wrong with the others goes to `problems`.
    pub fn all(self, problems: &mut Vec<Problem>) -> Result<BTreeMap<ImageName, Resolved>, Failure> {
        for name in self.project.images.keys() {
            self.resolve(name);
        }
        if let Some(failure) = self.failure.into_inner() {
            return Err(failure);
        }
        problems.extend(self.problems.into_inner());
        let done = self.done.into_inner();
        Ok(done
            .into_iter()
            .filter_map(|(name, found)| Some((name, found?)))
            .collect())
    }

    /// These images.
    pub fn some(self, names: &[&ImageName]) -> Result<BTreeMap<ImageName, Resolved>, Failure> {
        let found: Vec<_> = names.iter().map(|name| (*name, self.resolve(name))).collect();
        if let Some(failure) = self.failure.into_inner() {
            return Err(failure);
        }
        let mut errors = self.problems.into_inner();
        errors.retain(|problem| problem.severity == Severity::Error);
        if let Some(problems) = Problems::of(errors) {
            return Err(Failure::Project(problems));
        }
        let file = |(name, found): (&ImageName, Option<Resolved>)| match found {
            Some(found) => Ok((name.clone(), found)),
            None => Err(Failure::request(
                format!("{name} has no container file"),
                "ringshift check",
            )),
        };
        found.into_iter().map(file).collect()
    }

    fn resolve(&self, name: &ImageName) -> Option<Resolved> {
        if let Some(done) = self.done.borrow().get(name) {
            return done.clone();
        }
        if !self.open.borrow_mut().insert(name.clone()) {
            return None;
        }
        let found = self.resolve_now(name);
        self.open.borrow_mut().remove(name);
        self.done.borrow_mut().insert(name.clone(), found.clone());
        found
    }

    fn resolve_now(&self, name: &ImageName) -> Option<Resolved> {
        let image = self.project.images.get(name)?;
        // An image without container file is a problem that `config::check` reports.
        let file = file(self.project, self.tree, name)?;
        let bytes = match self.tree.read(&file, LIMIT) {
            Ok(bytes) => bytes,
            Err(crate::tree::TreeError::Missing(_)) => return None,
            Err(error @ crate::tree::TreeError::Io { .. }) => {
                self.failure.borrow_mut().get_or_insert(error.into());
                return None;
            }
            Err(error) => {
                let place = image.file_span.unwrap_or(image.context_span);
                self.problems.borrow_mut().push(self.project.problem(
                    place,
                    "container-file",
                    error.to_string(),
                ));
                return None;
            }
        };
        let source = Source::new(file.to_string(), String::from_utf8_lossy(&bytes).into_owned());
        let contexts = image
            .contexts
            .iter()
            .map(|(name, context)| (name.clone(), named(&context.what)))
            .collect();
        let inputs = Inputs {
            args: &image.args,
            target: image.target.as_deref(),
            platform: self.platform,
            contexts: &contexts,
            world: self,
        };
        let recipe = containerfile::parse(&bytes).and_then(|file| containerfile::resolve(&file, &inputs));
        match recipe {
            Ok(recipe) => {
                self.tell(image, &source, &recipe);
                Some(Resolved {
                    file,
                    bytes: bytes.into(),
                    source,
                    recipe: Arc::new(recipe),
                })
            }
            Err(fault) => {
                self.problems.borrow_mut().push(problem_of(&source, &fault));
                None
            }
        }
    }

    fn tell(&self, image: &config::Image, source: &Source, recipe: &Recipe) {
        let mut problems = self.problems.borrow_mut();
        problems.extend(told(self.project, image, source, &recipe.warnings));
        let vendor = self.project.vendor.as_deref();
        for (line, what, allowance) in wishes(recipe) {
            if !self.project.allow.contains(&allowance) {
                let span = span_of(source, line, &format!("--{what}"));
                let problem = source.problem(span, "not-allowed", format!("--{what} needs leave"));
                problems
                    .push(problem.hint(format!("allow: [{what}] in rings.yaml, when you trust this file")));
            }
        }
        for fault in containerfile::reserved_labels(recipe, vendor) {
            problems.push(problem_of(source, &fault));
        }
    }
}

/// The warnings of an image that nobody silenced, as problems of its container file.
pub(super) fn told(
    project: &Project,
    image: &config::Image,
    source: &Source,
    warnings: &[Warning],
) -> Vec<Problem> {
    let silent = |code| image.silence.contains(code) || project.silence.contains(code);
    let problem = |warning: &Warning| {
        let severity = match warning.code {
            // Rule 16: a builder that takes it for a stage would make another image.
            "numeric-from" => Severity::Error,
            _ if warning.is_note() => Severity::Note,
            _ => Severity::Warning,
        };
        let span = span_of(source, warning.line, "");
        let problem = source.problem(span, warning.code, warning.message.clone());
        let problem = problem.severity(severity);
        match severity {
            Severity::Error => problem.hint("give the stage a name, FROM … AS name, and use that"),
            _ => problem,
        }
    };
    let loud = warnings
        .iter()
        .filter(|warning| warning.code == "numeric-from" || !silent(warning.code));
    loud.map(problem).collect()
}

/// What a recipe asks for beyond the rules (SEC-A8), with its line.
fn wishes(recipe: &Recipe) -> Vec<(u32, &'static str, Allowance)> {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let asks = |step: &Step| match &step.op {
        Op::Run(run) => {
            let host =
                (run.network.as_deref() == Some("host")).then_some(("network=host", Allowance::NetworkHost));
            let insecure = (run.security.as_deref() == Some("insecure"))
                .then_some(("security=insecure", Allowance::SecurityInsecure));
            host.into_iter()
                .chain(insecure)
                .map(|(what, allowance)| (step.line, what, allowance))
                .collect()
        }
        _ => Vec::new(),
    };
    steps.flat_map(asks).collect()
}

fn named(what: &ContextSource) -> NamedContext {
    match what {
        ContextSource::Folder { .. } => NamedContext::Folder,
        ContextSource::Image(image) => NamedContext::Project(image.clone()),
        ContextSource::External(reference) => NamedContext::External(reference.clone()),
    }
}

fn problem_of(source: &Source, fault: &Fault) -> Problem {
    let text = source.line(fault.line).unwrap_or_default();
    let span = match &fault.span {
        Some(range) if text.is_char_boundary(range.start) && text.is_char_boundary(range.end) => {
            let column = text[..range.start].chars().count() as u32 + 1;
            Span::new(fault.line, column, text[range.clone()].chars().count() as u32)
        }
        _ => span_of(source, fault.line.max(1), ""),
    };
    let mut problem = source.problem(span, "container-file", fault.message.clone());
    problem.hint.clone_from(&fault.hint);
    problem
}

impl World for Resolver<'_> {
    fn project_image(&self, reference: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(self.project.own(reference).map(|own| ProjectRef {
            image: own.image,
            tag: own.tag,
            digest: own.digest,
        }))
    }

    fn namesake(&self, reference: &Reference) -> Option<String> {
        let project = self.project.name.as_str();
        let below = format!("/{project}/");
        if format!("/{}", reference.name()).contains(&below) {
            return Some(project.to_owned());
        }
        let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
        last(project).filter(|own| last(reference.name()).as_ref() == Some(own))
    }

    fn late(&self, reference: &Reference, platform: &Platform) -> Result<Option<Digest>, ResolveError> {
        Ok(self.locks.base(reference, platform).digest)
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        Ok(match base {
            // A base that cannot be resolved, or that leads back here, is a problem of its own.
            Base::Project(image) => match self.resolve(image) {
                Some(resolved) => resolved.recipe.facts().clone(),
                None => BaseFacts::unknown(),
            },
            Base::External { reference, platform } => self.locks.base(reference, platform),
        })
    }
}
