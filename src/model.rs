//! The words of the domain as types: parsed once, then trusted.
//!
//! Nothing here knows a file, a clock or a process.

pub mod builder_kind;
pub mod commit;
pub mod digest;
pub mod labels;
pub mod name;
pub mod near;
pub mod path;
pub mod platform;
pub mod problem;
pub mod reference;
pub mod secret;
pub mod version;

pub use builder_kind::BuilderKind;
pub use commit::CommitId;
pub use digest::{Digest, Revision};
pub use name::{EnvironmentName, ImageName, NameError, ProjectName, RingName, SiteName};
pub use path::RepoPath;
pub use platform::Platform;
pub use problem::{Place, Problem, Problems, Severity, Snippet, Source, Span};
pub use reference::Reference;
pub use secret::Secret;
pub use version::Version;
