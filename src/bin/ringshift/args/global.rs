//! The flags of every verb.

use super::Color;
use clap::{ArgAction, Args, ValueHint};
use std::path::PathBuf;

/// What every verb takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Print one line of JSON on standard output, and errors as JSON
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// The rings.yaml to use instead of the one found by walking up
    #[arg(long, global = true, value_name = "FILE", env = "RINGSHIFT_CONFIG", value_hint = ValueHint::FilePath, help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Where the images are: a registry, or a folder as oci:PATH
    #[arg(
        long,
        global = true,
        value_name = "REGISTRY",
        env = "RINGSHIFT_REGISTRY",
        help_heading = "Everywhere"
    )]
    pub registry: Option<String>,
    /// The project, when there is no rings.yaml
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "RINGSHIFT_PROJECT",
        help_heading = "Everywhere"
    )]
    pub project: Option<String>,
    /// Refuse a registry whose last entry is older: 30m, 12h, 7d
    #[arg(
        long,
        global = true,
        value_name = "AGE",
        env = "RINGSHIFT_MAX_AGE",
        help_heading = "Everywhere"
    )]
    pub max_age: Option<String>,
    /// Run as if started in DIR
    #[arg(short = 'C', global = true, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Everywhere")]
    pub directory: Option<PathBuf>,
    /// Say only what is wrong
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Everywhere")]
    pub verbose: u8,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Everywhere"
    )]
    pub color: Color,
}
