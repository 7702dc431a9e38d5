//! Semantic versions as ringshift hands them out: three numbers, no pre-release, no build metadata.

use std::fmt;
use std::str::FromStr;

/// The text is not `MAJOR.MINOR.PATCH`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version (MAJOR.MINOR.PATCH)")]
pub struct VersionError(pub String);

/// A version of an image; a number names one content for ever (B5).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

impl Version {
    /// The version `major.minor.patch`.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.0.major
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.0.patch
    }

    /// Major and minor, the series that patches run in.
    pub fn series(&self) -> (u64, u64) {
        (self.0.major, self.0.minor)
    }

    /// `major.minor.(patch+1)`.
    pub fn next_patch(&self) -> Self {
        Self::new(self.0.major, self.0.minor, self.0.patch + 1)
    }

    /// `major.(minor+1).0`.
    pub fn next_minor(&self) -> Self {
        Self::new(self.0.major, self.0.minor + 1, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let version = semver::Version::parse(text).ok();
        version
            .filter(|v| v.pre.is_empty() && v.build.is_empty())
            .map(Self)
            .ok_or_else(|| VersionError(text.into()))
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}
