//! What comes of two worlds: does the image differ, does the revision?

use super::canonical::Image;
use super::judge::Judge;
use super::ours::{self, Answer};
use super::world::World;
use ringshift::revision::diff;
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
    /// One of them has no image or no revision.
    Refused,
}

pub fn verdict(before: &Seen, after: &Seen) -> Verdict {
    let (Ok(a), Ok(b)) = (&before.answer, &after.answer) else {
        return Verdict::Refused;
    };
    let same = a.revision == b.revision;
    match (&before.image, &after.image) {
        (Ok(x), Ok(y)) if x == y && same => Verdict::BothSame,
        (Ok(x), Ok(y)) if x == y => Verdict::Needless(moved(a, b)),
        (Ok(x), Ok(y)) if same => Verdict::FalseNegative(Image::differences(x, y)),
        (Ok(_), Ok(_)) => Verdict::BothChanged,
        (Ok(_), Err(e)) | (Err(e), Ok(_)) if same => Verdict::Unseen(e.clone()),
        _ => Verdict::Refused,
    }
}

/// The kinds of the records that differ.
fn moved(a: &Answer, b: &Answer) -> BTreeSet<String> {
    let changes = diff(&a.records, &b.records);
    let kinds = changes.into_iter().map(|change| match change.file {
        true => "file".into(),
        false => change.what,
    });
    kinds.collect()
}
