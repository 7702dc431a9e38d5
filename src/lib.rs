//! ringshift: revisions, versions and rings for the container images of one repository.
//!
//! The library is the engine; it never prints. See `docs/architecture.md` for the floors.

pub mod builder;
pub mod bump;
pub mod cache;
pub mod config;
pub mod containerfile;
pub mod engine;
pub mod git;
pub mod graph;
pub mod helm;
pub mod kustomize;
pub mod model;
pub mod pack;
pub mod plan;
pub mod plumbing;
pub mod registry;
pub mod render;
pub mod revision;
pub mod state;
pub mod tree;
pub mod wire;
