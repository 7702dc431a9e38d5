//! Where transformers look: upstream's defaults, `configurations` and `crds` of a kustomization.

use super::error::Error;
use super::kustomization::FieldSpec;
use super::resource::Gvk;
use serde::Deserialize;
use serde_json::Value;
use std::sync::OnceLock;

/// The fields that hold names of objects of one kind.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct NameReference {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) field_specs: Vec<FieldSpec>,
}

impl NameReference {
    /// The kind that is referred to.
    pub fn gvk(&self) -> Gvk {
        Gvk {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
        }
    }
}

/// Where every transformer looks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    pub(super) name_prefix: Vec<FieldSpec>,
    pub(super) name_suffix: Vec<FieldSpec>,
    pub(super) namespace: Vec<FieldSpec>,
    pub(super) common_labels: Vec<FieldSpec>,
    pub(super) labels: Vec<FieldSpec>,
    pub(super) template_labels: Vec<FieldSpec>,
    pub(super) volume_claim_template_labels: Vec<FieldSpec>,
    pub(super) common_annotations: Vec<FieldSpec>,
    pub(super) name_reference: Vec<NameReference>,
    pub(super) var_reference: Vec<FieldSpec>,
    pub(super) images: Vec<FieldSpec>,
    pub(super) replicas: Vec<FieldSpec>,
}

/// The group, version and kind of a field specification.
pub fn gvk(spec: &FieldSpec) -> Gvk {
    Gvk {
        group: spec.group.clone(),
        version: spec.version.clone(),
        kind: spec.kind.clone(),
    }
}

impl Config {
    /// Upstream's defaults.
    pub fn builtin() -> Self {
        static BUILTIN: OnceLock<Config> = OnceLock::new();
        BUILTIN
            .get_or_init(|| Self::table(include_str!("data/field_specs.txt")))
            .clone()
    }

