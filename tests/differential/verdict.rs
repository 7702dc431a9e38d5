//! What comes of two worlds: does the image differ, does the revision?

use super::canonical::Image;
use super::judge::Judge;
use super::ours::{self, Answer};
use super::world::World;
use ringshift::revision::{Change, Difference, diff};
use std::collections::BTreeSet;

/// What BuildKit and ringshift make of one world.
pub struct Seen {
    pub image: Result<Image, String>,
    pub answer: Result<Answer, String>,
}

impl Seen {
    pub fn of(judge: &Judge, world: &World) -> Self {
        Self {
            image: judge.build(world),
            answer: ours::answer(world),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    BothChanged,
    BothSame,
    /// The image is the same, the revision is not: the kinds of the records that moved.
    Needless(BTreeSet<String>),
    /// The image changed, the revision did not: what changed in the image.
    FalseNegative(Vec<String>),
    /// One of them builds and the other does not, with one revision.
    Unseen(String),
    /// The revision moves, and nothing is said to have moved it.
    Unexplained,
    /// One of them has no image or no revision.
    Refused,
}

/// Errors that only a build tells, whatever the revision; there is no image then, and so no stale one.
const TOLD_BY_BUILD: [&str; 3] = [
    // A flag that nothing reaches: newer builders may know it.
    "unknown flag",
    // A wildcard in a folder of which nothing else is read: it is not sent if nothing matches, and is missed.
    "lstat /",
    // Under `--parents` and `--exclude`, a link at the root of the context must lead somewhere, though it stays a link.
    "failed to calculate checksum",
];

impl Verdict {
    /// What must be mended.
    pub fn is_wrong(&self) -> bool {
        match self {
            Self::FalseNegative(_) | Self::Unexplained => true,
            Self::Unseen(error) => !TOLD_BY_BUILD.iter().any(|known| error.contains(known)),
            _ => false,
        }
    }

    pub fn is_needless(&self) -> bool {
        matches!(self, Self::Needless(_))
    }

    /// What says nothing moved the revision. The text of a RUN enters with its blanks (rules 9 and 10), and the container
    /// file is a file like others for whoever reads the whole context; what is not understood enters as written.
    pub fn is_needless_noise(&self, kind: &str) -> bool {
        let accepted = ["24", "run", "file", "unresolved", "whole"];
        match self {
            Self::Needless(kinds) => {
                kind.starts_with("noise") && !kinds.iter().all(|kind| accepted.contains(&kind.as_str()))
            }
            _ => false,
        }
    }
}

pub fn verdict(before: &Seen, after: &Seen) -> Verdict {
    let (Ok(a), Ok(b)) = (&before.answer, &after.answer) else {
        return Verdict::Refused;
    };
    let same = a.revision == b.revision;
    match (&before.image, &after.image) {
        _ if !same && diff(&a.records, &b.records).is_empty() => Verdict::Unexplained,
        (Ok(x), Ok(y)) if x == y && same => Verdict::BothSame,
        (Ok(x), Ok(y)) if x == y => Verdict::Needless(moved(a, b)),
        (Ok(x), Ok(y)) if same => Verdict::FalseNegative(Image::differences(x, y)),
        (Ok(_), Ok(_)) => Verdict::BothChanged,
        (Ok(_), Err(e)) | (Err(e), Ok(_)) if same => Verdict::Unseen(e.clone()),
        _ => Verdict::Refused,
    }
}

/// The kinds of the records that differ; `24` for those of stages aside.
fn moved(a: &Answer, b: &Answer) -> BTreeSet<String> {
    let kind = |change: Change| {
        let holder = match change.how() {
            Difference::Removed => a,
            _ => b,
        };
        match change.file {
            _ if change.line().is_some_and(|line| holder.is_aside(line)) => "24".to_owned(),
            true => "file".to_owned(),
            false => change.what,
        }
    };
    diff(&a.records, &b.records).into_iter().map(kind).collect()
}
