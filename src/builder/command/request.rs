//! What is asked of a program, whichever it is.

use super::secrets::{self, Handed};
use super::steps::Steps;
use crate::builder::closed::Closed;
use crate::builder::{BuildError, Cancel, Job};
use crate::containerfile::recipe::{Mount, MountKind, Op, Recipe, Source};
use crate::model::Platform;
use crate::registry::remote::Origin;
use crate::registry::serve::Served;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The registries without TLS that images from outside come from, as they are written: those on this machine.
    pub(super) plain: BTreeSet<String>,
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
            plain: plain(job.recipe),
            handed: Handed::default(),
            no_cache: true,
            mounts_secrets: false,
            layers: None,
            allow: Vec::new(),
            cancel: &job.session.cancel,
        })
    }
}

/// The registries without TLS of the images from outside that a recipe begins with or copies from.
fn plain(recipe: &Recipe) -> BTreeSet<String> {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let copied = steps.filter_map(|step| match &step.op {
        Op::Transfer(transfer) => Some(&transfer.from),
        _ => None,
    });
    let sources = recipe.stages.iter().map(|stage| &stage.base).chain(copied);
    let hosts = sources.filter_map(|source| match source {
        Source::External(reference) => reference.name().split('/').next(),
        _ => None,
    });
    let is_plain = |host: &&str| Origin::of_registry(host).is_ok_and(|origin| !origin.is_tls());
    hosts.filter(is_plain).map(str::to_owned).collect()
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::containerfile::{Base, BaseFacts, Inputs, ProjectRef, ResolveError, World, parse, resolve};

    struct Outside;

    impl World for Outside {
        fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
            Ok(None)
        }

        fn base(&self, _: &Base) -> Result<BaseFacts, ResolveError> {
            Ok(BaseFacts::unknown())
        }
    }

    #[test]
    fn registries_on_this_machine_are_spoken_to_without_tls_and_no_other() {
        let text = "FROM localhost:5000/a AS a\nFROM registry.example.com/b\nCOPY --from=127.0.0.1:5001/c /x /x\n\
                    COPY --from=a /y /y\nCOPY --from=alpine /z /z\n";
        let inputs = Inputs {
            args: &BTreeMap::new(),
            target: None,
            platform: &Platform::default(),
            contexts: &BTreeMap::new(),
            world: &Outside,
        };
        let recipe = resolve(&parse(text.as_bytes()).unwrap(), &inputs).unwrap();
        let found: Vec<String> = plain(&recipe).into_iter().collect();
        assert_eq!(found, ["127.0.0.1:5001", "localhost:5000"]);
    }
}
