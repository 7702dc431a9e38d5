//! `unshift`.

use super::freeze::author;
use super::{moves, named, publish};
use crate::args::{Change, LossArgs};
use crate::open::{self, Caches};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::{Failure, Store};
use ringshift::model::ImageName;
use ringshift::plan::Refusal;
use ringshift::plan::shift::World;
use ringshift::plan::unshift::{self, Back, Earlier};
use ringshift::state::State;
use ringshift::state::journal::JournalError;
use std::collections::BTreeSet;

/// What is asked.
pub struct Request {
    pub ring: Option<String>,
    pub images: Vec<String>,
    pub to: Option<String>,
    pub empty: bool,
    pub all: bool,
    pub loss: LossArgs,
}

struct Entries<'a>(&'a Store, &'a State);

impl Earlier for Entries<'_> {
    fn state_at(&self, seq: u64) -> Result<Option<State>, JournalError> {
        match seq {
            0 => Ok(Some(self.1.clone())),
            seq => Ok(self.0.journal.at(seq)?.map(|stored| stored.entry.state)),
        }
    }
}

/// Takes back.
pub fn run(settings: &Settings, ui: &Ui, request: &Request, change: &Change) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let earlier = Entries(&store, &empty);
    let by = author(settings, change);
    let place = (&store, &empty, &[][..]);
    let head = store.journal.head()?;
    if request.ring.as_deref() == Some("ante") {
        let images = request.images.iter().map(|name| {
            ImageName::new(name.as_str()).map_err(|error| Failure::request(error.to_string(), error.hint()))
        });
        let images = images.collect::<Result<BTreeSet<_>, _>>()?;
        return moves::run(
            settings,
            ui,
            place,
            head,
            change,
            |state: &State| state.ante.clone(),
            |state, _| unshift::unshift_ante(state, &images).map(Some),
        );
    }
    if !request.images.is_empty() {
        return Err(Refusal::Usage {
            message: "images are dropped from ante only; a ring goes back as a whole".into(),
            hint: "ringshift unshift ante IMAGE…".into(),
        }
        .into());
    }
    let caches = Caches::open(settings);
    let commits = open::clone(settings, &caches);
    if request.all {
        let targets = publish::targets_here(settings, None)?;
        return moves::run(
            settings,
            ui,
            (&store, &empty, targets.as_slice()),
            head,
            change,
            |state: &State| state.rings.clone(),
            |state, head| {
                let world = World {
                    state,
                    head,
                    records: &store,
                    commits: &commits,
                };
                unshift::unshift_train(&world, &earlier, &by).map(Some)
            },
        );
    }
    let back = match (&request.to, request.empty) {
        (Some(version), _) => Back::To(named::root_version(version)?),
        (None, true) => Back::Empty,
        (None, false) => Back::One,
    };
    let overrides = named::overrides(&request.loss, change.reason.as_deref())?;
    let wanted = match request.ring.as_deref() {
        None | Some("post") => None,
        Some(name) => Some(named::ring(name)?),
    };
    let ring = |state: &State| wanted.clone().or_else(|| state.chain.last().cloned());
    let basis = |state: &State| ring(state).and_then(|ring| state.rings.get(&ring).cloned());
    let last = head.as_ref().map_or(empty.chain.last().cloned(), |head| {
        head.entry.state.chain.last().cloned()
    });
    let targets = publish::targets_here(settings, wanted.as_ref().or(last.as_ref()))?;
    let place = (&store, &empty, targets.as_slice());
    let done = moves::run(settings, ui, place, head, change, basis, |state, head| {
        let world = World {
            state,
            head,
            records: &store,
            commits: &commits,
        };
        let ring = ring(state).ok_or_else(|| Refusal::request("there is no ring", "ringshift status"))?;
        unshift::unshift(&world, &earlier, &ring, &back, &by, &overrides)
    });
    caches.save();
    done
}
