//! What differs in what an image reads, between two states of the project: paths of the repository.

use super::failure::Failure;
use super::project::Loaded;
use crate::model::ImageName;
use crate::revision::{self, Difference};
use std::collections::{BTreeMap, BTreeSet};

/// One path, and how it differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// The path in the repository.
    pub path: String,
    /// How.
    pub difference: Difference,
    /// Of the image's container file, the lines of its instructions that differ (of those that are gone, where they stood);
    /// else none.
    pub lines: Vec<u32>,
}

impl Changed {
    fn file(path: String, difference: Difference) -> Self {
        Self {
            path,
            difference,
            lines: Vec::new(),
        }
    }
}

/// The files of `image` that differ from `old` to `new`. First the container file, when what it says differs; when it
/// says the same and yet means something else, the container files of the images that it stands on, or rings.yaml.
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
    let words = revision::diff(&before.records, &after.records);
    // What a word's roots are called is told by the files that they hold.
    let root = |change: &revision::Change| matches!(change.what.as_str(), "as" | "folder");
    let words: Vec<_> = words
        .iter()
        .filter(|change| !change.file && !root(change))
        .collect();
    let text = |project: &Loaded, path| project.container_file(path).ok();
    if !words.is_empty() && (before.file != after.file || text(old, &before.file) != text(new, &after.file)) {
        let lines: BTreeSet<u32> = words.iter().filter_map(|change| change.line()).collect();
        changed.push(Changed {
            path: after.file.to_string(),
            difference: Difference::Changed,
            lines: lines.into_iter().collect(),
        });
    } else if !words.is_empty() {
        let mut paths = bases(old, new, image);
        if paths.is_empty() {
            paths.insert(new.config_file());
        }
        let paths = paths.into_iter();
        changed.extend(paths.map(|path| Changed::file(path, Difference::Changed)));
    }
    let paths: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    for path in paths {
        let difference = match (there.get(path), here.get(path)) {
            (Some(a), Some(b)) if a == b => continue,
            (Some(_), Some(_)) => Difference::Changed,
            (None, _) => Difference::Added,
            (_, None) => Difference::Removed,
        };
        changed.push(Changed::file(path.clone(), difference));
    }
    // A folder that was renamed, say, though nothing in it is read: rings.yaml knows of it.
    if changed.is_empty() && before.revision != after.revision {
        changed.push(Changed::file(new.config_file(), Difference::Changed));
    }
    Ok(changed)
}

/// The container files that differ of the images that `image` stands on: an image sees the variables of its bases.
fn bases(old: &Loaded, new: &Loaded, image: &ImageName) -> BTreeSet<String> {
    let text = |project: &Loaded, name: &ImageName| {
        let file = crate::model::RepoPath::clean(project.file(name));
        project.container_file(&file).ok()
    };
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![image];
    while let Some(name) = open.pop() {
        let source = new.sources.images.get(name);
        for base in source.into_iter().flat_map(|source| &source.dependencies) {
            if seen.insert(base) {
                open.push(base);
                if text(old, base) != text(new, base) {
                    found.insert(new.file(base));
                }
            }
        }
    }
    found
}
