//! Copies a whole store: images, journal, ring tags; from a folder or registry to another (`state copy`).
//!
//! Images go first, entries after them in their order: whoever dies in between leaves a journal that is whole and
//! shorter, and the same command again goes on. Every document and blob is hashed as it is read.

use super::execute::index;
use super::failure::Failure;
use super::pointers;
use super::store::Store;
use crate::model::{Digest, ImageName, Version};
use crate::registry::{Created, Descriptor, RegistryError, Repository};
use crate::state::journal::{JournalError, Stored, tag_of};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;

/// What was copied; what was there already is not counted.
#[derive(Debug, Default)]
pub struct Copied {
    /// Entries.
    pub entries: u64,
    /// Versions of images.
    pub versions: u64,
    /// Bytes of blobs and manifests.
    pub bytes: u64,
    /// What could not be done and can be done later.
    pub note: Option<String>,
}

/// Copies all that `from` has to `to`.
///
/// # Errors
/// [`Failure`] when `to` holds another journal, or one that is further on; or when either cannot be read or written.
pub fn copy(from: &Store, to: &Store) -> Result<Copied, Failure> {
    let head = from.journal.head()?;
    let head = head.ok_or_else(|| {
        Failure::request(
            format!("{} has no journal of {}", from.location, from.project),
            "ringshift state copy FROM TO",
        )
    })?;
    let chain = chain(from, head)?;
    refuse_other(to, &chain)?;
    let mut copied = Copied::default();
    for image in images(from, &chain)? {
        versions(from, to, &image, &mut copied)?;
    }
    let journal = Store::journal_repository(&from.project, &from.root);
    for stored in &chain {
        let tag = tag_of(stored.entry.seq);
        copied.entries += u64::from(tagged(
            from,
            to,
            &journal,
            &tag,
            Some(stored.digest),
            &mut copied.bytes,
        )?);
    }
    if let Err(error) = pointers::repair(to) {
        copied.note = Some(format!("the ring tags could not be written: {error}"));
    }
    Ok(copied)
}

/// All entries, the first first; by the digests that they name.
fn chain(store: &Store, head: Stored) -> Result<Vec<Stored>, Failure> {
    let mut chain = vec![head];
    while let Some(last) = chain.last()
        && last.entry.seq > 1
    {
        let (seq, parent) = (last.entry.seq - 1, last.entry.parent);
        let before = store.journal.parent(last)?;
        let before = before.filter(|before| Some(before.digest) == parent);
        chain.push(before.ok_or_else(|| {
            JournalError::Broken(format!(
                "entry {seq} of the journal is missing, or is not the one that was there"
            ))
        })?);
    }
    chain.reverse();
    Ok(chain)
}

/// What is there already must be the beginning of the same journal.
fn refuse_other(to: &Store, chain: &[Stored]) -> Result<(), Failure> {
    let Some(there) = to.journal.head()? else {
        return Ok(());
    };
    let same = usize::try_from(there.entry.seq)
        .ok()
        .and_then(|seq| chain.get(seq.checked_sub(1)?));
    match same.is_some_and(|own| own.digest == there.digest) {
        true => Ok(()),
        false => Err(Failure::request(
            format!(
                "{} has a journal of {} already, with {} entries that are not the beginning of this one",
                to.location, to.project, there.entry.seq
            ),
            "copy to a place that has none, or that an earlier copy began",
        )),
    }
}

/// Every image that any entry or record names.
fn images(store: &Store, chain: &[Stored]) -> Result<BTreeSet<ImageName>, Failure> {
    let mut images = BTreeSet::from([store.root.clone()]);
    let mut records = BTreeSet::new();
    for stored in chain {
        images.extend(stored.entry.state.numbers.keys().cloned());
        images.extend(stored.entry.state.ante.keys().cloned());
        records.extend(stored.records.keys().copied());
    }
    for record in records {
        images.extend(store.journal.record(&record)?.images.keys().cloned());
    }
    Ok(images)
}

fn versions(from: &Store, to: &Store, image: &ImageName, copied: &mut Copied) -> Result<(), Failure> {
    let repository = from.repository(image);
    let there: BTreeSet<String> = to.registry.tags(&repository)?.into_iter().collect();
    for tag in from.registry.tags(&repository)? {
        if tag.parse::<Version>().is_err() {
            continue;
        }
        // A tag that is there is looked at all the same: it may point elsewhere.
        let wanted = from
            .registry
            .resolve(&repository, &tag)?
            .map(|found| found.digest);
        if there.contains(&tag) && to.registry.resolve(&repository, &tag)?.map(|found| found.digest) == wanted
        {
            continue;
        }
        copied.versions += u64::from(tagged(from, to, &repository, &tag, wanted, &mut copied.bytes)?);
    }
    Ok(())
}

