//! The kustomization file: every field that upstream knows, and nothing else.

use super::error::Error;
use super::parse;
use super::value;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The names that a kustomization may have.
pub const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A kustomization.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Kustomization {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) metadata: Value,
    pub(super) openapi: BTreeMap<String, String>,
    pub(super) name_prefix: String,
    pub(super) name_suffix: String,
    pub(super) namespace: String,
    pub(super) common_labels: BTreeMap<String, String>,
    pub(super) labels: Vec<Label>,
    pub(super) common_annotations: BTreeMap<String, String>,
    pub(super) patches_strategic_merge: Vec<String>,
    #[serde(rename = "patchesJson6902")]
    pub(super) patches_json6902: Vec<Patch>,
    pub(super) patches: Vec<Patch>,
    pub(super) images: Vec<Image>,
    pub(super) image_tags: Vec<Image>,
    pub(super) replacements: Vec<Replacement>,
    pub(super) replicas: Vec<Replica>,
    pub(super) vars: Vec<Variable>,
    pub(super) sort_options: Option<SortOptions>,
    pub(super) resources: Vec<String>,
    pub(super) components: Vec<String>,
    pub(super) crds: Vec<String>,
    pub(super) bases: Vec<String>,
    pub(super) config_map_generator: Vec<Generator>,
    pub(super) secret_generator: Vec<Generator>,
    pub(super) helm_globals: Value,
    pub(super) helm_charts: Vec<Value>,
    pub(super) helm_chart_inflation_generator: Vec<Value>,
    pub(super) generator_options: Option<GeneratorOptions>,
    pub(super) configurations: Vec<String>,
    pub(super) generators: Vec<String>,
    pub(super) transformers: Vec<String>,
    pub(super) validators: Vec<String>,
    pub(super) build_metadata: Vec<String>,
}

/// Labels of a kustomization.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Label {
    pub(super) pairs: BTreeMap<String, String>,
    pub(super) include_selectors: bool,
    pub(super) include_templates: bool,
    pub(super) include_volume_claim_templates: bool,
    #[serde(rename = "fields")]
    pub(super) field_specs: Vec<FieldSpec>,
}

/// A place in objects of some kinds.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct FieldSpec {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) path: String,
    pub(super) create: bool,
}

/// A patch and what it is for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Patch {
    pub(super) path: String,
    pub(super) patch: String,
    pub(super) target: Option<Selector>,
    pub(super) options: BTreeMap<String, bool>,
}

/// Which objects are meant; names are regular expressions in patches and replacements.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Selector {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) annotation_selector: String,
    pub(super) label_selector: String,
}

/// A new name, tag or digest for an image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Image {
    pub(super) name: String,
    pub(super) new_name: String,
    pub(super) tag_suffix: String,
    pub(super) new_tag: String,
    pub(super) digest: String,
}

/// A value that is copied from one object to others.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Replacement {
    pub(super) path: String,
    pub(super) source: Option<Source>,
    pub(super) source_value: Option<String>,
    pub(super) targets: Option<Vec<Target>>,
}

/// Where a replacement takes its value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Source {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) field_path: String,
    pub(super) options: Option<FieldOptions>,
}

/// Where a replacement puts its value.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Target {
    pub(super) select: Option<Selector>,
    pub(super) reject: Vec<Selector>,
    pub(super) field_paths: Vec<String>,
    pub(super) options: Option<FieldOptions>,
}

/// Which part of a text is meant, and whether a missing field is made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct FieldOptions {
    pub(super) delimiter: String,
    pub(super) index: i64,
    pub(super) encoding: String,
    pub(super) create: bool,
}

/// How many replicas an object has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Replica {
    pub(super) name: String,
    pub(super) count: i64,
}

/// A variable.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Variable {
    pub(super) name: String,
    pub(super) objref: ObjectRef,
    pub(super) fieldref: FieldRef,
}

/// The object that a variable reads.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ObjectRef {
    pub(super) api_version: String,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

/// The field that a variable reads.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct FieldRef {
    #[serde(alias = "fieldPath")]
    pub(super) fieldpath: String,
}

/// The order of what is printed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SortOptions {
    pub(super) order: String,
    pub(super) legacy_sort_options: Option<LegacySort>,
}

/// Which kinds stand first and last.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LegacySort {
    pub(super) order_first: Vec<String>,
    pub(super) order_last: Vec<String>,
}

/// A ConfigMap or Secret to make.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Generator {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) behavior: String,
    pub(super) literals: Vec<String>,
    pub(super) files: Vec<String>,
    pub(super) envs: Vec<String>,
    pub(super) env: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) options: Option<GeneratorOptions>,
}

