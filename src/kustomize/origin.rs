//! `buildMetadata`: where objects come from and what transformed them.

use super::resource::{ORIGIN, Resource, TRANSFORMATIONS};
use std::fmt;

/// Where an object comes from, or what transformed it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    path: String,
    configured_in: String,
    by: Vec<(&'static str, String)>,
}

impl Origin {
    /// A file or folder seen from here.
    pub fn append(&self, path: &str) -> Self {
        let mut parts: Vec<&str> = Vec::new();
        for part in self.path.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        Self {
            path: parts.join("/"),
            ..self.clone()
        }
    }

    /// A field of the kustomization `file` here.
    pub fn built_in(&self, file: &str, kind: &str) -> Self {
        Self {
            path: String::new(),
            configured_in: self.append(file).path,
            by: vec![("apiVersion", "builtin".into()), ("kind", kind.into())],
        }
    }

    /// An object that describes a transformer or generator.
    pub fn of_plugin(resource: &Resource) -> Option<Self> {
        let path = resource.annotation(ORIGIN)?.strip_prefix("path: ")?.trim_end();
        let by = [
            ("apiVersion", resource.api_version()),
            ("kind", resource.kind()),
            ("name", resource.name()),
            ("namespace", resource.namespace()),
        ];
        let by = by
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| (key, text.to_owned()));
        Some(Self {
            path: String::new(),
            configured_in: path.into(),
            by: by.collect(),
        })
    }

    /// Says so in a made object.
    pub fn made(&self, resource: &mut Resource) {
        if resource.annotation(ORIGIN).is_none() {
            resource.annotate_anew(ORIGIN, &self.to_string());
        }
    }

    /// Says so in an object that went through a transformer.
    pub fn transformed(&self, resource: &mut Resource) {
        if resource.annotation(ORIGIN).is_none() {
            resource.annotate_anew(ORIGIN, &self.to_string());
            return;
        }
        let mut text = resource
            .annotation(TRANSFORMATIONS)
            .unwrap_or_default()
            .to_owned();
        for (at, line) in self.to_string().lines().enumerate() {
            text.push_str(if at == 0 { "- " } else { "  " });
            text.push_str(line);
            text.push('\n');
        }
        resource.annotate_anew(TRANSFORMATIONS, &text);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            writeln!(f, "path: {}", self.path)?;
        }
        if !self.configured_in.is_empty() {
            writeln!(f, "configuredIn: {}", self.configured_in)?;
        }
        if !self.by.is_empty() {
            writeln!(f, "configuredBy:")?;
        }
        for (key, text) in &self.by {
            writeln!(f, "  {key}: {text}")?;
        }
        Ok(())
    }
}
