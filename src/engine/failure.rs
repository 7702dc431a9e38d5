//! Why a use-case ended early, by who can act on it.

use super::publish::Unpublished;
use crate::builder::BuildError;
use crate::git::GitError;
use crate::model::problem::Problems;
use crate::model::{ImageName, Version};
use crate::plan::{CommitsError, Refusal};
use crate::registry::RegistryError;
use crate::state::journal::JournalError;
use std::path::PathBuf;

/// A use-case could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule or a wrong request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Files of the project are wrong (exit 1).
    #[error("{} wrong in the project", count(.0.as_slice().len()))]
    Project(Problems),
    /// The request is wrong (exit 1).
    #[error("{message}")]
    Request {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Another writer was faster, and the basis moved (exit 4).
    #[error("the rings moved since the plan was made; nothing was changed")]
    Conflict,
    /// A version tag holds other content than the number was taken for (exit 4).
    #[error("{image}:{version} is in the store already, with other content")]
    Taken {
        /// The image.
        image: ImageName,
        /// The number.
        version: Version,
    },
    /// The journal (exit 5, or 7 where it is broken or of a newer format).
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The registry (exit 5).
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Images outside the project could not be looked up (exit 5, or 1 where there are no such images).
    #[error("{} could not be looked up", images(.0.len()))]
    Outside(Vec<(String, RegistryError)>),
    /// The entry stands, and its release could not be copied to where `publish:` wants it (exit 5).
    #[error("{}", unpublished(.0))]
    Unpublished(#[source] Box<Unpublished>),
    /// Git (exit 1 or 5).
    #[error(transparent)]
    Git(#[from] GitError),
    /// The clone cannot answer (exit 8).
    #[error(transparent)]
    Commits(#[from] CommitsError),
    /// Images could not be built (exit 5, or 1 where the container file is at fault).
    #[error("{}", not_built(.0))]
    Build(Vec<Unbuilt>),
    /// Interrupted (exit 130).
    #[error("interrupted; the next run goes on from here")]
    Interrupted,
    /// A source could not be read (exit 1).
    #[error(transparent)]
    Tree(#[from] crate::tree::TreeError),
    /// A file outside the store could not be written or read (exit 5).
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A bug of ours (exit 70).
    #[error("{0}")]
    Bug(String),
}

/// An image that was not built.
#[derive(Debug)]
pub struct Unbuilt {
    /// Which.
    pub image: ImageName,
    /// Its container file, relative to the repository.
    pub file: String,
    /// Why.
    pub error: BuildError,
    /// What to do, where the error does not say it.
    pub hint: Option<String>,
    /// The check of rings.yaml that failed, when the image itself was built.
    pub check: Option<String>,
    /// Where all that its builder said is written.
    pub log: Option<PathBuf>,
}

/// A check that did not succeed: the command, and the error where it is not the command's own.
pub fn of_check(command: &str, error: &BuildError) -> String {
    match error {
        BuildError::Check => format!("check failed: `{command}`"),
        other => format!("check failed: `{command}`: {other}"),
    }
}

fn count(problems: usize) -> String {
    match problems {
        1 => "one thing is".into(),
        n => format!("{n} things are"),
    }
}

fn images(number: usize) -> String {
    match number {
        1 => "an outside image".into(),
        n => format!("{n} outside images"),
    }
}

fn unpublished(copy: &Unpublished) -> String {
    let Unpublished {
        ring,
        version,
        target,
        done,
        all,
        ..
    } = copy;
    let far = match all {
        0 => "nothing was copied".into(),
        all => format!("{done} of its {all} images are there"),
    };
    format!("{ring} holds {version}, and {target} has no whole copy of it: {far}")
}

fn not_built(unbuilt: &[Unbuilt]) -> String {
    let names: Vec<&str> = unbuilt.iter().map(|u| u.image.as_str()).collect();
    format!("{} could not be built", names.join(", "))
}

impl Failure {
    /// A wrong request.
    pub fn request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Request {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}
