//! The rounds: worlds, flips, verdicts, from several threads.

use super::dice::Dice;
use super::judge::Judge;
use super::pair::Pair;
use super::report::Report;
use super::shrink::shrink;
use super::torn::is_torn;
use super::verdict::{Seen, Verdict, verdict};
use super::world::World;
use super::{flip, generate, ours};
use std::mem::discriminant;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Flips of one world, one after the other: the world that a flip makes is where the next begins.
const STEPS: usize = 5;

/// Flips that are tried to find quiet ones.
const TRIES: usize = 30;

pub struct Hunt {
    pub seed: u64,
    pub rounds: usize,
    pub length: Duration,
    pub jobs: usize,
    /// Whether needless builds and refusals are printed too.
    pub trace: bool,
}

impl Hunt {
    /// All rounds; false negatives are printed as they are found.
    pub fn run(&self, judge: &Judge) -> Report {
        let start = Instant::now();
        let report = Mutex::new(Report::new(self.seed));
        let walks = AtomicU64::new(0);
        let is_over = || report.lock().unwrap().rounds >= self.rounds || start.elapsed() >= self.length;
        let work = || {
            while !is_over() {
                self.walk(judge, walks.fetch_add(1, Ordering::Relaxed), &report, &is_over);
            }
        };
        let broken = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.jobs).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().err())
                .count()
        });
        let mut report = report.into_inner().unwrap();
        report.broken = broken;
        report.seconds = start.elapsed().as_secs();
        report
    }

    fn walk(&self, judge: &Judge, number: u64, report: &Mutex<Report>, is_over: &dyn Fn() -> bool) {
        let mut dice = Dice::part(self.seed, number);
        let (_, mut world) = taken(&mut dice, |dice| ("", generate::world(dice)));
        let mut before = Seen::of(judge, &world);
        report.lock().unwrap().world(&before);
        self.tell_refusal(&before, &world);
        for step in 0..STEPS {
            if before.image.is_err() || before.answer.is_err() || is_over() {
                return;
            }
            let (kind, flipped) = match dice.chance(60) {
                true => self.quiet(&mut dice, &world, report),
                false => taken(&mut dice, |dice| flip::flip(dice, &world)),
            };
            let after = Seen::of(judge, &flipped);
            let verdict = verdict(&before, &after);
            {
                let mut report = report.lock().unwrap();
                report.world(&after);
                report.round(kind, &verdict);
            }
            self.tell_refusal(&after, &flipped);
            if verdict.is_wrong() || verdict.is_needless_noise(kind) || (self.trace && verdict.is_needless())
            {
                let about = format!("SEED={} walk {number} step {step}: {kind}", self.seed);
                tell(judge, &about, &verdict, &world, &flipped);
            }
            if after.image.is_ok() && after.answer.is_ok() {
                world = flipped;
                before = after;
            }
        }
    }

    /// Many flips at once, all of which leave the revision: one build tells whether it was right to stay.
    fn quiet(&self, dice: &mut Dice, world: &World, report: &Mutex<Report>) -> (&'static str, World) {
        let revision = |world: &World| ours::answer(world).ok().map(|answer| answer.revision);
        let before = revision(world);
        let mut now = world.clone();
        let mut flips = 0;
        for _ in 0..TRIES {
            let (_, next) = flip::flip(dice, &now);
            if revision(&next) == before && !is_torn(&next) {
                now = next;
                flips += 1;
            }
        }
        report.lock().unwrap().quiet_flips += flips;
        ("quiet", now)
    }

    /// What one builds and the other refuses.
    fn tell_refusal(&self, seen: &Seen, world: &World) {
        let (image, answer) = (seen.image.as_ref().err(), seen.answer.as_ref().err());
        if self.trace && image.is_some() != answer.is_some() {
            let json = serde_json::to_string(world).unwrap();
            eprintln!("REFUSED by BuildKit: {image:?}, by ringshift: {answer:?}\n{json}");
        }
    }
}

/// A world or a flip of one that ringshift takes, most of the time: what both refuse teaches little.
fn taken(dice: &mut Dice, mut make: impl FnMut(&mut Dice) -> (&'static str, World)) -> (&'static str, World) {
    loop {
        let made = make(dice);
        if !is_torn(&made.1) && (ours::answer(&made.1).is_ok() || dice.chance(25)) {
            return made;
        }
    }
}

/// Prints the smallest worlds with the same verdict, as a file for `fixtures/differential`.
fn tell(judge: &Judge, about: &str, verdict_: &Verdict, before: &World, after: &World) {
    let kind = discriminant(verdict_);
    let odd = |a: &World, b: &World| {
        let answers = (ours::answer(a), ours::answer(b));
        matches!(answers, (Ok(_), Ok(_)))
            && !is_torn(a)
            && !is_torn(b)
            && discriminant(&verdict(&Seen::of(judge, a), &Seen::of(judge, b))) == kind
    };
    let (a, b) = shrink(before, after, 60, odd);
    let seen = (Seen::of(judge, &a), Seen::of(judge, &b));
    let small = verdict(&seen.0, &seen.1);
    let pair = Pair::new(about.to_owned(), (&seen.0, &seen.1), a, b);
    let json = serde_json::to_string_pretty(&pair).unwrap();
    eprintln!("{about}: {verdict_:?}\nsmaller: {small:?}\n{json}");
}
