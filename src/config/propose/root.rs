//! Which image is the root.

use super::{Draft, Input, RootChoice, short};
use crate::model::{ImageName, ProjectName, RepoPath};
use std::collections::BTreeSet;

/// Marks the root, or adds one and gives its files.
///
/// # Errors
/// The images that may be the root, when it is not clear.
pub fn choose(
    drafts: &mut Vec<Draft>,
    project: &ProjectName,
    choice: &RootChoice,
    input: &Input<'_>,
) -> Result<Vec<(RepoPath, String)>, Vec<ImageName>> {
    let candidates = candidates(drafts);
    let root = match choice {
        RootChoice::New => return Ok(new(drafts, project, input)),
        RootChoice::Named(name) => candidates.iter().find(|candidate| *candidate == name).cloned(),
        RootChoice::Guess => guess(&candidates, project),
    };
    let Some(root) = root else { return Err(candidates) };
    for draft in drafts {
        draft.root = draft.name == root;
    }
    Ok(Vec::new())
}

/// The images that nothing depends on, and whose journal no image's name takes.
fn candidates(drafts: &[Draft]) -> Vec<ImageName> {
    let used: BTreeSet<usize> = drafts.iter().flat_map(|draft| &draft.uses).copied().collect();
    let names: BTreeSet<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    let free = |name: &ImageName| !names.contains(format!("{name}-state").as_str());
    let unused = drafts
        .iter()
        .enumerate()
        .filter(|(number, _)| !used.contains(number));
    let found = unused.map(|(_, draft)| &draft.name);
    found.filter(|name| free(name)).cloned().collect()
}

fn guess(candidates: &[ImageName], project: &ProjectName) -> Option<ImageName> {
    let own = short(project);
    let longer: Vec<String> = ["deploy", "deployment", "release"]
        .iter()
        .map(|word| format!("{own}-{word}"))
        .collect();
    let mut likely: Vec<&str> = longer.iter().map(String::as_str).collect();
    likely.extend([
        "deploy",
        "deployment",
        "deployer",
        "release",
        "bundle",
        "installer",
        "root",
        own,
    ]);
    let named = likely
        .iter()
        .find_map(|word| candidates.iter().find(|name| name.as_str() == *word));
    named.cloned()
}

/// A small image of its own for the releases.
fn new(drafts: &mut Vec<Draft>, project: &ProjectName, input: &Input<'_>) -> Vec<(RepoPath, String)> {
    let free = |name: &String| {
        drafts
            .iter()
            .all(|draft| draft.name.as_str() != name && draft.name.as_str() != format!("{name}-state"))
    };
    let own = super::naming::clean(short(project));
    let fixed = [own, "release".into(), "deploy".into()];
    let name = fixed
        .into_iter()
        .chain((2..).map(|n| format!("release-{n}")))
        .find(free)
        .unwrap_or_default();
    let Ok(name) = ImageName::new(name) else {
        return Vec::new();
    };
    let taken = |folder: &String| (input.exists)(&RepoPath::root(), folder);
    let mut folders = ["deploy".to_owned(), "release".to_owned()]
        .into_iter()
        .chain((2..).map(|n| format!("release-{n}")));
    let folder = RepoPath::clean(folders.find(|folder| !taken(folder)).unwrap_or_default());
    let file = folder.child(b"Dockerfile");
    let readme = folder.child(b"README.md");
    drafts.push(Draft {
        name: name.clone(),
        path: file.clone(),
        context: folder,
        target: None,
        args: Default::default(),
        contexts: Default::default(),
        by: RepoPath::root(),
        called: Default::default(),
        guessed: false,
        remarks: Vec::new(),
        default: true,
        tags: Default::default(),
        references: Vec::new(),
        aliases: Vec::new(),
        uses: Default::default(),
        root: true,
    });
    let recipe = "# The root image: its versions are the releases, its labels name every other image's version.\n\
                  FROM scratch\nCOPY README.md /\n";
    let about = format!("# {name}\n\nOne version of this image is one release of {project}.\n");
    vec![(file, recipe.into()), (readme, about)]
}
