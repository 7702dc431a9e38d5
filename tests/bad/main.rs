//! What is wrong outside: bad files, odd repositories, broken stores. Every test claims the same: no hang,
//! no panic, a clear error with what to do, the exit code of cli.md 4, and nothing changed.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod caches;
mod container_file;
mod contexts;
mod lock;
mod repositories;
mod rings_yaml;
mod sandbox;
mod sources;
mod store;
mod usage;
