//! What an image is called, as people write it.

use crate::config::project::split;
use crate::model::Reference;
use std::fmt;

/// A name without the registry that stands for none, with its tag; `latest` is no tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Called {
    /// `acme/web`, `alpine`, `ghcr.io/acme/web`.
    pub name: String,
    /// The tag; empty for `latest`, and [`OPEN`] where nobody knows it.
    pub tag: String,
    /// The digest.
    pub digest: Option<String>,
}

/// What stands for a tag that holds a variable without a value.
pub const OPEN: &str = "$";

impl Called {
    /// Whether no tag but `latest` is asked for.
    pub fn is_latest(&self) -> bool {
        self.tag.is_empty()
    }

    /// Whether its tag is not known.
    pub fn is_open(&self) -> bool {
        self.tag == OPEN
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.tag.is_empty() {
            write!(f, ":{}", self.tag)?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// What `text` calls an image; none when it is no reference, or `scratch`.
pub fn called(text: &str) -> Option<Called> {
    let (name, tag, _) = split(text);
    let open = tag.is_some_and(|tag| tag.contains('$'));
    let reference: Reference = if open { name } else { text }.parse().ok()?;
    let name = reference.name();
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = match name.strip_prefix("library/") {
        Some(official) if !official.contains('/') => official,
        _ => name,
    };
    let tag = match reference.tag() {
        _ if open => OPEN,
        Some("latest") | None => "",
        Some(tag) => tag,
    };
    (name != "scratch").then(|| Called {
        name: name.into(),
        tag: tag.into(),
        digest: reference.digest().map(Into::into),
    })
}

/// A tag of a build file with its variables replaced; where only the version has no value, [`OPEN`] stands for it.
pub fn tag(text: &str, expand: &dyn Fn(&str) -> Result<String, String>) -> Option<String> {
    expand(text).ok().or_else(|| {
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        let colon = last + text[last..].find(':')?;
        Some(format!("{}:{OPEN}", expand(&text[..colon]).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_image_is_called_one_thing() {
        let said = |text: &str| called(text).map(|called| called.to_string());
        for (text, want) in [
            ("docker.io/acme/web:1", Some("acme/web:1")),
            ("index.docker.io/acme/web", Some("acme/web")),
            ("docker.io/library/alpine:latest", Some("alpine")),
            ("acme/web:${TAG}", Some("acme/web:$")),
            ("localhost:5000/web", Some("localhost:5000/web")),
            ("scratch", None),
            ("$BASE", None),
            ("A B", None),
        ] {
            assert_eq!(said(text).as_deref(), want, "{text}");
        }
    }
}
