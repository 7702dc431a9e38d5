//! The complete example of the repository is a project without problems.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use super::sample_tree::Sample;
use super::*;
use crate::model::RepoPath;
use std::path::Path;

fn example() -> (Project, Vec<crate::model::Problem>) {
    let bytes = include_bytes!("../../rings.example.yaml");
    read(bytes, &RepoPath::clean("rings.example.yaml")).unwrap()
}

/// The files below `folder` of this repository.
fn collect(root: &Path, folder: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, files);
        } else {
            files.push((path.clone(), std::fs::read_to_string(root.join(path)).unwrap()));
        }
    }
}

fn tree() -> Sample {
    let mut files = Vec::new();
    for folder in ["fixtures/example", "environments"] {
        collect(Path::new(env!("CARGO_MANIFEST_DIR")), folder, &mut files);
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    Sample::of(&files)
}

#[test]
fn the_example_has_no_problems() {
    let (project, notes) = example();
    assert_eq!(notes, []);
    assert_eq!(check(&project, &tree()).unwrap(), []);
    assert_eq!((project.rings.len(), project.sites.len()), (7, 5));
    assert_eq!(project.root.as_str(), "shop");
}

#[test]
fn the_example_names_its_schema_for_editors() {
    let first = include_str!("../../rings.example.yaml").lines().next().unwrap();
    assert_eq!(
        first,
        "# yaml-language-server: $schema=docs/reference/rings.schema.json"
    );
}

#[test]
fn every_environment_of_the_example_can_be_used() {
    let (project, _) = example();
    let found = environments::list(&tree(), &project.environments.folder).unwrap();
    let names: Vec<&str> = found.keys().map(AsRef::as_ref).collect();
    assert_eq!(names, ["base", "dev", "prod", "stag"]);
}
