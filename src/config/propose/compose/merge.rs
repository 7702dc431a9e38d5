//! How compose lays one service over another: of several files, or by `extends`.

use super::document::{OVERRIDE, RESET};
use serde_json::{Map, Value};

/// What of a service tells how its image is built.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// `build`, in its long form, with maps for lists.
    pub build: Option<Map<String, Value>>,
    /// What the image is called, in each file that says so.
    pub images: Vec<String>,
}

impl Service {
    /// `over` laid over this.
    pub fn under(mut self, over: &Overlay) -> Self {
        match &over.build {
            Some(Value::Object(map)) if map.contains_key(RESET) => self.build = None,
            Some(over) => {
                let own = self.build.take().map_or(Value::Null, Value::Object);
                self.build = match laid(own, over) {
                    Value::Object(build) => Some(build),
                    _ => None,
                };
            }
            None => {}
        }
        let image = over.image.iter().filter(|image| !self.images.contains(image));
        let image: Vec<String> = image.cloned().collect();
        self.images.extend(image);
        self
    }
}

/// What a file says of a service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay {
    /// `build`, in its long form, with maps for lists; perhaps with tags.
    pub build: Option<Value>,
    /// `image`.
    pub image: Option<String>,
}

impl Overlay {
    /// Of a service as it is written.
    pub fn of(service: &Value) -> Self {
        let build = service.get("build").filter(|build| !build.is_null());
        Self {
            build: build.map(long_form),
            image: service.get("image").and_then(Value::as_str).map(Into::into),
        }
    }

    /// The keys of `build` that are other than in `below`, arguments by name.
    pub fn changes(&self, below: &Service) -> Vec<String> {
        let (Some(Value::Object(over)), Some(build)) = (&self.build, &below.build) else {
            return Vec::new();
        };
        let mut changed: Vec<String> = ["context", "dockerfile", "target"]
            .into_iter()
            .filter(|key| {
                over.get(*key)
                    .is_some_and(|value| build.get(*key).is_some_and(|b| b != value))
            })
            .map(|key| format!("`{key}`"))
            .collect();
        let args = |build: &Map<String, Value>| build.get("args").and_then(Value::as_object).cloned();
        let below = args(build).unwrap_or_default();
        for (name, value) in args(over).unwrap_or_default() {
            if below.get(&name).is_some_and(|below| *below != value) {
                changed.push(format!("build argument `{name}`"));
            }
        }
        changed
    }
}

/// `build: FOLDER` is `build: {context: FOLDER}`; lists of `KEY=VALUE` are maps.
fn long_form(build: &Value) -> Value {
    match build {
        Value::String(context) => Value::Object(Map::from_iter([("context".into(), context.clone().into())])),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| match key.as_str() {
                "args" | "additional_contexts" => (key.clone(), listed(value)),
                OVERRIDE => (key.clone(), long_form(value)),
                _ => (key.clone(), value.clone()),
            };
            Value::Object(map.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

fn listed(value: &Value) -> Value {
    let entry = |item: &Value| {
        let text = item.as_str()?;
        Some(match text.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.into()),
            None => (text.to_owned(), Value::Null),
        })
    };
    match value {
        Value::Array(items) => Value::Object(items.iter().filter_map(entry).collect()),
        Value::Object(map) if map.contains_key(OVERRIDE) => {
            Value::Object(Map::from_iter([(OVERRIDE.to_owned(), listed(&map[OVERRIDE]))]))
        }
        other => other.clone(),
    }
}

/// Maps are laid over each other key by key, everything else takes the place of what is below.
fn laid(below: Value, over: &Value) -> Value {
    let Value::Object(over) = over else {
        return over.clone();
    };
    if let Some(value) = over.get(OVERRIDE) {
        return laid(Value::Null, value);
    }
    let mut map = match below {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for (key, value) in over {
        if value.get(RESET).is_some() {
            map.shift_remove(key);
        } else {
            let below = map.get(key).cloned().unwrap_or_default();
            map.insert(key.clone(), laid(below, value));
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_service_is_laid_over_another() {
        let below = Service::default().under(&Overlay::of(&json!({
            "image": "a", "build": {"context": "x", "target": "t", "args": ["A=1", "B=2", "C"]}})));
        let over = Overlay::of(&json!({"image": "b", "build": {
            "target": {"!reset": null}, "context": "y", "args": {"B": "3", "D": {"!override": "4"}}}}));
        assert_eq!(
            over.changes(&below),
            ["`context`", "`target`", "build argument `B`"]
        );
        let service = below.clone().under(&over);
        let args = json!({"A": "1", "B": "3", "C": null, "D": "4"});
        let build = json!({"context": "y", "args": args});
        assert_eq!(service.build.map(Value::Object), Some(build));
        assert_eq!(service.images, ["a", "b"]);
        let gone = below
            .clone()
            .under(&Overlay::of(&json!({"build": {"!reset": null}})));
        assert_eq!(gone.build, None);
        let new = below.under(&Overlay::of(&json!({"build": {"!override": {"context": "z"}}})));
        assert_eq!(new.build.map(Value::Object), Some(json!({"context": "z"})));
    }
}
