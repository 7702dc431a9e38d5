//! What a token must allow, in the words of distribution's token specification.

use crate::registry::Repository;
use std::collections::{BTreeMap, BTreeSet};

/// Actions by resource: `repository:acme/shop/api` → `pull`, `push`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    /// Reading a repository.
    pub fn pull(repository: &Repository) -> Self {
        Self::default().with(repository, &["pull"])
    }

    /// Reading and writing a repository.
    pub fn push(repository: &Repository) -> Self {
        Self::default().with(repository, &["pull", "push"])
    }

    /// Reading, writing and deleting in a repository.
    pub fn delete(repository: &Repository) -> Self {
        Self::default().with(repository, &["pull", "push", "delete"])
    }

    /// The same, and reading another repository too.
    pub fn and_pull(self, repository: &Repository) -> Self {
        self.with(repository, &["pull"])
    }

    fn with(mut self, repository: &Repository, actions: &[&str]) -> Self {
        let entry = self.0.entry(format!("repository:{repository}")).or_default();
        entry.extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// Adds what a registry names in a challenge: scopes with blanks between them.
    pub fn merge(mut self, text: &str) -> Self {
        for scope in text.split(' ') {
            if let Some((resource, actions)) = scope.rsplit_once(':') {
                let entry = self.0.entry(resource.to_owned()).or_default();
                entry.extend(actions.split(',').filter(|a| !a.is_empty()).map(str::to_owned));
            }
        }
        self
    }

    /// Whether a token for these serves for `other` too.
    pub fn cover(&self, other: &Self) -> bool {
        let mut all = other.0.iter();
        all.all(|(resource, actions)| self.0.get(resource).is_some_and(|own| own.is_superset(actions)))
    }

    /// One text for each resource, always in the same order.
    pub fn texts(&self) -> Vec<String> {
        let one = |(resource, actions): (&String, &BTreeSet<String>)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            format!("{resource}:{}", actions.join(","))
        };
        self.0.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_joined_by_resource_and_cover_what_is_smaller() {
        let (api, web) = (Repository::single("api"), Repository::single("web"));
        let both = Scopes::push(&api).and_pull(&web);
        assert_eq!(both.texts(), ["repository:api:pull,push", "repository:web:pull"]);
        assert!(both.cover(&Scopes::pull(&api)) && both.cover(&Scopes::pull(&web)));
        assert!(!both.cover(&Scopes::push(&web)) && !Scopes::pull(&api).cover(&both));
        let merged = Scopes::pull(&api).merge("repository:api:delete registry:catalog:* junk");
        assert_eq!(
            merged.texts(),
            ["registry:catalog:*", "repository:api:delete,pull"]
        );
    }
}
