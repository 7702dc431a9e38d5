//! What is asked of a program, whichever it is.

use super::secrets::{self, Handed};
use super::steps::Steps;
use crate::builder::closed::Closed;
use crate::builder::{BuildError, Cancel, Job};
use crate::containerfile::recipe::{Mount, MountKind, Op, Recipe};
use crate::model::Platform;
use crate::registry::serve::Served;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// One call of a builder.
pub(super) struct Request<'a> {
    /// Where the builder is.
    pub(super) steps: RefCell<Steps>,
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
    /// Whether a RUN mounts what is in no builder's key: what was made with it serves nobody else.
    pub(super) mounts_secrets: bool,
    /// Where BuildKit keeps layers for other machines.
    pub(super) layers: Option<String>,
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
        request.mounts_secrets = mounts_secrets(job.recipe);
        request.no_cache = job.session.no_cache || request.mounts_secrets;
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
            steps: RefCell::new(Steps::new(job.recipe)),
            closed,
            args: BTreeMap::new(),
            platform: &job.recipe.platform,
            push: None,
            host: served.host(),
            handed: Handed::default(),
            no_cache: true,
            mounts_secrets: false,
            layers: None,
            allow: Vec::new(),
            cancel: &job.session.cancel,
        })
    }
}

/// The tag for the layers of a job's image: one for each platform, since a push replaces what was there.
pub(super) fn tag_of_layers(repository: &str, job: &Job<'_>) -> String {
    let platform = job.recipe.platform.to_string().replace('/', "-");
    format!("{repository}:{}-{platform}", job.image)
}

/// Whether a RUN mounts what is in no builder's key: then no cache may serve (rule 72).
fn mounts_secrets(recipe: &Recipe) -> bool {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let mounts = steps.filter_map(|step| match &step.op {
        Op::Run(run) => Some(&run.mounts),
        _ => None,
    });
    let secret = |mount: &Mount| matches!(mount.kind, MountKind::Secret | MountKind::Ssh);
    mounts.flatten().any(secret)
}

/// The build arguments as given, and those that name a platform: the one that builds is the same everywhere
/// (containerfile 1), and docker without BuildKit knows neither.
fn args(recipe: &Recipe) -> BTreeMap<String, String> {
    let mut args = recipe.written.args.clone();
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let declared = steps.filter_map(|step| match &step.op {
        Op::Arg(pairs) => Some(pairs),
        _ => None,
    });
    for (name, value) in declared.flatten() {
        if let (true, Some(value)) = (is_of_platform(name), value) {
            args.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    args
}

/// Whether BuildKit gives the argument a value of its own (rule 29).
fn is_of_platform(name: &str) -> bool {
    let part = name.strip_prefix("BUILD").or_else(|| name.strip_prefix("TARGET"));
    matches!(part, Some("PLATFORM" | "OS" | "ARCH" | "VARIANT" | "OSVERSION"))
}
