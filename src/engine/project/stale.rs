//! What rings.lock holds and nobody needs.

use super::Locks;
use crate::config::lock::Locked;
use crate::model::{Problem, Reference, Severity};
use std::collections::BTreeSet;

impl Locks {
    /// Warnings of locked images that nobody asked for.
    pub fn stale(&self) -> Vec<Problem> {
        let asked = self.asked();
        let used: BTreeSet<&Reference> = asked.iter().map(|(reference, _)| reference).collect();
        let stale = |(reference, locked): (&Reference, &Locked)| {
            let source = self
                .lock()
                .source
                .as_ref()
                .filter(|_| !used.contains(reference))?;
            let message = format!("no container file asks for {reference}");
            let problem = source.problem(locked.span, "stale-lock", message);
            Some(problem.severity(Severity::Warning).hint("ringshift lock"))
        };
        self.lock().images.iter().filter_map(stale).collect()
    }
}
