//! Random worlds, and one random change of each: does the image that BuildKit makes change, does the revision?
//!
//! An image that changes while its revision stays is a stale image; there must be none. `SEED=…` makes the same
//! worlds again, `RINGSHIFT_FUZZ_SECONDS` (20) or `ROUNDS` says how many, `JOBS` (1) how many at once; `TRACE=1` prints
//! more. Where no BuildKit is, only the kept pairs of `fixtures/differential` are asked, and of ringshift alone; with
//! `CI=true` that fails.

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
mod hunt;
mod instruct;
mod judge;
mod laws;
mod lines;
mod noise;
mod ours;
mod pair;
mod report;
mod run;
mod scene;
mod shrink;
mod torn;
mod verdict;
mod words;
mod world;

use hunt::Hunt;
use judge::Judge;
use pair::Pair;
use std::path::Path;
use std::time::{Duration, SystemTime};

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

fn hunt() -> Hunt {
    let rounds = number("ROUNDS");
    let seconds = number("RINGSHIFT_FUZZ_SECONDS");
    let endless = if rounds.is_some() { 1 << 20 } else { 20 };
    Hunt {
        seed: number("SEED").unwrap_or_else(|| u64::from(now().subsec_nanos()) ^ now().as_secs()),
        rounds: rounds.map_or(usize::MAX, |rounds| usize::try_from(rounds).unwrap()),
        length: Duration::from_secs(seconds.unwrap_or(endless)),
        jobs: number("JOBS").map_or(1, |jobs| usize::try_from(jobs).unwrap()),
        trace: number("TRACE").is_some(),
    }
}

/// Asks about the pairs that are kept.
fn replay(judge: Option<&Judge>) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/differential");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are pairs");
    let faults = |path: &std::path::PathBuf| {
        let pair: Pair = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let faults = pair.faults(judge).into_iter();
        faults.map(|fault| format!("{name}: {fault}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(faults).collect()
}

#[test]
fn an_image_that_changes_never_keeps_its_revision() {
    world::start_clock(now());
    let judge = Judge::start();
    let faults = replay(judge.as_ref().ok());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let judge = match judge {
        Ok(judge) => judge,
        Err(reason) => {
            assert!(std::env::var("CI").is_err(), "{reason}");
            eprintln!("SKIPPED: {reason}");
            return;
        }
    };
    let hunt = hunt();
    eprintln!("SEED={}", hunt.seed);
    let report = hunt.run(&judge);
    println!("{}", serde_json::to_string(&report).unwrap());
    assert!(report.rounds > 0);
    assert!(report.is_clean(), "SEED={}: see above", hunt.seed);
}
