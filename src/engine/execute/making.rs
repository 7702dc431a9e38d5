//! Building one image: each of its platforms by the builder that was chosen, its checks, and the index over all.

use super::builders::Unmade;
use super::log::Log;
use super::work::Work;
use super::{Builders, Tools, index};
use crate::builder::{Base, BuildError, Builder, Job, Progress, Session, given};
use crate::containerfile::recipe::{Recipe, Unlocked};
use crate::engine::event::Event;
use crate::engine::failure::{Failure, Unbuilt, of_check};
use crate::engine::project::{Image, Loaded, Resolved, Variant};
use crate::engine::store::Store;
use crate::model::{Digest, ImageName};
use crate::registry::Descriptor;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How an image is built.
pub(super) struct Making {
    pub builder: Arc<dyn Builder>,
    /// One recipe for each platform.
    resolved: Vec<Resolved>,
    /// The commands that must succeed in it.
    checks: Vec<Vec<String>>,
}

impl Making {
    /// Chooses the builder.
    pub fn of(
        project: &Loaded,
        image: &ImageName,
        resolved: Vec<Resolved>,
        builders: &Builders,
        session: &Session,
    ) -> Result<Self, Box<Unbuilt>> {
        let checks = project
            .project
            .images
            .get(image)
            .map(|image| image.checks.clone());
        let checks = checks.unwrap_or_default();
        let recipes: Vec<Arc<Recipe>> = resolved.iter().map(|resolved| resolved.recipe.clone()).collect();
        let missing = recipes.iter().find_map(|recipe| given::check(recipe, session));
        let chosen = match missing {
            Some(error) => Err(Box::new(Unmade { error, hint: None })),
            None => builders.choose(&recipes, !checks.is_empty()),
        };
        match chosen {
            Ok(builder) => Ok(Self {
                builder,
                resolved,
                checks,
            }),
            Err(no) => Err(Box::new(Unbuilt {
                image: image.clone(),
                file: project.file(image),
                error: no.error,
                hint: no.hint,
                check: None,
                log: None,
            })),
        }
    }

    /// The bases of its stages of which nothing is known.
    pub fn unlocked(&self) -> impl Iterator<Item = &Unlocked> {
        self.resolved
            .iter()
            .flat_map(|resolved| &resolved.recipe.written.unlocked)
    }

    /// Builds and checks; what is pushed bears no tag yet.
    pub fn make(
        &self,
        work: &Work,
        store: &Store,
        tools: &Tools,
        digests: &BTreeMap<ImageName, Digest>,
    ) -> Result<Descriptor, Failure> {
        let name = &work.step.image;
        let image = work.project.made(name, &self.resolved)?;
        same_sources(work, &image)?;
        let log = Log::begin(&tools.logs, &store.project, name, &tools.scrub);
        let one = One {
            making: self,
            work,
            store,
            tools,
            log: &log,
            file: image.file.to_string(),
            several: image.variants.len() > 1,
        };
        one.all(&image, digests)
    }
}

/// What is built is what was planned, or nothing (SEC-A2).
fn same_sources(work: &Work, image: &Image) -> Result<(), Failure> {
    // The environments are packed apart from the image, and may be those of another commit (B10).
    if image.own == work.step.own {
        return Ok(());
    }
    Err(Failure::request(
        format!(
            "the sources of {} changed since the plan was made: revision {} instead of {}",
            work.step.image,
            image.own.short(),
            work.step.own.short()
        ),
        "run the same command again; a generated context is always read from disk as it is now",
    ))
}

/// One image while it is made.
struct One<'a> {
    making: &'a Making,
    work: &'a Work,
    store: &'a Store,
    tools: &'a Tools,
    log: &'a Log<'a>,
    file: String,
    several: bool,
}

