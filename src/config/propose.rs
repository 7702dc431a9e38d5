//! A rings.yaml for a repository that has none, from the container files that were found in it.
//!
//! Everything is a guess that a person will read: what is not clear is left out or said in a note,
//! never invented. The caller looks at the disk; this module only thinks.

mod aliases;
pub mod bake;
mod called;
pub mod compose;
mod context;
mod known;
mod naming;
mod root;
mod text;
mod variables;

use crate::config::contexts::is_context_name;
use crate::config::images::is_arg_name;
use crate::model::{ImageName, ProjectName, RepoPath};
use std::collections::{BTreeMap, BTreeSet};

/// A container file of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: RepoPath,
    /// What its FROM, COPY --from and mounts name where no argument is given, expanded; its own stages may be among them.
    pub references: Vec<String>,
    /// The names of its stages.
    pub stages: Vec<String>,
    /// What the last stage is called.
    pub last: Option<String>,
    /// The vendor that its labels name.
    pub vendor: Option<String>,
    /// The sources of COPY and ADD from the context that hold neither wildcard nor variable.
    pub sources: Vec<String>,
}

/// What one build of a container file uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// As [`Found::references`].
    pub references: Vec<String>,
    /// As [`Found::sources`].
    pub sources: Vec<String>,
}

/// What a compose or bake file says of a build. Paths are relative to the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    /// The file that says it.
    pub by: RepoPath,
    /// The service or target.
    pub name: String,
    /// The build context.
    pub context: RepoPath,
    /// The container file; the default one of the context otherwise.
    pub file: Option<RepoPath>,
    /// The stage.
    pub target: Option<String>,
    /// Build arguments with a literal value.
    pub args: BTreeMap<String, String>,
    /// Named contexts.
    pub contexts: BTreeMap<String, Named>,
    /// What the image is called, tags included; a tag that holds `$` is not known.
    pub tags: Vec<String>,
    /// What of it is left out and why, each the end of a sentence: "`NAME` goes without …".
    pub lost: Vec<String>,
}

impl Hint {
    /// Whether a compose file says it: its images may be for development only.
    fn is_of_compose(&self) -> bool {
        self.by.name().ends_with(b"ml")
    }

    /// A build argument that was read, or why it could not be.
    fn take_arg(&mut self, name: &str, value: Result<String, String>) {
        let value = match is_arg_name(name) {
            true => value,
            false => Err("rings.yaml knows no such name".into()),
        };
        match value {
            Ok(value) => drop(self.args.insert(name.into(), value)),
            Err(why) => self.lost.push(format!("its build argument `{name}`: {why}")),
        }
    }

    /// A named context that was read, or why it could not be.
    fn take_context(&mut self, name: &str, context: Result<Named, String>) {
        let context = match is_context_name(name) {
            true => context,
            false => Err("rings.yaml knows no such name".into()),
        };
        match context {
            Ok(context) => drop(self.contexts.insert(name.into(), context)),
            Err(why) => self.lost.push(format!("its context `{name}`: {why}")),
        }
    }
}

/// What the compose or bake files of one place say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The builds.
    pub hints: Vec<Hint>,
    /// What could not be read of them, a sentence each.
    pub notes: Vec<String>,
}

/// A named context of a [`Hint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A folder of the repository.
    Folder(RepoPath),
    /// `docker-image://…`, as written.
    External(String),
    /// What another service or target of the same kind of file builds.
    Other(String),
}

/// What a proposal is made of.
pub struct Input<'a> {
    /// What the repository is called.
    pub repository: &'a str,
    /// Its container files.
    pub files: &'a [Found],
    /// What compose and bake files say.
    pub hints: &'a [Hint],
    /// Container files that cannot be used as they stand, and why.
    pub wrong: &'a BTreeMap<RepoPath, String>,
    /// Whether a source exists in a context.
    pub exists: &'a dyn Fn(&RepoPath, &str) -> bool,
    /// What a container file uses when it is built as a hint says, with its arguments, target and
    /// named contexts; none when that cannot be told.
    pub uses: &'a dyn Fn(&RepoPath, &Hint) -> Option<Uses>,
}

