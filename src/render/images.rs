//! By which names manifests call the images of the project.

use crate::model::{ImageName, ProjectName};
use std::collections::BTreeMap;

/// The names: `<project>/<image>`, with the registry before it or without, and those that the pack knows.
pub struct Names<'a> {
    prefixes: Vec<String>,
    others: &'a BTreeMap<String, ImageName>,
}

impl<'a> Names<'a> {
    /// The names of a project in a registry; `others` are those of its pack.
    pub fn new(
        project: &ProjectName,
        registry: Option<&str>,
        others: &'a BTreeMap<String, ImageName>,
    ) -> Self {
        let mut prefixes = vec![format!("{project}/"), format!("docker.io/{project}/")];
        prefixes.extend(registry.map(|host| format!("{host}/{project}/")));
        Self { prefixes, others }
    }

    /// The image of the project that a name, without tag and digest, means.
    pub fn find<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        if let Some(image) = self.others.get(name) {
            return Some(image.as_str());
        }
        let mut prefixes = self.prefixes.iter();
        prefixes.find_map(|prefix| name.strip_prefix(prefix.as_str()))
    }
}
