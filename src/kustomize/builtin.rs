//! Transformers and generators that are written as objects: `transformers`, `generators`,
//! `validators` of a kustomization. Only upstream's own are known; nothing is started.

use super::error::Error;
use super::generate;
use super::jsonpatch;
use super::kustomization::{self, FieldSpec, Generator, Image, Patch, Replacement, Replica, Selector};
use super::load::Loader;
use super::namespace::{Namespace, Subjects};
use super::node::{Node, Scalar};
use super::objects;
use super::patch;
use super::resource::Resource;
use super::transform::{Transformer, ValueTarget};
use super::value;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

struct Settings {
    kind: String,
    map: Value,
}

impl Settings {
    fn read(resource: &Resource) -> Result<Self, Error> {
        if resource.api_version() != "builtin" {
            let id = resource.id();
            return Err(Error::new(format!(
                "`{id}` is an exec or container plugin; nothing is started"
            ))
            .hint("only upstream's own transformers and generators (apiVersion: builtin) are run"));
        }
        let mut map = value::of(&resource.node)?;
        kustomization::drop_nulls(&mut map);
        Ok(Self {
            kind: resource.kind().into(),
            map,
        })
    }

    fn get<T: DeserializeOwned + Default>(&self, names: &[&str]) -> Result<T, Error> {
        for name in names {
            if let Some(found) = self.map.get(*name) {
                let mut found = found.clone();
                if matches!(*name, "labels" | "annotations") {
                    texts(&mut found);
                }
                return serde_json::from_value(found)
                    .map_err(|error| Error::new(format!("`{name}` of a {}: {error}", self.kind)));
            }
        }
        Ok(T::default())
    }

