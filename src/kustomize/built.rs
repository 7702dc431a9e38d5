//! What a build came to: its objects, while their images can still be named otherwise, and their text.

mod images;

use super::error::Error;
use super::kustomization::FieldSpec;
use super::resource::{self, Resource};
use super::{emit, schema, value};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The objects of a kustomization, in the order in which they are printed.
#[derive(Debug, Clone)]
pub struct Built {
    pub(super) resources: Vec<Resource>,
    /// Where images stand besides the lists of containers: upstream's fields, and those of `configurations`.
    pub(super) images: Vec<FieldSpec>,
    pub(super) origins: bool,
    pub(super) transformations: bool,
}

/// One object as it is printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its content.
    pub value: Value,
    /// The file that it comes from; empty where none is known.
    pub file: Arc<str>,
    /// The line there, from 1.
    pub line: usize,
}

impl Built {
    /// Adds labels to every object, and to nothing inside of it.
    pub fn label(&mut self, labels: &BTreeMap<String, String>) {
        for resource in &mut self.resources {
            let mut all = resource.labels();
            all.extend(labels.clone());
            resource.set_labels(&all);
        }
    }

    /// The objects.
    ///
    /// # Errors
    /// [`Error`] when one holds what cannot be printed.
    pub fn objects(self) -> Result<Vec<Object>, Error> {
        let (origins, transformations) = (self.origins, self.transformations);
        let object = |mut resource: Resource| {
            resource.drop_internal();
            let mut annotations = resource.annotations();
            if !origins {
                annotations.remove(resource::ORIGIN);
            }
            if !transformations {
                annotations.remove(resource::TRANSFORMATIONS);
            }
            resource.set_annotations(&annotations);
            let value =
                value::of(&resource.node).map_err(|what| Error::new(format!("{}: {what}", resource.id())))?;
            let (file, line) = resource.place;
            Ok(Object { value, file, line })
        };
        self.resources.into_iter().map(object).collect()
    }

    /// Everything as upstream prints it.
    ///
    /// # Errors
    /// As [`Built::objects`].
    pub fn text(self) -> Result<String, Error> {
        let texts: Vec<String> = self.objects()?.iter().map(Object::text).collect();
        Ok(texts.join("---\n"))
    }
}

impl Object {
    fn word(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_default()
    }

    /// Its `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.word("apiVersion")
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        self.word("kind")
    }

    /// Its API group; empty for the core.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Its namespace; empty when it names none.
    pub fn namespace(&self) -> &str {
        self.value["metadata"]["namespace"].as_str().unwrap_or_default()
    }

    /// Whether its kind is known to live in no namespace.
    pub fn is_cluster_scoped(&self) -> bool {
        schema::is_cluster_scoped(self.api_version(), self.kind())
    }

    /// The object as upstream prints it.
    pub fn text(&self) -> String {
        emit::document(&self.value)
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}
