//! Carrying out a build: numbers first, images in dependency order, the release last (B6).

pub mod builders;
mod images;
pub(super) mod index;
mod log;
mod making;
pub mod scrub;
mod stop;
mod triggers;
mod work;

use super::append::{self, Author, Committed, Proposal};
use super::event::{Event, Reporter};
use super::failure::Failure;
use super::found::refuse_orphans;
use super::pointers;
use super::project::Loaded;
use super::store::Store;
use crate::builder::Session;
use crate::model::{CommitId, Digest, ImageName};
use crate::plan::build::{Plan, Request, World};
use crate::plan::{Action, Commits, complete};
use crate::registry::crash;
use crate::registry::facts::Outside;
use crate::state::journal::{Appended, Stored};
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
    /// Who knows the images outside the project.
    pub outside: Arc<dyn Outside>,
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
            settle(site, tools, committed.as_ref());
            return Ok(committed);
        }
        if head.is_none() {
            refuse_orphans(&site.store)?;
        }
        let works = prepare(site, &tools.builders, &tools.session, &plan, at_commit)?;
        triggers::refuse(&works, tools)?;
        let state = head.as_ref().map_or(&site.empty, |head| &head.entry.state);
        let Some(reserve) = complete::reserve(state, &plan, site.author.at) else {
            break (plan, works);
        };
        let proposal = append::propose(head.clone(), state, reserve, &site.author);
        let Some(proposal) = proposal else {
            break (plan, works);
        };
        let appended = site
            .store
            .journal
            .append(proposal.head.as_ref(), &proposal.entry)?;
        if let Appended::Committed(digest) = appended {
            crash::point("reserved");
            let entry = proposal.entry;
            head = Some(match proposal.head {
                Some(head) => Stored {
                    digest,
                    entry,
                    ..head
                },
                None => Stored::new(digest, entry),
            });
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
    crash::point("tagged");
    let committed = match commit(site, commits, &plan, head, &digests) {
        // What was wished may be done, as in `append`.
        Err(Failure::Conflict) if is_done(site, commits, request)? => None,
        committed => committed?,
    };
    if let Some(committed) = &committed {
        tools.reporter.report(Event::Committed {
            what: what(&plan),
            seq: committed.seq,
        });
    }
    settle(site, tools, committed.as_ref());
    Ok(committed)
}

/// Whether there is nothing left to build.
fn is_done(site: &Site, commits: &dyn Commits, request: &Request) -> Result<bool, Failure> {
    let head = site.store.journal.head()?;
    Ok(plan(site, commits, request, head.as_ref()).is_ok_and(|plan| plan.is_empty()))
}

fn settle(site: &Site, tools: &Tools, committed: Option<&Committed>) {
    let entry = committed.map(|committed| &committed.entry);
    if let Some(message) = pointers::settle(&site.store, entry) {
        tools.reporter.report(Event::Note { message });
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
