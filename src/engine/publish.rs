//! Copying releases to the registries that `publish:` names: by digest, images before their root, so that a root that is
//! there stands on images that are. What is there is not sent again, and what broke off goes on from there.

use super::execute::index;
use super::failure::Failure;
use super::lock::all;
use super::store::Store;
use crate::model::{Digest, ImageName, RingName, Version};
use crate::registry::{Created, Descriptor, MANIFEST, Registry, RegistryError, Repository};
use crate::state::{ReleaseRef, State};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A place that a ring's release is copied to.
#[derive(Clone)]
pub struct Target {
    /// The ring.
    pub ring: RingName,
    /// The registry, as rings.yaml names it.
    pub name: String,
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// What stands before the project in its repositories: `acme` of `ghcr.io/acme`; empty for none.
    pub prefix: String,
}

/// One copy that is to be made.
#[derive(Clone)]
pub struct Copy<'a> {
    /// Where to.
    pub target: &'a Target,
    /// Which release.
    pub release: ReleaseRef,
}

/// A copy that broke off.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unpublished {
    /// The ring.
    pub ring: RingName,
    /// Its release.
    pub version: Version,
    /// Where it should have gone.
    pub target: String,
    /// The images that are there.
    pub done: usize,
    /// All its images.
    pub all: usize,
    /// Why.
    #[source]
    pub error: RegistryError,
}

impl Target {
    fn repository(&self, store: &Store, image: &ImageName) -> Repository {
        let own = store.repository(image);
        match self.prefix.is_empty() {
            true => own,
            false => Repository::single(&format!("{}/{own}", self.prefix)),
        }
    }
}

/// The copies that a state asks for and that are not made, as far as their roots tell.
///
/// # Errors
/// [`Unpublished`] when a registry cannot be asked.
pub fn missing<'a>(
    store: &Store,
    state: &State,
    targets: &'a [Target],
) -> Result<Vec<Copy<'a>>, Box<Unpublished>> {
    let mut copies = Vec::new();
    for target in targets {
        let Some(release) = state.release(&target.ring) else {
            continue;
        };
        let to = target.repository(store, &store.root);
        let there = target.registry.resolve(&to, &release.version.to_string());
        let there = there.map_err(|error| {
            Box::new(Unpublished {
                ring: target.ring.clone(),
                version: release.version.clone(),
                target: target.name.clone(),
                done: 0,
                all: 0,
                error,
            })
        })?;
        if there.is_none_or(|there| there.digest != release.digest) {
            copies.push(Copy {
                target,
                release: release.clone(),
            });
        }
    }
    Ok(copies)
}

/// Makes a copy: the number of its images.
///
/// # Errors
/// [`Failure::Unpublished`], with how far it came; [`Failure::Journal`] when the release's record cannot be read.
pub fn publish(store: &Store, copy: &Copy<'_>) -> Result<usize, Failure> {
    let record = store.journal.record(&copy.release.record)?;
    let root = &record.root.image;
    let images: Vec<(ImageName, Version, Digest)> = record
        .images
        .iter()
        .map(|(name, image)| (name.clone(), image.version.clone(), image.digest))
        .collect();
    let sent = Sent::default();
    let one = |(name, version, digest): &(ImageName, Version, Digest)| {
        let (from, to) = (store.repository(name), copy.target.repository(store, name));
        image(
            &*store.registry,
            &from,
            &*copy.target.registry,
            &to,
            (version, digest),
            &sent,
        )
    };
    let (roots, others): (Vec<_>, Vec<_>) = images.iter().cloned().partition(|(name, ..)| name == root);
    let mut outcomes = all(&others, one);
    if outcomes.iter().all(Result::is_ok) {
        outcomes.extend(roots.iter().map(one));
    }
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    match outcomes.into_iter().find_map(Result::err) {
        None => Ok(done),
        Some(error) => Err(Failure::Unpublished(Box::new(Unpublished {
            ring: copy.target.ring.clone(),
            version: copy.release.version.clone(),
            target: copy.target.name.clone(),
            done,
            all: images.len(),
            error,
        }))),
    }
}

/// Where each blob is in the target already: from there it need not be sent.
#[derive(Default)]
struct Sent(Mutex<BTreeMap<Digest, Repository>>);

impl Sent {
    fn place(&self, digest: &Digest) -> Option<Repository> {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(digest).cloned()
    }

    fn keep(&self, digest: Digest, place: &Repository) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.entry(digest).or_insert_with(|| place.clone());
    }
}

/// One image with its version tag. A tag that is there is never moved (B5).
fn image(
    source: &dyn Registry,
    from: &Repository,
    target: &dyn Registry,
    to: &Repository,
    (version, digest): (&Version, &Digest),
    sent: &Sent,
) -> Result<(), RegistryError> {
    let tag = version.to_string();
    if target
        .resolve(to, &tag)?
        .is_some_and(|there| there.digest == *digest)
    {
        return Ok(());
    }
    let stored = manifest(source, from, target, to, digest, sent)?;
    match target.create_tag(to, &tag, &stored)? {
        Created::New => Ok(()),
        Created::Exists(there) if there == *digest => Ok(()),
        Created::Exists(there) => Err(RegistryError::Damaged {
            what: format!("{to}:{tag}"),
            wanted: digest.to_string(),
            found: format!("{there}, which was published by somebody else"),
        }),
    }
}

/// An index or an image, after all that it names.
fn manifest(
    source: &dyn Registry,
    from: &Repository,
    target: &dyn Registry,
    to: &Repository,
    digest: &Digest,
    sent: &Sent,
) -> Result<Descriptor, RegistryError> {
    let bytes = source.manifest(from, digest)?;
    let odd = || RegistryError::Damaged {
        what: format!("{from}@{digest}"),
        wanted: "a manifest".into(),
        found: "something else".into(),
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| odd())?;
    let own = value["mediaType"].as_str();
    if let Some(entries) = index::entries(&bytes) {
        for entry in entries {
            let image = index::digest_of(&entry).ok_or_else(odd)?;
            manifest(source, from, target, to, &image, sent)?;
        }
        return target.put_manifest(to, own.unwrap_or(crate::registry::INDEX), &bytes);
    }
    let layers = value["layers"].as_array().cloned().unwrap_or_default();
    for descriptor in std::iter::once(&value["config"]).chain(&layers) {
        blob(
            source,
            from,
            target,
            to,
            &index::digest_of(descriptor).ok_or_else(odd)?,
            sent,
        )?;
    }
    target.put_manifest(to, own.unwrap_or(MANIFEST), &bytes)
}

fn blob(
    source: &dyn Registry,
    from: &Repository,
    target: &dyn Registry,
    to: &Repository,
    digest: &Digest,
    sent: &Sent,
) -> Result<(), RegistryError> {
    if target.has_blob(to, digest)? {
        sent.keep(*digest, to);
        return Ok(());
    }
    if let Some(place) = sent.place(digest)
        && target.mount_blob(to, &place, digest)?
    {
        return Ok(());
    }
    let mut bytes = source.blob(from, digest)?;
    let mut writer = target.begin_blob(to)?;
    std::io::copy(&mut bytes, &mut writer).map_err(|source| RegistryError::Io {
        action: format!("copy {digest} to {to}"),
        source,
    })?;
    writer.finish()?;
    sent.keep(*digest, to);
    Ok(())
}
