//! The board: per ring what it holds, what waits before it, what is frozen.

use super::commits::Clone;
use super::failure::Failure;
use super::store::Store;
use crate::model::{Digest, ImageName, ProjectName, RingName, Version};
use crate::plan::{Refusal, guard};
use crate::state::journal::Stored;
use crate::state::{Freeze, ReleaseRecord, ReleaseRef, State, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole board.
#[derive(Debug)]
pub struct Board {
    /// The project.
    pub project: ProjectName,
    /// The root image.
    pub root: ImageName,
    /// The last entry's number and digest.
    pub head: Option<(u64, Digest)>,
    /// The configured rings, from the front outwards.
    pub rings: Vec<RingBoard>,
    /// The record of what post holds.
    pub post: Option<(ReleaseRef, Arc<ReleaseRecord>)>,
    /// The state it shows.
    pub state: State,
    /// When each ring, ante (`ante`) and post (`post`) got what it holds; see [`Board::look_back`].
    pub since: BTreeMap<String, Timestamp>,
}

/// One ring of it.
#[derive(Debug)]
pub struct RingBoard {
    /// Its name.
    pub name: RingName,
    /// What it holds.
    pub held: Option<(ReleaseRef, Arc<ReleaseRecord>)>,
    /// What is frozen for it.
    pub frozen: Vec<Freeze>,
    /// The version that the ring before it holds, when it is another one.
    pub waiting: Option<Version>,
    /// Why what waits would be refused, as far as the records tell: `frozen`, `dirty`.
    pub refused: Option<&'static str>,
}

impl Board {
    /// Reads the board. Without a journal all rings are empty.
    ///
    /// # Errors
    /// [`Failure`] when the journal cannot be read.
    pub fn read(store: &Store, head: Option<&Stored>, empty: &State) -> Result<Self, Failure> {
        let state = head.map_or(empty, |head| &head.entry.state).clone();
        let held = |release: Option<&ReleaseRef>| -> Result<_, Failure> {
            Ok(match release {
                Some(release) => Some((release.clone(), store.journal.record(&release.record)?)),
                None => None,
            })
        };
        let mut rings = Vec::new();
        let mut before: Option<&ReleaseRef> = None;
        for name in &state.chain {
            let release = state.release(name);
            let waits = before.filter(|b| release.is_none_or(|r| r.digest != b.digest));
            let held = held(release)?;
            let refused = match waits {
                Some(waits) => refused(store, &state, name, waits, held.as_ref().map(|(_, r)| r.as_ref()))?,
                None => None,
            };
            rings.push(RingBoard {
                name: name.clone(),
                held,
                frozen: state
                    .freezes
                    .iter()
                    .filter(|f| f.covers(name, &state.chain))
                    .cloned()
                    .collect(),
                waiting: waits.map(|b| b.version.clone()),
                refused,
            });
            before = release;
        }
        let post = held(state.post())?;
        Ok(Self {
            project: store.project.clone(),
            root: store.root.clone(),
            head: head.map(|h| (h.entry.seq, h.digest)),
            rings,
            post,
            since: BTreeMap::new(),
            state,
        })
    }

    /// Finds out since when each place holds what it holds, from earlier entries.
    ///
    /// # Errors
    /// [`Failure`] when the journal cannot be read.
    pub fn look_back(&mut self, store: &Store, head: Option<&Stored>) -> Result<(), Failure> {
        self.since = since(store, head)?;
        Ok(())
    }
}

fn refused(
    store: &Store,
    state: &State,
    ring: &RingName,
    waits: &ReleaseRef,
    held: Option<&ReleaseRecord>,
) -> Result<Option<&'static str>, Failure> {
    let record = store.journal.record(&waits.record)?;
    let contents = guard::contents(&record);
    if guard::frozen_content(state, ring, &record.root.image, &contents, held).is_some() {
        return Ok(Some("frozen"));
    }
    // A board is read without a clone: what only commits can tell is left open.
    let nobody = Clone::new(
        None,
        Box::new(|_| Err(Failure::Bug("no commit is asked for".into()))),
    );
    match guard::not_frozen(state, ring, waits, &record, held, store, &nobody) {
        Ok(()) | Err(Refusal::NeedsCommits { .. }) => Ok(record.is_dirty().then_some("dirty")),
        Err(Refusal::Frozen { .. }) => Ok(Some("frozen")),
        Err(other) => Err(other.into()),
    }
}

/// How many entries are read back to find out since when a ring holds something.
const LOOK_BACK: u64 = 200;

/// Walks back until every ring's last change is found.
fn since(store: &Store, head: Option<&Stored>) -> Result<BTreeMap<String, Timestamp>, Failure> {
    let mut since = BTreeMap::new();
    let Some(head) = head else { return Ok(since) };
    let now = facts(&head.entry.state);
    let mut newer: Stored = head.clone();
    let mut open: Vec<String> = now
        .iter()
        .filter(|(_, v)| v.is_some())
        .map(|(k, _)| k.clone())
        .collect();
    while !open.is_empty() {
        let older = match newer.entry.seq {
            seq if seq > 1 && head.entry.seq - seq < LOOK_BACK => store.journal.parent(&newer)?,
            _ => None,
        };
        let before = older
            .as_ref()
            .map(|stored| facts(&stored.entry.state))
            .unwrap_or_default();
        let changed = |name: &String| before.get(name).cloned().flatten() != now[name];
        for name in open.extract_if(.., |name| changed(name)) {
            since.insert(name, newer.entry.time);
        }
        match older {
            Some(older) => newer = older,
            None => break,
        }
    }
    Ok(since)
}

/// What each place holds, as text that differs when it does.
fn facts(state: &State) -> BTreeMap<String, Option<String>> {
    let digest = |release: Option<&ReleaseRef>| release.map(|r| r.digest.to_string());
    let mut facts: BTreeMap<String, Option<String>> = state
        .chain
        .iter()
        .map(|ring| (ring.to_string(), digest(state.release(ring))))
        .collect();
    facts.insert("post".into(), digest(state.post()));
    let ante: Vec<String> = state
        .ante
        .iter()
        .map(|(n, p)| format!("{n} {}", p.version))
        .collect();
    facts.insert("ante".into(), (!ante.is_empty()).then(|| ante.join(" ")));
    facts
}
