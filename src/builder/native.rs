//! The native builder: images without RUN, on `scratch` or on images of the project, with no tool on the machine.

use super::config::ImageConfig;
use super::content::Contents;
use super::copy::Looks;
use super::layer::{self, Layer};
use super::owner::{self, Unknown};
use super::rootfs::Rootfs;
use super::stage::{State, Transferring};
use super::{Base, BuildError, Builder, Built, Job, Progress, StepError, base, history, labels, support};
use crate::cache::Remembered;
use crate::containerfile::recipe::{Op, Recipe, Source, Step};
use crate::model::{BuilderKind, Digest, ImageName, RepoPath};
use crate::registry::{CONFIG, Descriptor, MANIFEST, Registry, Repository};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// Builds in this process.
///
/// The result depends on the job alone: the same on every machine. Files that come from a context have
/// the time 0 (1970), so that unchanged files are an unchanged layer whatever the commit; members of archives
/// keep theirs. One layer for each COPY, ADD or WORKDIR that changes something.
#[derive(Debug, Clone)]
pub struct Native {
    layers: Remembered,
}

impl Native {
    /// Remembers nothing: every layer is written anew.
    pub fn new() -> Self {
        Self::remembering(Remembered::nothing())
    }

    /// Remembers in `layers` which layer some files make. One that the repository has already is then not
    /// written again, and its files are not read. Losing what is remembered changes no result.
    pub fn remembering(layers: Remembered) -> Self {
        Self { layers }
    }
}

impl Default for Native {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder for Native {
    fn kind(&self) -> BuilderKind {
        BuilderKind::Native
    }

    fn refuses(&self, recipe: &Recipe, checks: bool) -> Option<BuildError> {
        let of_checks = || checks.then(|| (1, "a check of the image".into()));
        let (line, what) = support::unsupported(recipe).or_else(of_checks)?;
        Some(BuildError::NeedsBuilder { line, what })
    }

    /// Nothing is run in this process.
    fn check(
        &self,
        _: &Job<'_>,
        _: &Digest,
        command: &[String],
        _: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), BuildError> {
        let what = format!("the check `{}`", command.join(" "));
        Err(BuildError::NeedsBuilder { line: 1, what })
    }

    fn build(&self, job: &Job<'_>, progress: &(dyn Fn(Progress) + Sync)) -> Result<Built, BuildError> {
        if let Some(refusal) = self.refuses(job.recipe, false) {
            return Err(refusal);
        }
        let mut build = Build {
            job,
            progress,
            remembered: &self.layers,
            contents: Contents::new(job),
            states: Vec::new(),
            images: BTreeMap::new(),
            chain: chain(job),
        };
        for number in 0..job.recipe.stages.len() {
            build.stage(number)?;
        }
        build.push()
    }
}

/// The stages whose layers make up the image: the target and what it is built from.
fn chain(job: &Job<'_>) -> BTreeSet<usize> {
    let mut chain = BTreeSet::new();
    let mut at = Some(job.recipe.target);
    while let Some(number) = at.filter(|n| chain.insert(*n)) {
        at = match job.recipe.stages.get(number).map(|s| &s.base) {
            Some(Source::Stage(base)) => Some(*base),
            _ => None,
        };
    }
    chain
}

struct Build<'a, 'j> {
    job: &'j Job<'j>,
    progress: &'a (dyn Fn(Progress) + Sync),
    remembered: &'a Remembered,
    contents: Contents<'j>,
    states: Vec<State>,
    /// The files of project images that are copied from.
    images: BTreeMap<ImageName, Arc<Rootfs>>,
    chain: BTreeSet<usize>,
}

impl Build<'_, '_> {
    fn stage(&mut self, number: usize) -> Result<(), BuildError> {
        let job = self.job;
        let stage = &job.recipe.stages[number];
        let mut state = match &stage.base {
            Source::Stage(base) => self.earlier(*base, number, stage.line)?.child(),
            Source::Project(name) => {
                let base = self.base(name, stage.line)?;
                let image = base::load(job.registry, base, &job.recipe.platform)?;
                State::new(
                    ImageConfig::of_base(image.config, &job.recipe.platform),
                    image.layers,
                )
            }
            _ => State::new(ImageConfig::scratch(&job.recipe.platform).child(), Vec::new()),
        };
        for (index, step) in stage.steps.iter().enumerate() {
            (self.progress)(Progress::Step {
                line: step.line,
                text: step.original.clone(),
            });
            self.step(&mut state, number, index, step)?;
        }
        self.states.push(state);
        Ok(())
    }

    fn earlier(&self, base: usize, number: usize, line: u32) -> Result<&State, BuildError> {
        debug_assert!(base < number);
        let missing = || StepError::Value(format!("stage {base} stands after stage {number}")).at(line);
        self.states.get(base).ok_or_else(missing)
    }

    fn base(&self, name: &ImageName, line: u32) -> Result<&Base, BuildError> {
        let missing = || StepError::Value(format!("nothing was planned for the image {name}")).at(line);
        self.job.bases.get(name).ok_or_else(missing)
    }

    fn step(&mut self, state: &mut State, stage: usize, index: usize, step: &Step) -> Result<(), BuildError> {
        state.config.apply(&step.op).map_err(|e| e.at(step.line))?;
        let written = match &step.op {
            Op::Transfer(_) => {
                self.transfer(state, stage, index, step)?;
                self.layer(state, stage, step)?
            }
            Op::Workdir(_) => {
                self.workdir(state, step)?;
                self.layer(state, stage, step)?
            }
            _ => false,
        };
        if let Some(text) = history::created_by(step) {
            state.config.add_history(text, self.job.created, !written);
        }
        Ok(())
    }

