//! `shift`.

use super::{build, moves, named, publish};
use crate::args::{BuildArgs, BuilderArgs, Change, LossArgs, SourceArgs};
use crate::open::{self, Caches};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::Failure;
use ringshift::plan::shift::World;
use ringshift::plan::{Refusal, shift};
use ringshift::state::State;

/// What is asked.
pub struct Request {
    /// The ring; `None`: the train.
    pub ring: Option<String>,
    pub loss: LossArgs,
    pub commit: Option<String>,
    /// How images are built, where the first ring takes over ante.
    pub how: BuilderArgs,
}

/// Moves outwards.
pub fn run(settings: &Settings, ui: &Ui, request: &Request, change: &Change) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let overrides = named::overrides(&request.loss, change.reason.as_deref())?;
    let caches = Caches::open(settings);
    let commits = open::clone(settings, &caches);
    let Some(name) = request.ring.as_deref() else {
        let targets = publish::targets_here(settings, None)?;
        let done = moves::run(
            settings,
            ui,
            (&store, &empty, targets.as_slice()),
            store.journal.head()?,
            change,
            |state: &State| state.rings.clone(),
            |state, head| {
                let world = World {
                    state,
                    head,
                    records: &store,
                    commits: &commits,
                };
                shift::train(&world, &overrides)
            },
        );
        caches.save();
        return done;
    };
    refuse_ends(name)?;
    let ring = named::ring(name)?;
    let head = store.journal.head()?;
    let state = head.as_ref().map_or(&empty, |head| &head.entry.state);
    if state.first() == Some(&ring) {
        return take_over_ante(settings, ui, request, change, state);
    }
    let basis = |state: &State| {
        let place = state.place(&ring);
        let before = place
            .and_then(|p| p.checked_sub(1))
            .and_then(|p| state.chain.get(p));
        let there = |name: &ringshift::model::RingName| state.rings.get(name).cloned();
        (there(&ring), before.and_then(there), state.freezes.clone())
    };
    let targets = publish::targets_here(settings, Some(&ring))?;
    let place = (&store, &empty, targets.as_slice());
    let done = moves::run(settings, ui, place, head, change, basis, |state, head| {
        let world = World {
            state,
            head,
            records: &store,
            commits: &commits,
        };
        shift::shift(&world, &ring, &overrides)
    });
    caches.save();
    done
}

fn refuse_ends(name: &str) -> Result<(), Failure> {
    let message = match name {
        "post" => "post is filled by what the next release displaces; nothing is shifted there",
        "ante" => "there is nothing before ante; images are prepared there by a build",
        _ => return Ok(()),
    };
    let hint = match name {
        "post" => "shift the last ring; what it held goes to post",
        _ => "ringshift build --ring ante IMAGE…",
    };
    Err(Refusal::request(message, hint).into())
}

/// B9: a build against the first ring of what ante prepared.
fn take_over_ante(
    settings: &Settings,
    ui: &Ui,
    request: &Request,
    change: &Change,
    state: &State,
) -> Result<u8, Failure> {
    if state.ante.is_empty() {
        let first = state.first().map(ToString::to_string).unwrap_or_default();
        return Err(Refusal::request(
            format!("{first} takes over from ante, and ante holds nothing"),
            "ringshift build --ring ante IMAGE… prepares images; ringshift build builds against the first ring",
        )
        .into());
    }
    let args = BuildArgs {
        images: Vec::new(),
        ring: None,
        major: Vec::new(),
        all_changes: false,
        source: SourceArgs {
            commit: request.commit.clone(),
            worktree: false,
        },
        loss: LossArgs {
            contains: request.loss.contains.clone(),
            drop: request.loss.drop.clone(),
            allow_dirty: request.loss.allow_dirty,
        },
        how: request.how.clone(),
    };
    build::carry_out(settings, ui, &args, change, true)
}
