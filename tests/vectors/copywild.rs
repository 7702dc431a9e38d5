//! `copywild.jsonl`: what a wildcard names.

use super::compare;
use ringshift::plumbing;

#[test]
fn every_wildcard_names_what_buildkit_copies() {
    compare::all(
        include_str!("../../fixtures/vectors/copywild.jsonl"),
        plumbing::copy,
        |ours, theirs| ours["matches"] == theirs["matches"],
    );
}

#[test]
fn every_odd_wildcard_names_what_buildkit_copies() {
    compare::all(
        include_str!("../../fixtures/vectors/copywild-hard.jsonl"),
        plumbing::copy,
        |ours, theirs| ours["matches"] == theirs["matches"],
    );
}
