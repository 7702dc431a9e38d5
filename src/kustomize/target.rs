//! One kustomization: reads what it names, applies what it says, hands the objects upwards.

use super::builtin;
use super::config::Config;
use super::error::Error;
use super::generate;
use super::helm;
use super::kustomization::{Kustomization, NAMES, Variable};
use super::load::Loader;
use super::objects::{self, Names};
use super::origin::Origin;
use super::resource::Resource;
use super::schema::Schema;
use super::transform::Transformer;
use super::{parse, transformers, value, vars};
use std::sync::Arc;

/// The deepest chain of bases and components (SEC-A11): it must fit on the stack of a thread.
const MAX_CHAIN: usize = 40;
/// The most bases and components, each counted as often as it is named.
const MAX_FOLDERS: usize = 2_000;

/// What was gathered so far.
#[derive(Default)]
pub struct Gathered {
    pub(super) resources: Vec<Resource>,
    pub(super) config: Config,
    pub(super) variables: Vec<Variable>,
}

impl Gathered {
    fn merge(&mut self, other: Self, names: &mut Names) -> Result<(), Error> {
        names.append(&mut self.resources, other.resources)?;
        self.config.merge(&other.config)?;
        vars::merge(&mut self.variables, &other.variables)
    }
}

/// What all kustomizations of one build share.
pub struct Shared {
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) folders: usize,
    /// Whether an object was read: until then a schema of one's own stands alone, later it is
    /// laid over the built-in one, as upstream has it.
    pub(super) objects: bool,
    /// The scalars that upstream keeps as one.
    pub(super) groups: super::shared::Groups,
}

/// A kustomization in its folder.
pub struct Target<'t> {
    loader: Loader<'t>,
    file: String,
    /// The kustomization as it is written, to tell which line names what.
    text: String,
    pub(super) kustomization: Kustomization,
    origin: Option<Origin>,
    /// The namespace of the nearest kustomization above that has one, for charts.
    inherited: String,
}

impl<'t> Target<'t> {
    /// The namespace of this kustomization, or of the nearest above.
    fn namespace(&self) -> &str {
        match self.kustomization.namespace.as_str() {
            "" => &self.inherited,
            own => own,
        }
    }

    /// Reads the kustomization of a folder.
    ///
    /// # Errors
    /// When there is none or more than one, or it cannot be read.
    pub fn open(loader: Loader<'t>) -> Result<Self, Error> {
        let there: Vec<&str> = NAMES.into_iter().filter(|name| loader.is_file(name)).collect();
        let [file] = there[..] else {
            return Err(match there.is_empty() {
                true => Error::at(loader.folder(), "no kustomization file")
                    .hint("write a kustomization.yaml that lists its resources"),
                false => Error::at(
                    loader.folder(),
                    format!("multiple kustomization files: {}", there.join(", ")),
                )
                .hint("keep one of them"),
            });
        };
        let place = loader.name(file);
        let text = loader.text(file)?;
        let kustomization = Kustomization::read(&place, &text)?;
        if loader.helm().is_none() {
            kustomization.refuse_charts(&place, &text)?;
        }
        refuse(&kustomization).map_err(|error| error.within(&place))?;
        Ok(Self {
            loader,
            file: file.into(),
            text,
            kustomization,
            origin: None,
            inherited: String::new(),
        })
    }

    /// Says where objects come from, when the kustomization asks for it.
    pub fn start_origins(&mut self) {
        self.origin = (!self.kustomization.build_metadata.is_empty()).then(Origin::default);
    }

