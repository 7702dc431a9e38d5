//! `done`: what a verb changed.

use crate::engine::Committed;
use crate::model::{Digest, ImageName, RingName, Version};
use crate::state::{Entry, Moved, Verb};
use serde::Serialize;
use std::collections::BTreeMap;

/// The shape.
#[derive(Debug, Serialize)]
pub struct DoneShape<'a> {
    entry: Option<DoneEntry<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct DoneEntry<'a> {
    seq: u64,
    digest: Option<Digest>,
    verb: Verb,
    rings: &'a BTreeMap<RingName, Moved>,
    versions: &'a BTreeMap<ImageName, Version>,
}

impl<'a> DoneShape<'a> {
    /// An entry that was appended; `None`: nothing to do.
    pub fn committed(committed: Option<&'a Committed>) -> Self {
        Self {
            entry: committed.map(|c| of_entry(&c.entry, Some(c.digest))),
            dry_run: false,
            notes: &[],
        }
    }

    /// The same with what else is to be said.
    #[must_use]
    pub fn with(self, notes: &'a [String]) -> Self {
        Self { notes, ..self }
    }

    /// An entry that would be appended.
    pub fn proposed(entry: Option<&'a Entry>) -> Self {
        Self {
            entry: entry.map(|entry| of_entry(entry, None)),
            dry_run: true,
            notes: &[],
        }
    }
}

fn of_entry(entry: &Entry, digest: Option<Digest>) -> DoneEntry<'_> {
    DoneEntry {
        seq: entry.seq,
        digest,
        verb: entry.verb,
        rings: &entry.moved,
        versions: &entry.versions,
    }
}
