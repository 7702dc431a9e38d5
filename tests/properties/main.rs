//! What a revision depends on, and what it does not: claims over random small projects, read through the library.
//!
//! `RINGSHIFT_CASES` is how many projects each claim is held against.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    reason = "tests"
)]

mod caches;
mod framing;
mod line_ends;
mod places;
mod project;
mod reads;
#[path = "../it/sandbox.rs"]
mod sandbox;

use proptest::test_runner::Config;

/// The configuration of a claim that is held against `cases` projects.
fn cases(cases: u32) -> Config {
    let more = std::env::var("RINGSHIFT_CASES").ok();
    Config {
        cases: more.map_or(cases, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    }
}
