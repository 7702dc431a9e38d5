//! All images of a plan, dependencies before dependants, several at once.

use super::stop::Stop;
use super::work::Work;
use super::{Site, Tools};
use crate::builder::BuildError;
use crate::engine::event::Event;
use crate::engine::failure::{Failure, Unbuilt};
use crate::engine::store::Store;
use crate::model::{Digest, ImageName};
use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Makes every image of the plan, dependencies before dependants, up to `jobs` at once. A failed image stops its
/// dependants only; any other failure, and the wish to stop, stop everything. No program of a builder runs any more
/// when this ends.
pub(super) async fn build_all(
    site: &Site,
    tools: &Arc<Tools>,
    plan: &Plan,
    works: Vec<Arc<Work>>,
) -> Result<BTreeMap<ImageName, Digest>, Failure> {
    let mut stop = Stop::listen()?;
    let mut run = Run::new(tools, &site.store, plan, works);
    loop {
        run.leave_out();
        run.start();
        let ended = tokio::select! {
            ended = run.running.join_next() => ended,
            () = stop.wanted() => return Err(run.stopped(Failure::Interrupted, &mut stop).await),
        };
        let Some(ended) = ended else { break };
        let (work, made) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let bug = Failure::Bug(format!("a build stopped: {error}"));
                return Err(run.stopped(bug, &mut stop).await);
            }
        };
        if let Err(failure) = run.ended(&work, made) {
            return Err(run.stopped(failure, &mut stop).await);
        }
    }
    run.result()
}

/// What one image came to.
type Ended = (Arc<Work>, Result<Digest, Failure>);

struct Run<'a> {
    tools: &'a Arc<Tools>,
    store: &'a Store,
    /// Not made yet, running ones included.
    open: BTreeSet<ImageName>,
    waiting: Vec<Arc<Work>>,
    running: JoinSet<Ended>,
    /// How many of the running ones have programs at work.
    programs: usize,
    digests: BTreeMap<ImageName, Digest>,
    failed: Vec<Unbuilt>,
    lost: BTreeSet<ImageName>,
}

impl<'a> Run<'a> {
    fn new(tools: &'a Arc<Tools>, store: &'a Store, plan: &Plan, works: Vec<Arc<Work>>) -> Self {
        let held = plan.result.iter();
        Self {
            tools,
            store,
            open: works.iter().map(|work| work.step.image.clone()).collect(),
            waiting: works,
            running: JoinSet::new(),
            programs: 0,
            digests: held.map(|(name, image)| (name.clone(), image.digest)).collect(),
            failed: Vec::new(),
            lost: BTreeSet::new(),
        }
    }

    /// Leaves out what stands on an image that could not be made.
    fn leave_out(&mut self) {
        let (lost, tools) = (&mut self.lost, self.tools);
        self.waiting.retain(|work| {
            let step = &work.step;
            let Some(base) = step.dependencies.keys().find(|base| lost.contains(*base)) else {
                return true;
            };
            tools.reporter.report(Event::Skipped {
                image: step.image.clone(),
                version: step.to.clone(),
                base: base.clone(),
            });
            lost.insert(step.image.clone());
            false
        });
    }

    /// Starts what can be started.
    fn start(&mut self) {
        while self.running.len() < self.tools.jobs {
            let open = &self.open;
            let ready = |work: &Arc<Work>| !work.step.dependencies.keys().any(|base| open.contains(base));
            let Some(place) = self.waiting.iter().position(ready) else {
                break;
            };
            let work = self.waiting.remove(place);
            self.programs += usize::from(work.has_program());
            let (tools, store) = (Arc::clone(self.tools), self.store.clone());
            let digests = self.digests.clone();
            self.running.spawn_blocking(move || {
                let made = work.carry_out(&store, &tools, &digests);
                (work, made)
            });
        }
    }

    fn ended(&mut self, work: &Work, made: Result<Digest, Failure>) -> Result<(), Failure> {
        self.programs -= usize::from(work.has_program());
        let image = &work.step.image;
        match made {
            Ok(digest) => {
                self.open.remove(image);
                self.digests.insert(image.clone(), digest);
                Ok(())
            }
            Err(Failure::Build(unbuilt)) => {
                if unbuilt.iter().any(|u| matches!(u.error, BuildError::Cancelled)) {
                    return Err(Failure::Interrupted);
                }
                self.lost.insert(image.clone());
                self.failed.extend(unbuilt);
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    /// Asks everything to stop, and waits until no program of a builder runs any more; a second wish to stop does not
    /// wait. What works in this process holds nothing that the next run needs.
    async fn stopped(mut self, why: Failure, stop: &mut Stop) -> Failure {
        self.tools.session.cancel.request();
        while self.programs > 0 {
            let ended = tokio::select! {
                ended = self.running.join_next() => ended,
                () = stop.wanted() => break,
            };
            match ended {
                Some(Ok((work, _))) => self.programs -= usize::from(work.has_program()),
                Some(Err(_)) => {}
                None => break,
            }
        }
        why
    }

    fn result(self) -> Result<BTreeMap<ImageName, Digest>, Failure> {
        match (self.failed.is_empty(), self.waiting.is_empty()) {
            (true, true) => Ok(self.digests),
            (true, false) => Err(Failure::Bug("images wait for one another".into())),
            (false, _) => Err(Failure::Build(self.failed)),
        }
    }
}
