//! Use-cases: load the world once, decide, carry out, append. The engine speaks in [`Event`]s and
//! never prints.

pub mod affected;
pub mod append;
pub mod board;
pub mod commits;
pub mod copy;
pub mod difference;
pub mod event;
pub mod execute;
pub mod export;
pub mod failure;
pub mod found;
pub mod lock;
pub mod pointers;
pub mod project;
pub mod publish;
pub mod pushed;
pub mod rebuild;
pub mod rendering;
pub mod store;
pub mod verify;

pub use append::{Author, Committed};
pub use event::{Event, Reporter};
pub use failure::Failure;
pub use project::Loaded;
pub use store::Store;
