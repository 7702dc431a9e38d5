//! Labels on the raw config of an image, written the same way for every builder (semantics S4).

use crate::model::labels::is_reserved;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Takes the reserved labels that a base handed down off a config, then writes `labels`.
/// All other labels, and all other keys, survive.
pub fn write(config: &mut Map<String, Value>, labels: &BTreeMap<String, String>) {
    let inner = config.entry("config").or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    let Value::Object(inner) = inner else { return };
    let mut kept = match inner.shift_remove("Labels") {
        Some(Value::Object(kept)) => kept,
        _ => Map::new(),
    };
    kept.retain(|key, _| !is_reserved(key));
    for (key, value) in labels {
        kept.insert(key.clone(), json!(value));
    }
    if !kept.is_empty() {
        inner.insert("Labels".into(), Value::Object(kept));
    }
}

/// The labels of a config that are text.
pub fn read(config: &Map<String, Value>) -> BTreeMap<String, String> {
    let labels = config.get("config").and_then(|c| c.get("Labels"));
    let Some(Value::Object(labels)) = labels else {
        return BTreeMap::new();
    };
    let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    labels.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_labels_of_a_base_vanish_and_all_else_survives() {
        let Value::Object(mut config) = json!({
            "odd": 1,
            "config": {"Healthcheck": {"Test": ["NONE"]}, "Labels": {
                "dependency.base": "1.0.0", "org.opencontainers.image.version": "22.04",
                "dev.ringshift.dirty": "true", "org.opencontainers.image.vendor": "v", "mine": "x"
            }}
        }) else {
            unreachable!()
        };
        let new = BTreeMap::from([("org.opencontainers.image.version".into(), "1.2.3".into())]);
        write(&mut config, &new);
        let want = json!({
            "odd": 1,
            "config": {"Healthcheck": {"Test": ["NONE"]}, "Labels": {
                "org.opencontainers.image.vendor": "v", "mine": "x",
                "org.opencontainers.image.version": "1.2.3"
            }}
        });
        assert_eq!(Value::Object(config.clone()), want);
        assert_eq!(read(&config).len(), 3);
    }

    #[test]
    fn a_config_without_labels_gets_some() {
        for raw in [
            json!({}),
            json!({"config": null}),
            json!({"config": {"Labels": null}}),
        ] {
            let Value::Object(mut config) = raw else {
                unreachable!()
            };
            write(&mut config, &BTreeMap::from([("a".into(), "b".into())]));
            assert_eq!(config["config"]["Labels"], json!({"a": "b"}));
        }
    }
}
