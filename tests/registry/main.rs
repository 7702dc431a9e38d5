//! The registry client against real registries, and against one that is evil.
//!
//! `tests/lab/lab.sh install` brings the real ones. Where one is missing, its tests say `SKIPPED` and pass; with
//! `CI=true` they fail.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![expect(clippy::print_stderr, reason = "a skipped test must say so")]

mod dying;
mod evil;
mod login;
mod real;
#[path = "../it/sandbox.rs"]
#[allow(dead_code)]
mod sandbox;
mod server;
mod team;
mod traffic;
mod verbs;
mod wire;
mod world;
mod writing;
