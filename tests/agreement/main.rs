//! The same question put to ringshift and to the real thing.
//!
//! `tests/lab/lab.sh install && tests/lab/lab.sh start` brings the real things. Where one is missing, its tests say
//! `SKIPPED` and pass; with `CI=true` they fail.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![expect(clippy::print_stderr, reason = "a skipped test must say so")]

mod builders;
mod locked;
mod native;
mod outside;
