//! Names and namespaces of objects.

use super::{Finding, is_native};
use crate::kustomize::Object;
use std::collections::BTreeSet;

/// `duplicate-object`: Kubernetes takes two versions of one group for the same object.
pub(super) fn duplicates(objects: &[Object], found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for object in objects {
        let key = (object.group(), object.kind(), object.namespace(), object.name());
        if !seen.insert(key) {
            found.push(Finding::of(
                object,
                "duplicate-object",
                format!("{object} stands twice, in two versions of its API"),
                "keep one of them: the cluster takes both for the same object",
            ));
        }
    }
}

/// `invalid-object-name`: what the API server would refuse.
pub(super) fn invalid(object: &Object, found: &mut Vec<Finding>) {
    let name = object.name();
    let (good, hint) = match (object.group(), object.kind()) {
        // Names of roles and bindings are parts of a path.
        ("rbac.authorization.k8s.io", _) => (
            !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '%']),
            "it is neither `.` nor `..`, and holds no `/` and no `%`",
        ),
        ("", "Service") => (
            is_label(name) && !name.starts_with(|c: char| c.is_ascii_digit()),
            "a Service has at most 63 lower-case letters, digits and `-`, and begins with a letter",
        ),
        ("", "Namespace") => (
            is_label(name),
            "a Namespace has at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
        ),
        _ => (
            name.len() <= 253 && name.split('.').all(is_part),
            "a name has at most 253 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
        ),
    };
    if !good {
        let message = format!("{object}: the name is not valid");
        found.push(Finding::of(object, "invalid-object-name", message, hint));
    }
}

/// `missing-namespace`.
pub(super) fn without_namespace(object: &Object, found: &mut Vec<Finding>) {
    if object.namespace().is_empty() && is_native(object) && !object.is_cluster_scoped() {
        found.push(Finding::of(
            object,
            "missing-namespace",
            format!("{object} names no namespace: it lands wherever the person who applies it happens to be"),
            "write `namespace:` in the kustomization, or `kube: {namespace: …}` at the site",
        ));
    }
}

fn is_label(name: &str) -> bool {
    name.len() <= 63 && is_part(name)
}

fn is_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [part.bytes().next(), part.bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(word)) && part.bytes().all(|b| word(b) || b == b'-')
}
