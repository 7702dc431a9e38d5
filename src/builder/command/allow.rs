//! What a RUN may do only where rings.yaml allows it (SEC-A8).

use crate::builder::{BuildError, Job};
use crate::containerfile::recipe::{Op, Recipe, Run};
use crate::model::BuilderKind;

/// A right, by the flag that asks for it: the word in `allow:`, and BuildKit's own.
fn rights(run: &Run) -> impl Iterator<Item = (&'static str, &'static str)> {
    let network = run.network.as_deref() == Some("host");
    let security = run.security.as_deref() == Some("insecure");
    let network = network.then_some(("network=host", "network.host"));
    let security = security.then_some(("security=insecure", "security.insecure"));
    let device = (!run.devices.is_empty()).then_some(("device", "device"));
    [network, security, device].into_iter().flatten()
}

fn runs(recipe: &Recipe) -> impl Iterator<Item = (u32, &Run)> {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    steps.filter_map(|step| match &step.op {
        Op::Run(run) => Some((step.line, run)),
        _ => None,
    })
}

/// Refuses what a RUN asks for and nobody allowed.
pub(super) fn check(builder: BuilderKind, job: &Job<'_>) -> Result<(), BuildError> {
    for (line, run) in runs(job.recipe) {
        for (word, _) in rights(run) {
            if !job.session.allow.contains(word) {
                return Err(BuildError::Refused {
                    builder,
                    line,
                    what: format!("RUN --{word} is not allowed"),
                    hint: format!(
                        "write `allow: [{word}]` into rings.yaml if the sources are to be trusted that far"
                    ),
                });
            }
        }
    }
    Ok(())
}

/// The rights that a recipe needs, as BuildKit names them.
pub(super) fn needed(recipe: &Recipe) -> Vec<&'static str> {
    let mut needed: Vec<_> = runs(recipe)
        .flat_map(|(_, run)| rights(run))
        .map(|(_, own)| own)
        .collect();
    needed.sort_unstable();
    needed.dedup();
    needed
}
