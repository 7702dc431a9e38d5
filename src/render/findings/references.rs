//! Secrets in plain sight, and ConfigMaps and Secrets that pods ask for.

use super::{Finding, pod};
use crate::kustomize::Object;
use serde_json::Value;
use std::collections::BTreeSet;

/// `plain-secret`.
pub(super) fn plain(object: &Object, found: &mut Vec<Finding>) {
    let holds = |field: &str| object.value[field].as_object().is_some_and(|map| !map.is_empty());
    if object.kind() == "Secret" && object.group().is_empty() && (holds("data") || holds("stringData")) {
        found.push(Finding::of(
            object,
            "plain-secret",
            format!("{object}: its values stand in the repository, and in every release"),
            "let the cluster make it (External Secrets, Sealed Secrets, SOPS), and refer to it by name",
        ));
    }
}

/// `missing-reference`.
pub(super) fn missing(objects: &[Object], found: &mut Vec<Finding>) {
    let there: BTreeSet<(&str, &str, &str)> = objects
        .iter()
        .flat_map(|object| {
            // What makes a Secret of its own name.
            let kind = match object.kind() {
                "SealedSecret" | "ExternalSecret" | "Certificate" => "Secret",
                kind => kind,
            };
            let target = object.value["spec"]["target"]["name"].as_str();
            let target = target.or_else(|| object.value["spec"]["secretName"].as_str());
            let names = [Some(object.name()), target].into_iter().flatten();
            names.map(move |name| (kind, object.namespace(), name))
        })
        .collect();
    for object in objects {
        let mut wanted = BTreeSet::new();
        if let Some(pod) = pod(object) {
            ask(&pod["spec"], &mut wanted);
        }
        for (kind, name) in wanted {
            if !there.contains(&(kind, object.namespace(), name)) && name != "kube-root-ca.crt" {
                found.push(Finding::of(
                    object,
                    "missing-reference",
                    format!("{object} needs {kind}/{name}, which is not among the objects"),
                    "add it, mark the reference as `optional: true`, or see to it that the cluster has it",
                ));
            }
        }
    }
}

/// The ConfigMaps and Secrets that the specification of a pod cannot do without.
fn ask<'v>(spec: &'v Value, wanted: &mut BTreeSet<(&'static str, &'v str)>) {
    let mut add = |kind, source: &'v Value, key: &str| {
        if let Some(name) = source[key].as_str().filter(|name| !name.is_empty())
            && source["optional"] != Value::Bool(true)
        {
            wanted.insert((kind, name));
        }
    };
    let list = |value: &'v Value| value.as_array().map(Vec::as_slice).unwrap_or_default();
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        for container in list(&spec[field]) {
            for from in list(&container["envFrom"]) {
                add("ConfigMap", &from["configMapRef"], "name");
                add("Secret", &from["secretRef"], "name");
            }
            for env in list(&container["env"]) {
                add("ConfigMap", &env["valueFrom"]["configMapKeyRef"], "name");
                add("Secret", &env["valueFrom"]["secretKeyRef"], "name");
            }
        }
    }
    for volume in list(&spec["volumes"]) {
        add("ConfigMap", &volume["configMap"], "name");
        add("Secret", &volume["secret"], "secretName");
        for source in list(&volume["projected"]["sources"]) {
            add("ConfigMap", &source["configMap"], "name");
            add("Secret", &source["secret"], "name");
        }
    }
    for secret in list(&spec["imagePullSecrets"]) {
        add("Secret", secret, "name");
    }
}
