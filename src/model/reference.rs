//! References to images outside the project, in their normal form.
//!
//! `oci-distribution` parses; this module adds the rules by which BuildKit names an image
//! (containerfile rule 18): `docker.io/library/` and `:latest` are filled in.

use std::fmt;
use std::str::FromStr;

/// The text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an image reference")]
pub struct ReferenceError(pub String);

/// A normalised reference: `registry/repository`, a tag unless a digest stands alone, a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// `registry/repository` without tag and digest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag, when written or implied.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, when written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let bad = || ReferenceError(text.into());
        let parsed: oci_distribution::Reference = text.parse().map_err(|_| bad())?;
        Ok(Self {
            name: format!("{}/{}", parsed.registry(), parsed.repository()),
            tag: parsed.tag().map(Into::into),
            digest: parsed.digest().map(Into::into),
        })
    }
}
