//! Rendering: the manifests of a site, from the pack of a release and nothing else (D2).
//!
//! The packed kustomization is built, every image of the project is pinned to registry, name and digest of the
//! release, and labels say what it is. The same input gives the same bytes.

pub mod difference;
pub mod files;
pub mod findings;
mod images;
pub mod lines;

use crate::config::split;
use crate::kustomize::{Built, Object, Options};
use crate::model::{EnvironmentName, ImageName, ProjectName, RingName, SiteName, Version};
use crate::pack::{Pack, PackError};
use crate::state::ReleaseRecord;
use findings::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// The label that names the site.
pub const SITE: &str = "ringshift.dev/site";
/// The label that names the ring whose release it is.
pub const RING: &str = "ringshift.dev/ring";
/// The label that names the version of the release.
pub const VERSION: &str = "ringshift.dev/version";

/// What is rendered.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The project.
    pub project: &'a ProjectName,
    /// The registry, as references write it; a folder has none, and its images go by `<project>/<image>`.
    pub registry: Option<&'a str>,
    /// The release.
    pub record: &'a ReleaseRecord,
    /// Its environments.
    pub pack: &'a Pack,
    /// The kustomization.
    pub environment: &'a EnvironmentName,
    /// Whoever applies it gives a namespace to what names none.
    pub namespaced: bool,
}

/// What the labels say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// The site.
    pub site: SiteName,
    /// The ring.
    pub ring: RingName,
    /// The version.
    pub version: Version,
}

/// What came of it.
#[derive(Debug)]
pub struct Rendered {
    /// The objects, in the order in which they are applied.
    pub objects: Vec<Object>,
    /// What looks wrong.
    pub findings: Vec<Finding>,
}

/// It cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The release has no such environment.
    #[error("the release has no environment `{environment}`")]
    NoEnvironment {
        /// Which.
        environment: EnvironmentName,
        /// Those that it has.
        there: Vec<EnvironmentName>,
    },
    /// The pack is damaged, or its kustomization cannot be built.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// Objects name images of the project that the release lacks.
    #[error("{}", .0.join("; "))]
    Images(Vec<String>),
}

/// Renders.
///
/// # Errors
/// [`RenderError`].
pub fn render(source: &Source<'_>, labels: Option<&Labels>) -> Result<Rendered, RenderError> {
    let Some(folder) = source.pack.environments.get(source.environment) else {
        return Err(RenderError::NoEnvironment {
            environment: source.environment.clone(),
            there: source.pack.environments.keys().cloned().collect(),
        });
    };
    let kustomize = |error| PackError::Kustomize {
        environment: source.environment.clone(),
        error,
    };
    let mut built = source
        .pack
        .build(source.environment, folder, Options::default())?;
    let pinned = source.pinned();
    pin(source, &pinned, &mut built)?;
    if let Some(labels) = labels {
        built.label(&BTreeMap::from([
            (SITE.to_owned(), labels.site.to_string()),
            (RING.to_owned(), labels.ring.to_string()),
            (VERSION.to_owned(), labels.version.to_string()),
        ]));
    }
    let images = built.images();
    let objects = built.objects().map_err(kustomize)?;
    let ours: BTreeSet<&String> = pinned.values().collect();
    let foreign = |image: &str| !ours.contains(&image.to_owned());
    let findings = findings::find(&objects, &images, &foreign, source.namespaced);
    Ok(Rendered { objects, findings })
}

/// The objects as one stream of YAML documents, as upstream prints them.
pub fn text(objects: &[Object]) -> String {
    let texts: Vec<String> = objects.iter().map(Object::text).collect();
    texts.join("---\n")
}

impl Source<'_> {
    /// What every image of the release is written as.
    fn pinned(&self) -> BTreeMap<ImageName, String> {
        let registry = self.registry.map(|host| format!("{host}/")).unwrap_or_default();
        let images = self.record.images.iter();
        images
            .map(|(name, image)| {
                let text = format!("{registry}{}/{name}@{}", self.project, image.digest);
                (name.clone(), text)
            })
            .collect()
    }
}

/// Pins every image of the project. All that the release lacks is told at once.
fn pin(
    source: &Source<'_>,
    pinned: &BTreeMap<ImageName, String>,
    built: &mut Built,
) -> Result<(), RenderError> {
    let done_already: BTreeSet<&str> = pinned.values().map(String::as_str).collect();
    let names = images::Names::new(source.project, source.registry, &source.pack.names);
    let mut missing = Vec::new();
    let done = built.each_image(&mut |_, text| {
        if done_already.contains(text) {
            return Ok(None);
        }
        let (name, ..) = split(text);
        let Some(image) = names.find(name) else {
            return Ok(None);
        };
        match ImageName::new(image).ok().and_then(|image| pinned.get(&image)) {
            Some(text) => Ok(Some(text.clone())),
            None => {
                missing.push(format!("`{name}`: the release has no image `{image}`"));
                Ok(None)
            }
        }
    });
    done.map_err(|error| PackError::Kustomize {
        environment: source.environment.clone(),
        error,
    })?;
    missing.sort();
    missing.dedup();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(RenderError::Images(missing)),
    }
}

#[cfg(test)]
mod tests;
