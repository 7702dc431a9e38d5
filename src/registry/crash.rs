//! Places where a test may let the process die. In a release nothing of this is left.

/// Dies here, in a build for tests, when `RINGSHIFT_CRASH` names this place.
pub fn point(name: &str) {
    at(name, "");
}

/// As [`point`]; `what` is said before, so that the test knows what was about to be written.
#[cfg(not(debug_assertions))]
pub fn at(_name: &str, _what: &str) {}

/// As [`point`]; `what` is said before, so that the test knows what was about to be written.
///
/// `RINGSHIFT_CRASH=voted:2` dies when the place is reached for the second time.
#[cfg(debug_assertions)]
pub fn at(name: &str, what: &str) {
    dying::at(name, what);
}

#[cfg(debug_assertions)]
mod dying {
    #![expect(clippy::disallowed_methods, reason = "edge: hears from a test where to die")]

    use std::io::Write;
    use std::sync::atomic::{AtomicU32, Ordering};

    static REACHED: AtomicU32 = AtomicU32::new(0);

    pub fn at(name: &str, what: &str) {
        let Ok(wanted) = std::env::var("RINGSHIFT_CRASH") else {
            return;
        };
        let (place, times) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        if place != name || REACHED.fetch_add(1, Ordering::SeqCst) + 1 != times.parse().unwrap_or(1) {
            return;
        }
        let said = format!("died at {name} {what}\n");
        let _ = std::io::stderr().write_all(said.as_bytes());
        std::process::abort();
    }
}
