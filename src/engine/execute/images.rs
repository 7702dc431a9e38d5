//! All images of a plan, dependencies before dependants, several at once.

use super::work::{Work, prepare};
use super::{AtCommit, Site};
use crate::engine::event::Event;
use crate::engine::failure::{Failure, Unbuilt};
use crate::model::{Digest, ImageName};
use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Makes every image of the plan, dependencies before dependants, up to `jobs` at once. A failed
/// image stops its dependants only.
pub(super) async fn build_all(
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
