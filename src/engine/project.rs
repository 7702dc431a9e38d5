//! The project as it stands at a commit or in the working copy: rings.yaml, graph, revisions.

mod config_file;
mod contexts;
mod edges;
mod environments;
mod excuse;
mod files;
mod image;
mod inputs;
mod locks;
mod reads;
mod remembered;
mod resolver;
mod stale;

pub use edges::edges;
pub use image::{Image, Variant};
pub use locks::{Asked, Locks};
pub(in crate::engine) use locks::{project_of, resolve};
pub use resolver::Resolved;

use super::failure::Failure;
use crate::cache::Remembered;
use crate::config::{self, Project};
use crate::containerfile::recipe::Warning;
use crate::git::Repository;
use crate::graph::{Graph, SealError};
use crate::kustomize::Helm;
use crate::model::{CommitId, ImageName, Problem, Problems, RepoPath, Revision};
use crate::plan::{ImageSource, Refusal, Sources};
use crate::revision::{self, Contexts, Limits, Manifest};
use crate::tree::SourceTree;
use crate::tree::disk::DiskTree;
use rayon::prelude::*;
use resolver::Resolver;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Where a project is read from.
#[derive(Clone)]
pub struct Origin {
    /// The sources.
    pub tree: Arc<dyn SourceTree>,
    /// What names the whole content of `tree`, when something does: git's id of the commit's tree.
    pub identity: Option<String>,
    /// The commit; of a working copy, the one it stands on.
    pub commit: CommitId,
    /// The committer's time, in seconds since 1970.
    pub committed: i64,
    /// What the working copy stands on, when `tree` is one: what differs from it is dirty (B8).
    pub stands_on: Option<Box<Origin>>,
    /// rings.yaml in `tree`.
    pub config: RepoPath,
    /// The root of the working copy, for generated contexts (B8).
    pub workdir: Option<PathBuf>,
    /// What git thinks of files that are not in `tree`, for messages.
    pub repository: Option<Arc<Repository>>,
    /// Whole results by tree.
    pub results: Remembered,
    /// Who inflates the charts of environments, where rings.yaml allows it.
    pub helm: Option<Arc<dyn Helm>>,
}

/// A project, read once.
pub struct Loaded {
    /// rings.yaml.
    pub project: Project,
    /// Warnings and notes, in order of place.
    pub warnings: Vec<Problem>,
    /// What plans ask.
    pub sources: Sources,
    /// The committer's time, in seconds since 1970.
    pub committed: i64,
    origin: Origin,
    locks: Locks,
    generated: BTreeMap<(ImageName, String), DiskTree>,
    ignores: contexts::Ignores,
    shared: revision::Shared,
    packed: environments::Packed,
}

/// What is kept of an image while all are read.
struct Made {
    name: ImageName,
    revision: Revision,
    own: Revision,
    /// What its files made worth a look.
    told: Vec<Problem>,
}

impl Loaded {
    /// Reads the project. Every problem of every file is found at once.
    ///
    /// # Errors
    /// [`Failure::Project`] with all problems; [`Failure::Tree`] when sources cannot be read.
    pub fn read(origin: Origin) -> Result<Self, Failure> {
        Self::load(origin, true)
    }

