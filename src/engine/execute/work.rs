//! One step of a plan with all that it is made of, and how it is carried out.

use super::{AtCommit, Site};
use crate::builder::{self, Base, BuildError, Builder, Job, Progress};
use crate::engine::event::{Event, Reporter};
use crate::engine::failure::{Failure, Unbuilt};
use crate::engine::project::Loaded;
use crate::engine::pushed;
use crate::engine::store::Store;
use crate::model::{CommitId, Digest, ImageName, labels};
use crate::plan::{Action, Plan, Step};
use crate::registry::{Created, Descriptor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One step with all that it is made of.
pub(super) struct Work {
    pub step: Step,
    pub project: Arc<Loaded>,
    labels: BTreeMap<String, String>,
    created: i64,
}

pub(super) fn prepare(site: &Site, plan: &Plan, at_commit: &AtCommit<'_>) -> Result<Vec<Arc<Work>>, Failure> {
    let mut elsewhere: BTreeMap<CommitId, Arc<Loaded>> = BTreeMap::new();
    let mut work = Vec::new();
    for step in &plan.steps {
        let project = match &step.sources {
            Some(commit) if step.action == Action::Build && *commit != site.project.sources.commit => {
                if !elsewhere.contains_key(commit) {
                    elsewhere.insert(commit.clone(), at_commit(commit)?);
                }
                elsewhere[commit].clone()
            }
            _ => site.project.clone(),
        };
        work.push(Arc::new(Work {
            step: step.clone(),
            labels: labels_of(site, plan, step),
            created: site.project.committed,
            project,
        }));
    }
    Ok(work)
}

/// The labels of S4.
fn labels_of(site: &Site, plan: &Plan, step: &Step) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |key: &str, value: String| all.insert(key.to_owned(), value);
    set(labels::VERSION, step.to.to_string());
    set(labels::REVISION, step.revision.to_string());
    set(labels::REF_NAME, format!("{}/{}", site.store.project, step.image));
    set(labels::COMMIT, plan.commit.to_string());
    set(labels::FORMAT, "1".into());
    if let Some(vendor) = &site.project.project.vendor {
        set(labels::VENDOR, vendor.clone());
    }
    if let Some(from) = &step.from {
        set(labels::REPLACES, from.to_string());
    }
    if step.dirty {
        set(labels::DIRTY, "true".into());
    }
    for (name, version) in &step.dependencies {
        set(&format!("{}{name}", labels::DEPENDENCY), version.to_string());
    }
    all
}

impl Work {
    pub fn carry_out(
        &self,
        store: &Store,
        builder: &dyn Builder,
        reporter: &dyn Reporter,
        digests: &BTreeMap<ImageName, Digest>,
    ) -> Result<Digest, Failure> {
        let (image, version) = (self.step.image.clone(), self.step.to.clone());
        match self.step.action {
            Action::Adopt => {
                let digest = match self.step.digest {
                    Some(digest) => digest,
                    None => pushed::digest_of(store, &image, &version)?,
                };
                reporter.report(Event::Adopted {
                    image,
                    version,
                    digest,
                });
                Ok(digest)
            }
            Action::Relabel => {
                let old = self
                    .step
                    .digest
                    .ok_or_else(|| Failure::Bug("nothing to relabel".into()))?;
                let repository = store.repository(&image);
                let made = builder::relabel(&*store.registry, &repository, &old, &self.labels, self.created);
                let made = made.map_err(|error| self.unbuilt(error))?;
                let digest = self.tag(store, &made)?;
                reporter.report(Event::Relabelled {
                    image,
                    version,
                    digest,
                });
                Ok(digest)
            }
            Action::Build => {
                reporter.report(Event::Building {
                    image: image.clone(),
                    version: version.clone(),
                });
                let made = self.build(store, builder, reporter, digests)?;
                let digest = self.tag(store, &made)?;
                reporter.report(Event::Built {
                    image,
                    version,
                    digest,
                });
                Ok(digest)
            }
        }
    }

    fn build(
        &self,
        store: &Store,
        builder: &dyn Builder,
        reporter: &dyn Reporter,
        digests: &BTreeMap<ImageName, Digest>,
    ) -> Result<Descriptor, Failure> {
        let image = self.project.image(&self.step.image)?;
        if image.revision != self.step.revision {
            return Err(Failure::request(
                format!(
                    "the sources of {} changed since the plan was made: revision {} instead of {}",
                    self.step.image,
                    image.revision.short(),
                    self.step.revision.short()
                ),
                "run the same command again; a generated context is always read from disk as it is now",
            ));
        }
        let repository = store.repository(&self.step.image);
        let base = |name: &ImageName| {
            let digest = *digests.get(name)?;
            let repository = store.repository(name);
            Some((name.clone(), Base { repository, digest }))
        };
        let bases = self.step.dependencies.keys().filter_map(base).collect();
        let contexts = self.project.contexts(&self.step.image)?;
        let job = Job {
            image: &self.step.image,
            registry: &*store.registry,
            repository: &repository,
            recipe: &image.recipe,
            manifest: &image.manifest,
            contexts: &contexts,
            bases: &bases,
            created: self.created,
            labels: &self.labels,
            session: &builder::Session::default(),
        };
        let progress = |progress: Progress| {
            if let Progress::Step { line, text } = progress {
                reporter.report(Event::Step {
                    image: self.step.image.clone(),
                    version: self.step.to.clone(),
                    line,
                    text,
                });
            }
        };
        let built = builder
            .build(&job, &progress)
            .map_err(|error| self.unbuilt(error))?;
        Ok(built.descriptor)
    }

    /// Tags the image with its number; a tag that is there must hold the same content (B5).
    fn tag(&self, store: &Store, made: &Descriptor) -> Result<Digest, Failure> {
        let repository = store.repository(&self.step.image);
        let (image, version) = (&self.step.image, &self.step.to);
        match store
            .registry
            .create_tag(&repository, &version.to_string(), made)?
        {
            Created::New => Ok(made.digest),
            Created::Exists(there) if there == made.digest => Ok(there),
            Created::Exists(_) => {
                use crate::plan::build::{Pushed, There};
                match store.pushed(image, version, &self.step.key)? {
                    There::Same(there) => Ok(there),
                    There::Nothing | There::Other => Err(Failure::Taken {
                        image: image.clone(),
                        version: version.clone(),
                    }),
                }
            }
        }
    }

    fn unbuilt(&self, error: BuildError) -> Failure {
        Failure::Build(vec![Unbuilt {
            image: self.step.image.clone(),
            file: self.project.file(&self.step.image),
            error,
        }])
    }
}
