//! After names have changed: every field that names an object gets its new name.

use super::config::{self, Config};
use super::error::Error;
use super::fields;
use super::node::{Node, Scalar};
use super::resource::{Gvk, Id, NO_NAMESPACE, Resource};
use std::collections::HashMap;

/// What is asked of an object that may be referred to.
struct Candidate {
    now: Id,
    former: Vec<Id>,
    first: String,
    service_account: bool,
    affixes: Resource,
}

struct Names {
    all: Vec<Candidate>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Names {
    fn of(resources: &[Resource]) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let all: Vec<Candidate> = resources
            .iter()
            .enumerate()
            .map(|(at, resource)| {
                let former = resource.former_ids();
                for id in &former {
                    let list = by_name.entry(id.name.clone()).or_default();
                    if list.last() != Some(&at) {
                        list.push(at);
                    }
                }
                let mut affixes = Resource::new(Node::Map(Vec::new()));
                affixes.set_annotations(&resource.internal());
                Candidate {
                    now: resource.id(),
                    first: resource.first_id().effective().to_owned(),
                    former,
                    service_account: resource.kind() == "ServiceAccount",
                    affixes,
                }
            })
            .collect();
        Self { all, by_name }
    }
}

/// Updates every reference.
///
/// # Errors
/// When a reference may mean several objects, or a configured path is wrong.
pub fn update(resources: &mut [Resource], config: &Config) -> Result<(), Error> {
    let names = Names::of(resources);
    let mut referred: Vec<(usize, usize)> = Vec::new();
    for (at, resource) in resources.iter_mut().enumerate() {
        let first = resource.first_id();
        let spaces = subject_namespaces(resource)?;
        let role = role_of(resource);
        for reference in &config.name_reference {
            let target = reference.gvk();
            for spec in &reference.field_specs {
                if !first.gvk.is_selected(&config::gvk(spec)) {
                    continue;
                }
                let mut any = spec.clone();
                (any.group, any.version, any.kind) = Default::default();
                let filter = Filter {
                    names: &names,
                    at,
                    target: &target,
                    role: role.as_ref().filter(|_| spec.path.ends_with("roleRef/name")),
                    spaces: &spaces,
                };
                let mut found = Vec::new();
                fields::each(&mut resource.node, &any, None, &mut |node| {
                    filter.set(node, &mut found)
                })
                .map_err(|what| Error::new(format!("updating the names in {}: {what}", first)))?;
                referred.extend(found.into_iter().map(|target| (target, at)));
            }
        }
    }
    for (target, referrer) in referred {
        resources[target].add_referrer(&names.all[referrer].now);
    }
    Ok(())
}

fn role_of(resource: &Resource) -> Option<Gvk> {
    let role = resource.node.get("roleRef")?;
    let text = |name| role.get(name).filter(|node| !node.is_null()).map(Node::text);
    Some(Gvk {
        group: text("apiGroup")?.into(),
        version: String::new(),
        kind: text("kind")?.into(),
    })
}

/// The namespaces of a role binding's service accounts: they may be referred to from elsewhere.
fn subject_namespaces(resource: &Resource) -> Result<Vec<String>, Error> {
    if resource.kind() != "RoleBinding" {
        return Ok(Vec::new());
    }
    let subjects = resource.node.get("subjects").map_or(&[][..], Node::items);
    let mut all = Vec::new();
    for subject in subjects
        .iter()
        .filter(|subject| subject.get("kind").map(Node::text) == Some("ServiceAccount"))
    {
        match subject.get("namespace") {
            None => {}
            Some(Node::Scalar(scalar)) if scalar.is_string() => all.push(scalar.text.clone()),
            Some(_) => {
                return Err(Error::new(format!(
                    "Invalid Input: namespace is blank for resource {}",
                    resource.id()
                ))
                .hint("name the namespace of the service account, or leave the field out"));
            }
        }
    }
    Ok(all)
}

struct Filter<'n> {
    names: &'n Names,
    at: usize,
    target: &'n Gvk,
    role: Option<&'n Gvk>,
    spaces: &'n [String],
}