    /// WORKDIR makes its folder, owned by USER (rule 75).
    fn workdir(&mut self, state: &mut State, step: &Step) -> Result<(), BuildError> {
        let (path, user) = (state.config.workdir(), state.config.user());
        let files = state.files_mut(self.job)?;
        files.begin_layer();
        let contents = &mut self.contents;
        let mut make = || {
            let path = files.resolve(&RepoPath::root(), path.as_bytes(), true)?;
            let mut looks = Looks::default();
            if !user.is_empty() && !files.is_folder(&path) {
                looks.owner = Some(owner::find(&user, Unknown::Root, files, contents)?);
            }
            Ok(files.make_folders(&path, &looks.of_new_folders())?)
        };
        make().map_err(|e: StepError| e.at(step.line))
    }

    fn transfer(
        &mut self,
        state: &mut State,
        stage: usize,
        index: usize,
        step: &Step,
    ) -> Result<(), BuildError> {
        let Op::Transfer(transfer) = &step.op else {
            return Ok(());
        };
        let job = self.job;
        let from = match &transfer.from {
            Source::Stage(number) => {
                self.earlier(*number, stage, step.line)?;
                Some(self.states[*number].files(job)?)
            }
            Source::Project(name) => Some(self.image(name, step.line)?),
            Source::Scratch => Some(Arc::default()),
            _ => None,
        };
        let workdir = state.config.workdir();
        let files = state.files_mut(job)?;
        files.begin_layer();
        let sections = job.manifest.sections.iter();
        let mut transferring = Transferring {
            job,
            contents: &mut self.contents,
            transfer,
            sections: sections.filter(|s| s.stage == stage && s.step == index).collect(),
            from: from.as_deref(),
        };
        transferring.run(files, &workdir).map_err(|e| e.at(step.line))
    }

    fn image(&mut self, name: &ImageName, line: u32) -> Result<Arc<Rootfs>, BuildError> {
        if let Some(files) = self.images.get(name) {
            return Ok(Arc::clone(files));
        }
        let base = self.base(name, line)?;
        let image = base::load(self.job.registry, base, &self.job.recipe.platform)?;
        let files = Arc::new(base::files(self.job.registry, &base.repository, &image.layers)?);
        self.images.insert(name.clone(), Arc::clone(&files));
        Ok(files)
    }

    /// Writes what the instruction changed as a layer, where the image needs it. Whether something changed.
    fn layer(&mut self, state: &mut State, stage: usize, step: &Step) -> Result<bool, BuildError> {
        let job = self.job;
        let files = state.files(job)?;
        if !self.chain.contains(&stage) {
            return Ok(!files.changes().is_empty());
        }
        let contents = &mut self.contents;
        let put = layer::put(&files, contents, self.remembered, job, step.line)?;
        let Some((layer, reused)) = put else {
            return Ok(false);
        };
        (self.progress)(Progress::Layer {
            digest: layer.descriptor.digest,
            size: layer.descriptor.size,
            reused,
        });
        state.layers.push(layer);
        Ok(true)
    }

    /// Pushes base layers, config and manifest.
    fn push(&mut self) -> Result<Built, BuildError> {
        let job = self.job;
        let target = self.states.swap_remove(job.recipe.target);
        for layer in &target.layers {
            self.bring(layer)?;
        }
        let diff_ids: Vec<_> = target.layers.iter().map(|layer| layer.diff_id).collect();
        let mut config = target.config.finish(&diff_ids, job.created);
        labels::write(&mut config, job.labels);
        let bytes = Value::Object(config).to_string().into_bytes();
        let config = job.registry.put_blob(job.repository, &bytes)?;
        let manifest = manifest(&config, &target.layers, job.labels);
        let descriptor = job
            .registry
            .put_manifest(job.repository, MANIFEST, manifest.as_bytes())?;
        Ok(Built {
            descriptor,
            layers: target.layers.len(),
        })
    }

    /// Makes a layer of a base appear in the image's own repository.
    fn bring(&self, layer: &Layer) -> Result<(), BuildError> {
        let (registry, to) = (self.job.registry, self.job.repository);
        let Some(from) = layer.from.as_ref().filter(|from| *from != to) else {
            return Ok(());
        };
        let digest = &layer.descriptor.digest;
        if !registry.has_blob(to, digest)? && !registry.mount_blob(to, from, digest)? {
            send(registry, to, from, layer)?;
        }
        (self.progress)(Progress::Layer {
            digest: *digest,
            size: layer.descriptor.size,
            reused: true,
        });
        Ok(())
    }
}

fn send(
    registry: &dyn Registry,
    to: &Repository,
    from: &Repository,
    layer: &Layer,
) -> Result<(), BuildError> {
    let mut blob = registry.begin_blob(to)?;
    let mut bytes = registry.blob(from, &layer.descriptor.digest)?;
    io::copy(&mut bytes, &mut blob).map_err(|source| BuildError::Write {
        repository: to.clone(),
        source,
    })?;
    blob.finish()?;
    Ok(())
}

/// The manifest of an image: config, layers, and its labels as annotations.
pub(crate) fn manifest(
    config: &Descriptor,
    layers: &[Layer],
    annotations: &BTreeMap<String, String>,
) -> String {
    let entry = |media_type: &str, d: &Descriptor| json!({"mediaType": media_type, "digest": d.digest.to_string(), "size": d.size});
    let layers: Vec<Value> = layers
        .iter()
        .map(|layer| entry(&layer.descriptor.media_type, &layer.descriptor))
        .collect();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": entry(CONFIG, config),
        "layers": layers,
    });
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
    manifest.to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
