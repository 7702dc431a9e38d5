//! What images read, as paths of the repository.

use super::{Image, Loaded};
use crate::engine::Failure;
use crate::model::{Digest, ImageName, RepoPath};
use crate::revision;
use crate::tree::Kind;
use std::collections::BTreeSet;

impl Loaded {
    /// Everything that an image reads: path in the repository, git mode, SHA-256.
    ///
    /// # Errors
    /// As [`Loaded::contexts`].
    pub fn reads(
        &self,
        name: &ImageName,
        image: &Image,
    ) -> Result<Vec<(String, &'static str, Digest)>, Failure> {
        let contexts = self.contexts(name)?;
        let sections = image.manifest.sections.iter().chain(&image.manifest.whole);
        let mut reads = BTreeSet::new();
        for section in sections {
            let Some(context) = contexts.get(section.context.as_deref()) else {
                continue;
            };
            for entry in section.roots.iter().flat_map(|root| &root.entries) {
                let mode = match entry.kind {
                    Kind::File { executable: false } => "100644",
                    Kind::File { executable: true } => "100755",
                    Kind::Link => "120000",
                    _ => continue,
                };
                let below = entry
                    .path
                    .strip_prefix(&context.root)
                    .unwrap_or_else(|| entry.path.clone());
                reads.insert((context.display.join(&below), mode, entry.content));
            }
        }
        Ok(reads
            .into_iter()
            .map(|(path, mode, digest)| (path.to_string(), mode, digest))
            .collect())
    }

    /// Of these paths in the repository, those that an image reads, or would read if they were in the
    /// commit: rings.yaml, container files, what the contexts keep.
    pub fn of_interest(&self, paths: &[RepoPath]) -> Vec<RepoPath> {
        let mut found: BTreeSet<&RepoPath> =
            paths.iter().filter(|path| **path == self.origin.config).collect();
        for name in self.project.images.keys().filter(|_| !paths.is_empty()) {
            let (Ok(image), Ok(contexts)) = (self.image(name), self.contexts(name)) else {
                continue;
            };
            let reads = image.reads();
            let sections = image.manifest.sections.iter().chain(&image.manifest.whole);
            let folders: Vec<(&RepoPath, &revision::ContextTree<'_>)> = sections
                .filter_map(|section| Some((section, contexts.get(section.context.as_deref())?)))
                .flat_map(|(section, context)| section.roots.iter().map(move |root| (root, context)))
                .filter(|(root, _)| root.kind == Kind::Directory)
                .map(|(root, context)| (&root.path, context))
                .collect();
            let below = |path: &RepoPath| {
                let kept = |context: &revision::ContextTree<'_>| {
                    path.strip_prefix(&context.root)
                        .is_some_and(|path| context.ignore.explain(&path).is_none())
                };
                folders
                    .iter()
                    .any(|(folder, context)| path.starts_with(folder) && kept(context))
            };
            found.extend(
                paths
                    .iter()
                    .filter(|path| **path == image.file || reads.contains(*path) || below(path)),
            );
        }
        found.into_iter().cloned().collect()
    }
}
