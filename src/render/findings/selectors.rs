//! Selectors of Services, disruption budgets and workloads that no pod answers.

use super::{Finding, pod};
use crate::kustomize::Object;
use serde_json::{Map, Value};

/// `selector-matches-nothing`.
pub(super) fn without_match(objects: &[Object], found: &mut Vec<Finding>) {
    let pods: Vec<(&str, &Value)> = objects
        .iter()
        .filter_map(|object| Some((object.namespace(), &pod(object)?["metadata"]["labels"])))
        .collect();
    for object in objects {
        let answered = match (object.group(), object.kind()) {
            ("", "Service") => {
                let selector = object.value["spec"]["selector"].as_object();
                let selector = selector.filter(|selector| !selector.is_empty());
                selector.is_none_or(|selector| {
                    pods.iter()
                        .any(|(namespace, labels)| *namespace == object.namespace() && all(selector, labels))
                })
            }
            ("policy", "PodDisruptionBudget") => {
                let selector = &object.value["spec"]["selector"];
                pods.iter()
                    .any(|(namespace, labels)| *namespace == object.namespace() && matches(selector, labels))
            }
            ("apps", _) => match (pod(object), object.value["spec"].get("selector")) {
                (Some(pod), Some(selector)) => matches(selector, &pod["metadata"]["labels"]),
                _ => true,
            },
            _ => true,
        };
        if !answered {
            found.push(Finding::of(
                object,
                "selector-matches-nothing",
                format!("{object}: no pod among the objects has the labels that it selects"),
                "compare its selector with the labels of the pod template",
            ));
        }
    }
}

fn all(selector: &Map<String, Value>, labels: &Value) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Whether labels answer `matchLabels` and `matchExpressions`.
fn matches(selector: &Value, labels: &Value) -> bool {
    let empty = Map::new();
    let expressions = selector["matchExpressions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all(selector["matchLabels"].as_object().unwrap_or(&empty), labels)
        && expressions.iter().all(|expression| {
            let value = expression["key"].as_str().and_then(|key| labels.get(key));
            let among = || {
                let values = expression["values"].as_array();
                value.is_some_and(|value| values.is_some_and(|values| values.contains(value)))
            };
            match expression["operator"].as_str() {
                Some("In") => among(),
                Some("NotIn") => !among(),
                Some("Exists") => value.is_some(),
                Some("DoesNotExist") => value.is_none(),
                _ => true,
            }
        })
}
