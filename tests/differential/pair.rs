//! Two worlds that differ in one thing, as they are kept in `fixtures/differential`.

use super::judge::Judge;
use super::ours;
use super::verdict::{Seen, Verdict, verdict};
use super::world::World;
use serde::{Deserialize, Serialize};

/// What BuildKit made of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measured {
    /// Two images.
    Changes,
    /// One image twice.
    Stays,
    /// The world before builds, the other does not.
    Fails,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Pair {
    /// What it shows.
    pub about: String,
    pub image: Measured,
    /// Why the revision moves though the image stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needless: Option<String>,
    pub before: World,
    pub after: World,
}

impl Pair {
    pub fn new(about: String, seen: (&Seen, &Seen), before: World, after: World) -> Self {
        let needless = matches!(verdict(seen.0, seen.1), Verdict::Needless(_));
        Self {
            about,
            image: measured(seen.0, seen.1),
            needless: needless.then(|| "?".to_owned()),
            before,
            after,
        }
    }

    /// What is wrong with ringshift's answers, or with what was measured.
    pub fn faults(&self, judge: Option<&Judge>) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(judge) = judge {
            let (before, after) = (Seen::of(judge, &self.before), Seen::of(judge, &self.after));
            let now = measured(&before, &after);
            if now != self.image {
                faults.push(format!("BuildKit: {now:?}, not {:?}", self.image));
            }
        }
        let revision = |world| ours::answer(world).map(|answer| answer.revision);
        match (revision(&self.before), revision(&self.after)) {
            (Ok(a), Ok(b)) => {
                let wanted = self.image != Measured::Stays || self.needless.is_some();
                if wanted != (a != b) {
                    faults.push(format!("the revision moves: {}", a != b));
                }
            }
            (Ok(_), Err(_)) if self.image == Measured::Fails => {}
            (a, b) => faults.push(format!("refused: {:?} {:?}", a.err(), b.err())),
        }
        faults
    }
}

fn measured(before: &Seen, after: &Seen) -> Measured {
    match (&before.image, &after.image) {
        (Ok(a), Ok(b)) if a == b => Measured::Stays,
        (Ok(_), Ok(_)) => Measured::Changes,
        _ => Measured::Fails,
    }
}
