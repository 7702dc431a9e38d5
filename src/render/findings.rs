//! What looks wrong with rendered objects: allowed, but hardly meant. Each kind has a code, which `silence` in
//! rings.yaml and `--silence` turn off.

mod images;
mod names;
mod references;
mod selectors;
mod versions;

use crate::kustomize::Object;
use std::sync::Arc;

/// One thing that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file that the object comes from; empty where none is known.
    pub file: Arc<str>,
    /// The line there, from 1.
    pub line: usize,
    /// A code of [`CODES`](crate::config::environments::CODES).
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

impl Finding {
    fn of(object: &Object, code: &'static str, message: String, hint: &'static str) -> Self {
        Self {
            file: object.file.clone(),
            line: object.line,
            code,
            message,
            hint,
        }
    }
}

/// Looks at objects and their images. `foreign` tells the images of others; `namespaced` that whoever applies the
/// objects gives those a namespace that name none.
pub fn find(
    objects: &[Object],
    images: &[(usize, String)],
    foreign: &dyn Fn(&str) -> bool,
    namespaced: bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    images::unpinned(objects, images, foreign, &mut found);
    names::duplicates(objects, &mut found);
    for object in objects {
        names::invalid(object, &mut found);
        versions::deprecated(object, &mut found);
        references::plain(object, &mut found);
        if !namespaced {
            names::without_namespace(object, &mut found);
        }
    }
    references::missing(objects, &mut found);
    selectors::without_match(objects, &mut found);
    found.sort();
    found.dedup();
    found
}

/// Whether the kind is one of Kubernetes itself, so that its fields are known.
fn is_native(object: &Object) -> bool {
    let group = object.group();
    matches!(
        group,
        "" | "apps" | "autoscaling" | "batch" | "extensions" | "policy"
    ) || group.ends_with(".k8s.io")
}

/// The pods that an object makes: the pod itself, or the template of a workload.
fn pod(object: &Object) -> Option<&serde_json::Value> {
    let spec = match (object.group(), object.kind()) {
        ("", "Pod") => return Some(&object.value),
        ("batch", "CronJob") => &object.value["spec"]["jobTemplate"]["spec"],
        ("" | "apps" | "batch" | "extensions", _) => &object.value["spec"],
        _ => return None,
    };
    spec.get("template").filter(|template| template.is_object())
}

#[cfg(test)]
mod tests;
