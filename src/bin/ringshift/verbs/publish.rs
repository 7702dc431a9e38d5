//! Copies to the registries of `publish:`, after a release arrived in a ring.

use crate::open::{self, Place};
use crate::settings::Settings;
use crate::ui::{Ui, count};
use ringshift::config::Project;
use ringshift::engine::publish::{self, Target};
use ringshift::engine::{Failure, Store};
use ringshift::model::RingName;
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::remote::{Access, RemoteRegistry};
use ringshift::registry::{Registry, RegistryError};
use ringshift::state::Entry;
use std::sync::Arc;

/// The targets of the rings that a verb may have filled, opened before anything is written: what is wrong with an address
/// is told while nothing happened yet. `ring`: only this one's.
///
/// # Errors
/// [`Failure`] for an address that is none.
pub fn targets(
    settings: &Settings,
    project: Option<&Project>,
    ring: Option<&RingName>,
) -> Result<Vec<Target>, Failure> {
    let Some(project) = project else {
        return Ok(Vec::new());
    };
    let mut targets = Vec::new();
    let rings = project
        .rings
        .iter()
        .filter(|own| ring.is_none_or(|ring| own.name == *ring));
    for (ring, name) in rings.flat_map(|ring| ring.publish.iter().map(move |name| (ring, name))) {
        let (place, prefix) = open::elsewhere(settings, name);
        let registry: Arc<dyn Registry> = match place {
            Place::Folder(folder) => Arc::new(LayoutRegistry::new(folder)),
            Place::Registry(host) => {
                let namespace = format!("{prefix}/{}", project.name);
                let access =
                    Access::from_variables(&host, namespace.trim_start_matches('/'), &settings.variables);
                Arc::new(RemoteRegistry::open(
                    access.map_err(|error| RegistryError::from(Box::new(error)))?,
                )?)
            }
        };
        targets.push(Target {
            ring: ring.name.clone(),
            name: name.clone(),
            registry,
            prefix,
        });
    }
    Ok(targets)
}

/// The targets of rings.yaml in the working copy, where there is one.
///
/// # Errors
/// As [`targets`].
pub fn targets_here(settings: &Settings, ring: Option<&RingName>) -> Result<Vec<Target>, Failure> {
    let project = settings
        .config
        .is_some()
        .then(|| open::project(settings))
        .transpose()?;
    targets(settings, project.as_ref(), ring)
}

/// Makes every copy that is missing; running the same verb again goes on from where it broke off.
///
/// # Errors
/// [`Failure::Unpublished`], which says how far it came.
pub fn settle(ui: &Ui, store: &Store, targets: &[Target]) -> Result<(), Failure> {
    if targets.is_empty() {
        return Ok(());
    }
    let Some(head) = store.journal.head()? else {
        return Ok(());
    };
    let missing = publish::missing(store, &head.entry.state, targets).map_err(Failure::Unpublished)?;
    for copy in missing {
        let images = publish::publish(store, &copy)?;
        let what = format!(
            "{} of {} at {}: {}",
            copy.release.version,
            copy.target.ring,
            copy.target.name,
            count(images as u64, "image", "images")
        );
        ui.say("Published", &what);
    }
    Ok(())
}

/// What a dry run shows: the copies that an entry would ask for.
pub fn copies(targets: &[Target], entry: &Entry) -> Vec<String> {
    let moved = |target: &&Target| entry.moved.contains_key(&target.ring);
    let copy = |target: &Target| {
        let release = entry.state.release(&target.ring)?;
        Some(line(target, &release.version.to_string()))
    };
    targets.iter().filter(moved).filter_map(copy).collect()
}

/// One copy, for a dry run.
pub fn line(target: &Target, version: &str) -> String {
    format!("copy {version} of {} to {}", target.ring, target.name)
}
