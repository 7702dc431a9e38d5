//! What a folder of a generated overlay holds: so that patches and replacements find their targets.

use std::collections::BTreeSet;

/// One object.
#[derive(Clone)]
pub struct Held {
    pub kind: &'static str,
    /// Its names and namespaces, as written in YAML; the last pair is today's.
    pub ids: Vec<(String, Option<String>)>,
    /// What patches and replacements may count on: `labels`, the annotation `note`, `replicas`, the
    /// container `main`, this one as `first`, the datum `a`.
    pub has: BTreeSet<&'static str>,
}

/// What the names of a kustomization do to objects.
#[derive(Clone, Default)]
pub struct Naming {
    pub prefix: &'static str,
    pub suffix: &'static str,
    pub namespace: Option<&'static str>,
}

pub fn is_cluster_wide(kind: &str) -> bool {
    matches!(kind, "ClusterRole" | "ClusterRoleBinding" | "Namespace")
}

impl Held {
    pub fn new(kind: &'static str, name: &str) -> Held {
        Held {
            kind,
            ids: vec![(name.to_owned(), None)],
            has: BTreeSet::new(),
        }
    }

    pub fn has_name(&self, name: &str) -> bool {
        self.ids.iter().any(|(one, _)| one == name)
    }

    /// The object after a kustomization's names.
    pub fn renamed(&self, naming: &Naming) -> Held {
        let mut held = self.clone();
        let (mut name, mut namespace) = self.ids[self.ids.len() - 1].clone();
        match (self.kind, naming.namespace) {
            ("Namespace", Some(to)) => name = to.to_owned(),
            ("Namespace", None) => {}
            (kind, to) => {
                name = format!("{}{name}{}", naming.prefix, naming.suffix);
                if let (Some(to), false) = (to, is_cluster_wide(kind)) {
                    namespace = Some(to.to_owned());
                }
            }
        }
        held.ids.push((name, namespace));
        held
    }

    fn today(&self) -> (&str, &str, &str) {
        let (name, namespace) = &self.ids[self.ids.len() - 1];
        (self.kind, name, namespace.as_deref().unwrap_or("default"))
    }
}

/// All objects after a kustomization's names.
pub fn renamed(held: &[Held], naming: &Naming) -> Vec<Held> {
    held.iter().map(|one| one.renamed(naming)).collect()
}

/// Whether two objects of both lists are the same one today.
pub fn clash(held: &[Held], others: &[Held]) -> bool {
    let mut seen = BTreeSet::new();
    held.iter().chain(others).any(|one| !seen.insert(one.today()))
}

/// Names by which a selector finds objects of a kind that all have `what`; at most `most` of them.
pub fn selectable(held: &[Held], kind: &str, what: Option<&str>, most: usize) -> Vec<String> {
    let of_kind: Vec<&Held> = held.iter().filter(|one| one.kind == kind).collect();
    let names: BTreeSet<&String> = of_kind
        .iter()
        .flat_map(|one| one.ids.iter().map(|(name, _)| name))
        .collect();
    let fits = |name: &str| {
        let found: Vec<_> = of_kind.iter().filter(|one| one.has_name(name)).collect();
        found.len() <= most
            && found
                .iter()
                .all(|one| what.is_none_or(|what| one.has.contains(what)))
    };
    names.into_iter().filter(|name| fits(name)).cloned().collect()
}

/// Takes `what` from all objects.
pub fn forget(held: &mut [Held], what: &[&str]) {
    for one in held {
        one.has.retain(|has| !what.contains(has));
    }
}
