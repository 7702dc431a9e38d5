//! `helmCharts`: charts that lie in the tree, inflated by whoever the caller trusts with that.
//!
//! Nothing is fetched: a chart that names a repository and is not in the tree is refused (SEC-A11).

use super::error::Error;
use super::kustomization::Kustomization;
use super::load::Loader;
use super::{objects, parse, resource::Resource};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Inflates charts: `helm template`, or what it said before.
pub trait Helm: Send + Sync {
    /// The manifests of a chart.
    ///
    /// # Errors
    /// A sentence on why there are none.
    fn template(&self, chart: &Chart) -> Result<String, String>;
}

/// One chart, with all that its manifests depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Which one it is: the kustomization and its place there, `PATH#NUMBER`.
    pub key: String,
    /// The name of the release.
    pub release: String,
    /// Further flags, each in one word.
    pub flags: Vec<String>,
    /// The files of the chart, by their paths in it.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Values, later ones over earlier ones.
    pub values: Vec<String>,
}

/// An entry of `helmCharts`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    name: String,
    version: String,
    repo: String,
    release_name: String,
    namespace: String,
    name_template: String,
    values_file: String,
    additional_values_files: Vec<String>,
    values_inline: Option<Value>,
    values_merge: String,
    #[serde(rename = "includeCRDs")]
    include_crds: bool,
    skip_hooks: bool,
    skip_tests: bool,
    api_versions: Vec<String>,
    kube_version: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Globals {
    chart_home: String,
}

/// The objects of every chart of a kustomization; `namespace` is for charts that name none.
///
/// # Errors
/// When a chart is malformed, not in the tree, or cannot be inflated.
pub(super) fn inflate(
    loader: &Loader<'_>,
    file: &str,
    kustomization: &Kustomization,
    namespace: &str,
) -> Result<Vec<Resource>, Error> {
    let place = loader.name(file);
    let Some(helm) = loader.helm() else {
        return Ok(Vec::new());
    };
    let wrong = |error: serde_json::Error| Error::at(&*place, format!("invalid `helmCharts`: {error}"));
    let globals = match &kustomization.helm_globals {
        Value::Null => Globals::default(),
        other => Globals::deserialize(other).map_err(wrong)?,
    };
    let home = match globals.chart_home.as_str() {
        "" => "charts",
        home => home,
    };
    let mut all = Vec::new();
    for (number, entry) in kustomization.helm_charts.iter().enumerate() {
        let mut entry = Entry::deserialize(entry).map_err(wrong)?;
        if entry.namespace.is_empty() {
            namespace.clone_into(&mut entry.namespace);
        }
        let key = format!("{place}#{number}");
        let chart = entry
            .chart(loader, home, key)
            .map_err(|error| error.within(&place))?;
        let said = helm.template(&chart);
        let text = said.map_err(|what| Error::at(&*place, format!("the chart `{}`: {what}", entry.name)))?;
        let mut made = objects::read(&text)
            .map_err(|what| Error::at(&*place, format!("what helm made of `{}`: {what}", entry.name)))?;
        for resource in &mut made {
            resource.place = (place.as_str().into(), 1);
            resource.of_chart = true;
        }
        all.extend(made);
    }
    Ok(all)
}

impl Entry {
    fn chart(&self, loader: &Loader<'_>, home: &str, key: String) -> Result<Chart, Error> {
        if self.name.is_empty() || self.name.contains('/') {
            return Err(Error::new(
                "a chart of `helmCharts` has no `name`, or one with a `/`",
            ));
        }
        if self.release_name.is_empty() || !self.name_template.is_empty() {
            return Err(
                Error::new(format!("the chart `{}` has no fixed `releaseName`", self.name))
                    .hint("write `releaseName:`; a generated name would be another one each time"),
            );
        }
        let dashed = [&self.release_name, &self.namespace, &self.kube_version];
        if dashed
            .into_iter()
            .chain(&self.api_versions)
            .any(|text| text.starts_with('-'))
        {
            return Err(Error::new(format!(
                "a value of the chart `{}` begins with `-`",
                self.name
            )));
        }
        let folder = format!("{home}/{}", self.name);
        let files = loader.files_below(&folder)?;
        if !files.contains_key("Chart.yaml") {
            let from = match self.repo.as_str() {
                "" => String::new(),
                repo => format!("; {repo} is not asked for {}", self.version),
            };
            return Err(
                Error::new(format!("there is no chart in `{}`{from}", loader.name(&folder)))
                    .hint("put the chart into the repository: helm pull --untar --untardir charts …"),
            );
        }
        Ok(Chart {
            key,
            release: self.release_name.clone(),
            flags: self.flags(),
            values: self.values(loader, &files)?,
            files,
        })
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        if !self.namespace.is_empty() {
            flags.push(format!("--namespace={}", self.namespace));
        }
        flags.extend(
            self.api_versions
                .iter()
                .map(|version| format!("--api-versions={version}")),
        );
        if !self.kube_version.is_empty() {
            flags.push(format!("--kube-version={}", self.kube_version));
        }
        for (wanted, flag) in [
            (self.include_crds, "--include-crds"),
            (self.skip_tests, "--skip-tests"),
            (self.skip_hooks, "--no-hooks"),
        ] {
            flags.extend(wanted.then(|| flag.to_owned()));
        }
        flags
    }

    /// The values in the order in which they are laid over one another, as `valuesMerge` says.
    fn values(&self, loader: &Loader<'_>, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>, Error> {
        let mut values = Vec::new();
        if !self.values_file.is_empty() {
            values.push(loader.text(&self.values_file)?);
        }
        if let Some(inline) = &self.values_inline {
            let text = super::emit::document(inline);
            match self.values_merge.as_str() {
                "" | "override" => values.push(text),
                "merge" => {
                    if values.is_empty() {
                        // The values of the chart itself win, too.
                        let own = files.get("values.yaml").cloned().unwrap_or_default();
                        values.push(String::from_utf8_lossy(&own).into_owned());
                    }
                    values.insert(0, text);
                }
                "replace" => values = vec![text],
                other => {
                    return Err(Error::new(format!("`valuesMerge: {other}` is not known"))
                        .hint("it is override, merge or replace"));
                }
            }
        }
        for path in &self.additional_values_files {
            values.push(loader.text(path)?);
        }
        for text in &values {
            parse::documents(text).map_err(|what| Error::new(format!("values of a chart: {what}")))?;
        }
        Ok(values)
    }
}
