//! The environments of a project: their pack, what they add to the root image, what is wrong with them (D1).

use super::Loaded;
use crate::config::{self, environments};
use crate::engine::Failure;
use crate::kustomize::{self, Options};
use crate::model::problem::Place;
use crate::model::{EnvironmentName, ImageName, Problem, Problems, RepoPath, Revision, Severity};
use crate::pack::{Gathered, Pack, PackError};
use crate::plan::Environments;
use crate::render::findings;
use crate::revision::{self, Records};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The pack once it was made; none where the project has no environments.
pub(super) type Packed = OnceLock<Option<Gathered>>;

impl Loaded {
    /// The pack of the project's environments; none where it has none.
    ///
    /// # Errors
    /// [`Failure::Project`] when an environment cannot be built.
    pub fn pack(&self) -> Result<Option<&Pack>, Failure> {
        Ok(self.gathered()?.map(|gathered| &gathered.pack))
    }

    fn gathered(&self) -> Result<Option<&Gathered>, Failure> {
        if self.packed.get().is_none() {
            let made = self.gather()?;
            // Another thread may have been faster with the same.
            let _ = self.packed.set(made);
        }
        Ok(self.packed.get().and_then(Option::as_ref))
    }

    fn gather(&self) -> Result<Option<Gathered>, Failure> {
        let tree = &*self.origin.tree;
        let mut environments = environments::list(tree, &self.project.environments.folder)?;
        environments.retain(|_, folder| !environments::is_component(tree, folder));
        if environments.is_empty() {
            return Ok(None);
        }
        let allowed = self.project.allow.contains(&config::Allowance::Helm);
        let helm = self.origin.helm.as_deref().filter(|_| allowed);
        let gathered = Pack::gather(tree, &environments, Options::default(), helm);
        let mut gathered =
            gathered.map_err(|error| Failure::Project(problem(&error, &environments).into()))?;
        let (mut names, mut problems) = (BTreeMap::new(), Vec::new());
        for built in gathered.built.values_mut() {
            let looked = built.each_image(&mut |_, text| self.note(text, &mut names).map(|()| None));
            if let Err(error) = looked {
                problems.push(of_kustomize(&error, "environment-image"));
            }
        }
        if let Some(problems) = Problems::of(problems) {
            return Err(Failure::Project(problems));
        }
        gathered.pack.names = names;
        Ok(Some(gathered))
    }

    /// Remembers under which other name an image of the project is called in a manifest.
    fn note(&self, text: &str, names: &mut BTreeMap<String, ImageName>) -> Result<(), String> {
        let (name, _, digest) = config::split(text);
        let prefix = format!("{}/", self.project.name);
        let Some(own) = self.project.own(text) else {
            return match name.strip_prefix(&prefix) {
                Some(image) => Err(format!("`{name}`: `{image}` is not an image of the project")),
                None => Ok(()),
            };
        };
        if digest.is_some() {
            return Err(format!(
                "`{text}` is pinned to a digest: the release decides which `{}` it is",
                own.image
            ));
        }
        if name != format!("{prefix}{}", own.image) {
            names.insert(name.to_owned(), own.image);
        }
        Ok(())
    }

    /// What is wrong with the environments, and what looks so. Where a kustomization cannot be read at all, that was
    /// `told`.
    pub(super) fn environment_problems(&self, told: &[Problem]) -> Result<Vec<Problem>, Failure> {
        let folder = &self.project.environments.folder;
        if told
            .iter()
            .any(|problem| RepoPath::clean(&problem.place.path).starts_with(folder))
        {
            return Ok(Vec::new());
        }
        match self.gathered() {
            Ok(Some(gathered)) => self.findings(gathered),
            Ok(None) => Ok(Vec::new()),
            Err(Failure::Project(problems)) => Ok(problems.into_vec()),
            Err(other) => Err(other),
        }
    }

    /// What looks wrong with what the sites are sent.
    fn findings(&self, gathered: &Gathered) -> Result<Vec<Problem>, Failure> {
        let sites = &self.project.sites;
        let used: BTreeSet<&EnvironmentName> = sites.iter().map(|site| &site.environment).collect();
        let mut problems = Vec::new();
        for (name, built) in &gathered.built {
            if !used.is_empty() && !used.contains(name) {
                continue;
            }
            let of = |site: &&config::Site| site.environment == *name;
            let namespaced = sites.iter().filter(of).all(|site| site.kube.namespace.is_some());
            let objects = built
                .clone()
                .objects()
                .map_err(|error| Failure::Project(of_kustomize(&error, "kustomize").into()))?;
            let foreign = |image: &str| self.project.own(image).is_none();
            let found = findings::find(&objects, &built.images(), &foreign, namespaced);
            let loud = found
                .into_iter()
                .filter(|found| !self.project.silence.contains(found.code));
            problems.extend(loud.map(|found| {
                let place = Place {
                    path: found.file.to_string(),
                    line: u32::try_from(found.line.max(1)).unwrap_or(u32::MAX),
                    column: 1,
                };
                let problem = Problem::new(place, found.code, found.message).severity(Severity::Warning);
                problem.hint(found.hint)
            }));
        }
        Ok(problems)
    }

    /// What the environments add to the root, whose own revision this is.
    pub(super) fn environments_over(&self, own: Revision) -> Option<Environments> {
        let pack = self.pack().ok()??;
        Some(Environments {
            pack: pack.digest(),
            sources: pack.sources(),
            own,
        })
    }

    /// The revision and the records of an image with what the environments add to the root.
    pub(super) fn with_environments(
        &self,
        name: &ImageName,
        own: Revision,
        records: Records,
    ) -> Result<(Revision, Records), Failure> {
        if *name != self.project.root {
            return Ok((own, records));
        }
        Ok(match self.pack()? {
            Some(pack) => revision::with_environments(records, pack),
            None => (own, records),
        })
    }
}

/// A pack that cannot be made, at its place.
fn problem(error: &PackError, environments: &BTreeMap<EnvironmentName, RepoPath>) -> Problem {
    match error {
        PackError::Kustomize { environment, error } if error.place.is_empty() => {
            let folder = environments.get(environment).map(ToString::to_string);
            of_kustomize(&error.clone().within(&folder.unwrap_or_default()), "kustomize")
        }
        PackError::Kustomize { error, .. } => of_kustomize(error, "kustomize"),
        other => {
            let path = environments.values().next().map(ToString::to_string);
            let place = Place {
                path: path.unwrap_or_default(),
                line: 1,
                column: 1,
            };
            Problem::new(place, "environments", other.to_string())
        }
    }
}

/// An error of kustomize as a problem: its place is a file, perhaps with a line.
fn of_kustomize(error: &kustomize::Error, code: &'static str) -> Problem {
    let (path, line) = match error.place.rsplit_once(':') {
        Some((path, line)) if line.parse::<u32>().is_ok() => (path, line.parse().unwrap_or(1)),
        _ => (error.place.as_str(), 1),
    };
    let place = Place {
        path: path.to_owned(),
        line,
        column: 1,
    };
    let mut problem = Problem::new(place, code, error.sentence());
    problem.hint.clone_from(&error.hint);
    problem
}
