//! One step of a plan with all that it is made of, and how it is carried out.

use super::making::Making;
use super::{AtCommit, Builders, Site, Tools, index};
use crate::builder::{BuildError, Session};
use crate::containerfile::recipe::Unlocked;
use crate::engine::event::Event;
use crate::engine::failure::{Failure, Unbuilt};
use crate::engine::project::{Loaded, Resolved};
use crate::engine::pushed;
use crate::engine::store::Store;
use crate::model::{BuilderKind, CommitId, Digest, ImageName, labels};
use crate::plan::{Action, Plan, Step};
use crate::registry::{Created, Descriptor, crash};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One step with all that it is made of.
pub(super) struct Work {
    pub step: Step,
    pub project: Arc<Loaded>,
    pub labels: BTreeMap<String, String>,
    pub created: i64,
    /// How it is built, when it is.
    making: Option<Making>,
}

/// A project with the recipes that are built from it.
struct Sources {
    project: Arc<Loaded>,
    recipes: BTreeMap<ImageName, Vec<Resolved>>,
}

/// Prepares every step. What no builder makes is told here, before any number is taken.
pub(super) fn prepare(
    site: &Site,
    builders: &Builders,
    session: &Session,
    plan: &Plan,
    at_commit: &AtCommit<'_>,
) -> Result<Vec<Arc<Work>>, Failure> {
    let mut sources = sources(site, plan, at_commit)?;
    let (mut works, mut unbuilt) = (Vec::new(), Vec::new());
    for step in &plan.steps {
        let mut project = site.project.clone();
        let mut making = None;
        if step.action == Action::Build
            && let Some(from) = sources.get_mut(commit_of(site, step))
        {
            project = from.project.clone();
            let recipes = from.recipes.remove(&step.image).unwrap_or_default();
            match Making::of(&project, &step.image, recipes, builders, session) {
                Ok(made) => making = Some(made),
                Err(no) => unbuilt.push(*no),
            }
        }
        works.push(Arc::new(Work {
            labels: labels_of(site, plan, step),
            created: site.project.committed,
            step: step.clone(),
            project,
            making,
        }));
    }
    match unbuilt.is_empty() {
        true => Ok(works),
        false => Err(Failure::Build(unbuilt)),
    }
}

/// The commit that a step's image is built from.
fn commit_of<'a>(site: &'a Site, step: &'a Step) -> &'a CommitId {
    step.sources.as_ref().unwrap_or(&site.project.sources.commit)
}

/// The projects that images are built from, by commit, each with the recipes of these images.
fn sources(
    site: &Site,
    plan: &Plan,
    at_commit: &AtCommit<'_>,
) -> Result<BTreeMap<CommitId, Sources>, Failure> {
    let mut names: BTreeMap<&CommitId, Vec<&ImageName>> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.action == Action::Build) {
        names.entry(commit_of(site, step)).or_default().push(&step.image);
    }
    let mut sources = BTreeMap::new();
    for (commit, names) in names {
        let project = match *commit == site.project.sources.commit {
            true => site.project.clone(),
            false => at_commit(commit)?,
        };
        let recipes = project.resolved(&names)?;
        sources.insert(commit.clone(), Sources { project, recipes });
    }
    Ok(sources)
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
    /// Whether a program is started for it.
    pub fn has_program(&self) -> bool {
        let native = |making: &Making| making.builder.kind() == BuilderKind::Native;
        self.making.as_ref().is_some_and(|making| !native(making))
    }

    /// The bases that are pinned nowhere, or of which nothing else is known.
    pub fn unlocked(&self) -> impl Iterator<Item = &Unlocked> {
        self.making.iter().flat_map(Making::unlocked)
    }

    /// Makes the image; what it makes is tagged.
    pub fn carry_out(
        &self,
        store: &Store,
        tools: &Tools,
        digests: &BTreeMap<ImageName, Digest>,
    ) -> Result<Digest, Failure> {
        let (image, version) = (self.step.image.clone(), self.step.to.clone());
        let reporter = &tools.reporter;
        match (self.step.action, &self.making) {
            (Action::Adopt, _) => {
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
            (Action::Relabel, _) => {
                let digest = self.relabel(store)?;
                reporter.report(Event::Relabelled {
                    image,
                    version,
                    digest,
                });
                Ok(digest)
            }
            (Action::Build, Some(making)) => {
                reporter.report(Event::Building {
                    image: image.clone(),
                    version: version.clone(),
                    builder: making.builder.kind(),
                });
                let made = making.make(self, store, tools, digests)?;
                let digest = self.tag(store, &made)?;
                reporter.report(Event::Built {
                    image,
                    version,
                    digest,
                });
                Ok(digest)
            }
            (Action::Build, None) => Err(Failure::Bug(format!("nobody was chosen to build {image}"))),
        }
    }

    fn relabel(&self, store: &Store) -> Result<Digest, Failure> {
        let old = self.step.digest;
        let old = old.ok_or_else(|| Failure::Bug("nothing to relabel".into()))?;
        let repository = store.repository(&self.step.image);
        let made = index::relabel(&*store.registry, &repository, &old, &self.labels, self.created);
        let made = made.map_err(|error| self.unbuilt(error))?;
        self.tag(store, &made)
    }

    /// Tags the image with its number; a tag that is there must hold the same content (B5).
    fn tag(&self, store: &Store, made: &Descriptor) -> Result<Digest, Failure> {
        let repository = store.repository(&self.step.image);
        let (image, version) = (&self.step.image, &self.step.to);
        crash::point("untagged");
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
            hint: None,
            check: None,
            log: None,
        }])
    }
}
