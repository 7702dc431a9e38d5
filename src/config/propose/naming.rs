//! What images are called, and which build each is.

use super::called::called;
use super::{Draft, Found, Hint, Input, Named, context};
use crate::config::DEFAULT_FILES;
use crate::model::{ImageName, ProjectName, RepoPath};
use std::collections::{BTreeMap, BTreeSet};

/// Folders whose names say nothing about what is in them.
const GENERIC: [&str; 10] = [
    "docker",
    "dockerfiles",
    "build",
    "container",
    "containers",
    "image",
    "src",
    "ci",
    "dockerfile",
    "package",
];

/// The images, in order of their container files; names are unique.
pub fn drafts(input: &Input<'_>) -> Vec<Draft> {
    let files: Files<'_> = input.files.iter().map(|file| (&file.path, file)).collect();
    let mut builds = builds(input, &files);
    let mut wanted: Vec<(Vec<String>, &Found, Vec<&Hint>)> = Vec::new();
    for file in files.values().copied() {
        let builds = builds.remove(&file.path).unwrap_or_default();
        if builds.is_empty() {
            let mut names = ways(&file.path, input.repository);
            // A variant of the container file beside or above it is called after both.
            if names.len() > 2 && is_variant(input.files, &file.path) {
                names.remove(0);
            }
            wanted.push((names, file, Vec::new()));
        }
        for hints in builds {
            let ways = ways(&file.path, input.repository);
            let mut names: Vec<String> = service(&hints, &ways).into_iter().collect();
            names.extend(ways);
            wanted.push((names, file, hints));
        }
    }
    let names = unique(wanted.iter().map(|(ways, ..)| ways.as_slice()));
    let drafts = wanted.iter().zip(names);
    drafts
        .map(|((_, file, hints), name)| draft(name, file, hints, &files, input))
        .collect()
}

/// The service that names an image: one that is called like the container file, or the first; of many
/// none, for then no name says what they share.
fn service(hints: &[&Hint], ways: &[String]) -> Option<String> {
    let names: Vec<String> = hints.iter().map(|hint| clean(&hint.name)).collect();
    let own = names.iter().find(|name| ways.contains(name)).cloned();
    own.or_else(|| names.into_iter().next().filter(|_| hints.len() < MANY))
}

/// As many services of one build have nothing in common but what it is made from.
const MANY: usize = 4;

/// What is said of the images that stay.
pub fn remarks(drafts: &[Draft]) -> Vec<String> {
    let own = drafts.iter().flat_map(|draft| &draft.remarks).cloned();
    let guessed = drafts
        .iter()
        .filter(|draft| draft.guessed && draft.context != draft.path.parent().unwrap_or_default());
    own.chain(contexts_note(guessed)).collect()
}

/// What is said of contexts that no file names, in one sentence for each context.
fn contexts_note<'d>(guessed: impl Iterator<Item = &'d Draft>) -> Vec<String> {
    let mut by_context: BTreeMap<&RepoPath, Vec<&str>> = BTreeMap::new();
    for draft in guessed {
        by_context
            .entry(&draft.context)
            .or_default()
            .push(draft.name.as_str());
    }
    let said = |(context, names): (&RepoPath, Vec<&str>)| {
        let place = match context.is_root() {
            true => "`.`".to_owned(),
            false => format!("`{context}`"),
        };
        match names.as_slice() {
            [name] => format!("`{name}` is built in {place}: that is where what it copies lies"),
            names => format!(
                "{} images are built in {place}, where what they copy lies: {}",
                names.len(),
                names.join(", ")
            ),
        }
    };
    by_context.into_iter().map(said).collect()
}

