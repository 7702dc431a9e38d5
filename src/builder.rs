//! Building images: what is asked of a builder, and what comes back.
//!
//! [`native`] carries out a recipe without any tool on the machine, as long as nothing has to be
//! run. Labels are written by ringshift itself, the same way for every builder (semantics S4), and
//! [`relabel()`] gives an image new labels over the same layers (B7).

pub mod closed;
pub mod command;
pub mod config;
pub mod given;
pub mod labels;
pub mod layer;
pub mod native;
pub mod relabel;
pub mod rootfs;
pub mod session;
pub mod support;

mod archive;
mod base;
mod chmod;
mod content;
mod copy;
mod gzip;
mod history;
mod moment;
mod owner;
mod pick;
mod stage;
mod unpack;
mod ustar;

use crate::containerfile::recipe::Recipe;
use crate::model::{BuilderKind, Digest, ImageName, RepoPath};
use crate::registry::{Descriptor, Registry, RegistryError, Repository};
use crate::revision::manifest::{Contexts, Manifest};
use crate::tree::TreeError;
use std::collections::BTreeMap;

pub use command::Command;
pub use native::Native;
pub use relabel::relabel;
pub use session::{Cancel, Secret, SecretSource, Session, Ssh};

/// Makes an image of a recipe.
pub trait Builder: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> BuilderKind;

    /// Why it will not make an image of this recipe; `checks`: whether commands are to be run in it
    /// afterwards. Asked before any number is taken, so it needs nothing but the recipe.
    fn refuses(&self, recipe: &Recipe, checks: bool) -> Option<BuildError>;

    /// Runs a command in an image that it built: no error means that it ended with exit code 0.
    ///
    /// # Errors
    /// [`BuildError::Check`] when the command failed; what it said went out as [`Progress::Line`].
    fn check(
        &self,
        job: &Job<'_>,
        image: &Digest,
        command: &[String],
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), BuildError>;

    /// Builds, and pushes by digest; no tag is made. `progress` hears what happens, from any thread.
    ///
    /// # Errors
    /// [`BuildError`]; blobs that were written stay, unreferenced.
    fn build(&self, job: &Job<'_>, progress: &(dyn Fn(Progress) + Sync)) -> Result<Built, BuildError>;
}

/// One image to build.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The image, for messages.
    pub image: &'a ImageName,
    /// Where the image goes, and where bases come from.
    pub registry: &'a dyn Registry,
    /// The repository it is pushed to.
    pub repository: &'a Repository,
    /// What the container file asks for.
    pub recipe: &'a Recipe,
    /// What that reads, as it was hashed for the revision.
    pub manifest: &'a Manifest,
    /// Where the manifest's files are.
    pub contexts: &'a Contexts<'a>,
    /// The image that stands for each image of the project that the recipe names.
    pub bases: &'a BTreeMap<ImageName, Base>,
    /// The time that the image and its history carry: the commit's, in seconds since 1970.
    pub created: i64,
    /// The labels of semantics S4; also the manifest's annotations.
    pub labels: &'a BTreeMap<String, String>,
    /// What the whole run of builds shares: secrets, whether caches serve, whether to stop.
    pub session: &'a Session,
}

/// An image of the project in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its repository.
    pub repository: Repository,
    /// The digest of its manifest (or of an index, out of which the platform is taken).
    pub digest: Digest,
}

/// What a build says while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// An instruction begins.
    Step {
        /// Its line in the container file.
        line: u32,
        /// The instruction as written.
        text: String,
    },
    /// The builder said a line: for the log.
    Line(String),
    /// A layer stands in the registry.
    Layer {
        /// Its digest.
        digest: Digest,
        /// Its compressed size.
        size: u64,
        /// Whether it was there before, or came from a base without being read.
        reused: bool,
    },
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The image's manifest.
    pub descriptor: Descriptor,
    /// How many layers it has.
    pub layers: usize,
}

/// An image could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The native builder cannot do it; one of the others can (exit 5).
    #[error("line {line}: {what} needs a builder")]
    NeedsBuilder {
        /// The line in the container file.
        line: u32,
        /// What: `RUN`, `FROM debian`, …
        what: String,
    },
    /// A builder reads a construct differently from BuildKit, or cannot do what it asks for (exit 5).
    #[error("line {line}: {what}")]
    Refused {
        /// Which builder.
        builder: BuilderKind,
        /// The line in the container file.
        line: u32,
        /// What it does differently, as a sentence.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A builder's program failed (exit 5). What it said went out as [`Progress::Line`].
    #[error("{}{builder} {what}", at(*.line))]
    Program {
        /// Which builder.
        builder: BuilderKind,
        /// The line of the instruction that failed, where the builder told it.
        line: Option<u32>,
        /// How it failed: `failed with exit code 1`, `cannot be started`.
        what: String,
    },
    /// A command that was run in an image failed (exit 5). What it said went out as [`Progress::Line`].
    #[error("check failed")]
    Check,
    /// A RUN needs a secret or an agent that was not given (exit 1).
    #[error("line {line}: {what}")]
    NotGiven {
        /// The line in the container file.
        line: u32,
        /// What, as a sentence.
        what: String,
        /// How it is given.
        hint: String,
    },
    /// The build was told to stop.
    #[error("interrupted")]
    Cancelled,
    /// An instruction cannot be carried out.
    #[error("line {line}: {source}")]
    Instruction {
        /// The line in the container file.
        line: u32,
        /// Why.
        #[source]
        source: StepError,
    },
    /// An image in the registry is not what the format asks for.
    #[error("{repository}: {what}")]
    Image {
        /// The repository.
        repository: Repository,
        /// What is wrong with it.
        what: String,
    },
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A layer could not be written.
    #[error("cannot write a layer to {repository}")]
    Write {
        /// The repository.
        repository: Repository,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

fn at(line: Option<u32>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

/// Why an instruction cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The image's files do not allow it: file over folder, a link loop, …
    #[error(transparent)]
    Files(#[from] rootfs::FilesError),
    /// A flag's value means nothing.
    #[error("--{flag}={value}: {reason}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A source names nothing in the stage or image it is copied from (rule 39).
    #[error("`{0}` not found")]
    NotFound(String),
    /// The manifest has no section for a source: it belongs to another recipe.
    #[error("nothing was selected for source {0} of this instruction")]
    NotSelected(usize),
    /// An archive cannot be unpacked.
    #[error("{path}: {what}")]
    Archive {
        /// The archive.
        path: RepoPath,
        /// What is wrong.
        what: String,
    },
    /// A file is not what was hashed for the revision (SEC-A2).
    #[error("{0} changed while it was being built from")]
    Changed(RepoPath),
    /// A value of the instruction is not allowed.
    #[error("{0}")]
    Value(String),
    /// A source tree failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Content could not be read or kept aside.
    #[error("cannot read {what}")]
    Read {
        /// What.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
