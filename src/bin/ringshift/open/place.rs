#![expect(clippy::disallowed_methods, reason = "edge: opens the store")]
//! Where the images of a project are, and the store there: a folder or a registry.

use crate::settings::{Setting, Settings};
use ringshift::cache::Remembered;
use ringshift::config::{Project, RegistryAddress};
use ringshift::engine::{Failure, Store};
use ringshift::model::{ImageName, ProjectName};
use ringshift::registry::cached::Cached;
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::remote::{Access, RemoteRegistry};
use ringshift::registry::{Registry, RegistryError, Repository};
use ringshift::state::State;
use ringshift::state::claims::{ClaimsJournal, Steady};
use ringshift::state::journal::Journal;
use ringshift::state::trust::{MarkFile, Trusted};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where images are kept.
pub enum Place {
    /// A folder of OCI layouts.
    Folder(PathBuf),
    /// A registry, as people write it.
    Registry(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "oci:{}", folder.display()),
            Self::Registry(host) => f.write_str(host),
        }
    }
}

/// Where the images of a project are, with where that is said.
///
/// # Errors
/// [`Failure::Request`] when that names no place.
pub fn place(settings: &Settings, project: Option<&Project>) -> Result<Setting<Place>, Failure> {
    if let Some(flag) = &settings.registry {
        return Ok(Setting {
            value: named(settings, &flag.value)?,
            from: flag.from.clone(),
        });
    }
    let written = |value| Setting {
        value,
        from: "rings.yaml".into(),
    };
    match project.and_then(|project| project.registry.as_ref()) {
        Some(RegistryAddress::Remote { host, plain }) => {
            let scheme = if *plain { "http://" } else { "" };
            Ok(written(Place::Registry(format!("{scheme}{host}"))))
        }
        Some(RegistryAddress::Folder(path)) => {
            let beside = settings.config.as_ref().and_then(|config| config.value.parent());
            let base = beside.unwrap_or(&settings.directory);
            Ok(written(Place::Folder(base.join(path))))
        }
        None => {
            let common = settings.git()?.common_dir();
            let common = std::fs::canonicalize(common).unwrap_or_else(|_| common.to_path_buf());
            Ok(Setting {
                value: Place::Folder(common.join("ringshift")),
                from: "default".into(),
            })
        }
    }
}

