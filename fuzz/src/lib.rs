//! The target functions, which `cargo test --test fuzz` runs too.

#[path = "../../tests/fuzz/targets/mod.rs"]
pub mod targets;
