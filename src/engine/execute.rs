//! Carrying out a build: numbers first, images in dependency order, the release last (B6).

use super::append::{self, Author, Committed, Proposal};
use super::event::{Event, Reporter};
use super::failure::{Failure, Unbuilt};
use super::pointers;
use super::project::Loaded;
use super::pushed;
use super::store::Store;
use crate::builder::{self, Base, BuildError, Builder, Job, Progress};
use crate::model::{CommitId, Digest, ImageName, Version, labels};
use crate::plan::build::{Plan, Request, World};
use crate::plan::{Action, Commits, Step, complete};
use crate::registry::{Created, Descriptor};
use crate::state::journal::{JournalError, Stored};
use crate::state::{ReleaseRef, State};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Everything that a build is carried out with.
pub struct Site {
    /// The store.
    pub store: Store,
    /// The project at the build's commit.
    pub project: Arc<Loaded>,
    /// The builder.
    pub builder: Arc<dyn Builder>,
    /// Hears what happens.
    pub reporter: Arc<dyn Reporter>,
    /// How many images are built at once.
    pub jobs: usize,
    /// Who builds.
    pub author: Author,
    /// The state where there is no journal yet.
    pub empty: State,
}

/// Loads the project at another commit: behind the front, what is not taken is rebuilt from the
/// commit of its own version (B10).
pub type AtCommit<'a> = dyn Fn(&CommitId) -> Result<Arc<Loaded>, Failure> + 'a;

/// Plans over a head.
///
/// # Errors
/// What the rules refuse.
pub fn plan(
    site: &Site,
    commits: &dyn Commits,
    request: &Request,
    head: Option<&Stored>,
) -> Result<Plan, Failure> {
    let state = head.map_or(&site.empty, |head| &head.entry.state);
    let world = World {
        state,
        records: &site.store,
        sources: &site.project.sources,
        commits,
        pushed: &site.store,
    };
    Ok(crate::plan::build::plan(&world, request)?)
}

/// Plans, reserves, builds, commits. `None`: nothing to do.
///
/// # Errors
/// [`Failure`]; what was built until then is adopted by the next run.
pub async fn run(
    site: &Site,
    commits: &dyn Commits,
    request: &Request,
    at_commit: &AtCommit<'_>,
) -> Result<Option<Committed>, Failure> {
    let mut head = site.store.journal.head()?;
    let plan = loop {
        let plan = plan(site, commits, request, head.as_ref())?;
        if plan.is_empty() {
            settle(site);
            return Ok(None);
        }
        if head.is_none() {
            refuse_orphans(site)?;
        }
        refuse_what_needs_a_builder(site, &plan, at_commit)?;
        let state = head.as_ref().map_or(&site.empty, |head| &head.entry.state);
        let Some(reserve) = complete::reserve(state, &plan, site.author.at) else {
            break plan;
        };
        let proposal = append::propose(head.clone(), state, reserve, &site.author);
        let Some(proposal) = proposal else { break plan };
        if let crate::state::journal::Appended::Committed(_) = site
            .store
            .journal
            .append(proposal.head.as_ref(), &proposal.entry)?
        {
            head = site.store.journal.head()?;
            break plan;
        }
        head = site.store.journal.head()?;
    };
    let count = |action| plan.steps.iter().filter(|step| step.action == action).count();
    if !plan.not_taken.is_empty() {
        let names: Vec<&str> = plan.not_taken.iter().map(ImageName::as_str).collect();
        site.reporter.report(Event::Note {
            message: format!(
                "different in the commit, and not taken from it: {}",
                names.join(", ")
            ),
        });
    }
    site.reporter.report(Event::Planned {
        ring: plan.target.to_string(),
        build: count(Action::Build),
        relabel: count(Action::Relabel),
        adopt: count(Action::Adopt),
    });
    let digests = build_all(site, &plan, at_commit).await?;
    let committed = commit(site, commits, &plan, head, &digests)?;
    if let Some(committed) = &committed {
        site.reporter.report(Event::Committed {
            what: what(&plan),
            seq: committed.seq,
        });
    }
    settle(site);
    Ok(committed)
}

fn settle(site: &Site) {
    if let Some(message) = pointers::settle(&site.store) {
        site.reporter.report(Event::Note { message });
    }
}

/// Images without a journal are a journal that was lost: numbers would be given twice.
fn refuse_orphans(site: &Site) -> Result<(), Failure> {
    let repository = site.store.repository(&site.store.root);
    let tags = site.store.registry.tags(&repository)?;
    match tags.iter().any(|tag| tag.parse::<Version>().is_ok()) {
        true => Err(JournalError::Broken(format!(
            "{repository} has releases, and the journal beside it is gone"
        ))
        .into()),
        false => Ok(()),
    }
}

/// Images that the builder cannot make are told before any number is taken.
fn refuse_what_needs_a_builder(site: &Site, plan: &Plan, at_commit: &AtCommit<'_>) -> Result<(), Failure> {
    let mut unbuilt = Vec::new();
    for work in prepare(site, plan, at_commit)?
        .iter()
        .filter(|work| work.step.action == Action::Build)
    {
        let image = work.project.image(&work.step.image)?;
        if let Some((line, what)) = builder::support::unsupported(&image.recipe) {
            unbuilt.push(Unbuilt {
                image: work.step.image.clone(),
                file: image.file.to_string(),
                error: BuildError::NeedsBuilder { line, what },
            });
        }
    }
    if unbuilt.is_empty() {
        Ok(())
    } else {
        Err(Failure::Build(unbuilt))
    }
}

