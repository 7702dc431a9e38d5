//! Ignore files: what of a context is left out (rules 60 to 69).

/// A parsed ignore file.
#[derive(Debug, Clone, Default)]
pub struct Ignore {}
