//! What a request is about: the word, the repository, and what of it.

use crate::model::Digest;
use sha2::{Digest as _, Sha256};

/// The name that a path holds: `/v2/<word>/<rest>/<object>`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    word: &'a str,
    /// The repository behind the word.
    pub(super) rest: &'a str,
    /// What of it.
    pub(super) object: Object<'a>,
}

/// What of a repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Object<'a> {
    /// A manifest, by digest.
    Manifest(Digest),
    /// A manifest, by tag.
    Tag(&'a str),
    /// A blob.
    Blob(Digest),
    /// Uploads, to begin one.
    Uploads,
    /// An upload that has begun.
    Upload(u64),
}

impl<'a> Name<'a> {
    /// Reads a path; what is not exactly of the form is none.
    pub(super) fn read(path: &'a str) -> Option<Self> {
        let (word, path) = path.strip_prefix("/v2/")?.split_once('/')?;
        let (rest, object) = if let Some((rest, id)) = path.rsplit_once("/blobs/uploads/") {
            let object = match id {
                "" => Object::Uploads,
                id => Object::Upload(id.parse().ok()?),
            };
            (rest, object)
        } else if let Some(rest) = path.strip_suffix("/blobs/uploads") {
            (rest, Object::Uploads)
        } else if let Some((rest, digest)) = path.rsplit_once("/blobs/") {
            (rest, Object::Blob(digest.parse().ok()?))
        } else {
            let (rest, reference) = path.rsplit_once("/manifests/")?;
            let object = match reference.contains(':') {
                true => Object::Manifest(reference.parse().ok()?),
                false => Object::Tag(tag(reference)?),
            };
            (rest, object)
        };
        let part = |part: &str| !part.is_empty() && part.bytes().all(is_name_byte);
        (rest.split('/').all(part) && part(word)).then_some(Self { word, rest, object })
    }

    /// Whether the word is this one; how long it takes to know tells nothing.
    pub(super) fn word_is(&self, word: &str) -> bool {
        Sha256::digest(self.word) == Sha256::digest(word)
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
}

fn tag(text: &str) -> Option<&str> {
    super::super::check_tag(text).is_ok().then_some(text)
}

/// The value of a parameter of a query, `%3A` and `%2F` read.
pub(super) fn parameter(query: Option<&str>, key: &str) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == key)?;
    let value = value.replace("%3A", ":").replace("%3a", ":");
    Some(value.replace("%2F", "/").replace("%2f", "/"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_all_else_is_refused() {
        let digest = Digest::of(b"x");
        let path = format!("/v2/w/acme/shop/api/blobs/{digest}");
        let name = Name::read(&path).unwrap();
        assert!(name.word_is("w") && !name.word_is("v"));
        assert_eq!((name.rest, name.object), ("acme/shop/api", Object::Blob(digest)));
        let object = |path: &'static str| Name::read(path).map(|name| name.object);
        assert_eq!(object("/v2/w/a/blobs/uploads/"), Some(Object::Uploads));
        assert_eq!(object("/v2/w/a/blobs/uploads/7"), Some(Object::Upload(7)));
        assert_eq!(object("/v2/w/a/manifests/t-1"), Some(Object::Tag("t-1")));
        for bad in [
            "/v2/w",
            "/v2/w/",
            "/v2/w/a",
            "/v2//a/manifests/t",
            "/v2/w//manifests/t",
            "/v2/w/a/manifests/",
            "/v2/w/a/manifests/..",
            "/v2/w/a/manifests/sha256:1",
            "/v2/w/a/blobs/sha512:00",
            "/v2/w/../a/b%2f/manifests/t",
            "/v2/w/A/manifests/t",
            "/v2/w/a/blobs/uploads/x",
            "/v1/w/a/manifests/t",
        ] {
            assert_eq!(object(bad), None, "{bad}");
        }
    }

    #[test]
    fn parameters_are_read() {
        let query = Some("from=w%2Facme%2Fb&mount=sha256%3A00");
        assert_eq!(parameter(query, "mount").unwrap(), "sha256:00");
        assert_eq!(parameter(query, "from").unwrap(), "w/acme/b");
        assert_eq!(parameter(query, "digest"), None);
        assert_eq!(parameter(None, "digest"), None);
    }
}
