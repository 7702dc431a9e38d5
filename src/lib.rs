//! ringshift: revisions, versions and rings for the container images of one repository.
//!
//! The library is the engine; it never prints. See `docs/architecture.md` for the floors.

pub mod builder;
pub mod cache;
pub mod config;
pub mod containerfile;
pub mod git;
pub mod model;
pub mod plumbing;
pub mod registry;
pub mod revision;
pub mod tree;
