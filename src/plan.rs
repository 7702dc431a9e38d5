//! Decide, then do: every verb's decision as a pure function of state, records, sources and commits.
//!
//! A decision is a value: a [`build::Plan`] to carry out, or a [`Transition`] to append. What is
//! not allowed is a [`Refusal`].

pub mod build;
pub mod commits;
pub mod complete;
pub mod freeze;
pub mod guard;
pub mod known;
pub mod reason;
pub mod refusal;
pub mod shift;
pub mod sources;
pub mod take;
pub mod transition;
pub mod unshift;

pub use build::{Action, Plan, Step, Target};
pub use commits::{Commits, CommitsError, LostCommit};
pub use known::Records;
pub use reason::Reason;
pub use refusal::{Loss, Refusal};
pub use sources::{Environments, ImageSource, Sources};
pub use transition::{Overrides, Transition};
