//! One file per verb: from arguments to a use-case, from its result to the screen.

pub mod affected;
pub mod build;
pub mod check;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod freeze;
pub mod graph;
pub mod init;
pub mod kustomize;
pub mod log;
pub mod moves;
pub mod named;
pub mod plan;
pub mod plumbing;
pub mod revision;
pub mod schema;
pub mod shift;
pub mod show;
pub mod state;
pub mod status;
pub mod unshift;
pub mod version;
