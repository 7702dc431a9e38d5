//! Which images a build takes from its commit (B3, B9, B10).

use super::sources::Sources;
use crate::model::{ImageName, Revision, Version};
use std::collections::{BTreeMap, BTreeSet};

/// What the target holds of one image, as far as taking goes.
#[derive(Debug, Clone, Copy)]
pub struct HeldSource<'a> {
    /// The revision.
    pub revision: &'a Revision,
    /// ante holds it in another version than the first ring.
    pub moved_in_ante: bool,
}

/// The images taken when `names` are asked for (B3): the named ones, the bases under them that
/// changed, or stand on one that changed or that ante holds in another version; unless `alone`
/// (ante, B9) also the dependants of all these, and the root.
pub fn taken(
    sources: &Sources,
    names: &BTreeSet<ImageName>,
    held: &BTreeMap<ImageName, HeldSource<'_>>,
    alone: bool,
) -> BTreeSet<ImageName> {
    let changed = |name: &ImageName| match (sources.images.get(name), held.get(name)) {
        (Some(source), Some(there)) => source.revision != *there.revision,
        _ => true,
    };
    let in_ante = |name: &ImageName| held.get(name).is_some_and(|there| there.moved_in_ante);
    let mut taken = names.clone();
    for name in names {
        for base in sources.bases(name) {
            let shaken = changed(&base)
                || sources
                    .bases(&base)
                    .iter()
                    .any(|below| changed(below) || in_ante(below));
            if shaken {
                taken.insert(base);
            }
        }
    }
    if !alone {
        taken.extend(sources.dependants(&taken));
        taken.insert(sources.root.clone());
    }
    taken
}

/// Whether two sets of dependency versions differ, and in what: `(image, old, new)`.
pub fn differing(
    old: &BTreeMap<ImageName, Version>,
    new: &BTreeMap<ImageName, Version>,
) -> Vec<(ImageName, Option<Version>, Option<Version>)> {
    let names: BTreeSet<&ImageName> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| (name.clone(), old.get(name).cloned(), new.get(name).cloned()))
        .collect()
}
