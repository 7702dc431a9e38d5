//! Labels that a container file must not set, since ringshift writes them (semantics S4).

use super::error::Fault;
use super::recipe::{Op, Recipe};
use crate::model::labels;

/// A label that is reserved, with the line that sets it.
pub type Problem = Fault;

/// The reserved labels that the stages of a recipe set: version, revision, ref.name, `dependency.*`,
/// `dev.ringshift.*`, and a vendor other than the configured one (S4).
pub fn reserved_labels(recipe: &Recipe, vendor: Option<&str>) -> Vec<Problem> {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    let labels = steps.filter_map(|step| match &step.op {
        Op::Label(pairs) => Some(pairs.iter().map(move |pair| (step.line, pair))),
        _ => None,
    });
    labels
        .flatten()
        .filter_map(|(line, (key, value))| problem(key, value, vendor).map(|e| e.at(line)))
        .collect()
}

fn problem(key: &str, value: &str, vendor: Option<&str>) -> Option<Problem> {
    if labels::is_reserved(key) {
        let fault = Fault::new(format!("the label {key} is written by ringshift"));
        return Some(fault.hint("remove it: it would lie about what was built"));
    }
    if key != labels::VENDOR || vendor == Some(value) {
        return None;
    }
    let fault = Fault::new(format!("the label {key} differs from the vendor in rings.yaml"));
    Some(match vendor {
        Some(vendor) => fault.hint(format!("remove it, or set it to {vendor}")),
        None => fault.hint("remove it, and set `vendor:` in rings.yaml"),
    })
}
