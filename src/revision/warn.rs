//! What a selection shows that is worth a look (rules 38, 43 and 50).

use super::manifest::{Manifest, Section};
use crate::containerfile::recipe::{Op, Recipe, TransferSource, Warning};
use crate::model::path::escape;
use crate::tree::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// The warnings of what a recipe reads, in order of lines.
pub fn warnings(recipe: &Recipe, manifest: &Manifest) -> Vec<Warning> {
    let mut out = Vec::new();
    let mut instructions: BTreeMap<(usize, usize), Vec<&Section>> = BTreeMap::new();
    for section in &manifest.sections {
        instructions
            .entry((section.stage, section.step))
            .or_default()
            .push(section);
    }
    for sections in instructions.values() {
        out.extend(
            sections
                .iter()
                .filter_map(|section| matches_nothing(recipe, section)),
        );
        out.extend(overwritten(sections));
        out.extend(git_copied(sections));
    }
    out.sort_by_key(|warning| warning.line);
    out
}

fn warning(section: &Section, code: &'static str, message: String) -> Warning {
    Warning {
        line: section.line,
        code,
        message,
    }
}

/// Rule 38.
fn matches_nothing(recipe: &Recipe, section: &Section) -> Option<Warning> {
    if !section.wildcard || !section.roots.is_empty() {
        return None;
    }
    let step = recipe.stages.get(section.stage)?.steps.get(section.step)?;
    let Op::Transfer(transfer) = &step.op else {
        return None;
    };
    let TransferSource::Path(word) = transfer.sources.get(section.source)? else {
        return None;
    };
    let message = format!("nothing matches {word}: BuildKit copies nothing, buildah may fail");
    Some(warning(section, "wildcard-matches-nothing", message))
}

/// Rule 43.
fn overwritten(sections: &[&Section]) -> Option<Warning> {
    let roots: Vec<_> = sections.iter().flat_map(|section| &section.roots).collect();
    if roots.len() < 2 {
        return None;
    }
    let mut seen = BTreeSet::new();
    let targets = roots.iter().flat_map(|root| {
        let own = (root.kind != Kind::Directory).then_some(root.name.as_slice());
        let below = root.entries.iter().filter(|entry| entry.kind != Kind::Directory);
        let below = below.map(|entry| entry.target.as_bytes());
        own.into_iter().chain(below.filter(|target| !target.is_empty()))
    });
    let twice = targets.into_iter().find(|target| !seen.insert(*target))?;
    let twice = escape(twice);
    let message = format!("more than one source gives {twice}: the later one silently takes its place");
    Some(warning(sections[0], "same-name", message))
}

/// Rule 50.
fn git_copied(sections: &[&Section]) -> Option<Warning> {
    let holds_git = |section: &&&Section| {
        let entries = section.roots.iter().flat_map(|root| root.entries.iter());
        entries
            .flat_map(|entry| entry.path.components())
            .any(|name| name == b".git")
    };
    let section = sections.iter().find(holds_git)?;
    let message = ".git is copied, and differs from clone to clone: leave it out in .dockerignore";
    Some(warning(section, "git-copied", message.into()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{copy, manifest, recipe};
    use super::*;
    use crate::tree::memory::MemoryTree;

    fn codes(words: &[&str]) -> Vec<&'static str> {
        let tree = MemoryTree::new()
            .file("a/x", "1")
            .file("b/x", "2")
            .file("b/y", "2")
            .file("r/.git/HEAD", "ref");
        let ops = || vec![copy(words)];
        let manifest = manifest(&tree, "", ops()).unwrap_or_else(|e| panic!("{e:?}"));
        warnings(&recipe(ops()), &manifest)
            .iter()
            .map(|w| w.code)
            .collect()
    }

    #[test]
    fn a_wildcard_that_matches_nothing_is_told() {
        assert_eq!(codes(&["*.nope"]), ["wildcard-matches-nothing"]);
        assert_eq!(codes(&["b/*"]), [""; 0]);
    }

    #[test]
    fn a_file_that_another_source_overwrites_is_told() {
        assert_eq!(codes(&["a", "b"]), ["same-name"]);
        assert_eq!(codes(&["a/x", "b/x"]), ["same-name"]);
        assert_eq!(codes(&["a/x", "b/y"]), [""; 0]);
    }

    #[test]
    fn a_copied_git_folder_is_told() {
        assert_eq!(codes(&["r"]), ["git-copied"]);
    }
}