/// How the root image is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootChoice {
    /// The one that is clear by its name and place; otherwise [`Outcome::WhichRoot`].
    Guess,
    /// This one.
    Named(ImageName),
    /// A new small image.
    New,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is no container file.
    Nothing,
    /// It is not clear which image is the root; these may be, a new one always can.
    WhichRoot(Vec<ImageName>),
    /// A rings.yaml.
    Ready(Proposal),
}

/// A rings.yaml and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of rings.yaml.
    pub text: String,
    /// What was guessed and should be looked at, a sentence each.
    pub notes: Vec<String>,
    /// Further files to write: those of a new root image.
    pub files: Vec<(RepoPath, String)>,
}

/// An image as it will stand in the file.
#[derive(Debug, Clone)]
struct Draft {
    name: ImageName,
    path: RepoPath,
    context: RepoPath,
    target: Option<String>,
    args: BTreeMap<String, String>,
    contexts: BTreeMap<String, Named>,
    /// The file that says how it is built.
    by: RepoPath,
    /// The services or targets that it is, each with the file that says so.
    called: BTreeSet<(RepoPath, String)>,
    /// Whether no file says in which context it is built.
    guessed: bool,
    /// What is to be said of it, should it stay, in sentences.
    remarks: Vec<String>,
    /// Whether the context leads to the container file without being told.
    default: bool,
    tags: BTreeSet<called::Called>,
    references: Vec<String>,
    aliases: Vec<String>,
    /// The numbers of the drafts that it uses.
    uses: BTreeSet<usize>,
    root: bool,
}

/// Proposes a rings.yaml; the same input gives the same text.
pub fn propose(input: &Input<'_>, root: &RootChoice) -> Outcome {
    let mut notes = Vec::new();
    let mut drafts = naming::drafts(input);
    if drafts.is_empty() {
        return Outcome::Nothing;
    }
    let project = naming::project(input.repository);
    leave_out(&mut drafts, &project, input.wrong, &mut notes);
    if drafts.is_empty() {
        return Outcome::Nothing;
    }
    notes.extend(naming::remarks(&drafts));
    aliases::find(&mut drafts, &project, &mut notes);
    let files = match root::choose(&mut drafts, &project, root, input) {
        Ok(files) => files,
        Err(candidates) => return Outcome::WhichRoot(candidates),
    };
    let text = text::write(&project, vendor(input), &drafts);
    Outcome::Ready(Proposal { text, notes, files })
}

/// Images that cannot be built as they stand do not take part, unless others stand on them.
fn leave_out(
    drafts: &mut Vec<Draft>,
    project: &ProjectName,
    wrong: &BTreeMap<RepoPath, String>,
    notes: &mut Vec<String>,
) {
    let mut tried = drafts.clone();
    aliases::find(&mut tried, project, &mut Vec::new());
    let used: BTreeSet<usize> = tried.iter().flat_map(|draft| &draft.uses).copied().collect();
    let mut number = 0..;
    drafts.retain(|draft| {
        let stays = number.next().is_some_and(|number| used.contains(&number));
        match wrong.get(&draft.path).filter(|_| !stays) {
            Some(why) => {
                notes.push(format!("`{}` is left out: {why}", draft.name));
                false
            }
            None => true,
        }
    });
}

/// The vendor that most container files name.
fn vendor<'i>(input: &'i Input<'_>) -> Option<&'i str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for vendor in input.files.iter().filter_map(|file| file.vendor.as_deref()) {
        *counts.entry(vendor).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count)?;
    Some(most.0)
}

/// The last part of a project's name.
fn short(project: &ProjectName) -> &str {
    project.as_str().rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