/// What every made object gets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct GeneratorOptions {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) disable_name_suffix_hash: bool,
    pub(super) immutable: bool,
}

impl Kustomization {
    /// Reads a kustomization, old names of fields translated.
    ///
    /// # Errors
    /// [`Error`] when it is no YAML, empty, has an unknown field, or asks for what is refused.
    pub fn read(file: &str, text: &str) -> Result<Self, Error> {
        let nodes = parse::documents(text).map_err(|what| Error::at(file, what))?;
        let Some(node) = nodes.first() else {
            return Err(
                Error::at(file, "kustomization.yaml is empty").hint("name what it builds under `resources:`")
            );
        };
        let mut raw = value::configuration(node);
        drop_nulls(&mut raw);
        settle_case(&mut raw);
        let known = raw
            .as_object()
            .is_some_and(|map| map.keys().any(|key| key != "apiVersion" && key != "kind"));
        let mut read: Self =
            serde_json::from_value(raw).map_err(|error| unknown(file, text, &error.to_string()))?;
        if !known {
            return Err(
                Error::at(file, "kustomization.yaml is empty").hint("name what it builds under `resources:`")
            );
        }
        read.check(file, text)?;
        read.resources.append(&mut read.bases);
        read.images.append(&mut read.image_tags);
        for generator in read
            .config_map_generator
            .iter_mut()
            .chain(&mut read.secret_generator)
        {
            if !generator.env.is_empty() {
                generator.envs.push(std::mem::take(&mut generator.env));
            }
        }
        Ok(read)
    }

    fn check(&self, file: &str, text: &str) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::at(file, what));
        let version = match self.kind.as_str() {
            "" | "Kustomization" => "kustomize.config.k8s.io/v1beta1",
            "Component" => "kustomize.config.k8s.io/v1alpha1",
            other => {
                return wrong(format!(
                    "kind should be Kustomization or Component, not `{other}`"
                ));
            }
        };
        if !self.api_version.is_empty() && self.api_version != version {
            return wrong(format!(
                "apiVersion should be {version}, not `{}`",
                self.api_version
            ));
        }
        if !self.helm_chart_inflation_generator.is_empty() {
            let field = "helmChartInflationGenerator";
            return Err(
                Error::at(place(file, text, field), format!("`{field}` is not supported"))
                    .hint("write the chart under `helmCharts:`"),
            );
        }
        Ok(())
    }

    /// Refuses charts, which somebody else would have to inflate.
    ///
    /// # Errors
    /// When there are some.
    pub fn refuse_charts(&self, file: &str, text: &str) -> Result<(), Error> {
        if self.helm_charts.is_empty() {
            return Ok(());
        }
        Err(Error::at(
            place(file, text, "helmCharts"),
            "`helmCharts` would start helm, which is not allowed",
        )
        .hint(
            "`allow: [helm]` in rings.yaml allows it (of `ringshift kustomize`: --enable-helm); or run `helm template` and \
             list the file that it writes under `resources:`",
        ))
    }

    /// Whether it is a component.
    pub fn is_component(&self) -> bool {
        self.kind == "Component"
    }
}

/// Go reads the names of fields without regard to case; so do we, for those of the first level.
fn settle_case(value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    let known = |key: &str| {
        FIELDS
            .iter()
            .find(|field| field.eq_ignore_ascii_case(key) && **field != key)
    };
    let wrong: Vec<(String, &str)> = map
        .keys()
        .filter_map(|key| Some((key.clone(), *known(key)?)))
        .collect();
    for (key, field) in wrong {
        if let Some(value) = map.remove(&key) {
            map.entry(field).or_insert(value);
        }
    }
}

/// The fields that upstream's tests write in another case.
const FIELDS: [&str; 12] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "resources",
    "bases",
    "patches",
    "images",
    "commonLabels",
    "commonAnnotations",
    "configMapGenerator",
    "secretGenerator",
    "patchesStrategicMerge",
];

/// Drops the nulls of maps: to Go they are as if they were not written.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The file with the first line that names a field.
pub fn place(file: &str, text: &str, field: &str) -> String {
    let names = |line: &str| {
        line.trim_start_matches([' ', '-'])
            .strip_prefix(field)
            .is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    match text.lines().position(names) {
        Some(at) => format!("{file}:{}", at + 1),
        None => file.to_owned(),
    }
}

fn unknown(file: &str, text: &str, said: &str) -> Error {
    let field = said
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    match field {
        Some(field) => Error::at(place(file, text, field), format!("unknown field `{field}`"))
            .hint("the fields are those of Kustomize; look for a spelling mistake or a wrong indentation"),
        None => Error::at(file, format!("invalid kustomization: {said}"))
            .hint("write texts that look like numbers or booleans in quotes"),
    }
}
