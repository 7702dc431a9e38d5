//! What is asked of a program, whichever it is.

use super::secrets::{self, Handed};
use crate::builder::closed::Closed;
use crate::builder::{BuildError, Cancel, Job};
use crate::containerfile::recipe::{Op, Recipe};
use crate::model::Platform;
use crate::registry::serve::Served;
use std::collections::BTreeMap;

/// One call of a builder.
pub(super) struct Request<'a> {
    /// What is built; for the lines of steps.
    pub(super) recipe: &'a Recipe,
    /// What is laid out.
    pub(super) closed: &'a Closed,
    /// The build arguments.
    pub(super) args: BTreeMap<String, String>,
    /// The platform that is built for.
    pub(super) platform: &'a Platform,
    /// Where to push; nowhere for a check.
    pub(super) push: Option<String>,
    /// `host:port` of the registry that is served.
    pub(super) host: String,
    /// Secrets and agents.
    pub(super) handed: Handed,
    /// Whether caches are left aside.
    pub(super) no_cache: bool,
    /// What a RUN may do beyond the usual, as BuildKit names it: `network.host`.
    pub(super) allow: Vec<&'static str>,
    /// Whether to stop.
    pub(super) cancel: &'a Cancel,
}

impl<'a> Request<'a> {
    /// To build the image of a job.
    pub(super) fn of_image(
        job: &'a Job<'a>,
        closed: &'a Closed,
        served: &Served<'_>,
    ) -> Result<Self, BuildError> {
        let mut request = Self::of_check(job, closed, served)?;
        request.args = args(job.recipe);
        request.push = Some(served.push("built"));
        request.handed = secrets::hand(job, closed)?;
        request.no_cache = job.session.no_cache;
        request.allow = super::allow::needed(job.recipe);
        Ok(request)
    }

    /// To run a command in an image of a job: never from a cache, and nothing is pushed.
    pub(super) fn of_check(
        job: &'a Job<'a>,
        closed: &'a Closed,
        served: &Served<'_>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            recipe: job.recipe,
            closed,
            args: BTreeMap::new(),
            platform: &job.recipe.platform,
            push: None,
            host: served.host(),
            handed: Handed::default(),
            no_cache: true,
            allow: Vec::new(),
            cancel: &job.session.cancel,
        })
    }
}

/// The build arguments as given, and those that name the machine which builds: they are the same everywhere
/// (containerfile 1).
fn args(recipe: &Recipe) -> BTreeMap<String, String> {
    let mut args = recipe.written.args.clone();
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let declared = steps.filter_map(|step| match &step.op {
        Op::Arg(pairs) => Some(pairs),
        _ => None,
    });
    for (name, value) in declared.flatten() {
        if let (true, Some(value)) = (name.starts_with("BUILD") && is_of_machine(name), value) {
            args.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    args
}

fn is_of_machine(name: &str) -> bool {
    matches!(
        name,
        "BUILDPLATFORM" | "BUILDOS" | "BUILDARCH" | "BUILDVARIANT" | "BUILDOSVERSION"
    )
}
