//! What is read moves the revision, and nothing else does.

use crate::cases;
use crate::project::{Entry, Project, project};
use proptest::prelude::*;
use ringshift::engine::Loaded;
use ringshift::model::ImageName;
use std::collections::{BTreeMap, BTreeSet};

/// The paths that each image reads, with their modes, as `explain` lists them.
fn listed(loaded: &Loaded, name: &ImageName) -> BTreeMap<String, &'static str> {
    let image = loaded.image(name).unwrap();
    let reads = loaded.reads(name, &image).unwrap();
    reads.into_iter().map(|(path, mode, _)| (path, mode)).collect()
}

/// Other content of the same kind.
fn touched(entry: &Entry) -> Entry {
    match entry {
        Entry::File { executable, bytes } => Entry::File {
            executable: *executable,
            bytes: [bytes.as_slice(), b"!"].concat(),
        },
        Entry::Link(target) => Entry::Link(format!("./{target}")),
    }
}

/// The same content with the other mode.
fn with_other_mode(entry: &Entry) -> Option<Entry> {
    match entry {
        Entry::File { executable, bytes } => Some(Entry::File {
            executable: !executable,
            bytes: bytes.clone(),
        }),
        Entry::Link(_) => None,
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What images read besides the files of their contexts: rings.yaml, container files, ignore files.
fn is_said(path: &str) -> bool {
    path == "rings.yaml" || path.ends_with("/Dockerfile") || path.ends_with("/.dockerignore")
}

/// An octal `--chmod` takes the place of the files' modes (rule 51).
fn sets_modes(project: &Project, name: &ImageName) -> bool {
    let lines = &project.container_files[&format!("{name}/Dockerfile")];
    lines.iter().any(|(line, _)| line.contains("--chmod"))
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn a_file_that_no_image_reads_moves_no_revision(project in project()) {
        let loaded = project.loaded();
        let names = project.images();
        let read: BTreeSet<String> = names.iter().flat_map(|name| listed(&loaded, name).into_keys()).collect();
        let before = project.revisions();
        for (path, entry) in &project.entries {
            // Links that are followed on the way to a source are no entries of it.
            if read.contains(path) || is_said(path) || matches!(entry, Entry::Link(_)) {
                continue;
            }
            prop_assert_eq!(&project.with(path, touched(entry)).revisions(), &before, "{}", path);
            let other_mode = with_other_mode(entry).unwrap();
            prop_assert_eq!(&project.with(path, other_mode).revisions(), &before, "mode of {}", path);
            let mut without = project.clone();
            without.entries.remove(path);
            // A folder that nothing is left in is gone, and who copies it copies no empty folder any more.
            if without.entries.keys().any(|other| folder(other) == folder(path)) {
                prop_assert_eq!(&without.revisions(), &before, "without {}", path);
            }
        }
        prop_assert_eq!(&project.with("images/new/file", touched(&Entry::Link("x".into()))).revisions(), &before);
    }

    #[test]
    fn what_is_listed_as_read_moves_the_revision_of_whoever_reads_it_and_of_no_other(project in project()) {
        let loaded = project.loaded();
        let names = project.images();
        let before = project.revisions();
        let lists: BTreeMap<&ImageName, BTreeMap<String, &str>> =
            names.iter().map(|name| (name, listed(&loaded, name))).collect();
        for path in lists.values().flat_map(BTreeMap::keys).collect::<BTreeSet<_>>() {
            // What an ignore file or a container file says moves more than its own bytes.
            if is_said(path) {
                continue;
            }
            let entry = &project.entries[path];
            // A link is followed where it is named, and its text counts where a folder holds it.
            let Entry::File { .. } = entry else { continue };
            let after = project.with(path, touched(entry)).revisions();
            let mode = project.with(path, with_other_mode(entry).unwrap()).revisions();
            for name in &names {
                let reads = lists[name].contains_key(path);
                prop_assert_eq!(before[name] != after[name], reads, "{} of {}", path, name);
                let counts = reads && !sets_modes(&project, name);
                prop_assert!(!counts || before[name] != mode[name], "the mode of {} of {}", path, name);
                prop_assert!(reads || before[name] == mode[name], "the mode of {} of {}", path, name);
            }
        }
    }

    #[test]
    fn the_text_of_a_link_that_a_folder_holds_is_content(project in project()) {
        let loaded = project.loaded();
        let before = project.revisions();
        for name in project.images() {
            let path = format!("{name}/src/back");
            if listed(&loaded, &name).get(&path) == Some(&"120000") {
                let after = project.with(&path, Entry::Link("elsewhere".into())).revisions();
                prop_assert_ne!(before[&name], after[&name]);
            }
        }
    }

    #[test]
    fn a_path_that_is_listed_stands_there_with_that_mode_and_content(project in project()) {
        let loaded = project.loaded();
        for name in project.images() {
            let image = loaded.image(&name).unwrap();
            for (path, mode, digest) in loaded.reads(&name, &image).unwrap() {
                let (wanted, bytes) = match &project.entries[&path] {
                    Entry::File { executable: true, bytes } => ("100755", bytes.clone()),
                    Entry::File { bytes, .. } => ("100644", bytes.clone()),
                    Entry::Link(target) => ("120000", target.clone().into_bytes()),
                };
                prop_assert_eq!(mode, wanted);
                prop_assert_eq!(digest, ringshift::model::Digest::of(&bytes));
            }
        }
    }

    #[test]
    fn an_image_read_alone_in_any_order_is_the_image_read_with_all(project in project()) {
        let loaded = project.loaded();
        let all = project.revisions();
        for name in project.images().iter().rev().chain(&project.images()) {
            let image = loaded.image(name).unwrap();
            prop_assert_eq!(image.revision, all[name]);
            prop_assert_eq!(image.records.revision(), all[name]);
        }
    }
}