    /// The same without what is remembered, so that every file is looked at.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn read_anew(origin: Origin) -> Result<Self, Failure> {
        Self::load(origin, false)
    }

    fn load(origin: Origin, remembered: bool) -> Result<Self, Failure> {
        let config = config_file::read(&*origin.tree, &origin.config);
        let locks = match Locks::read(&*origin.tree, &origin.config) {
            Ok(locks) => locks,
            Err(failure) => return Err(locks::both(config, failure)),
        };
        let (project, notes) = config?;
        let generated = contexts::open_generated(&project, origin.workdir.as_deref())?;
        let mut loaded = Self {
            sources: Sources {
                commit: origin.commit.clone(),
                images: BTreeMap::new(),
                order: Vec::new(),
                root: project.root.clone(),
                environments: None,
            },
            warnings: notes,
            committed: origin.committed,
            project,
            shared: revision::Shared::new(origin.tree.clone()),
            origin,
            locks,
            generated,
            ignores: contexts::Ignores::default(),
            packed: environments::Packed::default(),
        };
        let key = loaded.key();
        let known = key
            .as_ref()
            .filter(|_| remembered)
            .and_then(|key| loaded.origin.results.get(key));
        if let Some(known) = known.and_then(|bytes| remembered::read(&bytes)) {
            loaded.warnings = known.warnings();
            loaded.sources.order = known.order.clone();
            loaded.sources.images = known.images();
            loaded.sources.environments = known.environments;
            return Ok(loaded);
        }
        loaded.compute()?;
        // What another helm would say is not remembered.
        let certain = |environments: crate::plan::Environments| environments.pack == environments.sources;
        if let Some(key) = key
            && loaded.sources.environments.is_none_or(certain)
        {
            // The cache is disposable: a failure to write it changes no result.
            let _ = loaded
                .origin
                .results
                .put(&key, &remembered::write(&loaded.sources, &loaded.warnings));
        }
        Ok(loaded)
    }

    /// What all results depend on; none when something is read that nothing names.
    fn key(&self) -> Option<Vec<u8>> {
        let identity = self
            .origin
            .identity
            .as_ref()
            .filter(|_| self.generated.is_empty())?;
        let config = self.origin.config.to_string();
        Some(format!("{}\n{identity}\n{config}\n", remembered::FORMAT).into_bytes())
    }

    fn compute(&mut self) -> Result<(), Failure> {
        let tree = &*self.origin.tree;
        let mut problems = config::check(&self.project, tree)?;
        problems.extend(self.environment_problems(&problems)?);
        let resolved = self.resolve_all(&mut problems)?;
        if !problems
            .iter()
            .any(|problem| problem.severity == crate::model::Severity::Error)
        {
            let silent = self.project.silence.contains("stale-lock");
            problems.extend(self.locks.stale().into_iter().filter(|_| !silent));
        }
        let graph = self.seal(&resolved, &mut problems);
        // Of each image only its revision is kept: manifests and records of all would fill the memory.
        let made: Vec<Result<Made, Failure>> = resolved
            .par_iter()
            .map(|(name, resolved)| self.make(name, resolved))
            .collect();
        let mut revisions = BTreeMap::new();
        for made in made {
            match made {
                Ok(made) => {
                    if made.name == self.project.root {
                        self.sources.environments = self.environments_over(made.own);
                    }
                    revisions.insert(made.name, made.revision);
                    problems.extend(made.told);
                }
                Err(Failure::Project(found)) => problems.extend(found.into_vec()),
                Err(other) => return Err(other),
            }
        }
        let (warnings, errors): (Vec<Problem>, Vec<Problem>) = problems
            .into_iter()
            .partition(|problem| problem.severity > crate::model::Severity::Error);
        if let Some(errors) = Problems::of(errors) {
            return Err(Failure::Project(errors));
        }
        self.warnings.extend(warnings);
        self.warnings = Problems::of(std::mem::take(&mut self.warnings))
            .map(Problems::into_vec)
            .unwrap_or_default();
        let graph =
            graph.ok_or_else(|| Failure::Bug("a graph that is neither whole nor a problem".into()))?;
        self.sources.order = graph.order().to_vec();
        let stands_on = self.committed_revisions();
        self.sources.images = revisions
            .into_iter()
            .map(|(name, revision)| {
                let dependencies = graph.explicit(&name).map(|d| d.image.clone()).collect();
                let source = ImageSource {
                    revision,
                    dependencies,
                    dirty: stands_on
                        .as_ref()
                        .is_some_and(|there| there.get(&name) != Some(&revision)),
                };
                (name, source)
            })
            .collect();
        Ok(())
    }

    /// Every image that has recipes, one for each platform; what is wrong with the others goes to `problems`.
    fn resolve_all(
        &self,
        problems: &mut Vec<Problem>,
    ) -> Result<BTreeMap<ImageName, Vec<Resolved>>, Failure> {
        let mut all: BTreeMap<ImageName, Vec<Resolved>> = BTreeMap::new();
        for platform in &self.project.platforms {
            let resolver = Resolver::new(&self.project, &*self.origin.tree, platform, &self.locks);
            for (name, resolved) in resolver.all(problems)? {
                all.entry(name).or_default().push(resolved);
            }
        }
        // What is wrong on one platform only was told.
        all.retain(|_, resolved| resolved.len() == self.project.platforms.len());
        Ok(all)
    }

    /// What the container files of these images ask for, one recipe for each platform.
    ///
    /// # Errors
    /// [`Failure::Refused`] for a stranger, else as [`Loaded::read`].
    pub fn resolved(&self, names: &[&ImageName]) -> Result<BTreeMap<ImageName, Vec<Resolved>>, Failure> {
        let stranger = |name: &&&ImageName| !self.project.images.contains_key(**name);
        if let Some(name) = names.iter().find(stranger) {
            return Err(Refusal::no_such_image(name, self.project.images.keys()).into());
        }
        let mut all: BTreeMap<ImageName, Vec<Resolved>> = BTreeMap::new();
        for platform in &self.project.platforms {
            let resolver = Resolver::new(&self.project, &*self.origin.tree, platform, &self.locks);
            for (name, resolved) in resolver.some(names)? {
                all.entry(name).or_default().push(resolved);
            }
        }
        Ok(all)
    }

    fn make(&self, name: &ImageName, resolved: &[Resolved]) -> Result<Made, Failure> {
        let made = self.made(name, resolved)?;
        // Those of the recipes were told when they were resolved.
        let old: Vec<&Warning> = resolved.iter().flat_map(|r| &r.recipe.warnings).collect();
        let fresh: Vec<Warning> = made.warnings.into_iter().filter(|w| !old.contains(&w)).collect();
        let image = &self.project.images[name];
        let source = resolved.first().map(|resolved| &resolved.source);
        Ok(Made {
            name: name.clone(),
            revision: made.revision,
            own: made.own,
            told: source
                .map(|source| resolver::told(&self.project, image, source, &fresh))
                .unwrap_or_default(),
        })
    }

    /// The revisions of the commit that a working copy stands on; none where that has no project.
    fn committed_revisions(&self) -> Option<BTreeMap<ImageName, Revision>> {
        let origin = self.origin.stands_on.as_ref()?;
        let there = Self::read((**origin).clone()).ok();
        let revisions = there.iter().flat_map(|project| &project.sources.images);
        Some(
            revisions
                .map(|(name, source)| (name.clone(), source.revision))
                .collect(),
        )
    }

    fn seal(
        &self,
        resolved: &BTreeMap<ImageName, Vec<Resolved>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Graph> {
        let names = self.project.images.keys().cloned();
        let of = |(name, all): (&ImageName, &Vec<Resolved>)| {
            let image = &self.project.images[name];
            let mut edges: Vec<_> = all.iter().flat_map(|r| edges(image, &r.recipe)).collect();
            let mut seen = BTreeSet::new();
            edges.retain(|edge| seen.insert(edge.clone()));
            edges
        };
        let edges: Vec<_> = resolved.iter().flat_map(of).collect();
        match Graph::seal(names, edges, self.project.root.clone()) {
            Ok(graph) => Some(graph),
            Err(SealError::Cycle(cycle)) => {
                let place = cycle
                    .path
                    .first()
                    .and_then(|(name, ..)| self.project.images.get(name));
                let span = place.map_or(crate::model::Span::start(), |image| image.span);
                let problem = self.project.problem(span, "cycle", cycle.to_string());
                problems
                    .push(problem.hint("break the circle: move what they share into an image that both use"));
                None
            }
            Err(SealError::Unknown(name)) => {
                let message = format!("`{name}` is not an image of the project");
                problems.push(
                    self.project
                        .problem(crate::model::Span::start(), "unknown-image", message),
                );
                None
            }
        }
    }

    /// The sealed graph, with the way of every edge.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn graph(&self) -> Result<Graph, Failure> {
        let mut problems = Vec::new();
        let resolved = self.resolve_all(&mut problems)?;
        let graph = self.seal(&resolved, &mut problems);
        graph.ok_or_else(|| match Problems::of(problems) {
            Some(problems) => Failure::Project(problems),
            None => Failure::Bug("a graph that is neither whole nor a problem".into()),
        })
    }

    /// Everything about one image.
    ///
    /// # Errors
    /// [`Failure::Refused`] for a stranger, else as [`Loaded::read`].
    pub fn image(&self, name: &ImageName) -> Result<Image, Failure> {
        let resolved = self.resolved(&[name])?.remove(name).unwrap_or_default();
        self.made(name, &resolved)
    }

    /// The warnings of an image that nobody silenced, in order of lines.
    pub fn warnings_of(&self, name: &ImageName, image: &Image) -> Vec<Warning> {
        let own = self.project.images.get(name).map(|image| &image.silence);
        let silent =
            |code: &str| self.project.silence.contains(code) || own.is_some_and(|own| own.contains(code));
        let mut warnings: Vec<Warning> = image.warnings.clone();
        warnings.retain(|warning| !silent(warning.code));
        warnings.sort_by_key(|warning| warning.line);
        warnings
    }

    /// Everything about one image whose container file was [resolved](Self::resolved) before.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn made(&self, name: &ImageName, resolved: &[Resolved]) -> Result<Image, Failure> {
        let contexts = self.contexts(name)?;
        let first = resolved
            .first()
            .ok_or_else(|| Failure::Bug(format!("{name} has no recipe")))?;
        let mut variants = Vec::new();
        let mut warnings: Vec<Warning> = Vec::new();
        for resolved in resolved {
            let manifest = self.manifest(resolved, &contexts)?;
            let told = resolved.recipe.warnings.iter().cloned();
            for warning in told.chain(revision::warnings(&resolved.recipe, &manifest)) {
                if variants.is_empty() || !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
            variants.push(Variant {
                recipe: resolved.recipe.clone(),
                manifest,
            });
        }
        let (own, records) = self.revision(name, &first.bytes, &variants);
        let (revision, records) = self.with_environments(name, own, records)?;
        Ok(Image {
            file: first.file.clone(),
            variants,
            revision,
            own,
            records,
            warnings,
        })
    }

    fn manifest(&self, resolved: &Resolved, contexts: &Contexts<'_>) -> Result<Manifest, Failure> {
        let problem = |error: revision::SelectError| {
            let error = self.origin.excuse(error);
            let span = resolved.span_of(error.line, &error.word);
            let mut problem = resolved.source.problem(span, "source", error.message);
            problem.hint = error.hint;
            match error.label {
                Some(label) => Failure::Project(problem.label(label).into()),
                None => Failure::Project(problem.into()),
            }
        };
        revision::select_sharing(&resolved.recipe, contexts, &Limits::default(), Some(&self.shared))
            .map_err(problem)
    }
}
