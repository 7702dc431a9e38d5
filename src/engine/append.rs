//! Appending to the journal: decide on the head, append, and when another was faster, decide again
//! as long as the basis still holds (M10).

use super::failure::Failure;
use super::store::Store;
use crate::model::{Digest, RingName};
use crate::plan::{Refusal, Transition};
use crate::state::entry::FORMAT;
use crate::state::journal::{Appended, Stored};
use crate::state::{Entry, Moved, State, Timestamp, Verb};
use std::collections::BTreeMap;

/// Who changes something, when and why.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// 32 random hex digits that name this command.
    pub operation: String,
}

/// An entry that was appended.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Its number.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
    /// The entry.
    pub entry: Entry,
}

/// Where an appended entry would come from; also what `--dry-run` shows.
#[derive(Debug)]
pub struct Proposal {
    /// The entry before.
    pub head: Option<Stored>,
    /// The entry.
    pub entry: Entry,
    /// What to say besides.
    pub notes: Vec<String>,
    /// What a train passed over.
    pub refused: Vec<(RingName, Refusal)>,
}

/// How often an append is tried again before it is reported as a conflict. Each time somebody else's entry was written.
const TRIES: usize = 100;

/// The entry that `transition` becomes after `head`. `None` when it changes nothing.
pub fn propose(
    head: Option<Stored>,
    before: &State,
    transition: Transition,
    author: &Author,
) -> Option<Proposal> {
    if transition.state == *before && transition.refused.is_empty() {
        return None;
    }
    let moved: BTreeMap<RingName, Moved> = transition.moved(before);
    let entry = Entry {
        format: FORMAT,
        lineage: head
            .as_ref()
            .map_or_else(|| author.operation.clone(), |h| h.entry.lineage.clone()),
        seq: head.as_ref().map_or(1, |h| h.entry.seq + 1),
        parent: head.as_ref().map(|h| h.digest),
        operation: author.operation.clone(),
        actor: author.actor.clone(),
        time: author.at,
        verb: transition.verb,
        reason: author.reason.clone(),
        overrides: transition.overrides,
        moved,
        versions: transition.versions,
        state: transition.state,
    };
    Some(Proposal {
        head,
        entry,
        notes: transition.notes,
        refused: transition.refused,
    })
}

/// Appends what `decide` makes of the head. `basis` is what must not have moved between the first
/// decision and the one that is written. `None`: nothing to do.
///
/// # Errors
/// [`Failure::Conflict`] when the basis moved; else what `decide` or the journal says.
pub fn append<B: PartialEq>(
    store: &Store,
    first: Option<Stored>,
    basis: impl Fn(&State) -> B,
    mut decide: impl FnMut(Option<Stored>) -> Result<Option<Proposal>, Failure>,
    empty: &State,
) -> Result<Option<(Committed, Proposal)>, Failure> {
    let state_of = |head: &Option<Stored>| head.as_ref().map_or(empty.clone(), |h| h.entry.state.clone());
    let rests_on = basis(&state_of(&first));
    let mut head = first;
    for _ in 0..TRIES {
        if basis(&state_of(&head)) != rests_on {
            // What was wished may be done: by somebody else, or by a run of this command that died, and whose entry was
            // helped through. Nothing is written on another basis.
            return match decide(head) {
                Ok(None) => Ok(None),
                _ => Err(Failure::Conflict),
            };
        }
        let Some(proposal) = decide(head)? else {
            return Ok(None);
        };
        if proposal
            .head
            .as_ref()
            .is_some_and(|h| h.entry.state == proposal.entry.state)
        {
            return Ok(Some((unchanged(&proposal), proposal)));
        }
        match store.journal.append(proposal.head.as_ref(), &proposal.entry)? {
            Appended::Committed(digest) => {
                let committed = Committed {
                    seq: proposal.entry.seq,
                    digest,
                    entry: proposal.entry.clone(),
                };
                return Ok(Some((committed, proposal)));
            }
            Appended::Conflict => head = store.journal.head()?,
        }
    }
    Err(Failure::Conflict)
}

/// A train of which every step was refused writes nothing; its head stands for the entry.
fn unchanged(proposal: &Proposal) -> Committed {
    let head = proposal.head.as_ref();
    Committed {
        seq: head.map_or(0, |h| h.entry.seq),
        digest: head.map_or(Digest::EMPTY, |h| h.digest),
        entry: head.map_or_else(|| proposal.entry.clone(), |h| h.entry.clone()),
    }
}

/// Whether a verb is hidden from `log` unless it is asked for.
pub fn is_hidden(verb: Verb) -> bool {
    matches!(verb, Verb::Reserve | Verb::Init)
}