/// Where a registry of `publish:` is, and what stands before the project in its repositories.
pub fn elsewhere(settings: &Settings, text: &str) -> (Place, String) {
    if let Some(folder) = text.strip_prefix("oci:") {
        let beside = settings.config.as_ref().and_then(|config| config.value.parent());
        let folder = beside.unwrap_or(&settings.directory).join(folder);
        return (Place::Folder(folder), String::new());
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let (host, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (
        Place::Registry(format!("{scheme}{host}")),
        prefix.trim_end_matches('/').to_owned(),
    )
}

/// The place that a person names.
fn named(settings: &Settings, text: &str) -> Result<Place, Failure> {
    match text.strip_prefix("oci:") {
        Some("") => Err(Failure::request("oci: names no folder", "oci:PATH")),
        Some(path) => Ok(Place::Folder(settings.directory.join(path))),
        None => Ok(Place::Registry(text.to_owned())),
    }
}

fn place_named(settings: &Settings, text: &str) -> Result<(Place, ProjectName, ImageName), Failure> {
    let place = named(settings, text)?;
    let (name, root) = match (&settings.config, &settings.project) {
        (None, Some(name)) => (name.value.clone(), only_root(settings, &place, &name.value)?),
        (_, name) => {
            let project = super::project(settings)?;
            (
                name.as_ref().map_or(project.name, |name| name.value.clone()),
                project.root,
            )
        }
    };
    Ok((place, name, root))
}

/// The store of the project at hand, in a place that a person names.
///
/// # Errors
/// [`Failure`] when there is no project, or the place is none.
pub fn store_named(settings: &Settings, text: &str) -> Result<Store, Failure> {
    let (place, name, root) = place_named(settings, text)?;
    store_in(settings, &place, name, root, true)
}

/// The same, to be filled: it may have lost what this machine once saw there.
///
/// # Errors
/// As [`store_named`].
pub fn store_to_fill(settings: &Settings, text: &str) -> Result<Store, Failure> {
    let (place, name, root) = place_named(settings, text)?;
    store_in(settings, &place, name, root, false)
}

/// The store of a project.
///
/// # Errors
/// As [`place`], and when the registry's address or certificates cannot be used.
pub fn store(settings: &Settings, project: &Project) -> Result<Store, Failure> {
    let place = place(settings, Some(project))?.value;
    let name = settings.project.as_ref().map_or(&project.name, |p| &p.value);
    store_in(settings, &place, name.clone(), project.root.clone(), true)
}

/// The store for verbs that need nothing but the registry (S5): of the rings.yaml at hand, or of
/// `--registry` and `--project`. The second value is the state where there is no journal yet.
///
/// # Errors
/// [`Failure`] when neither is there.
pub fn store_alone(settings: &Settings) -> Result<(Store, State), Failure> {
    if settings.config.is_none()
        && let (Some(_), Some(name)) = (&settings.registry, &settings.project)
    {
        let place = place(settings, None)?.value;
        let root = only_root(settings, &place, &name.value)?;
        let store = store_in(settings, &place, name.value.clone(), root, true)?;
        return Ok((store, State::default()));
    }
    let project = super::project(settings)?;
    Ok((store(settings, &project)?, super::empty_state(&project)))
}

/// `held`: the journal is held against what this machine saw of it.
fn store_in(
    settings: &Settings,
    place: &Place,
    project: ProjectName,
    root: ImageName,
    held: bool,
) -> Result<Store, Failure> {
    Ok(match place {
        Place::Folder(folder) => {
            let registry = Arc::new(LayoutRegistry::new(folder));
            Store::new(registry, project, root, place.to_string())
        }
        Place::Registry(host) => {
            let registry = remote(settings, host, &project)?;
            // Where it leads is said without what may stand before the host.
            let location = registry.origin().to_string();
            let documents = match settings.fresh.get() {
                true => Remembered::nothing(),
                false => Remembered::new(&settings.cache.value, "documents.1"),
            };
            let registry: Arc<dyn Registry> = Arc::new(Cached::new(Arc::new(registry), documents));
            let journal = journal(
                settings,
                &registry,
                Store::journal_repository(&project, &root),
                &location,
                held,
            )?;
            Store::with_journal(registry, journal, project, root, location).at(host)
        }
    })
}

fn remote(settings: &Settings, host: &str, project: &ProjectName) -> Result<RemoteRegistry, Failure> {
    let access = Access::from_variables(host, project.as_str(), &settings.variables);
    let access = access.map_err(|error| RegistryError::from(Box::new(error)))?;
    Ok(RemoteRegistry::open(access)?)
}

/// The journal in a registry; when it is `held`, against what this machine saw of it.
fn journal(
    settings: &Settings,
    registry: &Arc<dyn Registry>,
    repository: Repository,
    location: &str,
    held: bool,
) -> Result<Arc<dyn Journal>, Failure> {
    let pace = Steady::start().map_err(|source| Failure::Io {
        action: "read /dev/urandom".into(),
        source,
    })?;
    let name = format!("{location}/{repository}");
    let marks = Arc::new(MarkFile::new(&settings.state, &name));
    let claims = ClaimsJournal::new(registry.clone(), repository, Arc::new(pace));
    if !held {
        return Ok(Arc::new(claims));
    }
    let trusted = Trusted::new(Arc::new(claims), name, marks, settings.oldest);
    Ok(Arc::new(trusted))
}

/// The root of the one journal that the project has in a place: `<root>-state`. A registry does not tell what it holds;
/// there it is the root that is called like the project.
fn only_root(settings: &Settings, place: &Place, project: &ProjectName) -> Result<ImageName, Failure> {
    let folder: &Path = match place {
        Place::Folder(folder) => folder,
        Place::Registry(host) => {
            let last = project.as_str().rsplit('/').next().unwrap_or_default();
            let found = match ImageName::new(last) {
                Ok(root) => {
                    let journal = Store::journal_repository(project, &root);
                    let tags = remote(settings, host, project)?.tags(&journal)?;
                    (!tags.is_empty()).then_some(root)
                }
                Err(_) => None,
            };
            return found.ok_or_else(|| {
                Failure::request(
                    format!("{host} holds no journal of {project} with the root {last}"),
                    "check --registry and --project; a root of another name is told by rings.yaml: run it where that is, or name it with --config",
                )
            });
        }
    };
    let place = folder.join(project.as_str());
    let names = std::fs::read_dir(&place).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let roots: Vec<ImageName> = names
        .filter_map(|name| ImageName::new(name.strip_suffix("-state")?).ok())
        .collect();
    match roots.as_slice() {
        [root] => Ok(root.clone()),
        _ => Err(Failure::request(
            format!("{} holds no journal of {project}", folder.display()),
            "check --registry and --project",
        )),
    }
}
