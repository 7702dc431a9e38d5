//! Which references of container files mean images of the project.

use super::called::{Called, called};
use super::known::{is_foreign, is_official};
use super::{Draft, Named, short};
use crate::model::ProjectName;
use std::collections::{BTreeMap, BTreeSet};

/// What a reference means that could be an image of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    /// This one.
    Own(usize),
    /// None of these, though they have its name, or more than one of them.
    None(Vec<usize>),
}

/// A reference, and the image whose container file holds it.
struct Use {
    user: usize,
    reference: Called,
    meaning: Meaning,
}

/// Gives each image the aliases by which others refer to it, and each its `uses`. Where one name means
/// several images, or only some versions of one, the users get named contexts instead.
pub fn find(drafts: &mut [Draft], project: &ProjectName, notes: &mut Vec<String>) {
    contexts(drafts, notes);
    let mut by_name: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    for of_one in uses(drafts, project) {
        by_name
            .entry(of_one.reference.name.clone())
            .or_default()
            .push(of_one);
    }
    for (name, uses) in by_name {
        take(drafts, project, &name, &uses, notes);
    }
}

/// The uses that can mean an image of the project, in order of the users.
fn uses(drafts: &[Draft], project: &ProjectName) -> Vec<Use> {
    let own = own_prefixes(drafts, project);
    let mut found = Vec::new();
    let mut known: BTreeMap<Called, Option<Meaning>> = BTreeMap::new();
    for (user, draft) in drafts.iter().enumerate() {
        let references: BTreeSet<Called> = draft.references.iter().filter_map(|text| called(text)).collect();
        for reference in references {
            let known = known.entry(reference.clone());
            let meaning = known.or_insert_with(|| meaning(&reference, drafts, project, &own));
            if let Some(meaning) = meaning.clone() {
                found.push(Use {
                    user,
                    reference,
                    meaning,
                });
            }
        }
    }
    found
}

/// Named contexts that other builds fill are uses; those whose build is unknown, or would close a
/// circle, are left out.
fn contexts(drafts: &mut [Draft], notes: &mut Vec<String>) {
    let mut builds = BTreeMap::new();
    for (number, draft) in drafts.iter().enumerate() {
        builds.extend(draft.called.iter().map(|called| (called.clone(), number)));
    }
    for user in 0..drafts.len() {
        for (name, context) in drafts[user].contexts.clone() {
            let Named::Other(other) = context else { continue };
            let owner = builds.get(&(drafts[user].by.clone(), other.clone())).copied();
            let why = match owner {
                None => format!("nothing here builds `{other}`"),
                Some(owner) if reaches(drafts, owner, user) => format!("`{other}` needs it"),
                Some(owner) => {
                    let image = drafts[owner].name.to_string();
                    drafts[user].uses.insert(owner);
                    drafts[user].contexts.insert(name, Named::Other(image));
                    continue;
                }
            };
            notes.push(format!(
                "`{}` goes without its context `{name}`: {why}",
                drafts[user].name
            ));
            drafts[user].contexts.remove(&name);
        }
    }
}

/// Notes all uses of one name: an alias where it means one image, contexts of the users otherwise.
fn take(drafts: &mut [Draft], project: &ProjectName, name: &str, uses: &[Use], notes: &mut Vec<String>) {
    let owners: BTreeSet<usize> = uses.iter().filter_map(Use::owner).collect();
    let one = owners.len() == 1;
    let mut outside = Vec::new();
    let mut taken = false;
    for of_one in uses {
        match of_one.owner() {
            Some(owner) if !reaches(drafts, owner, of_one.user) => {
                taken = true;
                drafts[of_one.user].uses.insert(owner);
                if !one {
                    let image = drafts[owner].name.to_string();
                    say(
                        notes,
                        format!("`{}` is taken for the image `{image}`", of_one.reference),
                    );
                    let key = of_one.reference.to_string();
                    drafts[of_one.user].contexts.insert(key, Named::Other(image));
                }
            }
            _ => {
                outside.push(of_one);
                notes.extend(outside_note(drafts, of_one));
            }
        }
    }
    let by_path = by_path(name, drafts, project);
    if let (true, true, Some(owner)) = (one, taken, owners.first())
        && by_path != Some(*owner)
    {
        let image = drafts[*owner].name.clone();
        notes.push(format!("`{name}` is taken for the image `{image}`"));
        drafts[*owner].aliases.push(name.to_owned());
    }
    // What is not ours says so where the name alone would be.
    for of_one in outside
        .into_iter()
        .filter(|_| by_path.is_some() || (one && taken))
    {
        let key = of_one.reference.to_string();
        let image = Named::External(format!("docker-image://{key}"));
        drafts[of_one.user].contexts.insert(key, image);
    }
}

