//! Every field that holds an image.

use super::Built;
use crate::kustomize::error::Error;
use crate::kustomize::fields;
use crate::kustomize::node::{Kind, Node, Scalar};
use crate::kustomize::resource::Resource;
use crate::kustomize::transform::set_scalar;

/// Takes the number of an object and an image that it names; gives the name to write instead.
pub type Visit<'v> = dyn FnMut(usize, &str) -> Result<Option<String>, String> + 'v;

/// The lists whose items have an `image`.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

impl Built {
    /// Shows every image to `visit`: of `containers`, `initContainers` and `ephemeralContainers` wherever they stand,
    /// of volumes (`image.reference`), and in the fields that `configurations` give. One may be shown twice.
    ///
    /// # Errors
    /// What `visit` says, with the object's place.
    pub fn each_image(&mut self, visit: &mut Visit<'_>) -> Result<(), Error> {
        for (number, resource) in self.resources.iter_mut().enumerate() {
            if resource.kind() == "CustomResourceDefinition" {
                continue;
            }
            let mut set = |node: &mut Node| scalar(node, &mut |text| visit(number, text));
            let mut done = below(&mut resource.node, &mut set);
            for spec in &self.images {
                done = done.and_then(|()| fields::each(&mut resource.node, spec, None, &mut set));
            }
            done.map_err(|what| Error::at(place(resource), what))?;
        }
        Ok(())
    }

    /// Every image with the number of its object, each once.
    pub fn images(&self) -> Vec<(usize, String)> {
        let mut found = std::collections::BTreeSet::new();
        let mut look = |number, text: &str| {
            found.insert((number, text.to_owned()));
            Ok(None)
        };
        // A field that is no scalar holds no image.
        let _ = self.clone().each_image(&mut look);
        found.into_iter().collect()
    }
}

fn place(resource: &Resource) -> String {
    match &resource.place {
        (file, _) if file.is_empty() => format!("{}/{}", resource.kind(), resource.name()),
        (file, line) => format!("{file}:{line}"),
    }
}

fn scalar(
    node: &mut Node,
    visit: &mut dyn FnMut(&str) -> Result<Option<String>, String>,
) -> Result<(), String> {
    if node.kind() != Kind::Scalar || node.is_null() || node.text().is_empty() {
        return Ok(());
    }
    match visit(node.text())? {
        Some(text) => set_scalar(node, Scalar::untagged(text)),
        None => Ok(()),
    }
}

fn below(node: &mut Node, set: &mut dyn FnMut(&mut Node) -> Result<(), String>) -> Result<(), String> {
    match node {
        Node::Scalar(_) => Ok(()),
        Node::List(items) => items.iter_mut().try_for_each(|item| below(item, set)),
        Node::Map(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            if let Node::List(items) = &mut *value {
                if CONTAINERS.contains(&key.text.as_str()) {
                    let images = items.iter_mut().filter_map(|item| item.get_mut("image"));
                    images.into_iter().try_for_each(&mut *set)?;
                }
                if key.text == "volumes" {
                    let sources = items.iter_mut().filter_map(|item| item.get_mut("image"));
                    let references = sources.filter_map(|source| source.get_mut("reference"));
                    references.into_iter().try_for_each(&mut *set)?;
                }
            }
            below(value, set)
        }),
    }
}
