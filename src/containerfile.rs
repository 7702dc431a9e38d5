//! Container files: what they say, and what of the context they read.
//!
//! The dialect is BuildKit's (see `docs/concepts/revision.md`). Each rule of the container file
//! rule table stands in the module that its name suggests.

pub mod glob;
pub mod ignore;
pub mod recipe;
