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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::containerfile::recipe::{Source, Stage, Step};
    use crate::containerfile::resolve::BaseFacts;
    use crate::model::Platform;

    fn problems(key: &str, value: &str, vendor: Option<&str>) -> Vec<u32> {
        let step = Step {
            line: 3,
            original: String::new(),
            trigger: false,
            unresolved: false,
            op: Op::Label(vec![("a".into(), "b".into()), (key.into(), value.into())]),
        };
        let stage = Stage {
            line: 1,
            name: None,
            base: Source::Scratch,
            platform: None,
            workdir: None,
            steps: vec![step],
        };
        let recipe = Recipe {
            platform: Platform::default(),
            stages: vec![stage],
            target: 0,
            whole: None,
            warnings: Vec::new(),
            syntax: None,
            facts: BaseFacts::default(),
            written: Default::default(),
        };
        reserved_labels(&recipe, vendor)
            .iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn what_ringshift_writes_is_reserved() {
        for key in [
            "org.opencontainers.image.version",
            "dependency.api",
            "dev.ringshift.commit",
        ] {
            assert_eq!(problems(key, "x", None), [3], "{key}");
        }
        assert_eq!(problems("org.opencontainers.image.title", "x", None), [0; 0]);
    }

    #[test]
    fn a_vendor_must_be_the_configured_one() {
        assert_eq!(problems(labels::VENDOR, "acme", Some("acme")), [0; 0]);
        assert_eq!(problems(labels::VENDOR, "other", Some("acme")), [3]);
        assert_eq!(problems(labels::VENDOR, "acme", None), [3]);
    }
}
