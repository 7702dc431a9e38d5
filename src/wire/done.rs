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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<PassedOver>,
}

/// A ring that a train passed over, and why (M2).
#[derive(Debug, Serialize)]
pub struct PassedOver {
    /// Which.
    pub ring: RingName,
    /// One sentence.
    pub message: String,
    /// Why, in detail.
    pub causes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
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
            refused: Vec::new(),
        }
    }

    /// The same with notes, and what a train passed over.
    #[must_use]
    pub fn with(self, notes: &'a [String], refused: Vec<PassedOver>) -> Self {
        Self {
            notes,
            refused,
            ..self
        }
    }

    /// An entry that would be appended.
    pub fn proposed(entry: Option<&'a Entry>) -> Self {
        Self {
            entry: entry.map(|entry| of_entry(entry, None)),
            dry_run: true,
            notes: &[],
            refused: Vec::new(),
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
