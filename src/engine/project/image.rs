//! One image of the project, whole.

use crate::containerfile::recipe::{Recipe, Warning};
use crate::model::{RepoPath, Revision};
use crate::revision::manifest::Section;
use crate::revision::{Manifest, Records};
use std::sync::Arc;

/// One image with everything that its revision is made of.
pub struct Image {
    /// Its container file.
    pub file: RepoPath,
    /// What it is on each platform, in the order of rings.yaml.
    pub variants: Vec<Variant>,
    /// The revision.
    pub revision: Revision,
    /// The revision without the environments (D1): another one of the root only.
    pub own: Revision,
    /// Its records.
    pub records: Records,
    /// What in its container file, and in what that reads, is worth a look.
    pub warnings: Vec<Warning>,
}

impl Image {
    /// What is read of the contexts, on any platform.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        let manifests = self.variants.iter().map(|variant| &variant.manifest);
        manifests.flat_map(|manifest| manifest.sections.iter().chain(&manifest.whole))
    }
}

/// What an image is on one platform.
pub struct Variant {
    /// What the container file asks for.
    pub recipe: Arc<Recipe>,
    /// What that reads.
    pub manifest: Manifest,
}