    fn metadata(&self, name: &str) -> String {
        self.map
            .pointer(&format!("/metadata/{name}"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    fn specs(&self) -> Result<Vec<FieldSpec>, Error> {
        let known = ["group", "version", "kind", "path", "create"];
        let mut specs: Vec<serde_json::Map<String, Value>> = self.get(&["fieldSpecs", "FieldSpecs"])?;
        for spec in &mut specs {
            spec.retain(|key, _| known.contains(&key.as_str()));
        }
        serde_json::from_value(specs.into())
            .map_err(|error| Error::new(format!("`fieldSpecs` of a {}: {error}", self.kind)))
    }
}

fn texts(value: &mut Value) {
    for entry in value
        .as_object_mut()
        .into_iter()
        .flat_map(serde_json::Map::values_mut)
    {
        if entry.is_number() || entry.is_boolean() {
            *entry = Value::String(entry.to_string());
        }
    }
}

/// The transformer that an object describes.
///
/// # Errors
/// When it is none of upstream's own, or is incomplete.
pub fn transformer(resource: &Resource, loader: &Loader<'_>) -> Result<Transformer, Error> {
    let settings = Settings::read(resource)?;
    let lacks = |what: &str| {
        Error::new(format!(
            "the {} `{}` lacks {what}",
            settings.kind,
            resource.name()
        ))
    };
    Ok(match settings.kind.as_str() {
        "AnnotationsTransformer" => {
            Transformer::Annotations(settings.get(&["annotations"])?, settings.specs()?)
        }
        "LabelTransformer" => Transformer::Labels(settings.get(&["labels"])?, settings.specs()?),
        "HashTransformer" => Transformer::Hash,
        "ImageTagTransformer" => Transformer::Image(settings.get::<Image>(&["imageTag"])?, settings.specs()?),
        "NamespaceTransformer" => {
            let mut namespace = Namespace::new(&settings.metadata("namespace"), settings.specs()?);
            namespace.unset_only = settings.get(&["unsetOnly"])?;
            namespace.subjects = match settings.get::<String>(&["setRoleBindingSubjects"])?.as_str() {
                "" | "defaultOnly" => Subjects::Default,
                "allServiceAccounts" => Subjects::ServiceAccounts,
                "none" => Subjects::None,
                other => {
                    return Err(
                        Error::new(format!("invalid value `{other}` for setRoleBindingSubjects"))
                            .hint("write defaultOnly, allServiceAccounts or none"),
                    );
                }
            };
            Transformer::Namespace(namespace)
        }
        "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" => {
            let specs = settings.specs()?;
            if specs.is_empty() {
                return Err(lacks("`fieldSpecs`"));
            }
            let prefix = Transformer::Prefix(settings.get(&["prefix"])?, specs.clone());
            let suffix = Transformer::Suffix(settings.get(&["suffix"])?, specs);
            match settings.kind.as_str() {
                "PrefixTransformer" => prefix,
                "SuffixTransformer" => suffix,
                _ => Transformer::Many(vec![prefix, suffix]),
            }
        }
        "ReplicaCountTransformer" => {
            Transformer::Replica(settings.get::<Replica>(&["replica"])?, settings.specs()?)
        }
        "ReplacementTransformer" => {
            let all: Vec<Replacement> = settings.get(&["replacements"])?;
            Transformer::Replacements(replacements(&all, loader)?)
        }
        "ValueAddTransformer" => {
            let targets: Vec<ValueTarget> = settings.get(&["targets"])?;
            let value: String = settings.get(&["value"])?;
            if value.is_empty()
                || targets.is_empty()
                || targets.iter().any(|target| target.field_path.is_empty())
            {
                return Err(lacks("a value, targets, or the field path of one"));
            }
            Transformer::ValueAdd(value, targets)
        }
        "PatchTransformer" => {
            let one = Patch {
                path: settings.get(&["path"])?,
                patch: settings.get(&["patch"])?,
                target: settings.get::<Option<Selector>>(&["target"])?,
                options: settings.get::<BTreeMap<String, bool>>(&["options"])?,
            };
            let patching = patch::read(&one, loader)?;
            Transformer::Patch(patching, one.target)
        }
        "PatchJson6902Transformer" => json6902(
            &settings.get::<String>(&["path"])?,
            &settings.get::<String>(&["jsonOp"])?,
            settings.get::<Option<Selector>>(&["target"])?,
            loader,
        )?,
        "PatchStrategicMergeTransformer" => {
            let paths: Vec<String> = settings.get(&["paths"])?;
            let inline: String = settings.get(&["patches"])?;
            let mut all = merges(&paths, loader)?;
            all.extend(objects::read(&inline)?);
            if all.is_empty() {
                return Err(lacks("patches"));
            }
            Transformer::StrategicMerge(all)
        }
        other => {
            return Err(Error::new(format!("unable to load builtin `{other}`"))
                .hint("look at the spelling of its kind"));
        }
    })
}

/// The patches that `patchesStrategicMerge` lists: files, or the patches themselves.
///
/// # Errors
/// When one cannot be read.
pub fn merges(paths: &[String], loader: &Loader<'_>) -> Result<Vec<Resource>, Error> {
    let mut all = Vec::new();
    for path in paths {
        match objects::read(path) {
            Ok(inline) => all.extend(inline),
            Err(_) => {
                let text = loader.text(path)?;
                all.extend(objects::read(&text).map_err(|what| Error::at(loader.name(path), what))?);
            }
        }
    }
    Ok(all)
}

/// A patch of `patchesJson6902`.
///
/// # Errors
/// When it has no target, no operations, or both a file and operations.
pub fn json6902(
    path: &str,
    inline: &str,
    target: Option<Selector>,
    loader: &Loader<'_>,
) -> Result<Transformer, Error> {
    let wrong = |what: &str| Error::at(loader.folder(), format!("patchesJson6902: {what}"));
    let target = target
        .filter(|target| !target.name.is_empty())
        .ok_or_else(|| wrong("must specify the target name"))?;
    let text = match (path, inline) {
        ("", "") => return Err(wrong("empty file path and empty jsonOp")),
        ("", inline) => inline.to_owned(),
        (path, "") => loader.text(path)?,
        _ => return Err(wrong("must specify a file path or jsonOp, not both")),
    };
    let operations = jsonpatch::read(&text).map_err(|what| wrong(&what))?;
    match operations.is_empty() {
        true => Err(wrong("patch appears to be empty")),
        false => Ok(Transformer::Json6902(operations, target)),
    }
}

/// Replacements, those in files read.
///
/// # Errors
/// When a file cannot be read or holds none.
pub fn replacements(all: &[Replacement], loader: &Loader<'_>) -> Result<Vec<Replacement>, Error> {
    let mut out = Vec::new();
    for one in all {
        if one.path.is_empty() {
            out.push(one.clone());
            continue;
        }
        if one.source.is_some() || one.targets.as_ref().is_some_and(|targets| !targets.is_empty()) {
            return Err(Error::at(
                loader.folder(),
                "cannot specify both path and inline replacement",
            ));
        }
        let place = loader.name(&one.path);
        let documents =
            super::parse::documents(&loader.text(&one.path)?).map_err(|what| Error::at(&*place, what))?;
        let mut value = documents.first().map_or(Value::Null, value::configuration);
        kustomization::drop_nulls(&mut value);
        let bad = |error: serde_json::Error| Error::at(&*place, format!("no replacement: {error}"));
        match value {
            Value::Array(_) => out.extend(serde_json::from_value::<Vec<Replacement>>(value).map_err(bad)?),
            Value::Object(_) => out.push(serde_json::from_value(value).map_err(bad)?),
            _ => {
                return Err(Error::at(
                    &*place,
                    "holds neither a replacement nor a list of them",
                ));
            }
        }
    }
    Ok(out)
}

/// The objects that a generator object makes.
///
/// # Errors
/// When it is none of upstream's own, or is incomplete.
pub fn generate(resource: &Resource, loader: &Loader<'_>) -> Result<Vec<Resource>, Error> {
    let settings = Settings::read(resource)?;
    let kind = match settings.kind.as_str() {
        "ConfigMapGenerator" => generate::Kind::ConfigMap,
        "SecretGenerator" => generate::Kind::Secret,
        "IAMPolicyGenerator" => return iam(&settings),
        "HelmChartInflationGenerator" => {
            return Err(
                Error::new("`HelmChartInflationGenerator` is not supported: nothing is started")
                    .hint("run `helm template` and list the file that it writes under `resources:`"),
            );
        }
        other => {
            return Err(
                Error::new(format!("unable to load builtin `{other}` as a generator"))
                    .hint("look at the spelling of its kind"),
            );
        }
    };
    let or = |own: String, name: &str| {
        if own.is_empty() {
            settings.metadata(name)
        } else {
            own
        }
    };
    let mut envs: Vec<String> = settings.get(&["envs"])?;
    envs.extend(Some(settings.get::<String>(&["env"])?).filter(|env| !env.is_empty()));
    let generator = Generator {
        name: or(settings.get(&["name"])?, "name"),
        namespace: or(settings.get(&["namespace"])?, "namespace"),
        behavior: settings.get(&["behavior"])?,
        literals: settings.get(&["literals"])?,
        files: settings.get(&["files"])?,
        envs,
        kind: settings.get(&["type"])?,
        options: settings.get(&["options"])?,
        ..Generator::default()
    };
    let options = generate::options(generator.options.as_ref(), None);
    Ok(vec![generate::make(kind, &generator, &options, loader)?])
}

fn iam(settings: &Settings) -> Result<Vec<Resource>, Error> {
    let text = |pointer: &str| {
        settings
            .map
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let cloud = text("/cloud");
    if cloud != "gke" {
        return Err(
            Error::new(format!("cloud provider {cloud} not supported yet")).hint("write `cloud: gke`")
        );
    }
    let account = format!(
        "{}@{}.iam.gserviceaccount.com",
        text("/serviceAccount/name"),
        text("/serviceAccount/projectId")
    );
    let mut resource = Resource::new(Node::Map(vec![
        (Scalar::untagged("apiVersion"), Node::string("v1")),
        (Scalar::untagged("kind"), Node::string("ServiceAccount")),
    ]));
    resource.annotate("iam.gke.io/gcp-service-account", &account);
    resource.set_name(&text("/kubernetesService/name"));
    resource.set_namespace(&text("/kubernetesService/namespace"));
    Ok(vec![resource])
}
