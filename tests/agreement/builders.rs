//! The builders that are programs make the images that the native one makes, and the same ones among each other.

mod held;
pub mod machine;
mod world;

use super::native::canonical::Image;
use super::native::case::Case;
use super::native::{cases_of, ours};
use machine::Machine;
use ringshift::builder::{Progress, Session};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

/// Builds a case; an error comes with the last lines that the builder said.
fn build(machine: &Machine, case: &Case) -> Result<Image, String> {
    let place = tempfile::tempdir().unwrap();
    let lines = Mutex::new(Vec::new());
    let progress = |progress: Progress| {
        if let Progress::Line(line) = progress {
            lines.lock().unwrap().push(line);
        }
    };
    let store = place.path().join("store");
    let built = ours::build_by(&machine.command, case, &store, &Session::default(), &progress);
    built.map_err(|error| {
        let lines = lines.lock().unwrap();
        let last = lines.iter().rev().take(6).rev().cloned().collect::<Vec<_>>();
        format!("{error}\n    {}", last.join("\n    "))
    })
}

/// Compares what a builder makes of the cases without RUN with what the native one makes.
fn agrees_without_run(name: &str) {
    let Some(machine) = Machine::find(name) else {
        return;
    };
    let mut differences = Vec::new();
    let mut compared = 0;
    for case in cases_of("fixtures/agreement")
        .iter()
        .filter(|case| case.is_for(machine.family) && !case.differs(name))
    {
        let place = tempfile::tempdir().unwrap();
        let theirs = build(&machine, case);
        if theirs.as_ref().is_err_and(|error| machine.refuses(error)) {
            continue;
        }
        compared += 1;
        let ours = ours::build(case, place.path()).map(|image| machine.normal(image));
        let theirs = theirs.map(|image| machine.normal(image));
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
    assert!(
        differences.is_empty(),
        "{} of {compared} cases\n{}",
        differences.len(),
        differences.join("\n")
    );
    eprintln!("{name}: {compared} cases without RUN");
    assert!(
        compared >= 40 || std::env::var("CASE").is_ok(),
        "only {compared} cases compared"
    );
}

/// What BuildKit makes of the cases with RUN, by buildctl; none where that is missing.
static KNOWN: LazyLock<Option<BTreeMap<String, Result<Image, String>>>> = LazyLock::new(|| {
    let reference = Machine::find("buildctl")?;
    let cases = cases_of("fixtures/agreement/run");
    Some(
        cases
            .iter()
            .map(|case| (case.name.clone(), build(&reference, case)))
            .collect(),
    )
});

/// Compares what a builder makes of the cases with RUN with what BuildKit makes by buildctl.
fn agrees_with_run(name: &str) {
    let (Some(known), Some(machine)) = (&*KNOWN, Machine::find(name)) else {
        return;
    };
    let mut differences = Vec::new();
    let mut compared = 0;
    for case in cases_of("fixtures/agreement/run")
        .iter()
        .filter(|case| case.is_for(machine.family) && !case.differs(name))
    {
        let theirs = build(&machine, case);
        if theirs.as_ref().is_err_and(|error| machine.refuses(error)) {
            continue;
        }
        compared += 1;
        let theirs = theirs.map(|image| machine.normal(image));
        let known = known[&case.name].clone().map(|image| machine.normal(image));
        let lines = match (&known, &theirs) {
            (Ok(_), _) | (_, Ok(_)) if case.fails => vec!["should fail".into()],
            (Ok(known), Ok(theirs)) => Image::differences(known, theirs),
            (Err(_), Err(_)) if case.fails => vec![],
            (Err(error), _) => vec![format!("BuildKit fails: {error}")],
            (Ok(_), Err(error)) => vec![format!("fails: {error}")],
        };
        differences.extend(lines.iter().map(|line| format!("{}: {line}", case.name)));
    }
    assert!(
        differences.is_empty(),
        "{} of {compared} cases\n{}",
        differences.len(),
        differences.join("\n")
    );
    eprintln!("{name}: {compared} cases with RUN");
    assert!(
        compared >= 30 || std::env::var("CASE").is_ok(),
        "only {compared} cases compared"
    );
}

#[test]
fn buildctl_makes_what_the_native_builder_makes() {
    agrees_without_run("buildctl");
}

#[test]
fn buildctl_runs_all_cases() {
    let Some(known) = &*KNOWN else { return };
    for case in cases_of("fixtures/agreement/run") {
        let image = &known[&case.name];
        assert_eq!(
            image.is_err(),
            case.fails,
            "{}: {:?}",
            case.name,
            image.as_ref().err()
        );
    }
    assert!(
        known.len() >= 40 || std::env::var("CASE").is_ok(),
        "{} cases",
        known.len()
    );
}

macro_rules! agree {
    ($($name:literal: $without:ident, $with:ident;)*) => {$(
        #[test]
        fn $without() {
            agrees_without_run($name);
        }

        #[test]
        fn $with() {
            agrees_with_run($name);
        }
    )*};
}

agree! {
    "buildah": buildah_makes_what_the_native_builder_makes, buildah_runs_what_buildctl_runs;
    "docker": docker_makes_what_the_native_builder_makes, docker_runs_what_buildctl_runs;
    "docker-classic": classic_docker_makes_what_the_native_builder_makes, classic_docker_runs_what_buildctl_runs;
    "buildx": buildx_makes_what_the_native_builder_makes, buildx_runs_what_buildctl_runs;
    "podman": podman_makes_what_the_native_builder_makes, podman_runs_what_buildctl_runs;
}

macro_rules! hold {
    ($($module:ident: $name:literal;)*) => {$(
        mod $module {
            use super::{held, Machine};

            hold!(@ $name, the_cache_serves_what_did_not_change, a_changed_file_is_built_anew, a_changed_mount_is_built_anew, a_missed_file_is_an_error,
                a_named_folder_is_read,
                a_secret_is_found_nowhere, a_check_fails_or_passes, the_image_is_plain, a_build_can_be_stopped,
                what_needs_permission_is_refused);
        }
    )*};
    (@ $name:literal, $($claim:ident),*) => {$(
        #[test]
        fn $claim() {
            if let Some(machine) = Machine::find($name) {
                held::$claim(&machine);
            }
        }
    )*};
}

hold! {
    with_buildctl: "buildctl";
    with_buildah: "buildah";
    with_docker: "docker";
    with_classic_docker: "docker-classic";
    with_buildx: "buildx";
    with_podman: "podman";
}

#[test]
fn secrets_stand_in_no_argument() {
    for name in ["buildctl", "buildah", "docker", "buildx", "podman"] {
        held::no_argument_holds_a_secret(name);
    }
}