/// The builds of each container file, each with all that is said of it: services that build the same
/// are one image.
fn builds<'h>(input: &Input<'h>, files: &Files<'_>) -> BTreeMap<RepoPath, Vec<Vec<&'h Hint>>> {
    let mut found: BTreeMap<RepoPath, Vec<Vec<&Hint>>> = BTreeMap::new();
    for hint in input.hints {
        let Some(path) = hint.file.clone().or_else(|| default(files, &hint.context)) else {
            continue;
        };
        let builds = found.entry(path).or_default();
        match builds.iter_mut().find(|others| same(others[0], hint)) {
            Some(others) => others.push(hint),
            None => builds.push(vec![hint]),
        }
    }
    found
}

/// Whether both build the same; what another service builds is known in its own file only.
fn same(one: &Hint, other: &Hint) -> bool {
    let local = one
        .contexts
        .values()
        .any(|context| matches!(context, Named::Other(_)));
    let parts = |hint: &Hint| (hint.context.clone(), hint.target.clone());
    parts(one) == parts(other)
        && (&one.args, &one.contexts) == (&other.args, &other.contexts)
        && (one.by == other.by || !local)
}

/// The container files by path.
type Files<'f> = BTreeMap<&'f RepoPath, &'f Found>;

/// The container file that is found in `context` without being named (rule 1).
fn default(files: &Files<'_>, context: &RepoPath) -> Option<RepoPath> {
    let mut defaults = DEFAULT_FILES.iter().map(|name| context.child(name.as_bytes()));
    defaults.find(|default| files.contains_key(default))
}

/// The image that the file makes, built as `hints` say alike.
fn draft(name: ImageName, file: &Found, hints: &[&Hint], files: &Files<'_>, input: &Input<'_>) -> Draft {
    let first = hints.first();
    let context = match first {
        Some(hint) => hint.context.clone(),
        None => context::choose(file, input.exists),
    };
    let uses = first.and_then(|hint| (input.uses)(&file.path, hint));
    let references = uses.map_or_else(|| file.references.clone(), |uses| uses.references);
    let hint = first.map(|hint| (*hint).clone()).unwrap_or_default();
    let foreign = |reference: &&String| {
        let mut stages = file.stages.iter();
        let stage = stages.any(|stage| stage.eq_ignore_ascii_case(reference));
        !stage && !hint.contexts.contains_key(*reference)
    };
    let lost: BTreeSet<&String> = hints.iter().flat_map(|hint| &hint.lost).collect();
    let lost = lost.iter().map(|lost| format!("`{name}` goes without {lost}"));
    let early = hint.target.as_ref().filter(|target| {
        let last = file.last.as_ref();
        hint.is_of_compose() && last.is_none_or(|last| !last.eq_ignore_ascii_case(target))
    });
    let early = early.map(|target| {
        format!("`{name}` is built up to its stage `{target}`, as by compose, though others follow")
    });
    let tags = hints.iter().flat_map(|hint| &hint.tags);
    Draft {
        path: file.path.clone(),
        target: hint.target,
        args: hint.args,
        default: default(files, &context).as_ref() == Some(&file.path),
        by: hint.by,
        called: hints
            .iter()
            .map(|hint| (hint.by.clone(), hint.name.clone()))
            .collect(),
        guessed: hints.is_empty(),
        remarks: lost.chain(early).collect(),
        tags: tags.filter_map(|tag| called(tag)).collect(),
        references: references.iter().filter(foreign).cloned().collect(),
        contexts: hint.contexts,
        aliases: Vec::new(),
        uses: BTreeSet::new(),
        root: false,
        context,
        name,
    }
}

/// Names for a container file, the shortest first: `Dockerfile.foo` and `foo.Dockerfile` are foo, a plain
/// one is called as its folder, and longer ones take in the folders above.
fn ways(path: &RepoPath, repository: &str) -> Vec<String> {
    let name = String::from_utf8_lossy(path.name()).into_owned();
    let folders: Vec<String> = path
        .parent()
        .unwrap_or_default()
        .components()
        .map(|c| clean(&apart(&String::from_utf8_lossy(c))))
        .collect();
    let folders: Vec<&str> = folders
        .iter()
        .map(String::as_str)
        .filter(|f| !f.is_empty() && !GENERIC.contains(f))
        .collect();
    let own = variant(&name)
        .map(|variant| clean(&variant))
        .filter(|variant| !variant.is_empty());
    let project = clean(repository.rsplit('/').next().unwrap_or_default());
    let mut parts: Vec<&str> = vec![project.as_str()];
    parts.extend(&folders);
    parts.extend(own.as_deref());
    let plain = |count: usize| parts[parts.len() - count..].join("-");
    (1..=parts.len())
        .map(plain)
        .filter(|name| !name.is_empty())
        .collect()
}

