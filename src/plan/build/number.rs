//! Which number a rebuilt image gets: one that has this content already, or a new one (B4, B5).

use super::walk::Walk;
use super::{Action, Step, Target, There};
use crate::bump::{self, Question};
use crate::model::Version;
use crate::plan::Refusal;
use crate::plan::known::{self, Known, Origin};
use crate::state::journal::JournalError;
use crate::state::{Numbers, ReleaseRecord};
use std::sync::Arc;

impl Walk<'_> {
    /// The known versions that may be adopted, the highest first.
    pub(super) fn adoptable(&self, step: &Step) -> Result<Vec<Known>, Refusal> {
        if let Some(prepared) = self
            .world
            .state
            .ante
            .get(&step.image)
            .filter(|_| self.request.from_ante)
        {
            let passed = step.from.as_ref().is_some_and(|held| *held >= prepared.version);
            if !passed && (step.dirty || !prepared.dirty) {
                return Ok(vec![Known {
                    version: prepared.version.clone(),
                    key: step.key,
                    dirty: prepared.dirty,
                    digest: Some(prepared.digest),
                    origin: Origin::Ante,
                }]);
            }
        }
        let fits = |known: &Known| {
            known.key == step.key
                && step.from.as_ref().is_none_or(|held| known.version > *held)
                && (step.dirty || !known.dirty)
                && (!step.major || known.origin == Origin::Reservation { major: true })
        };
        let mut found = known::versions(self.world.state, self.world.records, &step.image)?;
        found.retain(fits);
        found.sort_by(|a, b| (&b.version, b.digest.is_some()).cmp(&(&a.version, a.digest.is_some())));
        Ok(found)
    }

    /// Takes a known version; `false` when its number turns out to be lost.
    pub(super) fn adopt(&mut self, step: &mut Step, known: Known) -> Result<bool, Refusal> {
        let there = match known.origin {
            Origin::Reservation { .. } => {
                self.world
                    .pushed
                    .pushed(&step.image, &known.version, &known.key)?
            }
            _ => known.digest.map_or(There::Other, There::Same),
        };
        (step.action, step.digest) = match there {
            There::Nothing => (Action::Build, None),
            There::Same(digest) => (Action::Adopt, Some(digest)),
            There::Other => return Ok(false),
        };
        step.reserved = matches!(known.origin, Origin::Reservation { .. });
        step.dirty = known.dirty;
        step.to = known.version;
        if let Origin::Release(release) = known.origin
            && step.image == self.chosen.root
        {
            self.adopted = Some(release);
        }
        Ok(true)
    }

    pub(super) fn number(&mut self, step: &mut Step) -> Result<(), Refusal> {
        let further = self.further_out()?;
        let further: Vec<Option<Version>> = further
            .iter()
            .map(|record| Some(record.as_ref()?.images.get(&step.image)?.version.clone()))
            .collect();
        let none = Numbers::default();
        let numbers = self.world.state.numbers.get(&step.image).unwrap_or(&none);
        let highest = numbers.highest();
        let (wanted, bump, rule) = bump::next(&Question {
            versioning: self.request.versioning,
            initial: &self.request.initial,
            held: step.from.as_ref(),
            highest: highest.as_ref(),
            front: !self.base.behind_front,
            major: step.major,
            further: &further,
        });
        step.to = numbers.free(wanted);
        step.bump = Some(bump);
        step.rule = rule;
        Ok(())
    }

    /// What the rings further out hold, the next one first. post is no ring of its own here:
    /// it is the last ring's history.
    fn further_out(&mut self) -> Result<Vec<Option<Arc<ReleaseRecord>>>, Refusal> {
        if let Some(further) = &self.further {
            return Ok(further.clone());
        }
        let state = self.world.state;
        let from = match &self.request.target {
            Target::Ante => 0,
            Target::Ring(ring) => state.place(ring).map_or(0, |place| place + 1),
        };
        let further = state
            .chain
            .iter()
            .skip(from)
            .map(|ring| known::held(state, self.world.records, ring))
            .collect::<Result<Vec<_>, JournalError>>()?;
        self.further = Some(further.clone());
        Ok(further)
    }
}
