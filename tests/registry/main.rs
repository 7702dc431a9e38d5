//! The registry client against real registries, and against one that is evil.
//!
//! `tests/lab/lab.sh install` brings the real ones. Where one is missing, its tests say `SKIPPED` and pass; with
//! `CI=true` they fail.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![expect(clippy::print_stderr, reason = "a skipped test must say so")]

mod doctor;
mod dying;
mod evil;
mod front;
mod lock;
mod login;
mod publish;
mod real;
#[path = "../it/sandbox.rs"]
#[allow(dead_code)]
mod sandbox;
mod server;
mod team;
mod traffic;
mod verbs;
mod ways;
mod wire;
mod world;
mod writing;
