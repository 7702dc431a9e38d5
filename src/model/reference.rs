//! References to images outside the project, in their normal form.
//!
//! `oci-distribution` parses, and knows the rules by which BuildKit names an image (containerfile rule 18):
//! `docker.io/library/` and `:latest` are filled in. Its first use compiles a large regular expression, which costs
//! more than a plan that has nothing to do, so what everybody writes is read without it.

use super::Digest;
use std::fmt;
use std::str::FromStr;

/// The text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an image reference")]
pub struct ReferenceError(pub String);

/// The name that `text` gives an image, without tag and digest, in its normal form: `acme/base` and
/// `docker.io/acme/base` are one. What is no reference stays as it is.
pub fn normal_name(text: &str) -> String {
    match text.parse::<Reference>() {
        Ok(reference) => reference.name,
        Err(_) => text.to_owned(),
    }
}

/// The repository that `text` names, in its normal form; none where it names a tag or a digest too, or nothing.
pub fn repository(text: &str) -> Option<String> {
    let tagged: Reference = format!("{text}:tag").parse().ok()?;
    (tagged.tag() == Some("tag") && tagged.digest.is_none()).then_some(tagged.name)
}

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

    /// The same reference, which stands for `digest` from now on unless one is written.
    #[must_use]
    pub fn pinned(self, digest: &Digest) -> Self {
        let digest = self.digest.or_else(|| Some(digest.to_string()));
        Self { digest, ..self }
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
        match ordinary(text) {
            Some(reference) => Ok(reference),
            None => by_library(text),
        }
    }
}

fn by_library(text: &str) -> Result<Reference, ReferenceError> {
    let parsed: oci_distribution::Reference = text.parse().map_err(|_| ReferenceError(text.into()))?;
    let (registry, repository) = (parsed.registry(), parsed.repository());
    // The library measures what is written; Docker, what it stands for.
    if repository.len() > LONGEST {
        return Err(ReferenceError(text.into()));
    }
    // No repository has a capital letter, so what has one is a host, as Docker reads it.
    let name = match repository.contains(|c: char| c.is_ascii_uppercase()) {
        true => repository.into(),
        false => format!("{registry}/{repository}"),
    };
    Ok(Reference {
        name,
        tag: parsed.tag().map(Into::into),
        digest: parsed.digest().map(Into::into),
    })
}

/// The longest repository, in bytes.
const LONGEST: usize = 255;

/// A reference in lower case with single separators; `None` says nothing about others.
fn ordinary(text: &str) -> Option<Reference> {
    let (text, digest) = match text.split_once('@') {
        Some((text, digest)) => (text, Some(digest)),
        None => (text, None),
    };
    let last = text.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match text[last..].split_once(':') {
        Some((_, tag)) => (&text[..text.len() - tag.len() - 1], Some(tag)),
        None => (text, None),
    };
    let (registry, repository) = match name.split_once('/') {
        Some((left, right)) if left == "localhost" || left.contains(['.', ':']) => (left, right),
        _ => ("docker.io", name),
    };
    let official = registry == "docker.io" && !repository.contains('/');
    let library = if official { "library/" } else { "" };
    let good = is_host(registry)
        && library.len() + repository.len() <= LONGEST
        && repository
            .split('/')
            .all(|part| is_separated(part, &['.', '_', '-']))
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_sha256);
    // This host has another name of old.
    if !good || registry == "index.docker.io" {
        return None;
    }
    let implied = digest.is_none().then_some("latest");
    Some(Reference {
        name: format!("{registry}/{library}{repository}"),
        tag: tag.or(implied).map(Into::into),
        digest: digest.map(Into::into),
    })
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let number = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    is_separated(name, &['.', '-']) && port.is_none_or(number)
}

/// Whether single separators stand between lower-case letters and digits.
fn is_separated(text: &str, separators: &[char]) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.split(separators)
        .all(|part| !part.is_empty() && part.bytes().all(plain))
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let first = text.bytes().next().is_some_and(word);
    first && text.len() <= 128 && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

fn is_sha256(text: &str) -> bool {
    let hex = |digits: &str| digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    text.strip_prefix("sha256:").is_some_and(hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_measured_with_what_is_filled_in() {
        let official = |length: usize| "x".repeat(length).parse::<Reference>();
        assert!(official(247).is_ok_and(|reference| reference.to_string().parse() == Ok(reference)));
        assert!(official(248).is_err());
        let odd = format!("a.{}", "x".repeat(246));
        assert!(odd.parse::<Reference>().is_err());
    }

    #[test]
    fn what_everybody_writes_is_ordinary() {
        let all = [
            ("busybox", "docker.io/library/busybox:latest"),
            ("acme/web:1.2", "docker.io/acme/web:1.2"),
            ("localhost/web", "localhost/web:latest"),
            ("127.0.0.1:5000/base:1", "127.0.0.1:5000/base:1"),
            ("ghcr.io/a/b-c_d.e:V1.0-rc_1", "ghcr.io/a/b-c_d.e:V1.0-rc_1"),
        ];
        for (text, normal) in all {
            assert_eq!(ordinary(text).map(|r| r.to_string()).as_deref(), Some(normal));
        }
    }

    #[test]
    fn a_first_part_with_capital_letters_is_a_host() {
        for (text, normal) in [
            ("Abc/web", "Abc/web:latest"),
            ("Ab-c/d/e:1", "Ab-c/d/e:1"),
            ("LOCALHOST/web:1", "LOCALHOST/web:1"),
        ] {
            let shown = text.parse::<Reference>().map(|reference| reference.to_string());
            assert_eq!(shown.as_deref(), Ok(normal));
            assert_eq!(normal.parse::<Reference>().map(|r| r.to_string()), shown);
        }
        for text in ["Abc", "docker.io/Abc/web", "abc/Web", "Abc/Web"] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_ordinary_reference_is_what_the_library_makes_of_it(
            text in r"(index\.docker\.io/|docker\.io/|localhost/|[a-z0-9._:-]{1,7}/)?[a-zA-Z0-9._/-]{1,9}(:[\w.:-]{0,5})?(@sha256:[0-9a-fA-F]{63,65}|@.{0,3})?"
        ) {
            if let Some(ordinary) = ordinary(&text) {
                prop_assert_eq!(Ok(ordinary), by_library(&text));
            }
        }
    }
}
