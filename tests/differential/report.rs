//! What all rounds came to.

use super::verdict::{Seen, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

type Counts = BTreeMap<String, usize>;

/// The last line that is printed, as JSON.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub seed: u64,
    pub rounds: usize,
    /// Rounds in which both worlds have an image and a revision.
    pub valid: usize,
    pub both_changed: usize,
    pub both_same: usize,
    pub needless: usize,
    /// Flips that left the revision, many of them in one round.
    pub quiet_flips: usize,
    pub false_negatives: usize,
    /// Worlds that build and worlds that do not, with one revision.
    pub unseen: usize,
    /// Those of them that must be mended.
    pub unseen_wrong: usize,
    /// Worlds of which not all is understood.
    pub inexact: usize,
    /// Comments, blanks and the like that moved a revision.
    pub needless_noise: usize,
    /// Revisions that move without a difference that could be told.
    pub unexplained: usize,
    pub worlds: usize,
    pub both_refuse: usize,
    pub seconds: u64,
    /// Threads that did not come to their end.
    pub broken: usize,
    pub flips: Counts,
    /// By the kind of the flip, and the kinds of the records that moved.
    pub needless_by_kind: Counts,
    /// What BuildKit builds and ringshift refuses, by reason.
    pub ringshift_refuses: Counts,
    /// What ringshift takes and BuildKit does not build, by reason.
    pub buildkit_refuses: Counts,
}

impl Report {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Whether there is nothing to mend.
    pub fn is_clean(&self) -> bool {
        self.broken == 0
            && self.false_negatives == 0
            && self.unseen_wrong == 0
            && self.unexplained == 0
            && self.needless_noise == 0
    }

    pub fn world(&mut self, seen: &Seen) {
        self.worlds += 1;
        match (&seen.image, &seen.answer) {
            (Ok(_), Err(error)) => count(&mut self.ringshift_refuses, reason(error)),
            (Err(error), Ok(_)) => count(&mut self.buildkit_refuses, reason(error)),
            (Err(_), Err(_)) => self.both_refuse += 1,
            (Ok(_), Ok(answer)) => self.inexact += usize::from(!answer.exact),
        }
    }

    pub fn round(&mut self, kind: &str, verdict: &Verdict) {
        self.rounds += 1;
        count(&mut self.flips, kind.into());
        self.needless_noise += usize::from(verdict.is_needless_noise(kind));
        let counter = match verdict {
            Verdict::BothChanged => &mut self.both_changed,
            Verdict::BothSame => &mut self.both_same,
            Verdict::Needless(kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
                count(&mut self.needless_by_kind, format!("{kind}: {}", kinds.join(" ")));
                &mut self.needless
            }
            Verdict::FalseNegative(_) => &mut self.false_negatives,
            Verdict::Unseen(_) => {
                self.unseen += 1;
                self.unseen_wrong += usize::from(verdict.is_wrong());
                return;
            }
            Verdict::Unexplained => &mut self.unexplained,
            Verdict::Refused => return,
        };
        *counter += 1;
        self.valid += 1;
    }
}

fn count(counts: &mut Counts, key: String) {
    *counts.entry(key).or_default() += 1;
}

/// A message without the names and numbers in it.
pub fn reason(error: &str) -> String {
    let line = error
        .split(" | ")
        .find(|line| line.contains("failed to solve"))
        .unwrap_or(error);
    let line = line.rsplit("failed to solve: ").next().unwrap_or(line);
    let word = |word: &str| match word.contains(['/', '"', '`', '\'', '*', '$', '='])
        || word.contains(char::is_numeric)
    {
        true => "_".to_owned(),
        false => word.to_owned(),
    };
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    words.join(" ").chars().take(140).collect()
}
