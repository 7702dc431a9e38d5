//! Opens what builds are carried out with.

use crate::args::BuilderArgs;
use crate::open::Caches;
use crate::settings::builder::Choice;
use crate::settings::{self, Setting, Settings, secrets};
use ringshift::builder::{Builder, Command, Session, command};
use ringshift::config::{Allowance, Project};
use ringshift::engine::execute::{Builders, Tools, Unusable};
use ringshift::engine::{Failure, Reporter};
use ringshift::model::BuilderKind;
use ringshift::registry::remote::Registries;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything but the builders themselves, which are looked for when an image needs them.
///
/// # Errors
/// What is wrong with a flag or a variable.
pub fn open(
    settings: &Settings,
    caches: &Caches,
    project: &Project,
    args: &BuilderArgs,
    reporter: Arc<dyn Reporter>,
) -> Result<Tools, Failure> {
    let choice = Choice::of(args.builder.as_deref(), Some(project))?;
    let choice = choice.with_layers(args.layer_cache.as_deref())?;
    let given = secrets::read(&settings.directory, &args.secret, &args.ssh)?;
    let asked = choice.kind.as_ref().map(|kind| kind.value);
    let native = Arc::new(caches.builder());
    Ok(Tools {
        builders: Builders::new(asked, native, Box::new(move |kind| look(kind, &choice))),
        jobs: settings::jobs(args.jobs.as_deref())?,
        session: Session {
            secrets: given.secrets,
            ssh: given.ssh,
            no_cache: args.no_cache,
            allow: allowed(project),
            ..Session::default()
        },
        scrub: given.scrub,
        logs: settings.cache.value.join("logs"),
        outside: Arc::new(Registries::hasty(&settings.variables)),
        reporter,
    })
}

/// A builder that is a program, when this machine has it.
fn look(kind: BuilderKind, choice: &Choice) -> Result<Arc<dyn Builder>, Unusable> {
    let args = |setting: Option<Setting<Vec<String>>>| setting.map(|s| s.value).unwrap_or_default();
    let engine = args(choice.engine(kind));
    let found = command::look(kind, &engine)?;
    let command = Command::new(found, args(choice.args(kind)), engine);
    let layers = choice.layers.as_ref().map(|layers| layers.value.clone());
    Ok(Arc::new(command.with_layers(layers)))
}

/// What `allow:` names, in the words of the container file (SEC-A8).
fn allowed(project: &Project) -> BTreeSet<String> {
    let word = |allowance: &Allowance| match allowance {
        Allowance::NetworkHost => Some("network=host"),
        Allowance::SecurityInsecure => Some("security=insecure"),
        // No builder is asked for it.
        Allowance::Helm => None,
    };
    project.allow.iter().filter_map(word).map(str::to_owned).collect()
}
