//! The project as rings.yaml describes it: parsed once, then trusted.
//!
//! All paths are relative to the repository, however rings.yaml wrote them. What a key means
//! stands with its field; keys whose feature is not there yet are kept as they were written.

use crate::model::reference::normal_name;
use crate::model::{
    BuilderKind, EnvironmentName, ImageName, Platform, Problem, ProjectName, Reference, RepoPath, RingName,
    SiteName, Source, Span, Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// A rings.yaml without problems (semantics 1).
#[derive(Debug, Clone)]
pub struct Project {
    /// `project`: images are `<registry>/<project>/<image>`.
    pub name: ProjectName,
    /// `registry`; without one, a folder in git's common directory.
    pub registry: Option<RegistryAddress>,
    /// `vendor`: the label of every image (S4).
    pub vendor: Option<String>,
    /// `platforms`: what every image is built for, at least one; never the machine's own.
    pub platforms: Vec<Platform>,
    /// `rings`, from the first to the last, without `ante` and `post` (S1). At least one.
    pub rings: Vec<Ring>,
    /// `images` by name. At least one.
    pub images: BTreeMap<ImageName, Image>,
    /// The names of `images` as the file orders them.
    pub order: Vec<ImageName>,
    /// The images by the normal forms of their `aliases`.
    pub aliases: BTreeMap<String, ImageName>,
    /// The image with `root: true` (S3).
    pub root: ImageName,
    /// `environments`: the folder whose subfolders are the environments.
    pub environments: Environments,
    /// `sites`, in the order of the file.
    pub sites: Vec<Site>,
    /// `initial`: the first number of an image (B4.1).
    pub initial: Version,
    /// `versioning`: how a minor is chosen (B4).
    pub versioning: Versioning,
    /// `allow`: what a build may do beyond the rules (SEC-A8).
    pub allow: BTreeSet<Allowance>,
    /// `silence`: codes of warnings that are not told, for every image.
    pub silence: BTreeSet<String>,
    /// `builder`: who builds, where no flag says it.
    pub builder: Option<Builder>,
    /// The file it was read from, for messages.
    pub source: Source,
}

/// Where images are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryAddress {
    /// A registry: `host[:port]`.
    Remote {
        /// The host with its port.
        host: String,
        /// Whether it is spoken to without TLS (`http://`).
        plain: bool,
    },
    /// A folder of OCI layouts (`oci:PATH`), as written: absolute, or relative to rings.yaml.
    Folder(String),
}

/// A ring (S1).
#[derive(Debug, Clone)]
pub struct Ring {
    /// Its name.
    pub name: RingName,
    /// `renamed_from`: what the ring was called before (M11).
    pub renamed_from: Option<RingName>,
    /// `publish`: registries that what the ring holds is copied to, as written.
    pub publish: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// An image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name.
    pub name: ImageName,
    /// Whether it is the root (S3).
    pub root: bool,
    /// `context`: the build context.
    pub context: RepoPath,
    /// `file`: the container file; without it, [`super::default_file`] finds it in the context.
    pub file: Option<RepoPath>,
    /// `target`: the stage that becomes the image; the last one by default.
    pub target: Option<String>,
    /// `args`: build arguments; public (SEC-C1).
    pub args: BTreeMap<String, String>,
    /// `contexts`: the named contexts.
    pub contexts: BTreeMap<String, NamedContext>,
    /// `aliases`: further names by which container files refer to it.
    pub aliases: Vec<String>,
    /// `epoch`: a text that is part of the revision.
    pub epoch: Option<String>,
    /// `silence`: codes of warnings that are not told for this image.
    pub silence: BTreeSet<String>,
    /// `checks`: the commands that must succeed in the image before its version counts.
    pub checks: Vec<Vec<String>>,
    /// Where its name stands.
    pub span: Span,
    /// Where its context stands.
    pub context_span: Span,
    /// Where its container file stands.
    pub file_span: Option<Span>,
}

/// A named context (rule 78).
#[derive(Debug, Clone)]
pub struct NamedContext {
    /// What it is.
    pub what: ContextSource,
    /// Where it stands.
    pub span: Span,
}

/// What a named context is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextSource {
    /// A folder.
    Folder {
        /// Which.
        path: RepoPath,
        /// `generated: true`: git ignores it, it is read and hashed from disk (B8).
        generated: bool,
    },
    /// An image of this project.
    Image(ImageName),
    /// `docker-image://REF`.
    External(Reference),
}