    fn table(text: &str) -> Self {
        let mut config = Self::default();
        let mut section = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
                if let Some(target) = section.strip_prefix("nameReference ") {
                    let part = words(target);
                    config.name_reference.push(NameReference {
                        group: part(0),
                        version: part(1),
                        kind: part(2),
                        field_specs: Vec::new(),
                    });
                }
                continue;
            }
            let part = words(line);
            let spec = FieldSpec {
                path: part(0),
                group: part(1),
                version: part(2),
                kind: part(3),
                create: part(4) == "create",
            };
            match section.as_str() {
                "namePrefix" => config.name_prefix.push(spec),
                "nameSuffix" => config.name_suffix.push(spec),
                "namespace" => config.namespace.push(spec),
                "commonLabels" => config.common_labels.push(spec),
                "templateLabels" => config.template_labels.push(spec),
                "volumeClaimTemplateLabels" => config.volume_claim_template_labels.push(spec),
                "commonAnnotations" => config.common_annotations.push(spec),
                "varReference" => config.var_reference.push(spec),
                "images" => config.images.push(spec),
                "replicas" => config.replicas.push(spec),
                _ => {
                    if let Some(last) = config.name_reference.last_mut() {
                        last.field_specs.push(spec);
                    }
                }
            }
        }
        config.sort();
        config
    }

    /// Brings every list into upstream's order, which decides what a later merge finds first.
    pub fn sort(&mut self) {
        for specs in [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.volume_claim_template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ] {
            specs.sort_by_cached_key(|spec| super::order::gvk_key(&gvk(spec)));
        }
        self.name_reference
            .sort_by_cached_key(|reference| super::order::gvk_key(&reference.gvk()));
    }

    /// Adds what another one has.
    ///
    /// # Errors
    /// When both name a place and only one creates it.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        merge_specs(&mut self.name_prefix, &other.name_prefix)?;
        merge_specs(&mut self.name_suffix, &other.name_suffix)?;
        merge_specs(&mut self.namespace, &other.namespace)?;
        merge_specs(&mut self.common_labels, &other.common_labels)?;
        merge_specs(&mut self.labels, &other.labels)?;
        merge_specs(&mut self.template_labels, &other.template_labels)?;
        merge_specs(
            &mut self.volume_claim_template_labels,
            &other.volume_claim_template_labels,
        )?;
        merge_specs(&mut self.common_annotations, &other.common_annotations)?;
        merge_specs(&mut self.var_reference, &other.var_reference)?;
        merge_specs(&mut self.images, &other.images)?;
        merge_specs(&mut self.replicas, &other.replicas)?;
        for reference in &other.name_reference {
            self.add_reference(reference)?;
        }
        self.sort();
        Ok(())
    }

    fn add_reference(&mut self, reference: &NameReference) -> Result<(), Error> {
        match self
            .name_reference
            .iter_mut()
            .find(|have| have.gvk() == reference.gvk())
        {
            Some(have) => merge_specs(&mut have.field_specs, &reference.field_specs),
            None => {
                self.name_reference.push(reference.clone());
                Ok(())
            }
        }
    }

    /// What the OpenAPI definitions of custom resources say about their fields.
    ///
    /// # Errors
    /// As [`Config::merge`].
    pub fn from_crds(definitions: &Value) -> Result<Self, Error> {
        let mut config = Self::default();
        let empty = serde_json::Map::new();
        let all = definitions.as_object().unwrap_or(&empty);
        for (name, definition) in all {
            let properties = properties(definition);
            if ["kind", "apiVersion", "metadata"]
                .iter()
                .all(|field| properties.is_some_and(|p| p.contains_key(*field)))
            {
                let kind = name.rsplit('.').next().unwrap_or_default();
                config.crd(kind, all, name, &mut Vec::new())?;
            }
        }
        Ok(config)
    }

    fn crd(
        &mut self,
        kind: &str,
        all: &serde_json::Map<String, Value>,
        name: &str,
        path: &mut Vec<String>,
    ) -> Result<(), Error> {
        if path.len() > 32 {
            return Err(Error::new(format!("the definition of {kind} refers to itself")));
        }
        let Some(properties) = all.get(name).and_then(properties) else {
            return Ok(());
        };
        for (field, property) in properties {
            path.push(field.clone());
            let spec = |tail: &str| FieldSpec {
                kind: kind.into(),
                path: path.join("/") + tail,
                ..FieldSpec::default()
            };
            let text = |name: &str| property.get(name).and_then(Value::as_str);
            if text("x-kubernetes-annotation").is_some() {
                merge_specs(&mut self.common_annotations, &[spec("")])?;
            }
            if text("x-kubernetes-label-selector").is_some() {
                merge_specs(&mut self.common_labels, &[spec("")])?;
            }
            if text("x-kubernetes-identity").is_some() {
                merge_specs(&mut self.name_prefix, &[spec("")])?;
            }
            if let (Some(version), Some(of)) = (
                text("x-kubernetes-object-ref-api-version"),
                text("x-kubernetes-object-ref-kind"),
            ) {
                let key = text("x-kubernetes-object-ref-name-key").unwrap_or("name");
                let reference = NameReference {
                    group: String::new(),
                    version: version.into(),
                    kind: of.into(),
                    field_specs: vec![spec(&format!("/{key}"))],
                };
                self.add_reference(&reference)?;
            }
            if let Some(target) = text("$ref") {
                let target = target.to_owned();
                self.crd(kind, all, &target, path)?;
            }
            path.pop();
        }
        Ok(())
    }
}

fn properties(definition: &Value) -> Option<&serde_json::Map<String, Value>> {
    definition
        .get("Schema")
        .unwrap_or(definition)
        .get("properties")
        .and_then(Value::as_object)
}

fn words(line: &str) -> impl Fn(usize) -> String {
    let parts: Vec<String> = line
        .split(' ')
        .map(|word| {
            if word == "*" {
                String::new()
            } else {
                word.to_owned()
            }
        })
        .collect();
    move |at| parts.get(at).cloned().unwrap_or_default()
}

/// Adds field specifications that are not there yet.
///
/// # Errors
/// When a place is there already and only one of both creates it.
pub fn merge_specs(into: &mut Vec<FieldSpec>, from: &[FieldSpec]) -> Result<(), Error> {
    for spec in from {
        match into
            .iter()
            .find(|have| gvk(have).is_selected(&gvk(spec)) && have.path == spec.path)
        {
            Some(have) if have.create != spec.create => {
                return Err(Error::new(format!(
                    "conflicting field specifications for {}",
                    spec.path
                )));
            }
            Some(_) => {}
            None => into.push(spec.clone()),
        }
    }
    Ok(())
}
