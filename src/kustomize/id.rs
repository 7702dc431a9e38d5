//! What an object is called: group, version, kind, namespace, name.

use std::fmt;

/// What stands for the namespace of a kind that lives in none.
pub const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Gvk {
    /// The API group; empty for the core.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
}

impl Gvk {
    /// From an `apiVersion` and a kind.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// The `apiVersion`.
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Whether every part that `selector` names is the same here.
    pub fn is_selected(&self, selector: &Self) -> bool {
        let same = |want: &str, have: &str| want.is_empty() || want == have;
        same(&selector.group, &self.group)
            && same(&selector.version, &self.version)
            && same(&selector.kind, &self.kind)
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &str, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_owned()
            }
        };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

/// A name of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Id {
    /// What it is.
    pub gvk: Gvk,
    /// Its name.
    pub name: String,
    /// Its namespace; empty when it names none.
    pub namespace: String,
    /// Whether its kind lives in no namespace.
    pub cluster: bool,
}

impl Id {
    /// The namespace that counts when names are compared.
    pub fn effective(&self) -> &str {
        match (self.cluster, self.namespace.as_str()) {
            (true, _) => NO_NAMESPACE,
            (_, "") => "default",
            (_, namespace) => namespace,
        }
    }

    /// Whether both name the same object.
    pub fn same(&self, other: &Self) -> bool {
        self.effective() == other.effective() && self.name == other.name && self.gvk == other.gvk
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespace = if self.namespace.is_empty() {
            "[noNs]"
        } else {
            &self.namespace
        };
        let name = if self.name.is_empty() {
            "[noName]"
        } else {
            &self.name
        };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}
