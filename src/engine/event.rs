//! What happens while a command runs, as data.

use crate::model::{Digest, ImageName, Version};

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
    },
    /// An instruction of it began.
    Step {
        /// Which image.
        image: ImageName,
        /// Its number.
        version: Version,
        /// Line of the container file.
        line: u32,
        /// The instruction.
        text: String,
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