/// Copies what a tag points at, then the tag; whether there was something to do.
fn tagged(
    from: &Store,
    to: &Store,
    repository: &Repository,
    tag: &str,
    wanted: Option<Digest>,
    bytes: &mut u64,
) -> Result<bool, Failure> {
    let found = from.registry.resolve(repository, tag)?;
    let found = found.filter(|found| wanted.is_none_or(|wanted| wanted == found.digest));
    let found = found.ok_or_else(|| RegistryError::Missing(format!("{repository}:{tag}")))?;
    let other = |there: Digest| {
        Failure::request(
            format!(
                "{}/{repository}:{tag} is there already, with other content ({})",
                to.location,
                there.short()
            ),
            "copy to a place that has none",
        )
    };
    match to.registry.resolve(repository, tag)? {
        Some(there) if there.digest == found.digest => return Ok(false),
        Some(there) => return Err(other(there.digest)),
        None => {}
    }
    let stored = manifest(from, to, repository, &found, bytes)?;
    match to.registry.create_tag(repository, tag, &stored)? {
        Created::Exists(there) if there != found.digest => Err(other(there)),
        Created::New | Created::Exists(_) => Ok(true),
    }
}

/// Copies a manifest after all that it names.
fn manifest(
    from: &Store,
    to: &Store,
    repository: &Repository,
    target: &Descriptor,
    bytes: &mut u64,
) -> Result<Descriptor, Failure> {
    let content = from.registry.manifest(repository, &target.digest)?;
    let damaged = || JournalError::Broken(format!("{repository}@{} is no manifest", target.digest));
    let json: Value = serde_json::from_slice(&content).map_err(|_| damaged())?;
    for entry in index::entries(&content).unwrap_or_default() {
        let image = Descriptor {
            media_type: entry["mediaType"].as_str().unwrap_or_default().to_owned(),
            digest: index::digest_of(&entry).ok_or_else(damaged)?,
            size: entry["size"].as_u64().ok_or_else(damaged)?,
        };
        manifest(from, to, repository, &image, bytes)?;
    }
    let layers = json["layers"].as_array().into_iter().flatten();
    for descriptor in layers.chain(json.get("config")) {
        let digest = descriptor["digest"].as_str().and_then(|text| text.parse().ok());
        blob(from, to, repository, &digest.ok_or_else(damaged)?, bytes)?;
    }
    *bytes += content.len() as u64;
    Ok(to
        .registry
        .put_manifest(repository, &target.media_type, &content)?)
}

fn blob(
    from: &Store,
    to: &Store,
    repository: &Repository,
    digest: &Digest,
    bytes: &mut u64,
) -> Result<(), Failure> {
    if to.registry.has_blob(repository, digest)? {
        return Ok(());
    }
    let mut content = from.registry.blob(repository, digest)?;
    let mut writer = to.registry.begin_blob(repository)?;
    let failed = |source| RegistryError::Io {
        action: format!("copy {digest} of {repository}"),
        source,
    };
    *bytes += std::io::copy(&mut content, &mut *writer as &mut dyn Write).map_err(failed)?;
    let stored = writer.finish()?;
    match stored.digest == *digest {
        true => Ok(()),
        false => Err(RegistryError::Damaged {
            what: format!("{repository}@{digest}"),
            wanted: digest.to_string(),
            found: stored.digest.to_string(),
        }
        .into()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::engine::append::Author;
    use crate::engine::found;
    use crate::model::{ProjectName, RingName};
    use crate::registry::memory::MemoryRegistry;
    use crate::state::{State, Timestamp};
    use std::sync::Arc;

    fn store() -> Store {
        let registry = Arc::new(MemoryRegistry::new());
        let project = ProjectName::new("acme/shop").unwrap();
        Store::new(
            registry,
            project,
            ImageName::new("shop").unwrap(),
            "memory".into(),
        )
    }

    fn made(operation: &str) -> Store {
        let store = store();
        let author = Author {
            actor: "ada".into(),
            at: Timestamp(0),
            reason: None,
            operation: operation.into(),
        };
        let rings = vec![RingName::new("dev").unwrap()];
        found::found(&store, &State::new(rings, Vec::new()), &author)
            .unwrap()
            .unwrap();
        store
    }

    #[test]
    fn a_copy_is_the_same_journal_and_a_second_one_has_nothing_to_do() {
        let (from, to) = (made("a"), store());
        assert_eq!(copy(&from, &to).unwrap().entries, 1);
        let digest = |store: &Store| store.journal.head().unwrap().unwrap().digest;
        assert_eq!(digest(&from), digest(&to));
        let again = copy(&from, &to).unwrap();
        assert_eq!((again.entries, again.versions, again.bytes), (0, 0, 0));
    }

    #[test]
    fn another_journal_is_not_written_over() {
        let (from, to) = (made("a"), made("b"));
        let refused = copy(&from, &to).unwrap_err().to_string();
        assert!(refused.contains("not the beginning of this one"), "{refused}");
        let nothing = copy(&store(), &to).unwrap_err().to_string();
        assert!(nothing.contains("has no journal"), "{nothing}");
    }
}
