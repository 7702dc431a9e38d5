//! What a build and a plan take, and how images are built.

use super::{LossArgs, SourceArgs};
use clap::Args;

/// What a build and a plan take.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The images to build; none: every image
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// The ring to build against; the first one by default, ante to prepare images beside the chain
    #[arg(long, value_name = "RING")]
    pub ring: Option<String>,
    /// Give this image a new major version
    #[arg(long, value_name = "IMAGE")]
    pub major: Vec<String>,
    /// Take every change of the commit, behind the front too
    #[arg(long)]
    pub all_changes: bool,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub loss: LossArgs,
    #[command(flatten)]
    pub how: BuilderArgs,
}

/// How images are built.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How images are built")]
pub struct BuilderArgs {
    /// Who builds: native, buildx, docker, buildah, podman, buildctl; else native where it suffices, then the first of
    /// the others that can be used
    #[arg(long, value_name = "B", env = "RINGSHIFT_BUILDER")]
    pub builder: Option<String>,
    /// A secret that a RUN may mount: id=ID,src=FILE or id=ID,env=VARIABLE
    #[arg(long, value_name = "SECRET")]
    pub secret: Vec<String>,
    /// The ssh agent, or keys, that a RUN may mount: default, or id=PATH
    #[arg(long, value_name = "AGENT", num_args = 0..=1, default_missing_value = "default")]
    pub ssh: Vec<String>,
    /// Leave the builder's caches aside
    #[arg(long)]
    pub no_cache: bool,
    /// The repository where buildx or buildctl keep layers for other machines, a tag for each image
    #[arg(long, value_name = "REPOSITORY", env = "RINGSHIFT_LAYER_CACHE")]
    pub layer_cache: Option<String>,
    /// How many images are built at once
    #[arg(long, value_name = "N", env = "RINGSHIFT_JOBS")]
    pub jobs: Option<String>,
}
