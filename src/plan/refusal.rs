//! What is not allowed, each as data that a person can act on.

use super::commits::{CommitsError, LostCommit};
use crate::model::{ImageName, RingName, Version, near};
use crate::state::{Freeze, journal::JournalError};

/// The fixes of one image that would be lost (M7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Which image.
    pub image: ImageName,
    /// Its version in the ring.
    pub version: Version,
    /// The commits.
    pub commits: Vec<LostCommit>,
}

/// A request that a rule refuses. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request makes no sense as it stands (exit 1).
    #[error("{message}")]
    Request {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The command line lacks something (exit 2).
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Nothing to take back (exit 6).
    #[error("{message}")]
    NothingToUnshift {
        /// What was looked for.
        message: String,
        /// The history that there is, the newest first.
        history: Vec<Version>,
        /// What to do.
        hint: Option<String>,
    },
    /// Fixes would be lost (M7, exit 8).
    #[error("{ring} has {} that {incoming} lacks", plural(losses))]
    LostFixes {
        /// The ring.
        ring: String,
        /// The version of the root that the ring holds.
        held: Version,
        /// What would replace it, in words.
        incoming: String,
        /// What would be lost.
        losses: Vec<Loss>,
    },
    /// The content is frozen (M6, exit 8).
    #[error("{}", frozen(ring, what, named))]
    Frozen {
        /// The ring.
        ring: String,
        /// What was to be released.
        what: String,
        /// What is frozen, as a person names it.
        named: String,
        /// The freeze that holds.
        freeze: Box<Freeze>,
    },
    /// Another rule (exit 8).
    #[error("{message}")]
    Rule {
        /// What is refused.
        message: String,
        /// One line a detail.
        details: Vec<String>,
        /// What to do.
        hint: Option<String>,
    },
    /// Records leave a rule open, and the commits that decide it are not here (S5, exit 8).
    #[error("cannot tell whether {question}")]
    NeedsCommits {
        /// What is to be decided.
        question: String,
        /// What is missing.
        #[source]
        source: CommitsError,
    },
    /// A record could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn frozen(ring: &str, what: &str, named: &str) -> String {
    match what == named {
        true => format!("{what} is frozen for {ring}"),
        false => format!("{what} is refused by {ring}: {named} is frozen"),
    }
}

fn plural(losses: &[Loss]) -> &'static str {
    match losses.iter().map(|loss| loss.commits.len()).sum::<usize>() {
        1 => "a fix",
        _ => "fixes",
    }
}

impl Refusal {
    /// A wrong request.
    pub fn request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Request {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// A ring that is not in the chain.
    pub fn no_such_ring(name: &RingName, chain: &[RingName]) -> Self {
        let names = chain.iter().map(RingName::as_str);
        Self::request(
            format!("there is no ring `{name}`"),
            near::hint(name.as_str(), "rings", names),
        )
    }

    /// An image that the project does not have.
    pub fn no_such_image<'n>(name: &ImageName, all: impl Iterator<Item = &'n ImageName> + Clone) -> Self {
        Self::request(
            format!("there is no image `{name}`"),
            near::hint(name.as_str(), "images", all.map(ImageName::as_str)),
        )
    }
}
