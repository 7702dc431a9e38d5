//! What happens while a command runs, as data.

use crate::model::{BuilderKind, Digest, ImageName, Platform, Version};
use std::path::PathBuf;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The plan is complete and is carried out now.
    Planned {
        /// The ring.
        ring: String,
        /// Images to build.
        build: usize,
        /// Images to relabel.
        relabel: usize,
        /// Images to adopt.
        adopt: usize,
    },
    /// An image is being built.
    Building {
        /// Which.
        image: ImageName,
        /// Under which number.
        version: Version,
        /// By whom.
        builder: BuilderKind,
    },
    /// An instruction of it began.
    Step {
        /// Which image.
        image: ImageName,
        /// Its number.
        version: Version,
        /// For which platform, where there are several.
        platform: Option<Platform>,
        /// Line of the container file.
        line: u32,
        /// The instruction.
        text: String,
        /// Which of the image's instructions it is, from 1, and how many there are; 0 where that is not known.
        place: (usize, usize),
    },
    /// Its builder said a line.
    Said {
        /// Which image.
        image: ImageName,
        /// The line, without secrets.
        line: String,
    },
    /// A check of the image just built began.
    Checking {
        /// Which image.
        image: ImageName,
        /// Its number.
        version: Version,
        /// The command.
        command: String,
    },
    /// An image is built and tagged.
    Built {
        /// Which.
        image: ImageName,
        /// Its number.
        version: Version,
        /// Its manifest.
        digest: Digest,
    },
    /// The root was emitted anew over the same layers.
    Relabelled {
        /// Which.
        image: ImageName,
        /// Its number.
        version: Version,
        /// Its manifest.
        digest: Digest,
    },
    /// A version that is there was taken.
    Adopted {
        /// Which image.
        image: ImageName,
        /// Its number.
        version: Version,
        /// Its manifest.
        digest: Digest,
    },
    /// An image could not be built; what depends on it is left out.
    Failed {
        /// Which.
        image: ImageName,
        /// Its number.
        version: Version,
        /// Why.
        message: String,
        /// The last lines that its builder said.
        last: Vec<String>,
        /// Where all of them are written.
        log: Option<PathBuf>,
    },
    /// An image is left out, for one that it stands on could not be built.
    Skipped {
        /// Which.
        image: ImageName,
        /// Its number.
        version: Version,
        /// What it stands on.
        base: ImageName,
    },
    /// An entry was appended.
    Committed {
        /// What it did, in words.
        what: String,
        /// Its number.
        seq: u64,
    },
    /// Something to know that stops nothing.
    Note {
        /// One sentence.
        message: String,
    },
}

/// Hears events, from any thread.
pub trait Reporter: Send + Sync {
    /// Takes one event.
    fn report(&self, event: Event);
}
