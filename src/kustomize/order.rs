//! The order of what is printed: kinds that others need stand first.

use super::error::Error;
use super::kustomization::SortOptions;
use super::resource::{Gvk, Resource};

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Where a kind stands among the kinds: first ones below zero, last ones above.
fn rank<S: AsRef<str>>(kind: &str, first: &[S], last: &[S]) -> isize {
    let at = |list: &[S]| list.iter().rposition(|name| name.as_ref() == kind);
    match (at(last), at(first)) {
        (Some(at), _) => at.cast_signed() + 1,
        (None, Some(at)) => at.cast_signed() - first.len().cast_signed(),
        (None, None) => 0,
    }
}

fn gvk_text(gvk: &Gvk) -> String {
    let or = |text: &str, none: &str| {
        if text.is_empty() {
            none.to_owned()
        } else {
            text.to_owned()
        }
    };
    format!(
        "{}_{}_{}",
        or(&gvk.group, "~G"),
        or(&gvk.version, "~V"),
        or(&gvk.kind, "~K")
    )
}

/// The order of kinds where upstream has one of its own.
pub fn gvk_key(gvk: &Gvk) -> (isize, String) {
    (rank(&gvk.kind, &FIRST, &LAST), gvk_text(gvk))
}

/// Sorts as the kustomization says; without `sortOptions` in legacy order.
///
/// # Errors
/// When the options contradict each other.
pub fn sort(resources: &mut Vec<Resource>, options: Option<&SortOptions>) -> Result<(), Error> {
    let own = match options {
        None => None,
        Some(options) => match (options.order.as_str(), &options.legacy_sort_options) {
            ("fifo", None) => return Ok(()),
            ("fifo", Some(_)) => {
                return Err(
                    Error::new("`sortOptions.legacySortOptions` is set, but the order is `fifo`")
                        .hint("write `order: legacy`, or leave the options out"),
                );
            }
            ("legacy", legacy) => legacy.as_ref(),
            (other, _) => {
                return Err(
                    Error::new(format!("`sortOptions.order` is `{other}`")).hint("write fifo or legacy")
                );
            }
        },
    };
    let rank = |kind: &str| match own {
        Some(own) => rank(kind, &own.order_first, &own.order_last),
        None => rank(kind, &FIRST, &LAST),
    };
    let mut keyed: Vec<_> = std::mem::take(resources)
        .into_iter()
        .map(|resource| {
            let id = resource.id();
            let or = |text: &str, none: &str| {
                if text.is_empty() {
                    none.to_owned()
                } else {
                    text.to_owned()
                }
            };
            let name = format!("{}|{}|{}", id.gvk, or(&id.namespace, "~X"), or(&id.name, "~N"));
            ((rank(&id.gvk.kind), gvk_text(&id.gvk), name), resource)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    resources.extend(keyed.into_iter().map(|(_, resource)| resource));
    Ok(())
}
