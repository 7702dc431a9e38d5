//! The revision of an image: what it reads, put into records, and their hash.
//!
//! [`select`] finds what a recipe reads of its contexts, [`compute`] puts recipe and reading into records and
//! hashes them, [`diff`] says what differs between two of them.

mod compute;
mod diff;
mod follow;
mod hash;
mod limits;
pub mod manifest;
mod records;
mod select;
mod shared;
#[cfg(test)]
mod testing;
pub mod view;
mod warn;
pub mod wildcard;

pub use compute::{Inputs, Plan, compute, with_environments};
pub use diff::{Change, Difference, Said, diff, same_lines};
pub use limits::Limits;
pub use manifest::{ContextTree, Contexts, Manifest};
pub use records::{FORMAT, Record, Records};
pub use select::{SelectError, select, select_sharing};
pub use shared::Shared;
pub use warn::warnings;
