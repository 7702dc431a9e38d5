//! Carrying out a build: numbers first, images in dependency order, the release last (B6).

pub mod builders;
mod images;
pub(super) mod index;
mod log;
mod making;
pub mod scrub;
mod stop;
mod work;

use super::append::{self, Author, Committed, Proposal};
use super::event::{Event, Reporter};
use super::failure::Failure;
use super::pointers;
use super::project::Loaded;
use super::store::Store;
use crate::builder::Session;
use crate::model::{CommitId, Digest, ImageName, Version};
use crate::plan::build::{Plan, Request, World};
use crate::plan::{Action, Commits, complete};
use crate::state::journal::{JournalError, Stored};
use crate::state::{ReleaseRef, State};
pub use builders::{Builders, Unusable};
use images::build_all;
pub use scrub::Scrub;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use work::prepare;

/// Everything that a build is decided on.
pub struct Site {
    /// The store.
    pub store: Store,
    /// The project at the build's commit.
    pub project: Arc<Loaded>,
    /// Who builds.
    pub author: Author,
    /// The state where there is no journal yet.
    pub empty: State,
}

/// Everything that a build is carried out with.
pub struct Tools {
    /// Who makes the images.
    pub builders: Builders,
    /// How many images are built at once.
    pub jobs: usize,
    /// What all builds share: secrets, agents, the wish to stop.
    pub session: Session,
    /// What must not be told of the secrets.
    pub scrub: Scrub,
    /// The folder of the logs.
    pub logs: PathBuf,
    /// Hears what happens.
    pub reporter: Arc<dyn Reporter>,
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

/// Plans over `head`, the journal's as it was read last, reserves, builds, commits. `None`: nothing to do.
///
/// # Errors
/// [`Failure`]; what was built until then is adopted by the next run. No builder is at work any more.
pub async fn run(
    site: &Site,
    tools: &Arc<Tools>,
    commits: &dyn Commits,
    request: &Request,
    at_commit: &AtCommit<'_>,
    mut head: Option<Stored>,
) -> Result<Option<Committed>, Failure> {
    let (plan, works) = loop {
        let plan = plan(site, commits, request, head.as_ref())?;
        if plan.is_empty() {
            let committed = record_sites(site, tools, commits, &plan, head)?;
            settle(site, tools);
            return Ok(committed);
        }
        if head.is_none() {
            refuse_orphans(site)?;
        }
        let works = prepare(site, &tools.builders, &plan, at_commit)?;
        let state = head.as_ref().map_or(&site.empty, |head| &head.entry.state);
        let Some(reserve) = complete::reserve(state, &plan, site.author.at) else {
            break (plan, works);
        };
        let proposal = append::propose(head.clone(), state, reserve, &site.author);
        let Some(proposal) = proposal else {
            break (plan, works);
        };
        if let crate::state::journal::Appended::Committed(_) = site
            .store
            .journal
            .append(proposal.head.as_ref(), &proposal.entry)?
        {
            head = site.store.journal.head()?;
            break (plan, works);
        }
        head = site.store.journal.head()?;
    };
    let count = |action| plan.steps.iter().filter(|step| step.action == action).count();
    if !plan.not_taken.is_empty() {
        let names: Vec<&str> = plan.not_taken.iter().map(ImageName::as_str).collect();
        tools.reporter.report(Event::Note {
            message: format!(
                "different in the commit, and not taken from it: {}",
                names.join(", ")
            ),
        });
    }
    tools.reporter.report(Event::Planned {
        ring: plan.target.to_string(),
        build: count(Action::Build),
        relabel: count(Action::Relabel),
        adopt: count(Action::Adopt),
    });
    let digests = build_all(site, tools, &plan, works).await?;
    let committed = commit(site, commits, &plan, head, &digests)?;
    if let Some(committed) = &committed {
        tools.reporter.report(Event::Committed {
            what: what(&plan),
            seq: committed.seq,
        });
    }
    settle(site, tools);
    Ok(committed)
}

fn settle(site: &Site, tools: &Tools) {
    if let Some(message) = pointers::settle(&site.store) {
        tools.reporter.report(Event::Note { message });
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

/// Whether a build of this plan, which builds nothing, still has sites to record (D1).
pub fn has_new_sites(plan: &Plan, state: &State, wanted: &State) -> bool {
    let first = state.first().cloned().map(crate::plan::Target::Ring);
    first.as_ref() == Some(&plan.target) && plan.held.is_some() && state.sites != wanted.sites
}

/// Records the sites of the commit where they are all that is new.
fn record_sites(
    site: &Site,
    tools: &Tools,
    commits: &dyn Commits,
    plan: &Plan,
    head: Option<Stored>,
) -> Result<Option<Committed>, Failure> {
    let new = |head: &Stored| has_new_sites(plan, &head.entry.state, &site.empty);
    if !head.as_ref().is_some_and(new) {
        return Ok(None);
    }
    let committed = commit(site, commits, plan, head, &BTreeMap::new())?;
    if let Some(committed) = &committed {
        tools.reporter.report(Event::Committed {
            what: "the sites".into(),
            seq: committed.seq,
        });
    }
    Ok(committed)
}

/// Stores the environments of a release, unless they are those of the release before it (D1).
fn keep_pack(site: &Site, wanted: Option<Digest>) -> Result<(), Failure> {
    if wanted.is_some()
        && wanted
            == site
                .project
                .sources
                .environments
                .map(|environments| environments.pack)
        && let Some(pack) = site.project.pack()?
        && wanted != Some(site.store.put_pack(pack)?)
    {
        return Err(Failure::Bug(
            "the environments are others than those that were planned".into(),
        ));
    }
    Ok(())
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
                keep_pack(site, record.environments)?;
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
