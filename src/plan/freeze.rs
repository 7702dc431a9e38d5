//! Freezing and unfreezing without moving (M6).

use super::known::{self, Records};
use super::refusal::Refusal;
use super::transition::Transition;
use super::unshift::Author;
use crate::model::{CommitId, ImageName, Version};
use crate::state::{Freeze, FreezeScope, ReleaseRecord, State, Verb};
use std::sync::Arc;

/// A version of the root, or of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The image; `None`: the root.
    pub image: Option<ImageName>,
    /// The version.
    pub version: Version,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.image {
            Some(image) => write!(f, "{image}@{}", self.version),
            None => self.version.fmt(f),
        }
    }
}

/// Adds what an unshift freezes: another unshift's freeze of the same version is widened, and a
/// freeze of content alone stays beside it, since it holds for other rings.
pub(super) fn add(state: &mut State, freeze: Freeze) {
    let chain = &state.chain;
    let place = |scope: &FreezeScope| match scope {
        FreezeScope::All => None,
        FreezeScope::From(ring) => Some(chain.iter().position(|r| r == ring)),
    };
    let same = |there: &&mut Freeze| {
        there.image == freeze.image && there.version == freeze.version && there.commit.is_some()
    };
    let Some(there) = state.freezes.iter_mut().find(same) else {
        state.freezes.push(freeze);
        return;
    };
    if place(&freeze.scope) < place(&there.scope) {
        there.scope = freeze.scope;
    }
    (there.commit, there.record) = (freeze.commit, freeze.record);
    there.fixed_in.clear();
}

/// `freeze VERSION`: freezes content for every ring, or widens what an unshift froze. `None`: it
/// is frozen for every ring already.
///
/// # Errors
/// [`Refusal::Request`] when no release that is known has the version.
pub fn freeze(
    state: &State,
    records: &dyn Records,
    named: &Named,
    author: &Author,
) -> Result<Option<Transition>, Refusal> {
    let (image, record) = find(state, records, named)?;
    let key = record.images[&image].key();
    let is_it = |there: &Freeze| there.image == image && there.version == named.version;
    let everywhere = |there: &Freeze| there.scope == FreezeScope::All && there.fixed_in.is_empty();
    if state
        .freezes
        .iter()
        .any(|there| is_it(there) && everywhere(there))
    {
        return Ok(None);
    }
    let mut transition = Transition::new(Verb::Freeze, state.clone());
    transition.versions.insert(image.clone(), named.version.clone());
    if let Some(there) = transition.state.freezes.iter_mut().find(|there| is_it(there)) {
        there.scope = FreezeScope::All;
        there.fixed_in.clear();
        there.reason.clone_from(&author.reason);
        return Ok(Some(transition));
    }
    transition.state.freezes.push(Freeze {
        image,
        version: named.version.clone(),
        key,
        commit: None,
        record: None,
        scope: FreezeScope::All,
        reason: author.reason.clone(),
        fixed_in: Vec::new(),
        actor: author.actor.clone(),
        at: author.at,
    });
    Ok(Some(transition))
}

/// `unfreeze VERSION`: lifts a freeze, or with `fixed_in` lets through what contains that commit.
/// `None`: it is not frozen, or lets that through already.
///
/// # Errors
/// [`Refusal::Request`] when content alone is frozen and a fix is named: content does not change.
pub fn unfreeze(
    state: &State,
    root: &ImageName,
    named: &Named,
    fixed_in: Option<&CommitId>,
) -> Result<Option<Transition>, Refusal> {
    let image = named.image.as_ref().unwrap_or(root);
    let hits = |freeze: &Freeze| freeze.image == *image && freeze.version == named.version;
    if !state.freezes.iter().any(hits) {
        return Ok(None);
    }
    let mut transition = Transition::new(Verb::Unfreeze, state.clone());
    transition.versions.insert(image.clone(), named.version.clone());
    let Some(commit) = fixed_in else {
        transition.state.freezes.retain(|freeze| !hits(freeze));
        return Ok(Some(transition));
    };
    let mut freezes = transition.state.freezes.iter_mut();
    let Some(freeze) = freezes.find(|freeze| hits(freeze) && freeze.commit.is_some()) else {
        return Err(Refusal::request(
            format!("{named} is frozen by its content, which no fix changes"),
            format!("ringshift unfreeze {named} lifts it"),
        ));
    };
    if freeze.fixed_in.contains(commit) {
        return Ok(None);
    }
    freeze.fixed_in.push(commit.clone());
    Ok(Some(transition))
}

/// A known release that has the version, and the image that is meant.
///
/// # Errors
/// [`Refusal::Request`] when there is none.
pub fn find(
    state: &State,
    records: &dyn Records,
    named: &Named,
) -> Result<(ImageName, Arc<ReleaseRecord>), Refusal> {
    for release in known::releases(state) {
        let record = records.record(&release.record)?;
        let image = named.image.clone().unwrap_or_else(|| record.root.image.clone());
        if record
            .images
            .get(&image)
            .is_some_and(|found| found.version == named.version)
        {
            return Ok((image, record));
        }
    }
    if let Some(image) = named
        .image
        .as_ref()
        .filter(|image| !state.numbers.contains_key(*image))
    {
        return Err(Refusal::no_such_image(image, state.numbers.keys()));
    }
    Err(Refusal::request(
        format!("no release that is known has {named}"),
        "ringshift log lists the releases; an image's version is written api@1.4.0",
    ))
}
