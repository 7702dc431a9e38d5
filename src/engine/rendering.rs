//! What a site is sent: from the store alone (D2).

use super::failure::Failure;
use super::store::Store;
use crate::model::{RingName, SiteName, near};
use crate::plan::Refusal;
use crate::render::{self, Labels, RenderError, Rendered, Source};
use crate::state::entry::SiteRecord;
use crate::state::{ReleaseRef, State};

/// A site and the release that it gets.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The site, as the journal has it.
    pub site: SiteRecord,
    /// The ring.
    pub ring: RingName,
    /// The release.
    pub release: ReleaseRef,
}

impl Delivery {
    /// The release that a site gets: that of its ring, of `ring`, or `release`.
    ///
    /// # Errors
    /// [`Failure`] when there is no such site or ring, or it holds nothing.
    pub fn of(
        state: &State,
        name: &SiteName,
        ring: Option<RingName>,
        release: Option<ReleaseRef>,
    ) -> Result<Self, Failure> {
        let site = site(state, name)?.clone();
        let ring = ring.unwrap_or_else(|| site.ring.clone());
        if state.place(&ring).is_none() {
            return Err(Refusal::no_such_ring(&ring, &state.chain).into());
        }
        let release = match release.or_else(|| state.release(&ring).cloned()) {
            Some(release) => release,
            None => {
                return Err(Failure::request(
                    format!("{ring} holds no release, so {name} gets nothing yet"),
                    format!("ringshift shift {ring}, or --ring with one that holds a release"),
                ));
            }
        };
        Ok(Self { site, ring, release })
    }

    /// Whether the release has the environment of the site.
    ///
    /// # Errors
    /// [`Failure`] when the release cannot be read.
    pub fn has_environment(&self, store: &Store) -> Result<bool, Failure> {
        let record = store.journal.record(&self.release.record)?;
        let pack = store.pack(&record)?;
        Ok(pack.is_some_and(|pack| pack.environments.contains_key(&self.site.environment)))
    }

    /// Its manifests; without labels when they shall be compared with those of another release.
    ///
    /// # Errors
    /// [`Failure`] when the release has no environments, or they cannot be rendered.
    pub fn render(&self, store: &Store, labelled: bool) -> Result<Rendered, Failure> {
        let record = store.journal.record(&self.release.record)?;
        let version = &self.release.version;
        let pack = store.pack(&record)?.ok_or_else(|| {
            Failure::request(
                format!("the release {version} holds no environments"),
                "commit environments/NAME/kustomization.yaml and build: the next release packs them",
            )
        })?;
        let source = Source {
            project: &store.project,
            registry: store.host.as_deref(),
            record: &record,
            pack: &pack,
            environment: &self.site.environment,
            namespaced: self
                .site
                .settings
                .get("kube")
                .is_some_and(|kube| kube["namespace"].is_string()),
        };
        let labels = Labels {
            site: self.site.name.clone(),
            ring: self.ring.clone(),
            version: version.clone(),
        };
        render::render(&source, labelled.then_some(&labels)).map_err(|error| failure(version, error))
    }
}

/// A site of the journal.
///
/// # Errors
/// [`Failure::Request`] when there is none of that name.
pub fn site<'s>(state: &'s State, name: &SiteName) -> Result<&'s SiteRecord, Failure> {
    let found = state.sites.iter().find(|site| site.name == *name);
    found.ok_or_else(|| {
        let names = state.sites.iter().map(|site| site.name.as_str());
        let hint = match state.sites.is_empty() {
            true => "write it under `sites:` in rings.yaml and build against the first ring".into(),
            false => {
                let known = near::hint(name.as_str(), "sites", names);
                format!("{known}; a new one of rings.yaml is known once its commit is built")
            }
        };
        Failure::request(format!("there is no site `{name}`"), hint)
    })
}

fn failure(version: &crate::model::Version, error: RenderError) -> Failure {
    let hint = match &error {
        RenderError::NoEnvironment { environment, there } => Some(near::hint(
            environment.as_str(),
            "environments",
            there.iter().map(|name| name.as_str()),
        )),
        RenderError::Images(_) => {
            Some("name an image of rings.yaml, and build: the release has those of its commit".into())
        }
        RenderError::Pack(crate::pack::PackError::Kustomize { error, .. }) => error.hint.clone(),
        RenderError::Pack(_) => None,
    };
    Failure::Request {
        message: format!("{version} cannot be rendered: {error}"),
        hint,
    }
}
