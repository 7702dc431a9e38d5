//! What images read, as paths of the repository.

use super::{Image, Loaded};
use crate::engine::Failure;
use crate::model::{Digest, ImageName, RepoPath};
use crate::revision;
use crate::tree::Kind;
use std::collections::BTreeSet;

impl Loaded {
    /// Everything that an image reads: path in the repository, git mode, SHA-256; the links on the way to it, too.
    ///
    /// # Errors
    /// As [`Loaded::contexts`].
    pub fn reads(
        &self,
        name: &ImageName,
        image: &Image,
    ) -> Result<Vec<(String, &'static str, Digest)>, Failure> {
        let contexts = self.contexts(name)?;
        let sections = image.sections();
        let mut reads = BTreeSet::new();
        for section in sections {
            let Some(context) = contexts.get(section.context.as_deref()) else {
                continue;
            };
            let mut add = |path: &RepoPath, mode, content| {
                let below = path.strip_prefix(&context.root).unwrap_or_else(|| path.clone());
                reads.insert((context.display.join(&below), mode, content));
            };
            for entry in section.roots.iter().flat_map(|root| root.entries.iter()) {
                match entry.kind {
                    Kind::File { executable: false } => add(&entry.path, "100644", entry.content),
                    Kind::File { executable: true } => add(&entry.path, "100755", entry.content),
                    Kind::Link => add(&entry.path, "120000", entry.content),
                    _ => {}
                }
            }
            for (link, text) in &section.followed {
                add(link, "120000", *text);
            }
        }
        if *name == self.project.root {
            let packed = self.pack()?.map(|pack| &pack.files);
            for (path, file) in packed.into_iter().flatten() {
                reads.insert((path.clone(), file.mode.as_git(), Digest::of(&file.bytes)));
            }
        }
        Ok(reads
            .into_iter()
            .map(|(path, mode, digest)| (path.to_string(), mode, digest))
            .collect())
    }

    /// Whether something stands at a path of the repository.
    pub fn holds(&self, path: &str) -> bool {
        matches!(self.origin.tree.kind(&RepoPath::clean(path)), Ok(Some(_)))
    }

    /// Whether a path is rings.yaml or rings.lock.
    fn is_own(&self, path: &RepoPath) -> bool {
        *path == self.origin.config || *path == super::locks::path(&self.origin.config)
    }

    /// Whether a path in the repository says what images are or read, though none reads it: rings.yaml, rings.lock, the ignore
    /// file of a context.
    ///
    /// # Errors
    /// As [`Loaded::contexts`].
    pub fn is_said_by(&self, path: &RepoPath) -> Result<bool, Failure> {
        if self.is_own(path) {
            return Ok(true);
        }
        let name = path.to_string();
        for image in self.project.images.keys() {
            let contexts = self.contexts(image)?;
            let mut all = contexts.named.values().chain([&contexts.main]);
            let beside =
                |context: &revision::ContextTree<'_>| context.display.child(b".dockerignore") == *path;
            if name == format!("{}.dockerignore", self.file(image)) || all.any(beside) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Of these paths in the repository, those that an image reads, or would read if they were in the
    /// commit: rings.yaml, container files, what the contexts keep.
    pub fn of_interest(&self, paths: &[RepoPath]) -> Vec<RepoPath> {
        let config = paths.iter().filter(|path| self.is_own(path)).cloned();
        let images = self.project.images.keys().filter(|_| !paths.is_empty());
        let read = images.flat_map(|name| self.read_by(name, paths).unwrap_or_default());
        let found: BTreeSet<RepoPath> = config.chain(read).collect();
        found.into_iter().collect()
    }

    /// Of these paths in the repository, those that an image reads, or would read if they were there: its container
    /// file, and what its contexts keep of the folders that it reads.
    ///
    /// # Errors
    /// As [`Loaded::image`].
    pub fn read_by(&self, name: &ImageName, paths: &[RepoPath]) -> Result<Vec<RepoPath>, Failure> {
        let (image, contexts) = (self.image(name)?, self.contexts(name)?);
        let reads: BTreeSet<String> = self
            .reads(name, &image)?
            .into_iter()
            .map(|(path, ..)| path)
            .collect();
        let sections = image.sections();
        let folders: Vec<(RepoPath, &revision::ContextTree<'_>)> = sections
            .filter_map(|section| Some((section, contexts.get(section.context.as_deref())?)))
            .flat_map(|(section, context)| section.roots.iter().map(move |root| (root, context)))
            .filter(|(root, _)| root.kind == Kind::Directory)
            .filter_map(|(root, context)| Some((root.path.strip_prefix(&context.root)?, context)))
            .collect();
        let there = |path: &RepoPath| matches!(self.origin.tree.kind(path), Ok(Some(_)));
        let would = |path: &RepoPath| {
            folders.iter().any(|(folder, context)| {
                path.strip_prefix(&context.display)
                    .is_some_and(|path| path.starts_with(folder) && context.ignore.explain(&path).is_none())
            })
        };
        let mine = |path: &&RepoPath| {
            **path == image.file || reads.contains(&path.to_string()) || (!there(path) && would(path))
        };
        Ok(paths.iter().filter(mine).cloned().collect())
    }
}
