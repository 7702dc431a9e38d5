//! What differs in what an image reads, between two states of the project: paths of the repository.

use super::failure::Failure;
use super::project::Loaded;
use crate::model::ImageName;
use crate::revision::Difference;
use std::collections::{BTreeMap, BTreeSet};

/// One path, and how it differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// The path in the repository.
    pub path: String,
    /// How.
    pub difference: Difference,
}

/// The files of `image` that differ from `old` to `new`, the container file first when what it says
/// differs, and rings.yaml when nothing else does.
///
/// # Errors
/// [`Failure`] when the image cannot be read on one side.
pub fn between(old: &Loaded, new: &Loaded, image: &ImageName) -> Result<Vec<Changed>, Failure> {
    let (before, after) = (old.image(image)?, new.image(image)?);
    let read = |project: &Loaded, found| -> Result<BTreeMap<String, _>, Failure> {
        let reads = project.reads(image, found)?;
        Ok(reads
            .into_iter()
            .map(|(path, mode, content)| (path, (mode, content)))
            .collect())
    };
    let (there, here) = (read(old, &before)?, read(new, &after)?);
    let mut changed: Vec<Changed> = Vec::new();
    let container_file = after.file.to_string();
    let text = |project: &Loaded, path| project.container_file(path).ok();
    if before.file != after.file || text(old, &before.file) != text(new, &after.file) {
        changed.push(Changed {
            path: container_file,
            difference: Difference::Changed,
        });
    }
    let paths: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    for path in paths {
        let difference = match (there.get(path), here.get(path)) {
            (Some(a), Some(b)) if a == b => continue,
            (Some(_), Some(_)) => Difference::Changed,
            (None, _) => Difference::Added,
            (_, None) => Difference::Removed,
        };
        changed.push(Changed {
            path: path.clone(),
            difference,
        });
    }
    if changed.is_empty() && before.revision != after.revision {
        changed.push(Changed {
            path: new.config_file(),
            difference: Difference::Changed,
        });
    }
    Ok(changed)
}
