//! What enters the revision of an image besides its recipe and what that reads.

use super::{Loaded, Variant};
use crate::config;
use crate::model::{ImageName, Revision};
use crate::revision::{self, Records};

impl Loaded {
    /// The revision of an image by itself, and its records.
    pub(super) fn revision(
        &self,
        name: &ImageName,
        file: &[u8],
        variants: &[Variant],
    ) -> (Revision, Records) {
        let image = &self.project.images[name];
        let references = image
            .contexts
            .iter()
            .filter_map(|(name, context)| match &context.what {
                config::ContextSource::Folder { .. } => None,
                config::ContextSource::Image(image) => {
                    Some((name.as_str(), format!("{}/{image}", self.project.name)))
                }
                config::ContextSource::External(reference) => Some((name.as_str(), reference.to_string())),
            });
        let inputs = revision::Inputs {
            epoch: image.epoch.as_deref(),
            container_file: file,
            args: image
                .args
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            target: image.target.as_deref(),
            images: references.collect(),
        };
        let plans: Vec<revision::Plan<'_>> = variants
            .iter()
            .map(|variant| revision::Plan {
                recipe: &variant.recipe,
                manifest: &variant.manifest,
            })
            .collect();
        revision::compute(&plans, &inputs)
    }
}
