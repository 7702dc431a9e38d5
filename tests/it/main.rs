//! The whole tool, through its binary on real repositories and folder stores, and its laws on a world
//! in memory.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod builds;
mod dry_run;
mod golden;
mod histories;
mod kills;
mod laws;
mod model;
mod sandbox;
mod store;
mod twice;
