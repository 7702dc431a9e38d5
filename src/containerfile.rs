//! Container files: what they say, and what of the context they read.
//!
//! The dialect is BuildKit's (see `docs/concepts/revision.md`). Each rule of the container file
//! rule table stands in the module that its name suggests: bytes become [`parse::Node`]s, nodes
//! become typed [`instruction::Instruction`]s, and [`resolve`](resolve::resolve) makes a
//! [`recipe::Recipe`] of those that the target reaches.

mod array;
pub mod directive;
pub mod error;
pub mod expand;
pub mod glob;
pub mod heredoc;
pub mod ignore;
pub mod instruction;
pub mod labels;
pub mod line;
pub mod parse;
pub mod recipe;
pub mod resolve;
mod split;
pub mod syntax;
mod words;

pub use error::{Fault, ParseError, ResolveError};
pub use labels::reserved_labels;
pub use parse::{File, Node, parse};
pub use resolve::{Base, BaseFacts, Inputs, NamedContext, ProjectRef, World, check_instructions, resolve};
