//! rings.yaml: read, checked, trusted.
//!
//! [`read()`] makes the [`Project`] of the file's bytes, or tells everything that is wrong with it;
//! [`check()`] holds a project against the sources.

mod check;
mod contexts;
pub mod environments;
mod images;
pub mod keys;
pub mod lock;
pub mod project;
pub mod propose;
mod read;
mod rings;
#[cfg(test)]
mod sample_tree;
pub mod schema;
mod sites;
mod walk;
pub mod yaml;

pub use check::{DEFAULT_FILES, check, default_file};
pub use lock::Lock;
pub use project::split;
pub use project::{
    Allowance, Apply, Builder, ContextSource, Environments, Image, Kube, NamedContext, Own, Project,
    RegistryAddress, Ring, Site, Versioning,
};
pub use read::read;
pub use schema::schema;

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

/// The codes of all warnings that `silence` takes, sorted.
pub fn codes() -> Vec<&'static str> {
    let mut codes = crate::containerfile::recipe::CODES.to_vec();
    codes.extend(environments::CODES);
    codes.sort_unstable();
    codes
}