    /// Takes the schema of the first kustomization that names one.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn take_schema(&self, shared: &mut Shared) -> Result<(), Error> {
        let (path, version) = (
            self.kustomization.openapi.get("path"),
            self.kustomization.openapi.get("version"),
        );
        let text = path.map(|path| self.loader.text(path)).transpose()?;
        if shared.schema.is_some() {
            return Ok(());
        }
        match (path, text, version) {
            (Some(_), Some(_), Some(_)) => Err(Error::at(
                self.loader.folder(),
                "builtin version and custom schema provided, cannot use both",
            )),
            (Some(path), Some(text), None) => {
                let documents =
                    parse::documents(&text).map_err(|what| Error::at(self.loader.name(path), what))?;
                let document = documents
                    .first()
                    .map_or(serde_json::Value::Null, value::configuration);
                shared.schema = Some(Schema::custom(&document, shared.objects));
                Ok(())
            }
            (_, _, Some(version)) if version != "v1.21.2" => Err(Error::at(
                self.loader.folder(),
                "the specified OpenAPI version is not built in",
            )
            .hint("leave `openapi.version` out, or write v1.21.2")),
            (_, _, Some(_)) => {
                shared.schema = Some(Schema::builtin());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds the objects of this kustomization to `into`, transformed.
    ///
    /// # Errors
    /// Whatever is wrong first.
    pub fn gather(&mut self, into: Gathered, shared: &mut Shared) -> Result<Gathered, Error> {
        let done = self.collect(into, shared);
        done.map_err(|error| {
            let file = self.loader.name(&self.file);
            error.named_in(&file, &self.text, |word| self.loader.name(word))
        })
    }

    fn collect(&mut self, into: Gathered, shared: &mut Shared) -> Result<Gathered, Error> {
        let mut all = into;
        let resources = self.kustomization.resources.clone();
        self.add_resources(&mut all, &resources, shared)?;
        let mut config = Config::builtin();
        let mut own = Config::default();
        for path in &self.kustomization.configurations {
            own.merge(&self.read_config(path)?)?;
        }
        config.merge(&own)?;
        all.config.merge(&config)?;
        for path in &self.kustomization.crds {
            let documents = parse::documents(&self.loader.text(path)?)
                .map_err(|what| Error::at(self.loader.name(path), what))?;
            if let Some(node) = documents.first() {
                all.config
                    .merge(&Config::from_crds(&value::configuration(node))?)?;
            }
        }
        self.generate(&mut all, shared)?;
        let components = self.kustomization.components.clone();
        for path in &components {
            let (loader, origin) = (self.loader.enter(path)?, self.origin.clone());
            if let Some(origin) = &mut self.origin {
                *origin = origin.append(path);
            }
            all = self.descend(loader, Some(all), shared)?;
            self.origin = origin;
        }
        let place = self.loader.name(&self.file);
        let within = |error: Error| error.within(&place);
        for (transformer, origin) in self.transformers(&all.config, shared)? {
            let schema = shared.schema.clone().unwrap_or_else(Schema::builtin);
            transformer
                .apply(&mut all.resources, &schema, &mut shared.groups)
                .map_err(within)?;
            shared.groups.even_out(&mut all.resources);
            all.resources.retain(|resource| !resource.node.is_empty());
            if let Some(origin) = origin {
                all.resources
                    .iter_mut()
                    .for_each(|resource| origin.transformed(resource));
            }
        }
        let validators = self.kustomization.validators.clone();
        for resource in self.plugins(&validators, shared)? {
            builtin::transformer(&resource, &self.loader).map_err(within)?;
        }
        vars::add(&mut all.variables, &self.kustomization.vars, &mut all.resources).map_err(within)?;
        Ok(all)
    }

    fn read_config(&self, path: &str) -> Result<Config, Error> {
        let place = self.loader.name(path);
        let documents =
            parse::documents(&self.loader.text(path)?).map_err(|what| Error::at(&*place, what))?;
        let mut raw = documents
            .first()
            .map_or_else(|| serde_json::json!({}), value::configuration);
        super::kustomization::drop_nulls(&mut raw);
        let mut config: Config = serde_json::from_value(raw)
            .map_err(|error| Error::at(&*place, format!("no transformer configuration: {error}")))?;
        config.sort();
        Ok(config)
    }

    fn add_resources(
        &mut self,
        all: &mut Gathered,
        paths: &[String],
        shared: &mut Shared,
    ) -> Result<(), Error> {
        let mut names = Names::of(&all.resources);
        for path in paths {
            if self.loader.is_file(path) {
                shared.objects = true;
                let name: Arc<str> = self.loader.name(path).into();
                let mut new =
                    objects::read(&self.loader.text(path)?).map_err(|what| Error::at(&*name, what))?;
                new.iter_mut()
                    .for_each(|resource| resource.place.0 = name.clone());
                if let Some(origin) = &self.origin {
                    let text = origin.append(path).to_string();
                    new.iter_mut()
                        .for_each(|resource| resource.annotate(super::resource::ORIGIN, &text));
                }
                names
                    .append(&mut all.resources, new)
                    .map_err(|error| error.within(&self.loader.name(path)))?;
                continue;
            }
            let loader = self
                .loader
                .enter(path)
                .map_err(|error| error.within(&self.loader.name(&self.file)))?;
            let origin = self.origin.clone();
            if let Some(origin) = &mut self.origin {
                *origin = origin.append(path);
            }
            let base = self.descend(loader, None, shared)?;
            self.origin = origin;
            all.merge(base, &mut names)
                .map_err(|error| error.within(&self.loader.name(&self.file)))?;
        }
        Ok(())
    }

    /// A base when `component` is `None`, else a component that works on what is there.
    fn descend(
        &self,
        loader: Loader<'t>,
        component: Option<Gathered>,
        shared: &mut Shared,
    ) -> Result<Gathered, Error> {
        shared.folders += 1;
        if shared.folders > MAX_FOLDERS || loader.depth() > MAX_CHAIN {
            return Err(Error::at(loader.folder(), "too many bases and components"));
        }
        let mut target = Target::open(loader)?;
        target
            .kustomization
            .build_metadata
            .clone_from(&self.kustomization.build_metadata);
        target.origin.clone_from(&self.origin);
        self.namespace().clone_into(&mut target.inherited);
        target.take_schema(shared)?;
        let folder = target.loader.folder();
        match (component.is_some(), target.kustomization.is_component()) {
            (true, false) => {
                return Err(Error::at(folder, "expected kind 'Component'").hint("list it under `resources:`"));
            }
            (false, true) => {
                return Err(Error::at(folder, "a component is no base").hint("list it under `components:`"));
            }
            _ => {}
        }
        match component {
            None => target.gather(Gathered::default(), shared),
            Some(all) => {
                let mut merged = Gathered::default();
                merged.merge(target.gather(all, shared)?, &mut Names::of(&[]))?;
                Ok(merged)
            }
        }
    }

    fn generate(&mut self, all: &mut Gathered, shared: &mut Shared) -> Result<(), Error> {
        let global = self.kustomization.generator_options.clone();
        let kinds = [
            (
                generate::Kind::ConfigMap,
                &self.kustomization.config_map_generator,
                "ConfigMapGenerator",
            ),
            (
                generate::Kind::Secret,
                &self.kustomization.secret_generator,
                "SecretGenerator",
            ),
        ];
        for (kind, list, word) in kinds {
            for generator in list {
                let options = generate::options(generator.options.as_ref(), global.as_ref());
                let mut made = generate::make(kind, generator, &options, &self.loader)?;
                made.place = (self.loader.name(&self.file).into(), 1);
                if let Some(origin) = &self.origin {
                    origin.built_in(&self.file, word).made(&mut made);
                }
                objects::absorb(&mut all.resources, vec![made])
                    .map_err(|error| error.within(&self.loader.name(&self.file)))?;
            }
        }
        let made = helm::inflate(&self.loader, &self.file, &self.kustomization, self.namespace())?;
        objects::absorb(&mut all.resources, made)
            .map_err(|error| error.within(&self.loader.name(&self.file)))?;
        let generators = self.kustomization.generators.clone();
        for resource in self.plugins(&generators, shared)? {
            let mut made = builtin::generate(&resource, &self.loader)
                .map_err(|error| error.within(&self.loader.name(&self.file)))?;
            if let Some(origin) = Origin::of_plugin(&resource) {
                made.iter_mut().for_each(|one| origin.made(one));
            }
            objects::absorb(&mut all.resources, made)
                .map_err(|error| error.within(&self.loader.name(&self.file)))?;
        }
        Ok(())
    }

    /// The objects that describe transformers or generators: written in place, files or folders.
    fn plugins(&mut self, entries: &[String], shared: &mut Shared) -> Result<Vec<Resource>, Error> {
        let mut all = Gathered::default();
        let mut paths = Vec::new();
        for entry in entries {
            match objects::read(entry) {
                Ok(mut inline) => {
                    if let Some(origin) = &self.origin {
                        let text = origin.append(&self.file).to_string();
                        inline
                            .iter_mut()
                            .for_each(|one| one.annotate(super::resource::ORIGIN, &text));
                    }
                    objects::append(&mut all.resources, inline)?;
                }
                Err(_) => paths.push(entry.clone()),
            }
        }
        self.add_resources(&mut all, &paths, shared)?;
        Ok(all.resources)
    }

    fn transformers(
        &mut self,
        config: &Config,
        shared: &mut Shared,
    ) -> Result<Vec<(Transformer, Option<Origin>)>, Error> {
        let mut all = Vec::new();
        for (word, transformer) in transformers::built_in(
            &self.kustomization,
            config,
            &self.loader,
            &self.loader.name(&self.file),
        )? {
            let origin = self
                .origin
                .as_ref()
                .map(|origin| origin.built_in(&self.file, word));
            all.push((transformer, origin));
        }
        let entries = self.kustomization.transformers.clone();
        for resource in self.plugins(&entries, shared)? {
            let transformer = builtin::transformer(&resource, &self.loader)
                .map_err(|error| error.within(&self.loader.name(&self.file)))?;
            all.push((transformer, Origin::of_plugin(&resource)));
        }
        Ok(all)
    }
}

/// Refuses what names another machine, before anything of it is read.
fn refuse(k: &Kustomization) -> Result<(), Error> {
    let lists = [
        &k.resources,
        &k.components,
        &k.crds,
        &k.configurations,
        &k.generators,
        &k.transformers,
        &k.validators,
    ];
    lists
        .into_iter()
        .flatten()
        .try_for_each(|path| super::load::refuse_remote(path))
}