fn say(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

impl Use {
    fn owner(&self) -> Option<usize> {
        match self.meaning {
            Meaning::Own(owner) => Some(owner),
            _ => None,
        }
    }
}

/// Why a reference is not taken for an image of the project; nothing is said of an image that bears
/// the name of what it is made from.
fn outside_note(drafts: &[Draft], of_one: &Use) -> Option<String> {
    let why = match &of_one.meaning {
        Meaning::Own(owner) => format!("`{}` needs `{}`", drafts[*owner].name, drafts[of_one.user].name),
        Meaning::None(called) if called.as_slice() == [of_one.user] => return None,
        Meaning::None(called) => built_as(drafts, called, &of_one.reference.name),
    };
    Some(format!(
        "`{}` in `{}` is taken for an external image: {why}",
        of_one.reference, drafts[of_one.user].path
    ))
}

/// The most images whose tags are listed.
const LISTED: usize = 3;

/// Which versions of `name` are built here, in words.
fn built_as(drafts: &[Draft], images: &[usize], name: &str) -> String {
    let tags = |draft: &Draft| {
        let of_name = draft.tags.iter().filter(|tag| tag.name == name);
        let quoted: Vec<String> = of_name.map(|tag| format!("`{tag}`")).collect();
        quoted.join(" and ")
    };
    if images.len() > LISTED {
        return format!(
            "none of the {} images that are built as `{name}` has this tag",
            images.len()
        );
    }
    let mut is = "is built as";
    let said = images.iter().map(|image| {
        let draft = &drafts[*image];
        format!(
            "`{}` {} {}",
            draft.name,
            std::mem::replace(&mut is, "as"),
            tags(draft)
        )
    });
    said.collect::<Vec<_>>().join(", ")
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

/// The image that a reference means: one that is called so in a compose or bake file, then one whose
/// path in the project it is, then one whose name it ends with.
fn meaning(
    reference: &Called,
    drafts: &[Draft],
    project: &ProjectName,
    own: &BTreeSet<String>,
) -> Option<Meaning> {
    let of_name = |tag: &Called| tag.name == reference.name;
    let tagged = |draft: &Draft| draft.tags.iter().any(of_name);
    let called: Vec<usize> = (0..drafts.len()).filter(|i| tagged(&drafts[*i])).collect();
    if !called.is_empty() {
        return Some(by_tag(reference, drafts, &called));
    }
    by_path(&reference.name, drafts, project)
        .or_else(|| by_last_part(&reference.name, drafts, own))
        .map(Meaning::Own)
}

/// The image whose path in the project `name` is.
fn by_path(name: &str, drafts: &[Draft], project: &ProjectName) -> Option<usize> {
    let image = name.strip_prefix(project.as_str())?.strip_prefix('/')?;
    drafts.iter().position(|draft| draft.name.as_str() == image)
}

/// Of the images with one name, the one whose tag is asked for; without a tag, the only one there is.
fn by_tag(reference: &Called, drafts: &[Draft], called: &[usize]) -> Meaning {
    let with = |wanted: &dyn Fn(&Called) -> bool| -> Vec<usize> {
        let has = |i: &&usize| {
            drafts[**i]
                .tags
                .iter()
                .any(|tag| tag.name == reference.name && wanted(tag))
        };
        called.iter().filter(has).copied().collect()
    };
    let exact = with(&|tag| tag.tag == reference.tag);
    let open = with(&Called::is_open);
    match (exact.as_slice(), open.as_slice(), called) {
        ([one], ..) => Meaning::Own(*one),
        ([], [], [one]) if reference.is_latest() => Meaning::Own(*one),
        ([], [one], _) => Meaning::Own(*one),
        _ => Meaning::None(called.to_vec()),
    }
}

fn by_last_part(name: &str, drafts: &[Draft], own: &BTreeSet<String>) -> Option<usize> {
    let (prefix, last) = match name.rsplit_once('/') {
        Some((prefix, last)) => (Some(prefix), last),
        None => (None, name),
    };
    let credible = match prefix {
        Some(prefix) => own.contains(prefix),
        None => !is_official(last),
    };
    let owner = drafts.iter().position(|draft| draft.name.as_str() == last)?;
    // An image whose own file starts from that name is made from a namesake elsewhere.
    let mut references = drafts[owner].references.iter().filter_map(|text| called(text));
    let namesake = references.any(|reference| reference.name == name);
    (credible && !namesake).then_some(owner)
}

/// What stands before the last part where this project's images are: it is called like the project,
/// or most names there are ours.
fn own_prefixes(drafts: &[Draft], project: &ProjectName) -> BTreeSet<String> {
    let ours: BTreeSet<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let references = drafts.iter().flat_map(|draft| &draft.references);
    let names: BTreeSet<String> = references.filter_map(|text| Some(called(text)?.name)).collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (prefix, last) in names.iter().filter_map(|name| name.rsplit_once('/')) {
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
