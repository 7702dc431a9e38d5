//! Which references of container files mean images of the project.

use super::{Draft, Named, short};
use crate::config::project::split;
use crate::model::ProjectName;
use std::collections::{BTreeMap, BTreeSet};

/// Places whose images are never the project's own.
const FOREIGN: [&str; 9] = [
    "docker.io/library",
    "library",
    "gcr.io/distroless",
    "mcr.microsoft.com",
    "registry.k8s.io",
    "public.ecr.aws",
    "registry.access.redhat.com",
    "docker",
    "k8s.gcr.io",
];
/// Images that everybody has under their bare name.
const FAMOUS: [&str; 32] = [
    "alpine",
    "busybox",
    "debian",
    "ubuntu",
    "fedora",
    "centos",
    "rockylinux",
    "almalinux",
    "archlinux",
    "amazonlinux",
    "node",
    "python",
    "golang",
    "rust",
    "ruby",
    "php",
    "openjdk",
    "eclipse-temurin",
    "maven",
    "gradle",
    "perl",
    "nginx",
    "httpd",
    "haproxy",
    "caddy",
    "redis",
    "postgres",
    "mysql",
    "mariadb",
    "mongo",
    "memcached",
    "rabbitmq",
];

/// Gives each image the aliases by which others refer to it, and each its `uses`.
pub fn find(drafts: &mut [Draft], project: &ProjectName, notes: &mut Vec<String>) {
    let mut meant: BTreeMap<String, usize> = BTreeMap::new();
    let all = names(drafts);
    let own = own_prefixes(&all, drafts, project);
    for name in &all {
        if let Some(owner) = owner(name, drafts, project, &own) {
            meant.insert(name.clone(), owner);
        }
    }
    contexts(drafts);
    for user in 0..drafts.len() {
        for reference in drafts[user].references.clone() {
            let name = split(&reference).0;
            let Some(owner) = meant.get(name).copied() else {
                continue;
            };
            take(drafts, user, owner, name, project, notes);
        }
    }
}

/// Named contexts that other builds fill are uses; those whose build is unknown, or would close a
/// circle, are left out.
fn contexts(drafts: &mut [Draft]) {
    let called = drafts
        .iter()
        .enumerate()
        .filter_map(|(i, d)| Some((d.called.clone()?, i)));
    let called: BTreeMap<String, usize> = called.collect();
    for user in 0..drafts.len() {
        for (name, context) in drafts[user].contexts.clone() {
            let Named::Other(other) = context else { continue };
            let owner = called
                .get(&other)
                .copied()
                .filter(|owner| !reaches(drafts, *owner, user));
            match owner {
                Some(owner) => {
                    let image = drafts[owner].name.to_string();
                    drafts[user].uses.insert(owner);
                    drafts[user].contexts.insert(name, Named::Other(image));
                }
                None => drafts[user].contexts.retain(|other, _| *other != name),
            }
        }
    }
}

/// Notes that `user` uses `owner` by this name; a use that would close a circle is another image's.
fn take(
    drafts: &mut [Draft],
    user: usize,
    owner: usize,
    name: &str,
    project: &ProjectName,
    notes: &mut Vec<String>,
) {
    let image = drafts[owner].name.clone();
    if reaches(drafts, owner, user) {
        notes.push(format!(
            "`{name}` in `{}` is taken for an external image",
            drafts[user].path
        ));
        return;
    }
    drafts[user].uses.insert(owner);
    let by_path = name == format!("{project}/{image}");
    let name = familiar(name);
    if !by_path && !drafts[owner].aliases.iter().any(|alias| alias == name) {
        drafts[owner].aliases.push(name.to_owned());
        notes.push(format!("`{name}` is taken for the image `{image}`"));
    }
}

/// A name as people write it, without the registry that stands for none.
pub fn familiar(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

/// Whether `from` needs `to`, directly or not; every image reaches itself.
fn reaches(drafts: &[Draft], from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(at) = waiting.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            waiting.extend(&drafts[at].uses);
        }
    }
    false
}

