//! How much of a source tree one image may read (SEC-A4).

/// The limits of SEC-A4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub file: u64,
    /// The largest context, in bytes of the files read.
    pub context: u64,
    /// The most entries of one context that are looked at.
    pub entries: usize,
    /// The longest path, in bytes.
    pub path: usize,
    /// The deepest path, in components.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 2 << 30,
            context: 8 << 30,
            entries: 500_000,
            path: 4096,
            depth: 128,
        }
    }
}
