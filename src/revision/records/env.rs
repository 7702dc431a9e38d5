//! ENV: only a RUN sees where it stands, and the config in which order names came (rules 28, 32, 33).

use super::Records;
use std::collections::BTreeSet;

/// The variables of a stage since its last RUN.
#[derive(Clone, Default)]
pub(super) struct Env {
    /// Names that were set before that, here or in a stage this one stands on. Their place in the config is taken.
    known: BTreeSet<String>,
    /// Names as they first came, with their last value.
    waiting: Vec<(String, String, Option<u32>)>,
}

impl Env {
    /// Takes one ENV.
    pub(super) fn set(&mut self, pairs: &[(String, String)], line: Option<u32>) {
        for (name, value) in pairs {
            match self.waiting.iter_mut().find(|(known, ..)| known == name) {
                Some(entry) => (entry.1, entry.2) = (value.clone(), line),
                None => self.waiting.push((name.clone(), value.clone(), line)),
            }
        }
    }

    /// Writes what has come: names that are known sorted, since nothing shows their order; then new ones in theirs.
    pub(super) fn write(&mut self, out: &mut Records) {
        let waiting = std::mem::take(&mut self.waiting);
        let (mut known, new): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(n, ..)| self.known.contains(n));
        known.sort();
        for (name, value, line) in known.into_iter().chain(new) {
            out.list(line, "env", &[&name, &value]);
            self.known.insert(name);
        }
    }
}