impl One<'_> {
    fn all(&self, image: &Image, digests: &BTreeMap<ImageName, Digest>) -> Result<Descriptor, Failure> {
        let name = &self.work.step.image;
        let repository = self.store.repository(name);
        let base = |name: &ImageName| {
            let digest = *digests.get(name)?;
            let repository = self.store.repository(name);
            Some((name.clone(), Base { repository, digest }))
        };
        let bases = self.work.step.dependencies.keys().filter_map(base).collect();
        let contexts = self.work.project.contexts(name)?;
        let mut made = Vec::new();
        for variant in &image.variants {
            let job = Job {
                image: name,
                registry: &*self.store.registry,
                repository: &repository,
                recipe: &variant.recipe,
                manifest: &variant.manifest,
                contexts: &contexts,
                bases: &bases,
                created: self.work.created,
                labels: &self.work.labels,
                session: &self.tools.session,
            };
            made.push((variant.recipe.platform.clone(), self.one(&job, variant)?));
        }
        match made.as_slice() {
            [(_, only)] => Ok(only.clone()),
            all => index::put(&*self.store.registry, &repository, all, &self.work.labels)
                .map_err(|error| self.failed(error, None)),
        }
    }

    /// One platform of the image, with its checks.
    fn one(&self, job: &Job<'_>, variant: &Variant) -> Result<Descriptor, Failure> {
        let progress = |progress: Progress| self.heard(progress, &variant.recipe);
        let builder = &self.making.builder;
        let built = builder
            .build(job, &progress)
            .map_err(|error| self.failed(error, None))?;
        for command in &self.making.checks {
            let text = command.join(" ");
            self.tools.reporter.report(Event::Checking {
                image: self.work.step.image.clone(),
                version: self.work.step.to.clone(),
                command: self.log.check(&format!("check {text}")),
            });
            let done = builder.check(job, &built.descriptor.digest, command, &progress);
            done.map_err(|error| self.failed(error, Some(text)))?;
        }
        Ok(built.descriptor)
    }

    fn heard(&self, progress: Progress, recipe: &Recipe) {
        let step = &self.work.step;
        match progress {
            Progress::Step { line, text } => {
                let place = place(recipe, line);
                let platform = self.several.then(|| recipe.platform.clone());
                let on = platform.as_ref().map(|p| format!("{p} ")).unwrap_or_default();
                self.log.note(&format!("{on}[{}/{}] {text}", place.0, place.1));
                self.tools.reporter.report(Event::Step {
                    image: step.image.clone(),
                    version: step.to.clone(),
                    platform,
                    line,
                    text: self.tools.scrub.clean(&text),
                    place,
                });
            }
            Progress::Line(line) => {
                let line = self.log.said(&line);
                let image = step.image.clone();
                self.tools.reporter.report(Event::Said { image, line });
            }
            Progress::Layer { .. } => {}
        }
    }

    /// The image failed: told at once, with the end of its log.
    fn failed(&self, error: BuildError, check: Option<String>) -> Failure {
        let error = self.without_secrets(error);
        let (last, log) = self.log.end();
        let check = check.map(|command| self.tools.scrub.clean(&command));
        if !matches!(error, BuildError::Cancelled) {
            let message = match &check {
                Some(command) => of_check(command, &error),
                None => error.to_string(),
            };
            self.tools.reporter.report(Event::Failed {
                image: self.work.step.image.clone(),
                version: self.work.step.to.clone(),
                message,
                last,
                log: log.clone(),
            });
        }
        Failure::Build(vec![Unbuilt {
            image: self.work.step.image.clone(),
            file: self.file.clone(),
            hint: self.unasked(&error),
            error,
            check,
            log,
        }])
    }

    /// What was not given and might have been missing.
    fn unasked(&self, error: &BuildError) -> Option<String> {
        let failed = matches!(error, BuildError::Program { .. });
        let mut recipes = self.making.resolved.iter().filter(|_| failed);
        recipes.find_map(|resolved| given::hint(&resolved.recipe, &self.tools.session))
    }

    /// An error that holds a secret is told as what is left of it.
    fn without_secrets(&self, error: BuildError) -> BuildError {
        let scrub = &self.tools.scrub;
        if let BuildError::Program { builder, line, what } = error {
            let what = scrub.clean(&what);
            return BuildError::Program { builder, line, what };
        }
        let mut whole = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(cause) = next {
            whole = format!("{whole}: {cause}");
            next = cause.source();
        }
        let clean = scrub.clean(&whole);
        match clean == whole {
            true => error,
            false => BuildError::Program {
                builder: self.making.builder.kind(),
                line: None,
                what: clean,
            },
        }
    }
}

/// Which instruction of a recipe stands in a line, from 1, and how many there are.
fn place(recipe: &Recipe, line: u32) -> (usize, usize) {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let number = steps.clone().position(|step| step.line == line);
    (number.map_or(0, |number| number + 1), steps.count())
}
