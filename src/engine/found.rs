//! The first entry of a journal (state store 2).

use super::append::{self, Author, Committed};
use super::failure::Failure;
use super::store::Store;
use crate::model::Version;
use crate::plan::Transition;
use crate::state::journal::JournalError;
use crate::state::{State, Verb};

/// Makes the journal: empty rings. `None`: it is there and left as it is.
///
/// # Errors
/// [`Failure`] when the store cannot be read or written, or has releases whose journal is gone.
pub fn found(store: &Store, empty: &State, author: &Author) -> Result<Option<Committed>, Failure> {
    if store.journal.head()?.is_some() {
        return Ok(None);
    }
    refuse_orphans(store)?;
    let nothing = State::default();
    let done = append::append(
        store,
        None,
        |state| state.chain.is_empty(),
        |head| {
            let transition = Transition::new(Verb::Init, empty.clone());
            Ok(append::propose(head, &nothing, transition, author))
        },
        &nothing,
    );
    match done {
        // Somebody else made it at the same time.
        Err(Failure::Conflict) => Ok(None),
        done => Ok(done?.map(|(committed, _)| committed)),
    }
}

/// Images without a journal are a journal that was lost: numbers would be given twice.
///
/// # Errors
/// [`JournalError::Broken`] when there are any.
pub fn refuse_orphans(store: &Store) -> Result<(), Failure> {
    let repository = store.repository(&store.root);
    let tags = store.registry.tags(&repository)?;
    match tags.iter().any(|tag| tag.parse::<Version>().is_ok()) {
        true => Err(JournalError::Broken(format!(
            "{repository} has releases, and the journal beside it is gone"
        ))
        .into()),
        false => Ok(()),
    }
}
