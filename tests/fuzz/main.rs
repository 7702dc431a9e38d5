//! Every fuzz target, over its seeds and over what chance makes of them.
//!
//! `fuzz/run` looks for new ways through the code for as long as it is told; this is what every run of the tests
//! affords. `RINGSHIFT_SEED` begins elsewhere, `RINGSHIFT_CASES` is how many changed inputs each target gets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod change;
mod targets;

use change::Chance;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Runs one input; of one that fails, says what it was.
fn run(run: fn(&[u8]), input: &[u8], origin: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(input))) {
        eprintln!("{origin}: {}", input.escape_ascii());
        resume_unwind(panic);
    }
}

fn holds(name: &str) {
    let (_, target) = targets::ALL.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    for (index, seed) in seeds.iter().enumerate() {
        run(*target, seed, &format!("seed {index} of {name}"));
    }
    let start = number("RINGSHIFT_SEED", 1);
    for case in 0..number("RINGSHIFT_CASES", 300) {
        let input = Chance::new(start.wrapping_mul(1_000_003).wrapping_add(case)).changed(&seeds);
        let origin = format!("RINGSHIFT_SEED={start}, case {case} of {name}");
        run(*target, &input[..input.len().min(targets::LARGEST)], &origin);
    }
}

#[test]
fn seeds_are_few_and_small_and_each_target_has_some() {
    let all: Vec<Vec<Vec<u8>>> = targets::ALL.iter().map(|(name, _)| seeds(name)).collect();
    assert!(all.iter().all(|seeds| !seeds.is_empty()));
    assert!(all.iter().flatten().count() <= 200);
    assert!(all.iter().flatten().map(Vec::len).sum::<usize>() <= 1 << 20);
}

#[test]
fn archives_unpack_to_layers_that_can_be_read() {
    holds("archive");
}

#[test]
fn container_files_have_one_recipe_or_a_fault_with_its_place() {
    holds("container_file");
}

#[test]
fn overlays_are_looked_at_without_harm() {
    holds("environments");
}

#[test]
fn words_expand_within_bounds() {
    holds("expansion");
}

#[test]
fn ignore_files_judge_alike_twice() {
    holds("ignore_file");
}

#[test]
fn images_of_others_are_read_or_refused() {
    holds("image");
}

#[test]
fn journal_entries_are_written_as_they_were_read() {
    holds("journal_entry");
}

#[test]
fn kustomizations_are_built_or_refused_and_their_pack_gives_the_same() {
    holds("kustomize");
}

#[test]
fn packs_are_written_as_they_were_read() {
    holds("pack");
}

#[test]
fn names_are_read_as_they_were_printed() {
    holds("names");
}

#[test]
fn a_rings_yaml_that_is_proposed_can_be_read() {
    holds("proposal");
}

#[test]
fn release_records_are_written_as_they_were_read() {
    holds("release_record");
}

#[test]
fn rings_yaml_is_a_project_or_problems_with_their_places() {
    holds("rings_yaml");
}

#[test]
fn a_walk_by_a_wildcard_finds_what_comparing_finds() {
    holds("wildcard");
}
