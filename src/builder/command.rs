//! Builders that are programs: BuildKit by buildx and buildctl, docker, buildah, podman.
//!
//! All are called the same way. What they may see is laid out by [`closed`](super::closed), images of the project
//! come to them and go from them by [`serve`], and what they push is given its labels by ringshift. What they read
//! differently from BuildKit is refused before anything is done (containerfile 2).

mod allow;
mod buildah;
mod buildkit;
mod contents;
mod docker;
mod end;
mod finish;
mod look;
mod process;
mod refuse;
mod request;
mod secrets;
mod steps;
mod turn;

pub use look::{Found, Unusable, look, look_at};

use super::closed::Closed;
use super::{Base, BuildError, Builder, Built, Job, Progress};
use crate::containerfile::recipe::Recipe;
use crate::model::{BuilderKind, Digest};
use crate::registry::Repository;
use crate::registry::serve::{Access, Served, serve};
use process::Failed;
use request::Request;
use std::collections::BTreeSet;

/// A builder that is a program.
#[derive(Debug, Clone)]
pub struct Command {
    found: Found,
    /// Arguments after the verb.
    args: Vec<String>,
    /// Arguments before the verb.
    engine: Vec<String>,
    /// The repository where layers are kept for other machines.
    layers: Option<String>,
}

impl Command {
    /// Calls the program that was found with further arguments: `args` after `build`, `engine` before it.
    pub fn new(found: Found, args: Vec<String>, engine: Vec<String>) -> Self {
        Self {
            found,
            args,
            engine,
            layers: None,
        }
    }

    /// Keeps layers for other machines in a repository, a tag for each image, where the builder can
    /// ([`BuilderKind::keeps_layers`]); else nothing changes.
    #[must_use]
    pub fn with_layers(self, repository: Option<String>) -> Self {
        let layers = repository.filter(|_| self.found.kind.keeps_layers());
        Self { layers, ..self }
    }

    /// Which program it is.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// A build, or the build that is a check, did not succeed.
    fn failed(&self, request: &Request<'_>, failed: Failed) -> BuildError {
        match failed {
            Failed::Cancelled => BuildError::Cancelled,
            Failed::Status(_) if request.push.is_none() => BuildError::Check,
            failed => BuildError::Program {
                builder: self.found.kind,
                line: request.steps.borrow().failed(),
                what: failed.to_string(),
            },
        }
    }

    /// What was built could not be pushed.
    fn unpushed(&self, failed: Failed) -> BuildError {
        match failed {
            Failed::Cancelled => BuildError::Cancelled,
            failed => self.program(format!("push {failed}")),
        }
    }

    fn program(&self, what: String) -> BuildError {
        BuildError::Program {
            builder: self.found.kind,
            line: None,
            what,
        }
    }

    /// Serves the images that a job needs while `work` runs.
    fn serving<T>(
        &self,
        job: &Job<'_>,
        work: impl FnOnce(&Served<'_>) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let bases = job.bases.values().map(|base| base.repository.clone());
        let read: BTreeSet<Repository> = bases.chain([job.repository.clone()]).collect();
        let access = Access {
            read,
            write: job.repository.clone(),
        };
        serve(job.registry, access, work).unwrap_or_else(|error| {
            Err(self.program(format!("cannot be served on the loopback device: {error}")))
        })
    }

    /// Calls the program; the digest of what it pushed, when it was to push.
    fn call(
        &self,
        request: &Request<'_>,
        served: &Served<'_>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Option<Digest>, BuildError> {
        let mut say = |line: &str| {
            let begun = request.steps.borrow_mut().begun(line);
            if let Some((line, text)) = begun {
                progress(Progress::Step { line, text });
            }
            progress(Progress::Line(served.without_words(line)));
        };
        match self.found.kind {
            BuilderKind::Buildctl => buildkit::buildctl(self, request, &mut say),
            BuilderKind::Buildx => buildkit::buildx(self, request, &mut say),
            BuilderKind::Docker => docker::docker(self, request, &mut say),
            BuilderKind::Native | BuilderKind::Buildah | BuilderKind::Podman => {
                buildah::buildah(self, request, &mut say)
            }
        }
    }
}

impl Builder for Command {
    fn kind(&self) -> BuilderKind {
        self.found.kind
    }

    fn refuses(&self, recipe: &Recipe, _: bool) -> Option<BuildError> {
        refuse::refuses(&self.found, recipe)
    }

    fn build(&self, job: &Job<'_>, progress: &(dyn Fn(Progress) + Sync)) -> Result<Built, BuildError> {
        if let Some(refusal) = self.refuses(job.recipe, false) {
            return Err(refusal);
        }
        allow::check(self.found.kind, job)?;
        self.serving(job, |served| {
            let refer = |base: &Base| served.pull(&base.repository, &base.digest);
            let closed = Closed::lay_out(job, &refer)?;
            contents::check(&self.found, job, &closed)?;
            let mut request = Request::of_image(job, &closed, served)?;
            request.layers = self
                .layers
                .as_deref()
                .map(|layers| request::tag_of_layers(layers, job));
            let digest = self.call(&request, served, progress)?;
            let pushed = digest.filter(|digest| served.pushed(digest).is_some());
            let pushed = pushed.ok_or_else(|| self.program("ended well, but pushed no image".into()))?;
            finish::finish(job, &pushed, progress)
        })
    }

    fn check(
        &self,
        job: &Job<'_>,
        image: &Digest,
        command: &[String],
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), BuildError> {
        self.serving(job, |served| {
            let image = served.pull(job.repository, image);
            let closed = Closed::of_check(&image, command)?;
            let request = Request::of_check(job, &closed, served)?;
            self.call(&request, served, progress).map(|_| ())
        })
    }
}
