//! The builders there are, by the names that a user gives them.

use std::fmt;
use std::str::FromStr;

/// A builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuilderKind {
    /// In this process: images without RUN, on nothing from outside the project.
    Native,
    /// BuildKit by `docker buildx`.
    Buildx,
    /// `docker build`, in the mode that the client and the daemon have.
    Docker,
    /// `buildah build`.
    Buildah,
    /// `podman build`.
    Podman,
    /// BuildKit by `buildctl`.
    Buildctl,
}

impl BuilderKind {
    /// All of them, in the order in which one is looked for.
    pub const ALL: [Self; 6] = [
        Self::Native,
        Self::Buildx,
        Self::Docker,
        Self::Buildah,
        Self::Podman,
        Self::Buildctl,
    ];

    /// Whether it is a BuildKit that keeps layers in a registry when it is told to.
    pub const fn keeps_layers(self) -> bool {
        matches!(self, Self::Buildx | Self::Buildctl)
    }

    /// The name in rings.yaml and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Buildx => "buildx",
            Self::Docker => "docker",
            Self::Buildah => "buildah",
            Self::Podman => "podman",
            Self::Buildctl => "buildctl",
        }
    }
}

impl fmt::Display for BuilderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no builder has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no builder; there are native, buildx, docker, buildah, podman, buildctl")]
pub struct UnknownBuilder(String);

impl FromStr for BuilderKind {
    type Err = UnknownBuilder;

    fn from_str(name: &str) -> Result<Self, UnknownBuilder> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownBuilder(name.into()))
    }
}
