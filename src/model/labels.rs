//! The label keys that ringshift writes (semantics S4).

/// The version of the image.
pub const VERSION: &str = "org.opencontainers.image.version";
/// The revision: 64 hex digits.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// `<project>/<image>`.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The configured vendor, if any.
pub const VENDOR: &str = "org.opencontainers.image.vendor";
/// Prefix of the version of a dependency: `dependency.<image>`.
pub const DEPENDENCY: &str = "dependency.";
/// Prefix of ringshift's own labels.
pub const OWN: &str = "dev.ringshift.";
/// The commit that was built.
pub const COMMIT: &str = "dev.ringshift.commit";
/// The version that this build replaced in its ring.
pub const REPLACES: &str = "dev.ringshift.replaces";
/// The format of ringshift's labels.
pub const FORMAT: &str = "dev.ringshift.format";
/// Present when built from changed files of a working copy.
pub const DIRTY: &str = "dev.ringshift.dirty";
/// Present when a partial shift mixed releases.
pub const MIXED: &str = "dev.ringshift.mixed";
/// Present when a skewed base was allowed.
pub const SKEW: &str = "dev.ringshift.skew";

/// Whether `key` belongs to a family that ringshift writes, and is therefore removed from what a
/// base image hands down and refused in a container file (`vendor` apart).
pub fn is_reserved(key: &str) -> bool {
    matches!(key, VERSION | REVISION | REF_NAME) || key.starts_with(DEPENDENCY) || key.starts_with(OWN)
}
