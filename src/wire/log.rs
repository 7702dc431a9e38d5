//! `log`: the records, the newest first.

use crate::model::RingName;
use crate::state::{Entry, Moved, Override, Timestamp, Verb};
use serde::Serialize;
use std::collections::BTreeMap;

/// The shape.
#[derive(Debug, Serialize)]
pub struct LogShape<'a> {
    entries: Vec<EntryShape<'a>>,
}

#[derive(Debug, Serialize)]
struct EntryShape<'a> {
    seq: u64,
    at: Timestamp,
    actor: &'a str,
    verb: Verb,
    reason: Option<&'a str>,
    rings: &'a BTreeMap<RingName, Moved>,
    overrides: &'a [Override],
}

impl<'a> LogShape<'a> {
    /// The shape of entries, the newest first.
    pub fn new(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let shape = |entry: &'a Entry| EntryShape {
            seq: entry.seq,
            at: entry.time,
            actor: &entry.actor,
            verb: entry.verb,
            reason: entry.reason.as_deref(),
            rings: &entry.moved,
            overrides: &entry.overrides,
        };
        Self {
            entries: entries.map(shape).collect(),
        }
    }
}
