//! One suite over every driver of a trait: what holds for one must hold for all.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod git;
mod layout;
mod registry;
mod sandbox;
mod trees;