/// The folder of the environments.
#[derive(Debug, Clone)]
pub struct Environments {
    /// Which; `environments` beside rings.yaml by default.
    pub folder: RepoPath,
    /// Where the file says so; the default may be missing, a written one may not.
    pub span: Option<Span>,
}

/// A site: an environment that gets what a ring holds (D1).
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: SiteName,
    /// Which kustomization.
    pub environment: EnvironmentName,
    /// Which ring's release.
    pub ring: RingName,
    /// `kube`: where its cluster is.
    pub kube: Kube,
    /// `actions`: whether the root image's actions run (D3).
    pub actions: bool,
    /// `apply`: who applies the manifests (D3).
    pub apply: Apply,
    /// `wave`: lower ones first; kept, nothing orders by it yet.
    pub wave: u32,
    /// `engine`: the container engine of `run SITE`; kept as written.
    pub engine: Option<String>,
    /// Where its name stands.
    pub span: Span,
    /// Where its environment stands.
    pub environment_span: Span,
}

/// A place in a Kubernetes configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kube {
    /// The context of the kubeconfig; the current one by default.
    pub context: Option<String>,
    /// The namespace; the context's by default.
    pub namespace: Option<String>,
}

/// Who applies a site's manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Apply {
    /// ringshift does.
    #[default]
    Ringshift,
    /// `root`: the root image's Job is all that is called (D3).
    Root,
}

/// How a minor version is chosen (B4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// `guarded`: free of collisions.
    #[default]
    Guarded,
    /// `literal`: the next ring alone is looked at.
    Literal,
}

/// Something that a build may only do when rings.yaml names it (SEC-A8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowance {
    /// `network=host`.
    NetworkHost,
    /// `security=insecure`.
    SecurityInsecure,
    /// `helm`: the helm on PATH inflates charts of environments.
    Helm,
}

/// Who builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// Which.
    pub kind: BuilderKind,
    /// Further arguments for it: what stands after its `build`.
    pub args: Vec<String>,
    /// Further arguments for the engine behind it: what stands before its `build`.
    pub engine: Vec<String>,
    /// The repository where BuildKit keeps layers for other machines.
    pub cache: Option<String>,
}

/// How a container file names an image of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Which.
    pub image: ImageName,
    /// The tag that was written: ignored with a note, since ringshift decides the version.
    pub tag: Option<String>,
    /// The digest that was written: an error.
    pub digest: Option<String>,
}

impl Project {
    /// The image that the reference `text` of a container file means, when it is one of the project:
    /// `<project>/<image>`, `<registry>/<project>/<image>` or an alias, whatever tag or digest it bears.
    /// `docker.io/` stands for no registry, as everywhere.
    pub fn own(&self, text: &str) -> Option<Own> {
        let (name, tag, digest) = split(text);
        let image = self.by_path(name).or_else(|| self.by_alias(name))?;
        Some(Own {
            image: image.clone(),
            tag: tag.map(Into::into),
            digest: digest.map(Into::into),
        })
    }

    /// The root image.
    pub fn root_image(&self) -> Option<&Image> {
        self.images.get(&self.root)
    }

    /// A problem in rings.yaml itself.
    pub fn problem(&self, span: Span, code: &'static str, message: impl Into<String>) -> Problem {
        self.source.problem(span, code, message)
    }

    fn by_path(&self, name: &str) -> Option<&ImageName> {
        let local = match &self.registry {
            Some(RegistryAddress::Remote { host, .. }) => below(name, host),
            _ => None,
        };
        let local = local.or_else(|| below(name, "docker.io")).unwrap_or(name);
        let image = below(local, self.name.as_str())?;
        let image = ImageName::new(image).ok()?;
        self.images.get_key_value(&image).map(|(name, _)| name)
    }

    fn by_alias(&self, name: &str) -> Option<&ImageName> {
        match self.aliases.is_empty() {
            true => None,
            false => self.aliases.get(&normal_name(name)),
        }
    }
}

/// What of `name` stands below `prefix`.
fn below<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    name.strip_prefix(prefix)?.strip_prefix('/')
}

/// A reference's name, tag and digest, as written.
pub fn split(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let (text, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (text, None, digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split_at_tag_and_digest() {
        assert_eq!(split("a/b:1"), ("a/b", Some("1"), None));
        assert_eq!(split("localhost:5000/a"), ("localhost:5000/a", None, None));
        assert_eq!(
            split("localhost:5000/a:2@sha256:0"),
            ("localhost:5000/a", Some("2"), Some("sha256:0"))
        );
    }
}
