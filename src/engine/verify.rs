//! Reads everything that the journal names, and compares it with what its places promise.

use super::execute::index;
use super::failure::Failure;
use super::pointers;
use super::store::Store;
use crate::model::{Digest, ImageName, Version};
use crate::registry::{RegistryError, Repository};
use crate::state::journal::{JournalError, Stored};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// Release records read.
    pub releases: usize,
    /// Images read, with all their blobs.
    pub images: usize,
    /// What is damaged or missing.
    pub problems: Vec<String>,
    /// What is out of date, and mended by the next change.
    pub warnings: Vec<String>,
}

/// Images without a journal are a journal that was lost: numbers would be given twice.
///
/// # Errors
/// [`RegistryError`] when the registry cannot be asked.
pub(super) fn orphans(store: &Store) -> Result<Option<String>, RegistryError> {
    let repository = store.repository(&store.root);
    let tags = store.registry.tags(&repository)?;
    let released = tags.iter().any(|tag| tag.parse::<Version>().is_ok());
    Ok(released.then(|| format!("{repository} has releases, and the journal beside it is gone")))
}

/// Verifies the whole store.
///
/// # Errors
/// [`Failure`] when the journal's head cannot be read at all.
pub fn verify(store: &Store) -> Result<Report, Failure> {
    let mut report = Report::default();
    let Some(head) = store.journal.head()? else {
        report.problems.extend(orphans(store)?);
        return Ok(report);
    };
    let records = chain(store, head.clone(), &mut report);
    let mut images: BTreeSet<(ImageName, Version, Digest)> = BTreeSet::new();
    for digest in records {
        match store.journal.record(&digest) {
            Ok(record) => {
                report.releases += 1;
                if let Err(error) = store.pack(&record) {
                    report
                        .problems
                        .push(format!("the environments of release record {digest}: {error}"));
                }
                images.extend(
                    record
                        .images
                        .iter()
                        .map(|(n, i)| (n.clone(), i.version.clone(), i.digest)),
                );
            }
            Err(error) => report
                .problems
                .push(format!("release record {digest}: {}", words(&error))),
        }
    }
    for (name, prepared) in &head.entry.state.ante {
        images.insert((name.clone(), prepared.version.clone(), prepared.digest));
    }
    for (name, version, digest) in images {
        match image(store, &name, &version, &digest) {
            Ok(()) => report.images += 1,
            Err(problem) => report.problems.push(format!("{name}:{version}: {problem}")),
        }
    }
    if !store.journal.moves_tags(false)? {
        let text = "this registry moves no tags, so there are no ring tags";
        report.warnings.push(text.into());
    }
    for tag in pointers::stale(store, &head.entry.state)? {
        report.warnings.push(format!(
            "ring tag {tag} is out of date; the next change rewrites it"
        ));
    }
    Ok(report)
}

/// Walks the entries back to the first; the records that any of them names.
fn chain(store: &Store, head: Stored, report: &mut Report) -> BTreeSet<Digest> {
    let mut records = BTreeSet::new();
    let mut next = head;
    loop {
        report.entries += 1;
        records.extend(next.records.keys());
        let (seq, parent) = (next.entry.seq, next.entry.parent);
        if seq <= 1 {
            if parent.is_some() {
                report.problems.push("entry 1 names an entry before it".into());
            }
            return records;
        }
        match store.journal.at(seq - 1) {
            Ok(Some(before)) => {
                if Some(before.digest) != parent {
                    report.problems.push(format!(
                        "entry {seq} does not follow the entry {} that is there",
                        seq - 1
                    ));
                }
                if before.entry.lineage != next.entry.lineage {
                    report
                        .problems
                        .push(format!("entry {} belongs to another journal", seq - 1));
                }
                next = before;
            }
            Ok(None) => {
                report.problems.push(format!("entry {} is missing", seq - 1));
                return records;
            }
            Err(error) => {
                report
                    .problems
                    .push(format!("entry {}: {}", seq - 1, words(&error)));
                return records;
            }
        }
    }
}

fn words(error: &JournalError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// One image: tag, manifest, config, layers.
fn image(store: &Store, name: &ImageName, version: &Version, digest: &Digest) -> Result<(), String> {
    let repository = store.repository(name);
    let said = |error: RegistryError| error.to_string();
    match store
        .registry
        .resolve(&repository, &version.to_string())
        .map_err(said)?
    {
        Some(found) if found.digest == *digest => {}
        Some(found) => {
            return Err(format!(
                "its tag points at {}, the record says {digest}",
                found.digest
            ));
        }
        None => return Err("its tag is missing".into()),
    }
    contents(store, &repository, digest)
}

/// What a manifest names: of an index, its images; of an image, config and layers.
fn contents(store: &Store, repository: &Repository, digest: &Digest) -> Result<(), String> {
    let manifest = store.registry.manifest(repository, digest);
    let manifest = manifest.map_err(|error| error.to_string())?;
    if let Some(entries) = index::entries(&manifest) {
        for entry in &entries {
            let image = index::digest_of(entry).ok_or("its index names no digest")?;
            contents(store, repository, &image)?;
        }
        return Ok(());
    }
    let manifest: Value = serde_json::from_slice(&manifest).map_err(|e| e.to_string())?;
    let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
    for descriptor in std::iter::once(&manifest["config"]).chain(&layers) {
        blob(store, repository, descriptor)?;
    }
    Ok(())
}

fn blob(store: &Store, repository: &Repository, descriptor: &Value) -> Result<(), String> {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    let digest: Digest = digest
        .parse()
        .map_err(|_| format!("`{digest}` is not a digest"))?;
    let mut stream = store
        .registry
        .blob(repository, &digest)
        .map_err(|error| error.to_string())?;
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0_u64;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => size += count as u64,
            Err(error) => return Err(format!("blob {digest}: {error}")),
        }
    }
    match descriptor["size"].as_u64() {
        Some(promised) if promised == size => Ok(()),
        _ => Err(format!(
            "blob {digest} has {size} bytes, its manifest says {}",
            descriptor["size"]
        )),
    }
}
