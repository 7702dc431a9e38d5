//! The transformers: each a value, applied to all objects of a kustomization.

use super::error::Error;
use super::fields::{self, Create};
use super::jsonpatch::Operation;
use super::kustomization::{FieldSpec, Image, Replacement, Replica, Selector};
use super::node::{Kind, Node, Scalar, Style};
use super::patch::{self, Patching};
use super::resource::Resource;
use super::scalar::Tag;
use super::schema::Schema;
use super::shared::Groups;
use super::{config, generate, image, namespace, objects, replacement};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A transformer and what it shall do.
#[derive(Debug, Clone)]
pub enum Transformer {
    /// `patchesStrategicMerge`
    StrategicMerge(Vec<Resource>),
    /// `patches`
    Patch(Patching, Option<Selector>),
    /// `patchesJson6902`
    Json6902(Vec<Operation>, Selector),
    /// `namespace`
    Namespace(namespace::Namespace),
    /// `namePrefix`
    Prefix(String, Vec<FieldSpec>),
    /// `nameSuffix`
    Suffix(String, Vec<FieldSpec>),
    /// `labels`, `commonLabels`
    Labels(BTreeMap<String, String>, Vec<FieldSpec>),
    /// `commonAnnotations`
    Annotations(BTreeMap<String, String>, Vec<FieldSpec>),
    /// `replicas`
    Replica(Replica, Vec<FieldSpec>),
    /// `images`
    Image(Image, Vec<FieldSpec>),
    /// `replacements`
    Replacements(Vec<Replacement>),
    /// `ValueAddTransformer`
    ValueAdd(String, Vec<ValueTarget>),
    /// `HashTransformer`
    Hash,
    /// Several in order.
    Many(Vec<Transformer>),
}

/// A field that gets a value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ValueTarget {
    pub(super) selector: Option<Selector>,
    pub(super) field_path: String,
    pub(super) file_path_position: i64,
}

