//! Which numbers an image ever had, so that none is given twice (B5).

use crate::model::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The numbers an image ever had, as the highest patch of each `major.minor` series: within a
/// series every lower patch counts as used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, u64>", into = "BTreeMap<String, u64>")]
pub struct Numbers(BTreeMap<(u64, u64), u64>);

impl Numbers {
    /// Marks a number as used for ever.
    pub fn mark(&mut self, version: &Version) {
        let patch = self.0.entry(version.series()).or_insert(version.patch());
        *patch = (*patch).max(version.patch());
    }

    /// The highest number the image ever had.
    pub fn highest(&self) -> Option<Version> {
        self.0
            .last_key_value()
            .map(|((major, minor), patch)| Version::new(*major, *minor, *patch))
    }

    /// `wanted`, or the next free patch after it.
    pub fn free(&self, wanted: Version) -> Version {
        match self.0.get(&wanted.series()) {
            Some(patch) if *patch >= wanted.patch() => {
                Version::new(wanted.major(), wanted.minor(), patch + 1)
            }
            _ => wanted,
        }
    }
}

impl TryFrom<BTreeMap<String, u64>> for Numbers {
    type Error = String;
    fn try_from(map: BTreeMap<String, u64>) -> Result<Self, String> {
        let series = |text: &str| -> Option<(u64, u64)> {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        map.iter()
            .map(|(key, patch)| Ok((series(key).ok_or(format!("`{key}` is not MAJOR.MINOR"))?, *patch)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl From<Numbers> for BTreeMap<String, u64> {
    fn from(numbers: Numbers) -> Self {
        numbers
            .0
            .iter()
            .map(|((major, minor), patch)| (format!("{major}.{minor}"), *patch))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_number_gives_way_to_the_next_free_patch() {
        let mut numbers = Numbers::default();
        for patch in [0, 3] {
            numbers.mark(&Version::new(1, 2, patch));
        }
        assert_eq!(numbers.free(Version::new(1, 2, 1)), Version::new(1, 2, 4));
        assert_eq!(numbers.free(Version::new(1, 2, 7)), Version::new(1, 2, 7));
        assert_eq!(numbers.free(Version::new(1, 3, 0)), Version::new(1, 3, 0));
        assert_eq!(numbers.highest(), Some(Version::new(1, 2, 3)));
    }
}
