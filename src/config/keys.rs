//! The keys that rings.yaml may have; the schema is held against these.

/// At the top.
pub const PROJECT: &[&str] = &[
    "project",
    "registry",
    "vendor",
    "platforms",
    "rings",
    "images",
    "environments",
    "sites",
    "initial",
    "versioning",
    "allow",
    "silence",
    "builder",
];
/// Of a ring in its long form.
pub const RING: &[&str] = &["name", "renamed_from", "publish"];
/// Of an image in its long form.
pub const IMAGE: &[&str] = &[
    "context", "file", "target", "args", "contexts", "aliases", "root", "epoch", "silence", "checks",
];
/// Of a check.
pub const CHECK: &[&str] = &["run"];
/// Of a named context in its long form.
pub const CONTEXT: &[&str] = &["image", "path", "generated"];
/// Of a site.
pub const SITE: &[&str] = &[
    "environment",
    "ring",
    "kube",
    "actions",
    "apply",
    "wave",
    "engine",
];
/// Of `kube`.
pub const KUBE: &[&str] = &["context", "namespace"];
/// Of a builder in its long form.
pub const BUILDER: &[&str] = &["name", "args", "engine", "cache"];
