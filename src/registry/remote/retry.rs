//! When to try again, and when to give up (SEC-B5).

use super::limits::Limits;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The patience that is left for a whole command, shared by all its requests.
#[derive(Debug)]
pub(super) struct Budget(Mutex<Duration>);

impl Budget {
    pub fn new(limits: &Limits) -> Self {
        Self(Mutex::new(limits.budget))
    }

    /// Takes a wait out of what is left; `false` when that is not enough.
    pub fn take(&self, wait: Duration) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match left.checked_sub(wait) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }
}

/// Whether a status says that the same request may succeed later.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long to wait before try number `again` (from 0): what the registry asks for, up to the cap, or twice as long each
/// time, with a random part so that many clients do not come back together.
pub(super) fn wait(limits: &Limits, again: u32, asked: Option<Duration>) -> Duration {
    let most = limits.longest_wait;
    if let Some(asked) = asked {
        return asked.min(most);
    }
    let full = limits.wait.saturating_mul(1 << again.min(16)).min(most);
    let random = RandomState::new().hash_one(again);
    let part = u32::try_from(random % 512).unwrap_or_default();
    full / 2 + full / 1024 * part
}

/// The seconds of `Retry-After`; a date is not looked at, since clocks differ.
pub(super) fn asked(header: Option<&str>) -> Option<Duration> {
    header?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_random_and_never_longer_than_the_cap() {
        let limits = Limits::default();
        for again in 0..40 {
            let full = limits
                .wait
                .saturating_mul(1 << again.min(16))
                .min(limits.longest_wait);
            let wait = wait(&limits, again, None);
            assert!(wait >= full / 2 && wait <= full, "{again}: {wait:?}");
        }
        assert_eq!(wait(&limits, 0, asked(Some("7"))), Duration::from_secs(7));
        assert_eq!(wait(&limits, 0, asked(Some(" 999999 "))), Duration::from_secs(60));
        for none in [None, Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some("-1"), Some("")] {
            assert_eq!(asked(none), None);
        }
    }

    #[test]
    fn the_patience_of_a_command_ends() {
        let budget = Budget::new(&Limits {
            budget: Duration::from_secs(3),
            ..Limits::default()
        });
        assert!(budget.take(Duration::from_secs(2)));
        assert!(!budget.take(Duration::from_secs(2)));
        assert!(budget.take(Duration::from_secs(1)));
    }
}
