//! What the native builder cannot do: everything that has to run, or that comes from outside the project.

use crate::containerfile::recipe::{Op, Recipe, Source, Step, Transfer, TransferSource};

/// The first thing of a recipe that another builder is needed for: its line, and what it is.
/// Decided before anything is written.
pub fn unsupported(recipe: &Recipe) -> Option<(u32, String)> {
    if let Some(whole) = &recipe.whole {
        return Some((whole.line, whole.reason.clone()));
    }
    if recipe.platform.os == "windows" {
        return Some((1, format!("the platform {}", recipe.platform)));
    }
    recipe.stages.iter().find_map(|stage| {
        // `FROM --platform`: bases, config and copies of such a stage are of another platform than the image.
        if let Some(platform) = &stage.platform {
            return Some((stage.line, format!("FROM --platform={platform}")));
        }
        let base = match &stage.base {
            Source::External(reference) => Some((stage.line, format!("FROM {reference}"))),
            Source::Named(name) => Some((stage.line, format!("FROM {name} (a named context)"))),
            Source::Context => Some((stage.line, "FROM the context".into())),
            Source::Scratch | Source::Stage(_) | Source::Project(_) => None,
        };
        base.or_else(|| stage.steps.iter().find_map(of_step))
    })
}

fn of_step(step: &Step) -> Option<(u32, String)> {
    let what = match &step.op {
        Op::Run(_) => Some("RUN".into()),
        Op::Transfer(transfer) => of_transfer(transfer),
        _ => None,
    };
    what.map(|what| (step.line, what))
}

fn of_transfer(transfer: &Transfer) -> Option<String> {
    if let Source::External(reference) = &transfer.from {
        return Some(format!("COPY --from={reference}"));
    }
    transfer.sources.iter().find_map(|source| match source {
        TransferSource::Url(url) => Some(format!("ADD {url}")),
        TransferSource::Git(url) => Some(format!("ADD {url}")),
        TransferSource::Path(_) | TransferSource::Heredoc(_) => None,
    })
}
