//! The revision of an image: what it reads, put into records, and their hash.

mod follow;
mod hash;
pub mod limits;
pub mod manifest;
pub mod select;
pub mod view;
pub mod wildcard;

pub use limits::Limits;
pub use manifest::{ContextTree, Contexts, Manifest};
pub use select::{SelectError, select};