/// Whether the file's name, or its folder's, says which variant it is of a plain container file in the
/// same folder, or the one above.
fn is_variant(files: &[Found], path: &RepoPath) -> bool {
    let added = |path: &RepoPath| variant(&String::from_utf8_lossy(path.name())).unwrap_or_default();
    let folder = match added(path).is_empty() {
        true => path.parent().and_then(|folder| folder.parent()),
        false => path.parent(),
    };
    let Some(folder) = folder.filter(|folder| !folder.is_root()) else {
        return false;
    };
    files
        .iter()
        .any(|file| file.path.parent().as_ref() == Some(&folder) && added(&file.path).is_empty())
}

/// What a container file's name adds: `foo` of `Dockerfile.foo`, `foo.Dockerfile`, `Containerfile-foo`.
fn variant(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    for word in ["dockerfile", "containerfile"] {
        if let Some(rest) = lower.strip_prefix(word) {
            return Some(rest.trim_start_matches(['.', '-', '_']).to_owned());
        }
        if let Some(rest) = lower.strip_suffix(word) {
            return Some(rest.trim_end_matches(['.', '-', '_']).to_owned());
        }
    }
    None
}

/// Each image gets the shortest of its names that no other one wants; numbers tell apart what is left.
fn unique<'w>(wanted: impl Iterator<Item = &'w [String]>) -> Vec<ImageName> {
    let wanted: Vec<&[String]> = wanted.collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for ways in &wanted {
        let own: BTreeSet<&str> = ways.iter().map(String::as_str).collect();
        own.into_iter()
            .for_each(|way| *count.entry(way).or_default() += 1);
    }
    let firsts = |way: &str| {
        wanted
            .iter()
            .filter(|ways| ways.first().is_some_and(|first| first == way))
            .count()
    };
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for ways in &wanted {
        let alone = ways.iter().enumerate().find(|(i, way)| {
            let free = if *i == 0 {
                firsts(way) == 1
            } else {
                count.get(way.as_str()) == Some(&1)
            };
            free && !taken.contains(way.as_str())
        });
        let stem = alone
            .map(|(_, way)| way)
            .or(ways.last())
            .map_or("image", String::as_str);
        let name = numbered(stem, &taken);
        taken.insert(name.to_string());
        names.extend(ImageName::new(name));
    }
    names
}

fn numbered(stem: &str, taken: &BTreeSet<String>) -> String {
    let stem = if stem.is_empty() { "image" } else { stem };
    let short = |length: usize| clean(&stem.chars().take(length).collect::<String>());
    let numbers = (2..).map(|n| format!("{}-{n}", short(56)));
    std::iter::once(short(63))
        .chain(numbers)
        .find(|name| !taken.contains(name))
        .unwrap_or_default()
}

/// A text as a name: lower case, everything else is a dash.
pub fn clean(text: &str) -> String {
    let dashed: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let parts: Vec<&str> = dashed.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// `NodeBase` as `Node-Base`.
fn apart(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            out.push('-');
        }
        out.push(c);
        before = c;
    }
    out
}

/// The project's name from the repository's.
pub fn project(repository: &str) -> ProjectName {
    let parts: Vec<String> = repository
        .split('/')
        .map(clean)
        .filter(|part| !part.is_empty())
        .collect();
    let name = parts.join("/");
    #[expect(clippy::expect_used, reason = "a constant that follows the grammar")]
    ProjectName::new(name).unwrap_or_else(|_| ProjectName::new("project").expect("a name"))
}
