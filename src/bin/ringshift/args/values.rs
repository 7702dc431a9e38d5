//! The values that some flags choose from.

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How `graph` draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A tree of lines.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// A drawing.
    Svg,
    /// As --json.
    Json,
}

/// The parts of plumbing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plumbing {
    /// Container file to syntax tree.
    Parse,
    /// Word to expanded word.
    Expand,
    /// Ignore file to what is kept.
    Ignore,
    /// Wildcard to matches.
    Copy,
    /// Container file to what it reads.
    Reach,
}
