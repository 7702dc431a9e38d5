//! The build contexts of an image, seen through their ignore files.

use crate::config::{ContextSource, Image, Project};
use crate::containerfile::ignore::{Ignore, ignore_file_for};
use crate::engine::Failure;
use crate::model::{ImageName, Problem, RepoPath, Source, Span};
use crate::revision::{ContextTree, Contexts};
use crate::tree::SourceTree;
use crate::tree::disk::DiskTree;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The largest ignore file that is read, in bytes.
const IGNORE_LIMIT: u64 = 8 << 20;

/// Folders that git ignores are read from disk (B8).
pub fn open_generated(
    project: &Project,
    workdir: Option<&Path>,
) -> Result<BTreeMap<(ImageName, String), DiskTree>, Failure> {
    let mut open = BTreeMap::new();
    for image in project.images.values() {
        for (name, context) in &image.contexts {
            let ContextSource::Folder {
                path,
                generated: true,
            } = &context.what
            else {
                continue;
            };
            let workdir = workdir.ok_or_else(|| {
                Failure::request(
                    format!(
                        "{path}, a generated context of {}, needs a working copy",
                        image.name
                    ),
                    "run it in a clone that is not bare",
                )
            })?;
            let tree = DiskTree::beneath(workdir, path).map_err(|_| {
                let message = format!("{path}, a generated context of {}, is not there", image.name);
                let problem = project.problem(context.span, "no-generated", message);
                Failure::Project(problem.hint("run what generates it first").into())
            })?;
            open.insert((image.name.clone(), name.clone()), tree);
        }
    }
    Ok(open)
}

/// Ignore files by their text: many contexts have the same, and its patterns are made ready once.
#[derive(Default)]
pub struct Ignores(Mutex<BTreeMap<Vec<u8>, Ignore>>);

/// The contexts of `image`, whose container file is `file`.
pub fn contexts<'a>(
    image: &Image,
    file: &RepoPath,
    tree: &'a dyn SourceTree,
    generated: &'a BTreeMap<(ImageName, String), DiskTree>,
    ignores: &Ignores,
) -> Result<Contexts<'a>, Failure> {
    let ignore = match ignore_file_for(file, &image.context, tree)? {
        Some(path) => ignores.read(tree, &path)?,
        None => Ignore::none(),
    };
    let main = ContextTree {
        tree,
        root: image.context.clone(),
        ignore,
        display: image.context.clone(),
    };
    let mut named = BTreeMap::new();
    for (name, context) in &image.contexts {
        let ContextSource::Folder { path, .. } = &context.what else {
            continue;
        };
        let (tree, root): (&dyn SourceTree, RepoPath) =
            match generated.get(&(image.name.clone(), name.clone())) {
                Some(disk) => (disk, RepoPath::root()),
                None => (tree, path.clone()),
            };
        let beside = root.child(b".dockerignore");
        let ignore = match tree.kind(&beside)? {
            Some(crate::tree::Kind::File { .. }) => ignores.read(tree, &beside)?,
            _ => Ignore::none(),
        };
        let seen = ContextTree {
            tree,
            root,
            ignore,
            display: path.clone(),
        };
        named.insert(name.clone(), seen);
    }
    Ok(Contexts { main, named })
}

impl Ignores {
    fn read(&self, tree: &dyn SourceTree, path: &RepoPath) -> Result<Ignore, Failure> {
        let bytes = tree.read(path, IGNORE_LIMIT)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ignore) = known.get(&bytes) {
            return Ok(ignore.clone().named(path));
        }
        let parsed = Ignore::parse(&bytes).map_err(|error| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let source = Source::new(path.to_string(), text);
            let problem: Problem =
                source.problem(Span::new(error.line, 1, u32::MAX), "ignore-file", error.message);
            Failure::Project(problem.hint(error.hint).into())
        })?;
        known.insert(bytes, parsed.clone());
        Ok(parsed.named(path))
    }
}
