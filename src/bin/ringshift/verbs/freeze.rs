//! `freeze` and `unfreeze`.

use super::{moves, named};
use crate::args::Change;
use crate::open;
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::{Failure, Store};
use ringshift::plan::Refusal;
use ringshift::plan::freeze::{self, Named};
use ringshift::plan::unshift::Author;
use ringshift::state::State;

/// Freezes a version for every ring.
pub fn freeze(settings: &Settings, ui: &Ui, text: &str, change: &Change) -> Result<u8, Failure> {
    let wanted = named::version(text)?;
    if change
        .reason
        .as_deref()
        .is_none_or(|reason| reason.trim().is_empty())
    {
        return Err(Refusal::Usage {
            message: "a freeze needs a reason, which everybody sees that it stops".into(),
            hint: format!("ringshift freeze {text} --reason \"…\""),
        }
        .into());
    }
    let (store, empty) = open::store_alone(settings)?;
    let by = author(settings, change);
    moves::run(
        settings,
        ui,
        (&store, &empty, &[]),
        store.journal.head()?,
        change,
        |state: &State| state.freezes.clone(),
        |state, _| freeze::freeze(state, &store, &of_root(&store, &wanted), &by),
    )
}

/// Lifts a freeze, or lets its fix through.
pub fn unfreeze(
    settings: &Settings,
    ui: &Ui,
    text: &str,
    fixed_in: Option<&str>,
    change: &Change,
) -> Result<u8, Failure> {
    let wanted = named::version(text)?;
    let fix = fixed_in.map(named::root_version).transpose()?;
    let (store, empty) = open::store_alone(settings)?;
    moves::run(
        settings,
        ui,
        (&store, &empty, &[]),
        store.journal.head()?,
        change,
        |state: &State| state.freezes.clone(),
        |state, _| {
            let commit = match &fix {
                Some(version) => {
                    let release = Named {
                        image: None,
                        version: version.clone(),
                    };
                    Some(freeze::find(state, &store, &release)?.1.commit.clone())
                }
                None => None,
            };
            freeze::unfreeze(state, &store.root, &of_root(&store, &wanted), commit.as_ref())
        },
    )
}

/// `shop@1.0.0` of the root is the release 1.0.0.
fn of_root(store: &Store, named: &Named) -> Named {
    let image = named.image.clone().filter(|image| *image != store.root);
    Named {
        image,
        version: named.version.clone(),
    }
}

/// Who freezes or takes back.
pub fn author(settings: &Settings, change: &Change) -> Author {
    Author {
        actor: settings.actor.value.clone(),
        at: settings.now,
        reason: change.reason.clone(),
    }
}
