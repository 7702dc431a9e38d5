//! An object and its names: what it is called now, and what it was called before transformers
//! changed it. As upstream, the former names ride in annotations until the end.

pub use super::id::{Gvk, Id, NO_NAMESPACE};

use super::node::{Kind, Node, Scalar, Style};
use super::scalar::Tag;
use super::schema;
use std::collections::BTreeMap;
use std::sync::Arc;

const DOMAIN: &str = "internal.config.kubernetes.io/";
/// Where upstream says which file an object came from.
pub const ORIGIN: &str = "config.kubernetes.io/origin";
/// Where upstream says which transformers touched an object.
pub const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// The annotations that never leave a build.
const INTERNAL: [&str; 18] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its content.
    pub node: Node,
    /// The variables that take their value from it.
    pub variables: Vec<String>,
    /// The file and line that it comes from, for messages: the file is empty where none is known.
    pub place: (Arc<str>, usize),
    /// It comes from a chart: upstream leaves its namespace to helm.
    pub of_chart: bool,
}

/// What a generator does when an object of its name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// It must not exist.
    Create,
    /// It is replaced.
    Replace,
    /// The data are merged.
    Merge,
}

impl Resource {
    /// An object with this content.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            variables: Vec::new(),
            place: (Arc::from(""), 0),
            of_chart: false,
        }
    }

    /// The text of a field.
    fn text(&self, name: &str) -> &str {
        self.node.get(name).map_or("", Node::text)
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// Its `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    fn metadata(&self, name: &str) -> &str {
        match self.node.at(&["metadata", name]) {
            Some(node) if !node.is_empty() => node.text(),
            _ => "",
        }
    }

    /// Its name now.
    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    /// Its namespace now.
    pub fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    /// What it is called now.
    pub fn id(&self) -> Id {
        Id {
            gvk: self.gvk(),
            name: self.name().into(),
            namespace: self.namespace().into(),
            cluster: schema::is_cluster_scoped(self.api_version(), self.kind()),
        }
    }

    /// What it was called before, the oldest first.
    pub fn former_ids(&self) -> Vec<Id> {
        let list = |name| self.csv(name);
        let (names, spaces, kinds) = (
            list("previousNames"),
            list("previousNamespaces"),
            list("previousKinds"),
        );
        let gvk = self.gvk();
        names
            .into_iter()
            .zip(spaces)
            .zip(kinds)
            .map(|((name, namespace), kind)| Id {
                gvk: Gvk { kind, ..gvk.clone() },
                name,
                namespace,
                cluster: false,
            })
            .collect()
    }

    /// What it was called at first.
    pub fn first_id(&self) -> Id {
        self.former_ids().into_iter().next().unwrap_or_else(|| self.id())
    }

    /// Every name that it has or had.
    pub fn ids(&self) -> Vec<Id> {
        let mut ids = vec![Id {
            cluster: false,
            ..self.id()
        }];
        ids.extend(self.former_ids());
        ids
    }

    /// Every name that it has or had, the one of now with its scope.
    pub fn any_id(&self, matches: impl Fn(&Id) -> bool) -> bool {
        matches(&self.id()) || self.former_ids().iter().any(matches)
    }

    /// Remembers what it is called now.
    pub fn store_id(&mut self) {
        let id = self.id();
        self.append_csv("previousNames", &id.name);
        self.append_csv("previousNamespaces", id.effective());
        self.append_csv("previousKinds", &id.gvk.kind);
    }

    fn map_field(&mut self, path: [&str; 2], value: Node) {
        if let Some(metadata) = self.node.get_or_create(path[0], Kind::Map) {
            metadata.set(path[1], value);
        }
    }

    /// Names it.
    pub fn set_name(&mut self, name: &str) {
        self.map_field(["metadata", "name"], Node::untagged(name));
    }

    /// Puts it into a namespace, or takes it out of any.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            if let Some(metadata) = self.node.get_mut("metadata") {
                metadata.remove("namespace");
            }
        } else {
            self.map_field(["metadata", "namespace"], Node::untagged(namespace));
        }
    }

    /// Says what it is.
    pub fn set_kind(&mut self, kind: &str) {
        self.node.set("kind", Node::untagged(kind));
    }

    /// Says which API it belongs to.
    pub fn set_api_version(&mut self, version: &str) {
        self.node.set("apiVersion", Node::untagged(version));
    }

    fn string_map(&self, name: &str) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        if let Some(node) = self.node.at(&["metadata", name]) {
            for (key, value) in node.entries() {
                map.insert(key.text.clone(), value.text().to_owned());
            }
        }
        map
    }

    fn set_string_map(&mut self, name: &str, map: &BTreeMap<String, String>) {
        let Some(metadata) = self.node.get_or_create("metadata", Kind::Map) else {
            return;
        };
        metadata.remove(name);
        if map.is_empty() {
            return;
        }
        let entries = map
            .iter()
            .map(|(key, value)| (Scalar::untagged(key.clone()), Node::string(value.clone())))
            .collect();
        metadata.put(name, Node::Map(entries));
    }

    /// Its annotations, the internal ones among them.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.string_map("annotations")
    }

    /// Replaces its annotations.
    pub fn set_annotations(&mut self, map: &BTreeMap<String, String>) {
        self.set_string_map("annotations", map);
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.string_map("labels")
    }

    /// Replaces its labels.
    pub fn set_labels(&mut self, map: &BTreeMap<String, String>) {
        self.set_string_map("labels", map);
    }

    /// One annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.node
            .at(&["metadata", "annotations"])?
            .get(name)
            .map(Node::text)
    }

    /// Sets one annotation as a text.
    pub fn annotate(&mut self, name: &str, value: &str) {
        let Some(metadata) = self.node.get_or_create("metadata", Kind::Map) else {
            return;
        };
        if metadata.get("annotations").is_some_and(Node::is_null) {
            metadata.remove("annotations");
        }
        if let Some(map) = metadata.get_or_create("annotations", Kind::Map) {
            map.set(
                name,
                Node::Scalar(Scalar {
                    text: value.into(),
                    tag: Tag::Str,
                    style: Style::Plain,
                    shared: 0,
                }),
            );
        }
    }

    /// Sets one annotation and writes all of them anew: none is one with another field afterwards
    /// (see [`super::shared`]). Upstream does so where it says where an object comes from.
    pub fn annotate_anew(&mut self, name: &str, value: &str) {
        self.annotate(name, value);
        let metadata = self.node.get_mut("metadata");
        if let Some(Node::Map(entries)) = metadata.and_then(|metadata| metadata.get_mut("annotations")) {
            for (_, value) in entries {
                if let Node::Scalar(scalar) = value {
                    scalar.shared = 0;
                }
            }
        }
    }

    fn csv(&self, name: &str) -> Vec<String> {
        match self.annotation(&format!("{DOMAIN}{name}")) {
            Some(text) => text.split(',').map(Into::into).collect(),
            None => Vec::new(),
        }
    }

    fn append_csv(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let name = format!("{DOMAIN}{name}");
        let text = match self.annotation(&name) {
            Some(old) => format!("{old},{value}"),
            None => value.to_owned(),
        };
        self.annotate(&name, &text);
    }

    /// Remembers a prefix.
    pub fn add_prefix(&mut self, prefix: &str) {
        self.append_csv("prefixes", prefix);
    }

    /// Remembers a suffix.
    pub fn add_suffix(&mut self, suffix: &str) {
        self.append_csv("suffixes", suffix);
    }

    /// Remembers who refers to it.
    pub fn add_referrer(&mut self, id: &Id) {
        self.append_csv("refBy", &id.to_string());
    }

    /// Whether both got the same prefixes and suffixes last; one that got none is like any when
    /// `any_empty`.
    pub fn same_affixes(&self, other: &Self, any_empty: bool) -> bool {
        ["prefixes", "suffixes"].iter().all(|name| {
            let (mine, others) = (self.csv(name), other.csv(name));
            let short = mine.len().min(others.len());
            match short {
                0 => any_empty || mine.len() == others.len(),
                _ => mine[mine.len() - short..] == others[others.len() - short..],
            }
        })
    }

    fn enabled(&self, name: &str) -> bool {
        self.annotation(&format!("{DOMAIN}{name}")) == Some("enabled")
    }

    fn enable(&mut self, name: &str) {
        let mut map = self.annotations();
        map.insert(format!("{DOMAIN}{name}"), "enabled".into());
        self.set_annotations(&map);
    }

    /// A patch that may rename.
    pub fn allow_name_change(&mut self) {
        self.enable("allowNameChange");
    }

    /// Whether this patch may rename.
    pub fn name_change_allowed(&self) -> bool {
        self.enabled("allowNameChange")
    }

    /// A patch that may change the kind.
    pub fn allow_kind_change(&mut self) {
        self.enable("allowKindChange");
    }

    /// Whether this patch may change the kind.
    pub fn kind_change_allowed(&self) -> bool {
        self.enabled("allowKindChange")
    }

    /// Its name shall end in a hash of its content.
    pub fn want_hash(&mut self) {
        self.enable("needsHashSuffix");
    }

    /// Whether its name shall end in a hash.
    pub fn wants_hash(&self) -> bool {
        self.enabled("needsHashSuffix")
    }

    /// What its generator does when an object of its name exists.
    pub fn behavior(&self) -> Behavior {
        match self.annotation(&format!("{DOMAIN}generatorBehavior")) {
            Some("replace") => Behavior::Replace,
            Some("merge") => Behavior::Merge,
            _ => Behavior::Create,
        }
    }

    /// Sets what its generator does when an object of its name exists.
    pub fn set_behavior(&mut self, text: &str) {
        let word = match text {
            "replace" | "merge" | "create" => text,
            _ => "unspecified",
        };
        let mut map = self.annotations();
        map.insert(format!("{DOMAIN}generatorBehavior"), word.into());
        self.set_annotations(&map);
    }

    /// Drops the internal annotations; those that stay become texts.
    pub fn drop_internal(&mut self) {
        let mut map = self.annotations();
        if map.is_empty() {
            return;
        }
        map.retain(|key, _| !INTERNAL.contains(&key.as_str()));
        self.set_annotations(&map);
    }

    /// The internal annotations.
    pub fn internal(&self) -> BTreeMap<String, String> {
        let mut map = self.annotations();
        map.retain(|key, _| key.starts_with(DOMAIN));
        map
    }

    /// Takes labels, annotations, name and namespace of the object that it replaces.
    pub fn take_metadata_from(&mut self, other: &Self) {
        let mut labels = other.labels();
        labels.extend(self.labels());
        self.set_labels(&labels);
        let own = self.annotations();
        let hash = format!("{DOMAIN}needsHashSuffix");
        let (theirs, keep_hash) = (other.annotations(), own.contains_key(&hash));
        let mut merged = theirs.clone();
        merged.extend(own);
        for name in INTERNAL {
            match theirs.get(name) {
                Some(value) => merged.insert(name.into(), value.clone()),
                None => merged.remove(name),
            };
        }
        if !keep_hash {
            merged.remove(&hash);
        }
        self.set_annotations(&merged);
        self.set_name(other.name());
        self.set_namespace(other.namespace());
        self.variables.clone_from(&other.variables);
    }
}
