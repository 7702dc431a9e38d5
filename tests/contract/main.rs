//! One suite over every driver of a trait: what holds for one must hold for all.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![expect(clippy::print_stderr, reason = "a skipped test must say so")]

mod git;
mod layout;
mod registry;
mod sandbox;
#[path = "../registry/server.rs"]
#[expect(dead_code, reason = "access logs are read elsewhere")]
mod server;
mod trees;
