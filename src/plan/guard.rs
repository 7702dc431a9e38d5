//! The two guards: nothing frozen is released (M6), no fix is lost (M7).

use super::commits::{Commits, CommitsError};
use super::known::Records;
use super::refusal::{Loss, Refusal};
use super::transition::Overrides;
use crate::model::{CommitId, ImageName, Revision, RingName, Version};
use crate::state::{ContentKey, Freeze, Override, ReleaseRecord, ReleaseRef, State};
use std::collections::BTreeMap;

/// The first freeze that keeps a release with this content out of `ring`, whatever its commits (M6).
pub fn frozen_content<'a>(
    state: &'a State,
    ring: &RingName,
    root: &ImageName,
    incoming: &BTreeMap<ImageName, (Version, ContentKey)>,
    held: Option<&ReleaseRecord>,
) -> Option<&'a Freeze> {
    let mut covering = state
        .freezes
        .iter()
        .filter(|freeze| freeze.covers(ring, &state.chain));
    covering.find(|freeze| is_frozen_by(freeze, root, incoming, held))
}

/// Whether a freeze is of this content: a release by the content of its root, an image by its
/// version, where the ring does not hold that already.
fn is_frozen_by(
    freeze: &Freeze,
    root: &ImageName,
    incoming: &BTreeMap<ImageName, (Version, ContentKey)>,
    held: Option<&ReleaseRecord>,
) -> bool {
    let Some((version, key)) = incoming.get(&freeze.image) else {
        return false;
    };
    if freeze.image == *root {
        return *key == freeze.key;
    }
    let there = held.and_then(|record| record.images.get(&freeze.image));
    *version == freeze.version && there.is_none_or(|there| there.version != *version)
}

/// Versions and content keys of a release, as [`frozen_content`] wants them.
pub fn contents(record: &ReleaseRecord) -> BTreeMap<ImageName, (Version, ContentKey)> {
    record
        .images
        .iter()
        .map(|(name, image)| (name.clone(), (image.version.clone(), image.key())))
        .collect()
}

/// Refuses a shift of frozen content, or of a release that contains a withdrawn one's commit (M6).
///
/// # Errors
/// [`Refusal::Frozen`]; [`Refusal::NeedsCommits`] when neither records nor clone can tell.
pub fn not_frozen(
    state: &State,
    ring: &RingName,
    release: &ReleaseRef,
    record: &ReleaseRecord,
    held: Option<&ReleaseRecord>,
    records: &dyn Records,
    commits: &dyn Commits,
) -> Result<(), Refusal> {
    let frozen = |freeze: &Freeze| Refusal::Frozen {
        ring: ring.to_string(),
        what: release.version.to_string(),
        named: freeze.named(&record.root.image),
        freeze: Box::new(freeze.clone()),
    };
    let incoming = contents(record);
    for freeze in state
        .freezes
        .iter()
        .filter(|freeze| freeze.covers(ring, &state.chain))
    {
        let question = || format!("{} contains the fault of {}", release.version, freeze.version);
        let contains = |commit: &CommitId| {
            let answer = if record.commit == *commit {
                Ok(true)
            } else {
                commits.contains(&record.commit, commit)
            };
            answer.map_err(|source| Refusal::NeedsCommits {
                question: question(),
                source,
            })
        };
        let same = is_frozen_by(freeze, &record.root.image, &incoming, held);
        let carries = match &freeze.commit {
            Some(commit) if !same => match recorded(freeze, commit, release, record, records)? {
                Some(answer) => answer,
                None => contains(commit)?,
            },
            _ => same,
        };
        let mut fixed = false;
        for fix in &freeze.fixed_in {
            fixed = fixed || (carries && contains(fix)?);
        }
        if carries && !fixed {
            return Err(frozen(freeze));
        }
    }
    Ok(())
}

