//! What verbs take that look at images outside the project.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// What `lock` is asked for.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Look these references up anew; none: all
    #[arg(long, value_name = "REF", num_args = 0.., conflicts_with = "check")]
    pub update: Option<Vec<String>>,
    /// Ask nobody, write nothing; exit 3 when rings.lock is not what the container files need
    #[arg(long)]
    pub check: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What `revision` is asked for.
#[derive(Debug, Args)]
pub struct RevisionArgs {
    /// The build context
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// The container file, relative to the working directory
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// A build argument, NAME=VALUE
    #[arg(long, value_name = "K=V")]
    pub build_arg: Vec<String>,
    /// The target stage
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// A named context, NAME=DIR or NAME=docker-image://REF
    #[arg(long, value_name = "N=V")]
    pub build_context: Vec<String>,
    /// The platform
    #[arg(long, value_name = "P", default_value = "linux/amd64")]
    pub platform: String,
    /// Print the preimage of the revision
    #[arg(long)]
    pub records: bool,
    /// Ask the registries what the outside images are
    #[arg(long)]
    pub resolve: bool,
}
