//! A new journal from what stands in the registry without it: ring tags and labels (S5, state store 2).
//!
//! History, withdrawn lists, ante, freezes, reservations and the numbers of versions that were collected are lost. Numbers
//! are guarded by the tags that exist.

use super::append::{self, Author, Proposal};
use super::failure::Failure;
use super::store::Store;
use crate::model::{CommitId, Digest, ImageName, Revision, Version, labels};
use crate::plan::Transition;
use crate::registry::RegistryError;
use crate::state::entry::FORMAT;
use crate::state::journal::JournalError;
use crate::state::{ImageRecord, ReleaseRecord, ReleaseRef, RootRecord, State, Verb};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a rebuilt journal would hold.
pub struct Rebuilt {
    /// The first entry.
    pub proposal: Proposal,
    /// The release records that it names.
    records: Vec<ReleaseRecord>,
}

/// What of rings.yaml is needed.
pub struct Outline {
    /// The chain and the sites.
    pub empty: State,
    /// Every image.
    pub images: BTreeSet<ImageName>,
    /// The images that the root's container file names.
    pub explicit: Vec<ImageName>,
}

/// Reads the ring tags and labels; nothing is written.
///
/// # Errors
/// [`Failure::Request`] where there is a journal; [`JournalError::Broken`] where a release is not whole.
pub fn read(store: &Store, outline: &Outline, author: &Author) -> Result<Rebuilt, Failure> {
    if let Some(head) = store.journal.head()? {
        return Err(Failure::request(
            format!(
                "{} has a journal, with {} entries",
                store.location, head.entry.seq
            ),
            "`ringshift state verify` says whether it is whole; a journal that is lost is rebuilt only where no other is",
        ));
    }
    let (mut state, mut records) = (outline.empty.clone(), Vec::new());
    let mut images = outline.images.clone();
    let mut take = |tag: &str| -> Result<Option<ReleaseRef>, Failure> {
        let Some(record) = release(store, outline, tag)? else {
            return Ok(None);
        };
        let root = record
            .root()
            .ok_or_else(|| Failure::Bug("a release without its root".into()))?;
        images.extend(record.images.keys().cloned());
        let release = ReleaseRef {
            version: root.version.clone(),
            digest: root.digest,
            record: digest_of(&record)?,
        };
        records.push(record);
        Ok(Some(release))
    };
    for ring in &outline.empty.chain {
        let release = take(ring.as_str())?;
        state.rings.entry(ring.clone()).or_default().release = release;
    }
    if let (Some(post), Some(last)) = (take("post")?, outline.empty.chain.last()) {
        state.rings.entry(last.clone()).or_default().history.push(post);
    }
    for image in images {
        for tag in store.registry.tags(&store.repository(&image))? {
            if let Ok(version) = tag.parse::<Version>() {
                state.numbers.entry(image.clone()).or_default().mark(&version);
            }
        }
    }
    let mut transition = Transition::new(Verb::Init, state);
    transition.notes.push(
        "lost are: history, withdrawn releases, ante, freezes, reservations, the environments of releases, and numbers whose tags are gone"
            .into(),
    );
    let proposal = append::propose(None, &State::default(), transition, author);
    let proposal =
        proposal.ok_or_else(|| Failure::request("there is nothing to rebuild", "ringshift init"))?;
    Ok(Rebuilt { proposal, records })
}

/// Writes what was read.
///
/// # Errors
/// [`Failure::Conflict`] when somebody else wrote a first entry meanwhile.
pub fn write(store: &Store, rebuilt: &Rebuilt) -> Result<append::Committed, Failure> {
    use crate::state::journal::Appended;
    for record in &rebuilt.records {
        store.journal.put_record(record)?;
    }
    let entry = &rebuilt.proposal.entry;
    match store.journal.append(None, entry)? {
        Appended::Committed(digest) => Ok(append::Committed {
            seq: entry.seq,
            digest,
            entry: entry.clone(),
        }),
        Appended::Conflict => Err(Failure::Conflict),
    }
}

/// The digest under which a record will be stored.
fn digest_of(record: &ReleaseRecord) -> Result<Digest, Failure> {
    let bytes = serde_json::to_vec(record).map_err(|error| Failure::Bug(error.to_string()))?;
    Ok(Digest::of(&bytes))
}

/// The release that a tag of the root points at.
fn release(store: &Store, outline: &Outline, tag: &str) -> Result<Option<ReleaseRecord>, Failure> {
    let repository = store.repository(&store.root);
    let Some((found, bytes)) = store.registry.fetch(&repository, tag)? else {
        return Ok(None);
    };
    let (root, commit) = image(&store.root, found.digest, &bytes)?;
    let commit = commit.ok_or_else(|| damaged(&store.root, labels::COMMIT))?;
    let mut images = BTreeMap::new();
    for (name, version) in &root.dependencies {
        let repository = store.repository(name);
        let found = store.registry.fetch(&repository, &version.to_string())?;
        let (found, bytes) =
            found.ok_or_else(|| RegistryError::Missing(format!("{repository}:{version}")))?;
        images.insert(name.clone(), image(name, found.digest, &bytes)?.0);
    }
    images.insert(store.root.clone(), root);
    Ok(Some(ReleaseRecord {
        format: FORMAT,
        root: RootRecord {
            image: store.root.clone(),
            layers: Some(commit.clone()),
            explicit: outline.explicit.clone(),
            own: None,
            sources: None,
        },
        commit,
        images,
        contains: Vec::new(),
        // No label tells them: the next build packs them anew.
        environments: None,
        extra: BTreeMap::new(),
    }))
}

fn damaged(image: &ImageName, label: &str) -> Failure {
    JournalError::Broken(format!("{image} has no label {label} that can be read")).into()
}

/// An image by the annotations of its manifest (S4), and its commit, which a dirty one has not in the records.
fn image(
    name: &ImageName,
    digest: Digest,
    manifest: &[u8],
) -> Result<(ImageRecord, Option<CommitId>), Failure> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let label = |key: &str| manifest["annotations"][key].as_str();
    let version: Option<Version> = label(labels::VERSION).and_then(|text| text.parse().ok());
    let revision: Option<Revision> = label(labels::REVISION).and_then(|text| text.parse().ok());
    let commit: Option<CommitId> = label(labels::COMMIT).and_then(|text| text.parse().ok());
    let mut dependencies = BTreeMap::new();
    for (key, value) in manifest["annotations"].as_object().into_iter().flatten() {
        if let Some(of) = key.strip_prefix(labels::DEPENDENCY) {
            let of = ImageName::new(of).map_err(|_| damaged(name, key))?;
            let version = value.as_str().and_then(|text| text.parse().ok());
            dependencies.insert(of, version.ok_or_else(|| damaged(name, key))?);
        }
    }
    let dirty = label(labels::DIRTY).is_some();
    let record = ImageRecord {
        version: version.ok_or_else(|| damaged(name, labels::VERSION))?,
        digest,
        revision: revision.ok_or_else(|| damaged(name, labels::REVISION))?,
        dependencies,
        commit: commit.clone().filter(|_| !dirty),
        replaces: label(labels::REPLACES).and_then(|text| text.parse().ok()),
        dirty,
    };
    Ok((record, commit))
}