/// The names of all references, without tags.
fn names(drafts: &[Draft]) -> BTreeSet<String> {
    let references = drafts.iter().flat_map(|draft| &draft.references);
    references
        .map(|reference| split(reference).0.to_owned())
        .filter(|name| is_name(name))
        .collect()
}

/// Whether it can be an alias.
fn is_name(name: &str) -> bool {
    name != "scratch" && name.parse::<crate::model::Reference>().is_ok()
}

/// The image that a name means: one that is called so in a compose or bake file, then one whose path
/// in the project it is, then one whose name it ends with.
fn owner(name: &str, drafts: &[Draft], project: &ProjectName, own: &BTreeSet<String>) -> Option<usize> {
    let tagged = |draft: &Draft| {
        draft
            .tags
            .iter()
            .any(|tag| familiar(split(tag).0) == familiar(name))
    };
    let path = |draft: &Draft| name == format!("{project}/{}", draft.name);
    let called: Vec<usize> = (0..drafts.len()).filter(|i| tagged(&drafts[*i])).collect();
    match called.as_slice() {
        [] => drafts
            .iter()
            .position(path)
            .or_else(|| by_last_part(name, drafts, own)),
        [one] => Some(*one),
        several => by_tag(name, drafts, several),
    }
}

/// Of several images with one name, the one whose tag is asked for; an alias has no tag, so there must be
/// one only.
fn by_tag(name: &str, drafts: &[Draft], several: &[usize]) -> Option<usize> {
    let references = drafts.iter().flat_map(|draft| &draft.references);
    let wanted: BTreeSet<&str> = references
        .filter(|reference| split(reference).0 == name)
        .map(|reference| familiar(reference))
        .collect();
    let meant = |i: &&usize| drafts[**i].tags.iter().any(|tag| wanted.contains(familiar(tag)));
    let mut meant = several.iter().filter(meant);
    match (meant.next(), meant.next()) {
        (Some(one), None) => Some(*one),
        _ => None,
    }
}

fn by_last_part(name: &str, drafts: &[Draft], own: &BTreeSet<String>) -> Option<usize> {
    let (prefix, last) = match name.rsplit_once('/') {
        Some((prefix, last)) => (Some(prefix), last),
        None => (None, name),
    };
    let credible = match prefix {
        Some(prefix) => own.contains(prefix),
        None => !FAMOUS.contains(&last),
    };
    let owner = drafts.iter().position(|draft| draft.name.as_str() == last)?;
    // An image whose own file starts from that name is made from a namesake elsewhere.
    let namesake = drafts[owner]
        .references
        .iter()
        .any(|reference| split(reference).0 == name);
    (credible && !namesake).then_some(owner)
}

/// What stands before the last part where this project's images are: it is called like the project,
/// or most names there are ours.
fn own_prefixes(all: &BTreeSet<String>, drafts: &[Draft], project: &ProjectName) -> BTreeSet<String> {
    let ours: BTreeSet<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (prefix, last) in all.iter().filter_map(|name| name.rsplit_once('/')) {
        let (own, there) = counts.entry(prefix).or_default();
        *own += usize::from(ours.contains(last));
        *there += 1;
    }
    let like_project = |prefix: &str| {
        prefix.rsplit('/').next() == Some(short(project)) || prefix.ends_with(project.as_str())
    };
    let credible = counts
        .into_iter()
        .filter(|(prefix, (own, there))| !is_foreign(prefix) && (like_project(prefix) || 2 * own > *there));
    credible.map(|(prefix, _)| prefix.to_owned()).collect()
}

fn is_foreign(prefix: &str) -> bool {
    let below = |foreign: &str| {
        let rest = prefix.strip_prefix(foreign);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    FOREIGN.into_iter().any(below)
}