impl Filter<'_> {
    fn set(&self, node: &mut Node, found: &mut Vec<usize>) -> Result<(), String> {
        match node {
            node if node.is_null() => Ok(()),
            Node::Scalar(_) => self.scalar(node, found),
            Node::Map(_) => self.map(node, found),
            Node::List(items) => items.iter_mut().try_for_each(|item| match item {
                item if item.is_null() => Ok(()),
                Node::Scalar(_) => self.scalar(item, found),
                Node::Map(_) => self.map(item, found),
                Node::List(_) => Err("a name or a map with a name is expected".into()),
            }),
        }
    }

    fn scalar(&self, node: &mut Node, found: &mut Vec<usize>) -> Result<(), String> {
        let old = node.text().to_owned();
        let same = |a: &Id, b: &Id| a.name == b.name;
        let Some(target) = self.select(&old, |_| true, same)? else {
            return Ok(());
        };
        found.push(target);
        let name = &self.names.all[target].now.name;
        if *name != old && !name.is_empty() {
            node.replace_scalar(Scalar::untagged(name.clone()));
        }
        Ok(())
    }

    fn map(&self, node: &mut Node, found: &mut Vec<usize>) -> Result<(), String> {
        let Some(name) = node.get("name") else {
            return Err("path config error; no 'name' field in node".into());
        };
        let old = name.text().to_owned();
        let space = node.get("namespace").map(|node| node.text().to_owned());
        let fits: Box<dyn Fn(&Candidate) -> bool> = match &space {
            None => Box::new(|_| true),
            Some(space) => {
                let first = move |candidate: &Candidate| candidate.first == *space && *space != NO_NAMESPACE;
                let any = self.reachable().any(|at| first(&self.names.all[at]));
                match any {
                    true => Box::new(first),
                    false => Box::new(move |candidate: &Candidate| {
                        candidate.now.effective() == space && space != NO_NAMESPACE
                    }),
                }
            }
        };
        let same = |a: &Id, b: &Id| a.name == b.name && a.namespace == b.namespace;
        let Some(target) = self.select(&old, fits, same)? else {
            return Ok(());
        };
        found.push(target);
        let now = &self.names.all[target].now;
        if now.name == old && now.namespace.is_empty() {
            return Ok(());
        }
        node.set("name", Node::untagged(now.name.clone()));
        if !now.namespace.is_empty() {
            node.set("namespace", Node::untagged(now.namespace.clone()));
        }
        Ok(())
    }

    /// The objects that the referrer can see at all.
    fn reachable(&self) -> impl Iterator<Item = usize> {
        (0..self.names.all.len()).filter(|at| self.sees(*at))
    }

    fn sees(&self, at: usize) -> bool {
        let (me, other) = (&self.names.all[self.at].now, &self.names.all[at].now);
        me.cluster
            || other.cluster
            || other.effective() == me.effective()
            || self.spaces.contains(&other.namespace)
    }

    fn select(
        &self,
        name: &str,
        fits: impl Fn(&Candidate) -> bool,
        same: impl Fn(&Id, &Id) -> bool,
    ) -> Result<Option<usize>, String> {
        let me = &self.names.all[self.at];
        let Some(list) = self.names.by_name.get(name) else {
            return Ok(None);
        };
        let mut left: Vec<usize> = list
            .iter()
            .copied()
            .filter(|at| {
                let other = &self.names.all[*at];
                self.sees(*at)
                    && fits(other)
                    && other.former.iter().any(|id| id.gvk.is_selected(self.target))
                    && self
                        .role
                        .is_none_or(|role| other.former.iter().any(|id| id.gvk.is_selected(role)))
                    && (me.now.cluster
                        || other.now.cluster
                        || other.service_account
                        || me.now.effective() == other.now.effective())
            })
            .collect();
        if left.len() == 1 {
            return Ok(left.first().copied());
        }
        left.retain(|at| self.names.all[*at].affixes.same_affixes(&me.affixes, true));
        if left.len() > 1 {
            left.retain(|at| self.names.all[*at].affixes.same_affixes(&me.affixes, false));
        }
        let Some((first, others)) = left.split_first() else {
            return Ok(None);
        };
        let all = &self.names.all;
        match others.iter().all(|at| same(&all[*at].now, &all[*first].now)) {
            true => Ok(Some(*first)),
            false => {
                let ids: Vec<String> = left.iter().map(|at| all[*at].now.to_string()).collect();
                Err(format!("found multiple possible referrals: {}", ids.join(", ")))
            }
        }
    }
}
