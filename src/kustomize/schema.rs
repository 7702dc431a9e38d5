//! What Kubernetes' schema says: which lists a patch joins by which keys, which kinds live in no
//! namespace.

use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// A place in a schema: the type of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    kind: usize,
    /// The list's keys, an index into the table of keys; `None` when it is replaced as a whole.
    keys: Option<usize>,
    list: bool,
}

#[derive(Debug, Default, Clone)]
struct Type {
    fields: HashMap<String, Place>,
    any: Option<Place>,
}

/// A schema.
#[derive(Debug, Default, Clone)]
pub struct Schema {
    types: Vec<Type>,
    names: HashMap<String, usize>,
    keys: Vec<Vec<String>>,
    objects: HashMap<(String, String), usize>,
}

const NONE: usize = usize::MAX;

impl Schema {
    /// Kubernetes' own, as kustomize carries it.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<Schema>> = OnceLock::new();
        BUILTIN
            .get_or_init(|| Arc::new(Self::table(include_str!("data/merge_keys.txt"))))
            .clone()
    }

    fn table(text: &str) -> Self {
        let mut schema = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), ..) => {}
                (Some(":"), _, Some(name), _) => {
                    schema.names.insert(name.into(), schema.types.len());
                    schema.types.push(Type::default());
                }
                (Some("="), Some(version), Some(kind), Some(number)) => {
                    let number = number.parse().unwrap_or(NONE);
                    schema.objects.insert((version.into(), kind.into()), number);
                }
                (Some(field), Some(shape), keys, _) => {
                    let keys = keys.map(|keys| match keys {
                        "-" => Vec::new(),
                        keys => keys.split(',').map(Into::into).collect(),
                    });
                    let keys = keys.map(|keys: Vec<String>| schema.intern(keys));
                    let kind = |text: &str| text.parse().unwrap_or(NONE);
                    let place = match (shape.strip_prefix('['), shape.strip_prefix('*')) {
                        (Some(of), _) => Place {
                            kind: kind(of),
                            keys,
                            list: true,
                        },
                        (_, Some(of)) => Place {
                            kind: kind(of),
                            keys: Some(NONE),
                            list: false,
                        },
                        _ => Place {
                            kind: kind(shape),
                            keys,
                            list: false,
                        },
                    };
                    if let Some(last) = schema.types.last_mut() {
                        last.fields.insert(field.into(), place);
                    }
                }
                _ => {}
            }
        }
        schema
    }

    fn intern(&mut self, keys: Vec<String>) -> usize {
        match self.keys.iter().position(|have| *have == keys) {
            Some(at) => at,
            None => {
                self.keys.push(keys);
                self.keys.len() - 1
            }
        }
    }

    /// A schema of one's own (`openapi: path`): an OpenAPI document with `definitions`, alone or
    /// laid over the built-in one.
    pub fn custom(document: &Value, over_builtin: bool) -> Arc<Self> {
        let mut schema = match over_builtin {
            true => Self::builtin().as_ref().clone(),
            false => Self::default(),
        };
        let empty = serde_json::Map::new();
        let definitions = document
            .get("definitions")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        for name in definitions.keys() {
            schema.names.insert(name.clone(), schema.types.len());
            schema.types.push(Type::default());
        }
        let numbers = schema.names.clone();
        for (name, definition) in definitions {
            let at = numbers.get(name).copied().unwrap_or(NONE);
            schema.fill(at, definition, &numbers, 0);
            for object in definition
                .get("x-kubernetes-group-version-kind")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let text = |name| object.get(name).and_then(Value::as_str).unwrap_or_default();
                let version = match text("group") {
                    "" => text("version").to_owned(),
                    group => format!("{group}/{}", text("version")),
                };
                schema.objects.insert((version, text("kind").into()), at);
            }
        }
        Arc::new(schema)
    }

    fn fill(&mut self, at: usize, definition: &Value, numbers: &HashMap<String, usize>, depth: usize) {
        if depth > 64 {
            return;
        }
        for (name, property) in definition
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let place = self.shape(property, numbers, depth);
            self.types[at].fields.insert(name.clone(), place);
        }
        if let Some(any) = definition
            .get("additionalProperties")
            .filter(|any| any.is_object())
        {
            self.types[at].any = Some(self.shape(any, numbers, depth));
        }
    }

    fn shape(&mut self, property: &Value, numbers: &HashMap<String, usize>, depth: usize) -> Place {
        let named = |value: &Value| {
            let path = value.get("$ref").and_then(Value::as_str)?;
            numbers.get(path.rsplit('/').next()?).copied()
        };
        let text = |name| property.get(name).and_then(Value::as_str);
        let merges = text("x-kubernetes-patch-strategy")
            .is_some_and(|strategy| strategy.split(',').any(|part| part == "merge"));
        let keys = merges.then(|| {
            let list = property
                .get("x-kubernetes-list-map-keys")
                .and_then(Value::as_array);
            match (list, text("x-kubernetes-patch-merge-key")) {
                (Some(list), _) => list.iter().filter_map(Value::as_str).map(Into::into).collect(),
                (None, Some(key)) => vec![key.to_owned()],
                (None, None) => Vec::new(),
            }
        });
        let keys = keys.map(|keys| self.intern(keys));
        let (list, of) = match (text("type"), property.get("items")) {
            (Some("array"), Some(items)) => (true, items),
            _ => (false, property),
        };
        let kind = named(of).unwrap_or_else(|| {
            if of.get("properties").is_none() && of.get("additionalProperties").is_none() {
                return NONE;
            }
            self.types.push(Type::default());
            let at = self.types.len() - 1;
            self.fill(at, of, numbers, depth + 1);
            at
        });
        Place { kind, keys, list }
    }

    /// The type of an object.
    pub fn object(&self, version: &str, kind: &str) -> Option<Place> {
        let kind = *self.objects.get(&(version.to_owned(), kind.to_owned()))?;
        Some(Place {
            kind,
            keys: None,
            list: false,
        })
    }

    /// The type of a field.
    pub fn field(&self, place: Place, name: &str) -> Option<Place> {
        if place.list {
            return None;
        }
        if place.keys == Some(NONE) {
            return Some(Place {
                kind: place.kind,
                keys: None,
                list: false,
            });
        }
        let of = self.types.get(place.kind)?;
        of.fields.get(name).copied().or(of.any)
    }

    /// The type of a list's items.
    pub fn items(&self, place: Place) -> Option<Place> {
        (place.list && place.kind != NONE).then_some(Place {
            kind: place.kind,
            keys: None,
            list: false,
        })
    }

    /// The keys that join a list's items: none at all for items that are joined by their value;
    /// `None` when the list is replaced as a whole.
    pub fn merge_keys(&self, place: Option<Place>) -> Option<&[String]> {
        self.keys.get(place?.keys?).map(Vec::as_slice)
    }
}

/// Whether a kind certainly lives in no namespace.
pub fn is_cluster_scoped(version: &str, kind: &str) -> bool {
    static KINDS: OnceLock<HashSet<(&'static str, &'static str)>> = OnceLock::new();
    KINDS
        .get_or_init(|| {
            include_str!("data/cluster_scoped.txt")
                .lines()
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once(' '))
                .collect()
        })
        .contains(&(version, kind))
}