/// Whether a release contains the commit of a withdrawn one, as far as the two records tell: it
/// does when it lists the withdrawn one; it does not when the withdrawn one lists it.
fn recorded(
    freeze: &Freeze,
    commit: &CommitId,
    release: &ReleaseRef,
    record: &ReleaseRecord,
    records: &dyn Records,
) -> Result<Option<bool>, Refusal> {
    let Some(withdrawn) = &freeze.record else {
        return Ok(None);
    };
    if record.commit == *commit || record.contains.contains(withdrawn) {
        return Ok(Some(true));
    }
    let inside = records.record(withdrawn)?.contains.contains(&release.record);
    Ok(inside.then_some(false))
}

/// One image as it would arrive in a ring.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its version, where it has one already.
    pub version: Option<Version>,
    /// Its revision; `None` when the incoming release lacks the image.
    pub revision: Option<Revision>,
    /// The commit that holds its sources.
    pub commit: Option<CommitId>,
}

/// What M7 needs to know of the two sides.
pub struct Replacement<'a> {
    /// The ring, in words.
    pub ring: &'a str,
    /// The version of the root that the ring holds.
    pub held: &'a Version,
    /// What comes, in words.
    pub incoming: &'a str,
    /// HEAD counts too, where it has the same sources (shifts only).
    pub head: Option<CommitId>,
}

/// Refuses what would lose a fix (M7), image by image, unless it is overridden. Returns what is to
/// be recorded: the override, or HEAD where it decided.
///
/// # Errors
/// [`Refusal::LostFixes`]; [`Refusal::NeedsCommits`] when the clone cannot tell.
pub fn no_lost_fixes(
    replacement: &Replacement<'_>,
    held: &BTreeMap<ImageName, &crate::state::ImageRecord>,
    incoming: &BTreeMap<ImageName, Incoming>,
    overrides: &Overrides,
    commits: &dyn Commits,
) -> Result<Vec<Override>, Refusal> {
    let mut losses = Vec::new();
    let mut head_used = None;
    let forgiven = overrides.for_loss_of(replacement.held);
    for (name, there) in held {
        let Some(here) = incoming.get(name) else { continue };
        if here.version.as_ref() == Some(&there.version) || here.revision == Some(there.revision) {
            continue;
        }
        let Some(theirs) = &there.commit else { continue };
        if forgiven.is_some() {
            continue;
        }
        let lost = match lost_from(name, theirs, here, replacement.head.as_ref(), commits) {
            Ok(Verdict::Kept) => continue,
            Ok(Verdict::KeptByHead(head)) => {
                head_used = Some(head);
                continue;
            }
            Ok(Verdict::Lost(commits)) => commits,
            Err(source) => {
                let question = format!("{} keeps the fixes that {name} has", replacement.incoming);
                return Err(Refusal::NeedsCommits { question, source });
            }
        };
        losses.push(Loss {
            image: name.clone(),
            version: there.version.clone(),
            commits: lost,
        });
    }
    if !losses.is_empty() {
        return Err(Refusal::LostFixes {
            ring: replacement.ring.into(),
            held: replacement.held.clone(),
            incoming: replacement.incoming.into(),
            losses,
        });
    }
    Ok(forgiven
        .into_iter()
        .chain(head_used.map(|commit| Override::Head { commit }))
        .collect())
}

enum Verdict {
    Kept,
    KeptByHead(CommitId),
    Lost(Vec<super::LostCommit>),
}

fn lost_from(
    name: &ImageName,
    theirs: &CommitId,
    here: &Incoming,
    head: Option<&CommitId>,
    commits: &dyn Commits,
) -> Result<Verdict, CommitsError> {
    let mut lost = Vec::new();
    if let Some(ours) = &here.commit {
        if ours == theirs || commits.contains(ours, theirs)? {
            return Ok(Verdict::Kept);
        }
        lost = commits.lost(name, theirs, ours)?;
        if lost.is_empty() {
            return Ok(Verdict::Kept);
        }
    }
    if let (Some(head), Some(revision)) = (head, here.revision) {
        let same_there = commits.revision_at(name, head)? == Some(revision);
        if same_there && (commits.contains(head, theirs)? || commits.lost(name, theirs, head)?.is_empty()) {
            return Ok(Verdict::KeptByHead(head.clone()));
        }
    }
    Ok(Verdict::Lost(lost))
}