fn what(plan: &Plan) -> String {
    let version = plan.result.get(&plan.root).map(|root| root.version.to_string());
    match (&plan.target, version) {
        (crate::plan::Target::Ring(ring), Some(version)) => format!("{version} to {ring}"),
        (target, _) => {
            let images: Vec<String> = plan
                .steps
                .iter()
                .map(|s| format!("{} {}", s.image, s.to))
                .collect();
            format!("{} to {target}", images.join(", "))
        }
    }
}

/// The second entry of a build (B6): the release in its ring, or the images in ante.
fn commit(
    site: &Site,
    commits: &dyn Commits,
    plan: &Plan,
    head: Option<Stored>,
    digests: &BTreeMap<ImageName, Digest>,
) -> Result<Option<Committed>, Failure> {
    let journal = &site.store.journal;
    let decide = |head: Option<Stored>| -> Result<Option<Proposal>, Failure> {
        let state = head
            .as_ref()
            .map_or(&site.empty, |head| &head.entry.state)
            .clone();
        if complete::basis(&state, plan) != plan.basis {
            return Err(Failure::Conflict);
        }
        let record = match plan.steps.is_empty() {
            true => None,
            false => complete::record(&state, &site.store, commits, plan, digests)?,
        };
        let release = match record {
            Some(record) => {
                let root = record
                    .root()
                    .ok_or_else(|| Failure::Bug("a release without its root".into()))?;
                Some(ReleaseRef {
                    version: root.version.clone(),
                    digest: root.digest,
                    record: journal.put_record(&record)?,
                })
            }
            None => plan.adopted.clone().filter(|_| !plan.steps.is_empty()),
        };
        let seq = head.as_ref().map_or(0, |head| head.entry.seq);
        let mut transition = complete::complete(&state, seq, plan, digests, release);
        if Some(plan.target.clone()) == state.first().cloned().map(crate::plan::Target::Ring) {
            transition.state.sites.clone_from(&site.empty.sites);
        }
        Ok(append::propose(head, &state, transition, &site.author))
    };
    let done = append::append(
        &site.store,
        head,
        |state| complete::basis(state, plan),
        decide,
        &site.empty,
    )?;
    Ok(done.map(|(committed, _)| committed))
}

/// Makes every image of the plan, dependencies before dependants, up to `jobs` at once. A failed
/// image stops its dependants only.
async fn build_all(
    site: &Site,
    plan: &Plan,
    at_commit: &AtCommit<'_>,
) -> Result<BTreeMap<ImageName, Digest>, Failure> {
    let work = prepare(site, plan, at_commit)?;
    let mut open: BTreeSet<ImageName> = plan.steps.iter().map(|step| step.image.clone()).collect();
    let mut waiting: Vec<Arc<Work>> = work;
    let mut digests: BTreeMap<ImageName, Digest> = plan
        .result
        .iter()
        .map(|(name, image)| (name.clone(), image.digest))
        .collect();
    let mut failed: Vec<Unbuilt> = Vec::new();
    let mut lost: BTreeSet<ImageName> = BTreeSet::new();
    let mut running: JoinSet<(Arc<Work>, Result<Digest, Failure>)> = JoinSet::new();
    loop {
        waiting.retain(|work| {
            let gone = work.step.dependencies.keys().any(|base| lost.contains(base));
            if gone {
                lost.insert(work.step.image.clone());
            }
            !gone
        });
        while running.len() < site.jobs {
            let ready = |work: &Arc<Work>| !work.step.dependencies.keys().any(|base| open.contains(base));
            let Some(place) = waiting.iter().position(ready) else {
                break;
            };
            let work = waiting.remove(place);
            let (store, builder, reporter) =
                (site.store.clone(), site.builder.clone(), site.reporter.clone());
            let bases = digests.clone();
            running.spawn_blocking(move || {
                let made = work.carry_out(&store, &*builder, &*reporter, &bases);
                (work, made)
            });
        }
        let next = tokio::select! {
            next = running.join_next() => next,
            _ = tokio::signal::ctrl_c() => return Err(Failure::Interrupted),
        };
        let Some(next) = next else { break };
        let (work, made) = next.map_err(|error| Failure::Bug(format!("a build stopped: {error}")))?;
        match made {
            Ok(digest) => {
                open.remove(&work.step.image);
                digests.insert(work.step.image.clone(), digest);
            }
            Err(Failure::Build(unbuilt)) => {
                lost.insert(work.step.image.clone());
                for unbuilt in &unbuilt {
                    site.reporter.report(Event::Failed {
                        image: unbuilt.image.clone(),
                        version: work.step.to.clone(),
                        message: unbuilt.error.to_string(),
                    });
                }
                failed.extend(unbuilt);
            }
            Err(other) => return Err(other),
        }
    }
    match (failed.is_empty(), waiting.is_empty()) {
        (true, true) => Ok(digests),
        (true, false) => Err(Failure::Bug("images wait for one another".into())),
        (false, _) => Err(Failure::Build(failed)),
    }
}

/// One step with all that it is made of.
struct Work {
    step: Step,
    project: Arc<Loaded>,
    labels: BTreeMap<String, String>,
    created: i64,
}

fn prepare(site: &Site, plan: &Plan, at_commit: &AtCommit<'_>) -> Result<Vec<Arc<Work>>, Failure> {
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
    fn carry_out(
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