/// Kinds whose names get no prefix or suffix.
fn keeps_its_name(resource: &Resource) -> bool {
    let id = resource.first_id();
    match id.gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => id.gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

impl Transformer {
    /// Applies it.
    ///
    /// # Errors
    /// When a field or object that it needs is missing or of another kind.
    pub fn apply(
        &self,
        resources: &mut Vec<Resource>,
        schema: &Schema,
        groups: &mut Groups,
    ) -> Result<(), Error> {
        match self {
            Self::StrategicMerge(patches) => patches.iter().try_for_each(|one| {
                let at = objects::by_id(resources, &one.first_id())?;
                patch::over_all(resources, &[at], one, schema)
            }),
            Self::Patch(patching, target) => patch::apply(resources, patching, target.as_ref(), schema),
            Self::Json6902(operations, target) => {
                for at in patch::select(resources, target)? {
                    patch::operate(&mut resources[at], operations)?;
                }
                Ok(())
            }
            Self::Namespace(namespace) => namespace.apply(resources),
            Self::Prefix(prefix, specs) => rename(resources, specs, |resource, spec, named| {
                if named {
                    resource.add_prefix(prefix);
                    if !prefix.is_empty() {
                        resource.store_id();
                    }
                }
                affix(resource, spec, |text| format!("{prefix}{text}"))
            }),
            Self::Suffix(suffix, specs) => rename(resources, specs, |resource, spec, named| {
                if named {
                    resource.add_suffix(suffix);
                    if !suffix.is_empty() {
                        resource.store_id();
                    }
                }
                affix(resource, spec, |text| format!("{text}{suffix}"))
            }),
            Self::Labels(map, specs) | Self::Annotations(map, specs) => resources
                .iter_mut()
                .try_for_each(|resource| entries(resource, map, specs, groups.reserve(map.len()))),
            Self::Replica(replica, specs) => replicas(resources, replica, specs),
            Self::Image(image, specs) => image::apply(resources, image, specs),
            Self::Replacements(replacements) => replacement::apply(resources, replacements),
            Self::ValueAdd(value, targets) => add_value(resources, value, targets),
            Self::Hash => generate::add_hashes(resources),
            Self::Many(all) => all
                .iter()
                .try_for_each(|one| one.apply(resources, schema, groups)),
        }
    }
}

fn rename(
    resources: &mut [Resource],
    specs: &[FieldSpec],
    mut one: impl FnMut(&mut Resource, &FieldSpec, bool) -> Result<(), Error>,
) -> Result<(), Error> {
    for resource in resources.iter_mut().filter(|resource| !keeps_its_name(resource)) {
        let gvk = resource.first_id().gvk;
        for spec in specs.iter().filter(|spec| gvk.is_selected(&config::gvk(spec))) {
            one(resource, spec, spec.path == "metadata/name")?;
        }
    }
    Ok(())
}

fn affix(resource: &mut Resource, spec: &FieldSpec, name: impl Fn(&str) -> String) -> Result<(), Error> {
    fields::each(&mut resource.node, spec, None, &mut |node| {
        let text = name(node.text());
        set_scalar(node, Scalar::untagged(text))
    })?;
    Ok(())
}

/// Replaces a scalar.
///
/// # Errors
/// When it is none.
pub fn set_scalar(node: &mut Node, value: Scalar) -> Result<(), String> {
    match node.kind() {
        Kind::Scalar => {
            node.replace_scalar(value);
            Ok(())
        }
        other => Err(format!(
            "wrong node kind: expected a scalar but got {}",
            other.words()
        )),
    }
}

fn entries(
    resource: &mut Resource,
    map: &BTreeMap<String, String>,
    specs: &[FieldSpec],
    group: u32,
) -> Result<(), Error> {
    for (number, (key, value)) in (group..).zip(map) {
        let value = Scalar {
            shared: number,
            ..Scalar::string(value.clone())
        };
        for spec in specs {
            let create = Some(Create { kind: Kind::Map });
            fields::each(&mut resource.node, spec, create, &mut |node| match node {
                Node::Map(_) => {
                    node.set(key, Node::Scalar(value.clone()));
                    Ok(())
                }
                other if other.is_null() => {
                    *other = Node::Map(vec![(Scalar::untagged(key.clone()), Node::Scalar(value.clone()))]);
                    Ok(())
                }
                other => Err(format!(
                    "wrong node kind: expected a map but got {}",
                    other.kind().words()
                )),
            })?;
        }
    }
    Ok(())
}

fn replicas(resources: &mut [Resource], replica: &Replica, specs: &[FieldSpec]) -> Result<(), Error> {
    let mut found = false;
    for spec in specs {
        let gvk = config::gvk(spec);
        for resource in resources.iter_mut() {
            if !resource.any_id(|id| id.name == replica.name && id.gvk.is_selected(&gvk)) {
                continue;
            }
            found = true;
            let create = Some(Create { kind: Kind::Scalar });
            let count = Scalar {
                text: replica.count.to_string(),
                tag: Tag::Int,
                style: Style::Plain,
                shared: 0,
            };
            fields::each(&mut resource.node, spec, create, &mut |node| {
                set_scalar(node, count.clone())
            })?;
        }
    }
    match found {
        true => Ok(()),
        false => Err(Error::new(format!(
            "replicas: no resource that has replicas is named `{}`",
            replica.name
        ))
        .hint("name a Deployment, ReplicaSet, ReplicationController or StatefulSet, or configure its kind")),
    }
}

fn add_value(resources: &mut [Resource], value: &str, targets: &[ValueTarget]) -> Result<(), Error> {
    for target in targets {
        let chosen = match &target.selector {
            Some(selector) => patch::select(resources, selector)?,
            None => (0..resources.len()).collect(),
        };
        for at in chosen {
            if target.field_path == "metadata/namespace" {
                let namespace = namespace::Namespace::new(value, Vec::new());
                namespace.one(&mut resources[at])?;
                continue;
            }
            let spec = FieldSpec {
                path: target.field_path.clone(),
                create: true,
                ..FieldSpec::default()
            };
            let create = Some(Create { kind: Kind::Scalar });
            fields::each(&mut resources[at].node, &spec, create, &mut |node| {
                let text = match usize::try_from(target.file_path_position - 1) {
                    Ok(position) => with_part(node.text(), position, value),
                    Err(_) => value.to_owned(),
                };
                set_scalar(node, Scalar::untagged(text))
            })?;
        }
    }
    Ok(())
}

fn with_part(path: &str, position: usize, part: &str) -> String {
    let (root, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    format!("{root}{}", parts.join("/"))
}
