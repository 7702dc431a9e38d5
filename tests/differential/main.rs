//! Random worlds, and one random change of each: does the image that BuildKit makes change, does the revision?
//!
//! An image that changes while its revision stays is a stale image; there must be none. `SEED=…` makes the same
//! worlds again, `RINGSHIFT_FUZZ_SECONDS` (20) or `ROUNDS` says how many, `JOBS` (1) how many at once. Where no
//! BuildKit is, only the kept pairs of `fixtures/differential` are asked, and of ringshift alone; with `CI=true`
//! that fails.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a report is printed")]

#[expect(dead_code, reason = "buildah is not asked")]
#[path = "../agreement/native/canonical.rs"]
mod canonical;
#[expect(dead_code, reason = "worlds are no cases, but have the same archives")]
#[path = "../agreement/native/case.rs"]
mod case;
#[path = "../agreement/native/lab.rs"]
mod lab;

mod copy;
mod dice;
mod files;
mod flip;
mod generate;
mod instruct;
mod judge;
mod lines;
mod noise;
mod ours;
mod report;
mod run;
mod scene;
mod verdict;
mod words;
mod world;

use dice::Dice;
use judge::Judge;
use report::Report;
use std::time::{Duration, Instant, SystemTime};
use verdict::{Seen, Verdict, verdict};
use world::World;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// How long the fuzzer goes on.
struct Limit {
    rounds: usize,
    until: Instant,
}

impl Limit {
    fn of_environment() -> Self {
        let rounds = number("ROUNDS");
        let seconds = number("RINGSHIFT_FUZZ_SECONDS").unwrap_or(if rounds.is_some() { 1 << 20 } else { 20 });
        Self {
            rounds: rounds.map_or(usize::MAX, |rounds| usize::try_from(rounds).unwrap()),
            until: Instant::now() + Duration::from_secs(seconds),
        }
    }

    fn is_over(&self, report: &Report) -> bool {
        report.rounds >= self.rounds || Instant::now() >= self.until
    }
}

/// A world or a flip of one that ringshift takes, most of the time: what both refuse teaches little.
fn taken(dice: &mut Dice, mut make: impl FnMut(&mut Dice) -> (&'static str, World)) -> (&'static str, World) {
    let mut made = make(dice);
    let mut tries = 30;
    while tries > 0 && ours::answer(&made.1).is_err() && dice.chance(95) {
        made = make(dice);
        tries -= 1;
    }
    made
}

#[test]
fn an_image_that_changes_never_keeps_its_revision() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    world::start_clock(now);
    let judge = match Judge::start() {
        Ok(judge) => judge,
        Err(reason) => {
            assert!(std::env::var("CI").is_err(), "{reason}");
            eprintln!("SKIPPED: {reason}");
            return;
        }
    };
    let mut report = Report {
        seed: number("SEED").unwrap_or_else(|| u64::from(now.subsec_nanos()) ^ now.as_secs()),
        ..Report::default()
    };
    eprintln!("SEED={}", report.seed);
    let limit = Limit::of_environment();
    let start = Instant::now();
    let mut wrong = Vec::new();
    for walk in 0.. {
        if limit.is_over(&report) {
            break;
        }
        let mut dice = Dice::part(report.seed, walk);
        let (_, mut world) = taken(&mut dice, |dice| ("", generate::world(dice)));
        let mut before = Seen::of(&judge, &world);
        report.world(&before);
        for step in 0..5 {
            if limit.is_over(&report) {
                break;
            }
            if before.image.is_err() || before.answer.is_err() {
                if std::env::var("TRACE").is_ok() {
                    eprintln!(
                        "-- {:?} {:?}\n{}",
                        before.image.as_ref().err(),
                        before.answer.as_ref().err(),
                        world.text()
                    );
                }
                break;
            }
            let (kind, flipped) = taken(&mut dice, |dice| flip::flip(dice, &world));
            let after = Seen::of(&judge, &flipped);
            report.world(&after);
            let verdict = verdict(&before, &after);
            report.round(kind, &verdict);
            let odd = match &verdict {
                Verdict::FalseNegative(_) | Verdict::Unseen(_) => true,
                Verdict::Needless(_) => std::env::var("TRACE").is_ok(),
                Verdict::Refused => {
                    std::env::var("TRACE").is_ok() && after.image.is_ok() != after.answer.is_ok()
                }
                _ => false,
            };
            if odd {
                wrong.push(format!(
                    "walk {walk} step {step} {kind}: {verdict:?} {:?} {:?}\n{}\n{}",
                    after.image.as_ref().err(),
                    after.answer.as_ref().err(),
                    serde_json::to_string(&world).unwrap(),
                    serde_json::to_string(&flipped).unwrap()
                ));
                eprintln!("{}", wrong.last().unwrap());
            }
            if after.image.is_ok() && after.answer.is_ok() {
                world = flipped;
                before = after;
            }
        }
    }
    report.seconds = start.elapsed().as_secs();
    println!("{}", serde_json::to_string(&report).unwrap());
    assert!(wrong.is_empty(), "{} of {} rounds", wrong.len(), report.rounds);
}
