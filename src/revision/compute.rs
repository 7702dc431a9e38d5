//! From plans to a revision.

use super::manifest::Manifest;
use super::records::{self, FORMAT, Records};
use crate::containerfile::recipe::Recipe;
use crate::model::{Digest, Revision};
use std::collections::BTreeMap;

/// One platform's plan and what it reads.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// What is done.
    pub recipe: &'a Recipe,
    /// What is read; the outcome of [`select`](super::select) for `recipe`.
    pub manifest: &'a Manifest,
}

/// What enters a revision besides plans.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// The image's `epoch` of rings.yaml.
    pub epoch: Option<&'a str>,
    /// The bytes of the container file. They enter only when a recipe is not exact.
    pub container_file: &'a [u8],
    /// The image's arguments. They enter as a whole only when a recipe is not exact; else by what they become.
    pub args: BTreeMap<&'a str, &'a str>,
    /// The image's `target`, likewise.
    pub target: Option<&'a str>,
    /// The named contexts that are images, each with its reference, likewise.
    pub images: BTreeMap<&'a str, String>,
}

/// The revision of an image, and the records it is the hash of. One plan for each platform, in the order of
/// rings.yaml.
pub fn compute(plans: &[Plan<'_>], inputs: &Inputs<'_>) -> (Revision, Records) {
    let mut out = Records::default();
    out.text(None, "format", FORMAT);
    if let Some(epoch) = inputs.epoch {
        out.text(None, "epoch", epoch);
    }
    for plan in plans {
        out.text(None, "platform", &plan.recipe.platform.to_string());
        match &plan.recipe.whole {
            None => exact(plan, &mut out),
            Some(reason) => whole(plan, inputs, reason.line, &mut out),
        }
    }
    (out.revision(), out)
}

fn exact(plan: &Plan<'_>, out: &mut Records) {
    out.push(None, "target", plan.recipe.target.to_string());
    records::plan(plan.recipe, out);
    records::reads(plan.recipe, plan.manifest, out);
}

/// The raw file, all that it could have been given, and all contexts.
fn whole(plan: &Plan<'_>, inputs: &Inputs<'_>, line: u32, out: &mut Records) {
    let line = Some(line);
    out.text(line, "whole", &Digest::of(inputs.container_file).to_string());
    if let Some(target) = inputs.target {
        out.list(line, "input", &["target", target]);
    }
    for (name, value) in &inputs.args {
        out.list(line, "input", &["arg", name, value]);
    }
    for (name, reference) in &inputs.images {
        out.list(line, "input", &["context", name, reference]);
    }
    for section in &plan.manifest.whole {
        records::whole_context(section, out);
    }
}
