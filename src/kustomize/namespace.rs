//! `namespace`: every object that lives in one is put into it, and what refers to it follows.

use super::error::Error;
use super::fields::{self, Create};
use super::kustomization::FieldSpec;
use super::node::{Kind, Node, Scalar};
use super::resource::Resource;
use super::schema;
use super::transform::set_scalar;

/// Which subjects of role bindings follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    /// Those that are named `default`.
    Default,
    /// All service accounts.
    ServiceAccounts,
    /// None.
    None,
}

/// The namespace and where it is written.
#[derive(Debug, Clone)]
pub struct Namespace {
    name: String,
    specs: Vec<FieldSpec>,
    /// Only where there is none yet.
    pub unset_only: bool,
    /// Which subjects of role bindings follow.
    pub subjects: Subjects,
}

impl Namespace {
    /// Upstream's defaults.
    pub fn new(name: &str, specs: Vec<FieldSpec>) -> Self {
        Self {
            name: name.into(),
            specs,
            unset_only: false,
            subjects: Subjects::Default,
        }
    }

    /// Puts all objects into it.
    ///
    /// # Errors
    /// When two objects have one name afterwards.
    pub fn apply(&self, resources: &mut [Resource]) -> Result<(), Error> {
        if self.name.is_empty() {
            return Ok(());
        }
        for at in 0..resources.len() {
            if resources[at].node.is_empty() || resources[at].of_chart {
                continue;
            }
            resources[at].store_id();
            self.one(&mut resources[at])?;
            let id = resources[at].id();
            let twin = |resource: &&Resource| resource.name() == id.name && resource.id().same(&id);
            if resources.iter().filter(twin).count() != 1 {
                return Err(Error::new(format!(
                    "namespace transformation produces ID conflict: {id}"
                )));
            }
        }
        Ok(())
    }

    /// Puts one object into it.
    ///
    /// # Errors
    /// When a place that shall hold the namespace is no scalar.
    pub fn one(&self, resource: &mut Resource) -> Result<(), Error> {
        let (version, kind) = (resource.api_version().to_owned(), resource.kind().to_owned());
        if !schema::is_cluster_scoped(&version, &kind) {
            let spec = FieldSpec {
                path: "metadata/namespace".into(),
                create: true,
                ..FieldSpec::default()
            };
            self.write(resource, &spec)?;
        }
        let binding = kind == "RoleBinding" || kind == "ClusterRoleBinding";
        if binding {
            self.bind(&mut resource.node)?;
        }
        for spec in &self.specs {
            let skipped = spec.path == "metadata/namespace"
                || (spec.path == "metadata/name" && version != "v1")
                || (binding
                    && matches!(spec.kind.as_str(), "RoleBinding" | "ClusterRoleBinding")
                    && spec.path == "subjects/namespace");
            if !skipped {
                self.write(resource, spec)?;
            }
        }
        Ok(())
    }

    fn write(&self, resource: &mut Resource, spec: &FieldSpec) -> Result<(), Error> {
        let create = Some(Create { kind: Kind::Scalar });
        fields::each(&mut resource.node, spec, create, &mut |node| self.set(node))
            .map_err(|what| Error::new(format!("namespace transformation failed: {what}")))
    }

    fn set(&self, node: &mut Node) -> Result<(), String> {
        if self.unset_only && !node.is_null() && !node.text().is_empty() {
            return Ok(());
        }
        set_scalar(node, Scalar::string(self.name.clone()))
    }

    fn bind(&self, node: &mut Node) -> Result<(), String> {
        let (field, word) = match self.subjects {
            Subjects::None => return Ok(()),
            Subjects::Default => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
        };
        match node.get_mut("subjects") {
            Some(Node::List(items)) => items.iter_mut().try_for_each(|item| {
                if item.get(field).is_some_and(|node| node.text() == word)
                    && let Some(space) = item.get_or_create("namespace", Kind::Scalar)
                {
                    self.set(space)?;
                }
                Ok(())
            }),
            Some(other) if !other.is_null() => Err("subjects of a role binding are no list".into()),
            _ => Ok(()),
        }
    }
}
