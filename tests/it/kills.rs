//! Processes that are killed, interrupted, or run at the same time on one folder store.

use crate::sandbox::{Ran, Sandbox, board};
use crate::twice::{change, small};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A small source of numbers; its seed is printed, and read from `RINGSHIFT_SEED`.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let given = std::env::var("RINGSHIFT_SEED")
            .ok()
            .map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| {
            use std::hash::{BuildHasher, Hasher};
            std::hash::RandomState::new().build_hasher().finish()
        });
        eprintln!("RINGSHIFT_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// One repository with two stores: in the one every command is killed first, in the other none is.
struct Arena {
    sandbox: Sandbox,
    calm: String,
    acknowledged: Vec<(u64, String)>,
    serial: u64,
}

/// What became of a killed command.
enum Fate {
    Died,
    Ended,
}

impl Arena {
    fn new() -> Self {
        let sandbox = small();
        let calm = format!("oci:{}", sandbox.outside().join("calm").display());
        Self {
            sandbox,
            calm,
            acknowledged: Vec::new(),
            serial: 0,
        }
    }

    fn calm(&self, args: &[&str]) -> Ran {
        self.sandbox.run(&[args, &["--registry", &self.calm]].concat())
    }

    fn calm_board(&self) -> Value {
        board(&self.calm(&["status", "--json"]).shape().unwrap())
    }

    /// A command that is the same whether it is given once or twice, now and then after a commit.
    fn next(&mut self, random: &mut Random) -> Vec<&'static str> {
        self.serial += 1;
        let image = ["base", "shop"][random.below(2) as usize];
        if random.below(2) == 0 {
            change(&self.sandbox, image, &format!("t{}", self.serial));
        }
        match random.below(12) {
            0..=4 => vec!["build"],
            5 => vec!["build", "--ring", "ante", "base"],
            6 => vec!["shift", "dev"],
            7 => vec!["build", "--ring", "users", "--all-changes"],
            8..=9 => vec!["shift", "test"],
            _ => vec!["shift", "users"],
        }
    }

    /// Kills `args` at a random moment of the time that it takes, then gives it again.
    fn round(&mut self, random: &mut Random) -> Fate {
        let args = self.next(random);
        let started = Instant::now();
        let wanted = self.calm(&args);
        let takes = started.elapsed();
        let moment = takes.mul_f64(random.below(1000) as f64 / 900.0);
        let killed = killed_after(
            &mut self.sandbox.command(&[&args[..], &["--json"]].concat()),
            moment,
        );
        self.acknowledged.extend(acknowledged(&killed));
        let verified = self.sandbox.run(&["state", "verify"]);
        assert_eq!(
            verified.code,
            Some(0),
            "{args:?} killed after {moment:?}: {verified:?}"
        );
        let again = self.sandbox.run(&args);
        let taken_over = args == ["shift", "dev"] && again.code == Some(1);
        assert!(
            again.code == wanted.code || taken_over,
            "{args:?} killed after {moment:?}, then {again:?}, wanted {wanted:?}"
        );
        assert_eq!(
            self.sandbox.board(),
            self.calm_board(),
            "{args:?} killed after {moment:?}"
        );
        match killed.code {
            None => Fate::Died,
            Some(_) => Fate::Ended,
        }
    }
}

/// The entry that a command said it wrote: its number and digest.
fn acknowledged(ran: &Ran) -> Option<(u64, String)> {
    let shape = ran.shape().filter(|shape| shape["kind"] == "done")?;
    let entry = &shape["entry"];
    Some((entry["seq"].as_u64()?, entry["digest"].as_str()?.to_owned()))
}

/// Every entry that was acknowledged is in the chain.
fn nothing_acknowledged_is_lost(sandbox: &Sandbox, acknowledged: &[(u64, String)]) {
    for (seq, digest) in acknowledged {
        let there = sandbox.json(&["state", "show", &seq.to_string()]);
        assert_eq!(there["digest"], digest.as_str(), "entry {seq}");
    }
}

fn killed_after(command: &mut Command, moment: Duration) -> Ran {
    let mut child = started(command);
    std::thread::sleep(moment);
    child.kill().unwrap();
    ended(child)
}

fn started(command: &mut Command) -> Child {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    let out = child.wait_with_output().unwrap();
    Ran {
        code: out.status.code(),
        out: String::from_utf8(out.stdout).unwrap(),
        err: String::from_utf8(out.stderr).unwrap(),
    }
}

#[test]
fn after_two_hundred_kills_nothing_acknowledged_is_lost_and_the_same_command_converges() {
    let mut seeds = Random::seeded();
    let worker = |mut random: Random| {
        let mut died = 0;
        for _ in 0..5 {
            let mut arena = Arena::new();
            for _ in 0..20 {
                died += usize::from(matches!(arena.round(&mut random), Fate::Died));
            }
            nothing_acknowledged_is_lost(&arena.sandbox, &arena.acknowledged);
        }
        died
    };
    let died: usize = std::thread::scope(|scope| {
        let seeds: Vec<u64> = (0..2).map(|_| seeds.below(u64::MAX)).collect();
        let workers: Vec<_> = seeds
            .into_iter()
            .map(|s| scope.spawn(move || worker(Random(s))))
            .collect();
        workers.into_iter().map(|w| w.join().unwrap()).sum()
    });
    eprintln!("{died} of 200 died before they had ended");
    assert!(died > 20, "only {died} of 200 died before they had ended");
}

