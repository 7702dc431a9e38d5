//! Removes claims and votes that are of no use any more.

use super::tags::Tag;
use crate::registry::remote::RemoteError;
use crate::registry::{MANIFEST, RegistryError};
use crate::state::journal::{Documents, JournalError, broken, tag_of};

/// Removes the claims and votes of entries up to `decided`, all of which are published; how many.
///
/// A slow writer may still be at work for such an entry. It looks whether the entry is published before it publishes
/// (step 6), and so needs no claim to be stopped.
///
/// # Errors
/// [`JournalError`] when the registry fails, or removes what a tag points at together with the tag.
pub fn clean(documents: &Documents, tags: &[String], decided: u64) -> Result<u64, JournalError> {
    let Documents {
        registry, repository, ..
    } = documents;
    let (mut removed, mut proven) = (0, false);
    for tag in tags {
        let (seq, vote) = match Tag::read(tag) {
            Some(Tag::Claim(seq, _)) => (seq, false),
            Some(Tag::Vote(seq, ..)) => (seq, true),
            _ => continue,
        };
        if seq > decided {
            continue;
        }
        // A vote points at an entry: the first one that is removed shows whether the entry stays.
        let entry = match vote && !proven {
            true => registry.fetch(repository, &tag_of(seq))?,
            false => None,
        };
        match registry.remove_tag(repository, tag) {
            Ok(()) => removed += 1,
            Err(RegistryError::Remote(error)) if matches!(*error, RemoteError::Unsupported { .. }) => {
                return Ok(removed);
            }
            Err(error) => return Err(error.into()),
        }
        if let Some((found, bytes)) = entry {
            if registry.resolve(repository, &tag_of(seq))?.is_none() {
                registry.put_tagged(repository, &tag_of(seq), MANIFEST, &bytes)?;
                let why = format!(
                    "the registry removes {} with the tag {tag}; it was put back",
                    found.digest
                );
                return Err(broken(&tag_of(seq), &why));
            }
            proven = true;
        }
    }
    Ok(removed)
}
