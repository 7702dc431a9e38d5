//! The parser on the public container file that takes it longest, against SHA-256 of the same bytes: a ratio measured in
//! one run, turns A B A B, medians. `cargo bench --bench parsing`, with `TURNS=N`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use ringshift::containerfile;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::Instant;

/// From `benches/parsing/NOTICE`.
const SLOWEST: &[u8] = include_bytes!("parsing/Dockerfile");
/// How often in one turn.
const TIMES: u32 = 500;

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        // `cargo test --all-targets` starts benches too; measuring is not testing.
        return;
    }
    let turns = std::env::var("TURNS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(9);
    let parse = || drop(black_box(containerfile::parse(black_box(SLOWEST)).unwrap()));
    let hash = || {
        let _ = black_box(Sha256::digest(black_box(SLOWEST)));
    };
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=turns {
        let (one, two) = (microseconds(parse), microseconds(hash));
        // The first turn warms up.
        if turn > 0 {
            ours.push(one);
            theirs.push(two);
            ratios.push(one / two);
        }
    }
    println!(
        "parse, {} bytes: {:.0} µs; sha256 of the same: {:.0} µs; ratio {:.1}",
        SLOWEST.len(),
        median(ours),
        median(theirs),
        median(ratios)
    );
}

fn microseconds(what: impl Fn()) -> f64 {
    let begun = Instant::now();
    (0..TIMES).for_each(|_| what());
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