/// Content that does not compress, so that its build takes a while.
fn noise(megabytes: usize) -> Vec<u8> {
    let mut random = Random(7);
    let words = std::iter::repeat_with(|| random.below(u64::MAX).to_le_bytes());
    words.take(megabytes << 17).flatten().collect()
}

#[test]
fn ctrl_c_ends_a_build_with_130_and_the_next_one_finishes_it() {
    let sandbox = small();
    sandbox.write("base/src/noise", noise(48));
    sandbox.commit("Much");
    let mut child = started(&mut sandbox.command(&["build"]));
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("Building base") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the build ended early");
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert_eq!(rest, "error: interrupted; the next run goes on from here\n");
    assert_eq!(sandbox.board()["rings"]["dev"], Value::Null);
    assert_eq!(sandbox.run(&["state", "verify"]).code, Some(0));
    sandbox.ok(&["build"]);
    assert_eq!(
        sandbox.board()["rings"]["dev"],
        serde_json::json!({"base": "0.1.0", "shop": "0.1.0"}),
        "the numbers are those that the interrupted run took"
    );
}

/// Runs two commands at once; their exit codes.
fn at_once(sandbox: &Sandbox, one: &[&str], other: &[&str]) -> [Ran; 2] {
    let (one, other) = (
        started(&mut sandbox.command(one)),
        started(&mut sandbox.command(other)),
    );
    [ended(one), ended(other)]
}

/// The chain has every number once, and the store is whole.
fn whole(sandbox: &Sandbox) {
    let verified = sandbox.run(&["state", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let log = sandbox.json(&["log", "--reserved"]);
    let entries = log["entries"].as_array().unwrap();
    let numbers: Vec<u64> = entries
        .iter()
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect();
    let wanted: Vec<u64> = (1..=entries.len() as u64).rev().collect();
    assert_eq!(numbers, wanted);
}

/// Ten times: a change, two commands at once, and again one after the other. `codes` are what a
/// loser may exit with.
fn race(one: &[&str], other: &[&str], codes: &[i32]) {
    let sandbox = small();
    sandbox.ok(&["build"]);
    for round in 0..10 {
        change(&sandbox, "shop", &format!("t{round}"));
        if one[0] == "shift" {
            sandbox.ok(&["build"]);
        }
        for ran in at_once(&sandbox, one, other) {
            let code = ran.code.unwrap();
            assert!(
                code == 0 || codes.contains(&code),
                "{one:?} and {other:?}: {ran:?}"
            );
        }
        whole(&sandbox);
        sandbox.ok(one);
        sandbox.ok(other);
    }
    let last = sandbox.json(&["build", "--dry-run"]);
    assert_eq!(last["entry"], Value::Null, "everything is built");
}

#[test]
fn of_two_builds_at_once_one_wins_and_the_other_conflicts_or_has_nothing_to_do() {
    race(&["build"], &["build"], &[4]);
}

#[test]
fn of_two_shifts_at_once_one_wins_and_the_other_conflicts_or_has_nothing_to_do() {
    race(&["shift", "test"], &["shift", "test"], &[4]);
}

#[test]
fn a_build_and_a_shift_at_once_are_one_after_the_other() {
    race(&["build"], &["shift", "test"], &[4]);
}

#[test]
fn two_freezes_at_once_are_both_kept_or_one_conflicts() {
    let (one, other) = (
        ["freeze", "0.1.0", "--reason", "x"],
        ["freeze", "base@0.1.0", "--reason", "x"],
    );
    race(&one, &other, &[4]);
}

#[test]
fn what_any_of_ten_writers_at_once_was_told_is_in_the_chain() {
    let commands: [&[&str]; 10] = [
        &["build"],
        &["freeze", "0.1.0", "--reason", "x"],
        &["freeze", "base@0.1.0", "--reason", "x"],
        &["freeze", "shop@0.1.0", "--reason", "x"],
        &["shift", "test"],
        &["shift", "users"],
        &["unfreeze", "0.1.0"],
        &["unfreeze", "base@0.1.0"],
        &["unshift", "test"],
        &["unshift", "users"],
    ];
    let sandbox = small();
    sandbox.ok(&["build"]);
    let mut told = Vec::new();
    for round in 0..12 {
        change(&sandbox, "shop", &format!("t{round}"));
        let writer = |args: &&[&str]| started(&mut sandbox.command(&[args, &["--json"][..]].concat()));
        let children: Vec<Child> = commands.iter().map(writer).collect();
        for ran in children.into_iter().map(ended) {
            assert!(matches!(ran.code, Some(0 | 1 | 4 | 6 | 8)), "{ran:?}");
            told.extend(acknowledged(&ran));
        }
    }
    whole(&sandbox);
    nothing_acknowledged_is_lost(&sandbox, &told);
    let mut numbers: Vec<u64> = told.iter().map(|(seq, _)| *seq).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), told.len(), "no number was told twice");
}
