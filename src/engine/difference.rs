//! What differs in what an image reads, between two states of the project: paths of the repository.

use super::failure::Failure;
use super::project::Loaded;
use super::store::Store;
use crate::model::{ImageName, RepoPath};
use crate::pack::Pack;
use crate::revision;
use crate::state::ReleaseRecord;
use std::collections::{BTreeMap, BTreeSet};

/// How a path differs, as an image sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was not there before.
    Added,
    /// It was there, and the image did not read it.
    NowRead,
    /// It is not there any more.
    Removed,
    /// It is still there, and the image does not read it any more; `PATH:LINE` of the ignore file's line that leaves
    /// it out, if one does.
    NoLongerRead(Option<String>),
    /// Its content is another.
    Changed,
    /// Only its mode is another: whether it is executable now.
    Mode(bool),
}

impl How {
    /// One word for programs: `added`, `now-read`, `removed`, `no-longer-read`, `changed` or `mode`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::NowRead => "now-read",
            Self::Removed => "removed",
            Self::NoLongerRead(_) => "no-longer-read",
            Self::Changed => "changed",
            Self::Mode(_) => "mode",
        }
    }
}

/// For people; stands after the path.
impl std::fmt::Display for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NowRead => f.write_str("read now"),
            Self::NoLongerRead(None) => f.write_str("no longer read"),
            Self::NoLongerRead(Some(line)) => write!(f, "no longer read (left out by {line})"),
            Self::Mode(true) => f.write_str("made executable"),
            Self::Mode(false) => f.write_str("no longer executable"),
            Self::Added | Self::Removed | Self::Changed => f.write_str(self.as_str()),
        }
    }
}

/// One path, and how it differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// The path in the repository.
    pub path: String,
    /// How.
    pub how: How,
    /// Of the image's container file, the lines of its instructions that differ (of those that are gone, where they stood);
    /// else none.
    pub lines: Vec<u32>,
}

impl Changed {
    fn file(path: String, how: How) -> Self {
        Self {
            path,
            how,
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
    let packed =
        |change: &revision::Change| matches!(change.what.as_str(), "environments" | "environment" | "alias");
    let words: Vec<_> = words
        .iter()
        .filter(|change| !change.file && !root(change) && !packed(change))
        .collect();
    let text = |project: &Loaded, path| project.container_file(path).ok();
    let pins = |image: &super::project::Image| {
        let pins = image.variants.iter().map(|v| v.recipe.written.locked.clone());
        pins.collect::<Vec<_>>()
    };
    let relocked = !words.is_empty() && pins(&before) != pins(&after);
    if relocked {
        changed.push(lock_file(old, new));
    }
    if !words.is_empty() && (before.file != after.file || text(old, &before.file) != text(new, &after.file)) {
        let lines: BTreeSet<u32> = words.iter().filter_map(|change| change.line()).collect();
        changed.push(Changed {
            path: after.file.to_string(),
            how: How::Changed,
            lines: lines.into_iter().collect(),
        });
    } else if !words.is_empty() {
        let mut paths = bases(old, new, image);
        if paths.is_empty() && !relocked {
            match old.lock_file() == new.lock_file() {
                true => drop(paths.insert(new.config_file())),
                // The variables of a base that stands on a locked image, say.
                false => changed.push(lock_file(old, new)),
            }
        }
        let paths = paths.into_iter();
        changed.extend(paths.map(|path| Changed::file(path, How::Changed)));
    }
    let paths: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
    for path in paths {
        let how = match (there.get(path), here.get(path)) {
            (Some(a), Some(b)) if a == b => continue,
            (Some(("100644", a)), Some(("100755", b))) if a == b => How::Mode(true),
            (Some(("100755", a)), Some(("100644", b))) if a == b => How::Mode(false),
            (Some(_), Some(_)) => How::Changed,
            (None, _) if old.holds(path) => How::NowRead,
            (None, _) => How::Added,
            (_, None) if new.holds(path) => How::NoLongerRead(left_out(new, image, path)?),
            (_, None) => How::Removed,
        };
        changed.push(Changed::file(path.clone(), how));
    }
    // A folder that was renamed, say, though nothing in it is read: rings.yaml knows of it.
    if changed.is_empty() && before.own != after.own {
        changed.push(Changed::file(new.config_file(), How::Changed));
    }
    Ok(changed)
}

/// rings.lock, which differs.
fn lock_file(old: &Loaded, new: &Loaded) -> Changed {
    let (name, text) = new.lock_file();
    let how = match (old.lock_file().1, text) {
        (None, _) => How::Added,
        (_, None) => How::Removed,
        _ => How::Changed,
    };
    Changed::file(name, how)
}

/// The files that differ from the environments of a release to those of a project.
///
/// # Errors
/// [`Failure`] when either cannot be read.
pub fn environments(store: &Store, old: &ReleaseRecord, new: &Loaded) -> Result<Vec<Changed>, Failure> {
    let old = store.pack(old)?.unwrap_or_default();
    let none = Pack::default();
    let new_pack = new.pack()?.unwrap_or(&none);
    let mut changed = Vec::new();
    for (path, there) in new_pack.differences(&old) {
        let path = path.to_string();
        let how = match there {
            (true, true) => How::Changed,
            (false, _) => How::Added,
            (true, false) if new.holds(&path) => How::NoLongerRead(None),
            (true, false) => How::Removed,
        };
        changed.push(Changed::file(path, how));
    }
    // A folder that became an environment, say, whose files another one reads: rings.yaml or the tree tells.
    if changed.is_empty() && old != *new_pack {
        changed.push(Changed::file(
            new.project.environments.folder.to_string(),
            How::Changed,
        ));
    }
    Ok(changed)
}

/// The line of an ignore file that keeps a path of the repository out of the contexts of an image.
fn left_out(project: &Loaded, image: &ImageName, path: &str) -> Result<Option<String>, Failure> {
    let contexts = project.contexts(image)?;
    let path = RepoPath::clean(path);
    let mut all = contexts.named.values().chain([&contexts.main]);
    Ok(all.find_map(|context| {
        let below = path.strip_prefix(&context.display)?;
        let (line, _) = context.ignore.explain(&below)?;
        Some(format!("{}:{line}", context.ignore.name()))
    }))
}

/// The container files that differ of the images that `image` stands on: an image sees the variables of its bases.
fn bases(old: &Loaded, new: &Loaded, image: &ImageName) -> BTreeSet<String> {
    let text = |project: &Loaded, name: &ImageName| {
        let file = RepoPath::clean(project.file(name));
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
