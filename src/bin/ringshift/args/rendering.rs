//! The flags of `render`, `diff` and `kustomize`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// What is rendered, and where it goes.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The site
    #[arg(value_name = "SITE")]
    pub site: String,
    /// As if the site were on this ring
    #[arg(long, value_name = "RING", conflicts_with = "release")]
    pub ring: Option<String>,
    /// As if its ring held this release
    #[arg(long, value_name = "V")]
    pub release: Option<String>,
    /// Write a file for each object into DIR
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Compare with the files in DIR that -o wrote; exit 3 when they differ
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "output")]
    pub check: Option<PathBuf>,
    /// Do not tell warnings of this code
    #[arg(long, value_name = "CODE")]
    pub silence: Vec<String>,
}

/// Which releases are put side by side.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A version of the root image, a ring, or post
    #[arg(value_name = "A")]
    pub old: String,
    /// Another
    #[arg(value_name = "B")]
    pub new: String,
    /// What differs in what this site is sent
    #[arg(long, value_name = "SITE")]
    pub site: Option<String>,
    /// Only this image
    #[arg(long, value_name = "IMAGE", conflicts_with = "site")]
    pub image: Option<String>,
}

/// What is built.
#[derive(Debug, Args)]
pub struct KustomizeArgs {
    /// The folder with the kustomization
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Let `helmCharts` be inflated by the helm on PATH
    #[arg(long)]
    pub enable_helm: bool,
}
