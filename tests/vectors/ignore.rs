//! `dockerignore.jsonl`: what is kept.

use super::compare;
use ringshift::plumbing;

#[test]
fn every_ignore_file_keeps_what_buildkit_keeps() {
    compare::all(
        include_str!("../../fixtures/vectors/dockerignore.jsonl"),
        plumbing::ignore,
        |ours, theirs| ours["kept"] == theirs["kept"] && ours["patterns"] == theirs["patterns"],
    );
}

#[test]
fn every_odd_pattern_is_the_expression_that_go_makes_of_it() {
    compare::all(
        include_str!("../../fixtures/vectors/dockerignore-hard.jsonl"),
        plumbing::ignore,
        |ours, theirs| ours["kept"] == theirs["kept"] && ours["patterns"] == theirs["patterns"],
    );
}
