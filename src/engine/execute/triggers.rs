//! Bases of which nobody knows whether they have ONBUILD triggers: the build looks, since a trigger that reads the
//! context would make an image that its revision knows nothing of (containerfile 1.1).

use super::Tools;
use super::work::Work;
use crate::builder::StepError;
use crate::containerfile::recipe::Unlocked;
use crate::containerfile::resolve::trigger_reads;
use crate::engine::event::Event;
use crate::engine::failure::{Failure, Unbuilt};
use crate::engine::lock::all;
use crate::model::{Platform, Reference};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Refuses the images whose bases have triggers that read. A base that cannot be looked at is told: its builder may
/// have it where no registry does.
pub(super) fn refuse(works: &[Arc<Work>], tools: &Tools) -> Result<(), Failure> {
    let mut bases: BTreeMap<(&Reference, &Platform), Vec<(&Work, u32)>> = BTreeMap::new();
    for work in works {
        for Unlocked {
            line,
            reference,
            platform,
        } in work.unlocked()
        {
            bases
                .entry((reference, platform))
                .or_default()
                .push((work, *line));
        }
    }
    let bases: Vec<_> = bases.into_iter().collect();
    let answers = all(&bases, |((reference, platform), _)| {
        tools.outside.facts(reference, platform)
    });
    let mut unbuilt: Vec<Unbuilt> = Vec::new();
    for (((reference, _), users), answer) in bases.iter().zip(answers) {
        let trigger = match answer {
            Ok((_, facts)) => facts.onbuild.into_iter().find(|trigger| trigger_reads(trigger)),
            Err(error) => {
                tools.reporter.report(Event::Note {
                    message: format!("cannot see whether {reference} has ONBUILD triggers: {error}"),
                });
                None
            }
        };
        let Some(trigger) = trigger else { continue };
        for (work, line) in users {
            if unbuilt.iter().any(|known| known.image == work.step.image) {
                continue;
            }
            let what =
                format!("{reference} has ONBUILD triggers that read (`{trigger}`), and it is not locked");
            unbuilt.push(Unbuilt {
                image: work.step.image.clone(),
                file: work.project.file(&work.step.image),
                error: StepError::Value(what).at(*line),
                hint: Some("`ringshift lock`, and commit rings.lock: then the revision knows of them".into()),
                check: None,
                log: None,
            });
        }
    }
    match unbuilt.is_empty() {
        true => Ok(()),
        false => Err(Failure::Build(unbuilt)),
    }
}
