//! Images that the native builder makes are those that BuildKit and buildah make: the same files with the same
//! modes, owners and links, and the same config. Not compared: times, how files are spread over layers, history.

pub mod canonical;
pub mod case;
pub mod lab;
pub mod ours;
mod real;

use canonical::Image;
use case::Case;
use std::path::Path;

fn cases() -> Vec<Case> {
    cases_of("fixtures/agreement")
}

/// The cases of a folder, by name.
pub fn cases_of(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "case"))
        .collect();
    paths.sort();
    let wanted = std::env::var("CASE").ok();
    let cases = paths.iter().map(|path| Case::read(path));
    cases
        .filter(|case| wanted.as_ref().is_none_or(|w| case.name.contains(w)))
        .collect()
}

/// Compares all cases that `builder` can build; `CASE=part-of-a-name` picks some.
fn compare(builder: &dyn real::Builder) {
    if let Some(reason) = builder.missing() {
        assert!(std::env::var("CI").is_err(), "{reason}");
        eprintln!("SKIPPED: {reason}");
        return;
    }
    let mut differences = Vec::new();
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.is_for(builder.name())) {
        compared += 1;
        let place = tempfile::tempdir().unwrap();
        let ours = ours::build(case, place.path()).map(|image| builder.normal(image));
        let theirs = builder
            .build(case, place.path())
            .map(|image| builder.normal(image));
        let lines = match (&ours, &theirs) {
            (Ok(_), Ok(_)) if case.fails => vec!["both succeed, but should fail".into()],
            (Ok(ours), Ok(theirs)) => Image::differences(ours, theirs),
            (Err(_), Err(_)) if case.fails => vec![],
            (Err(ours), Err(theirs)) => vec![format!("both fail\n  ours: {ours}\n  theirs: {theirs}")],
            (Err(error), Ok(_)) => vec![format!("ours fails: {error}")],
            (Ok(_), Err(error)) => vec![format!("theirs fails: {error}")],
        };
        differences.extend(lines.iter().map(|line| format!("{}: {line}", case.name)));
    }
    let all = differences.join("\n");
    assert!(
        differences.is_empty(),
        "{} of {compared} cases\n{all}",
        differences.len()
    );
    assert!(compared > 0);
}

#[test]
fn buildkit_makes_the_same_images() {
    compare(&real::BuildKit::find());
}

#[test]
fn buildah_makes_the_same_images() {
    compare(&real::Buildah::find());
}
