//! Names of images, rings, sites, environments and projects.
//!
//! The grammar is `[a-z0-9]+([._-][a-z0-9]+)*`, at most 63 bytes; a project may hold several of these joined by `/`.

use std::fmt;
use std::str::FromStr;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text does not follow the grammar.
    #[error("`{0}` is not a valid name")]
    Grammar(String),
    /// The text is longer than 63 bytes.
    #[error("`{0}` is longer than 63 characters")]
    TooLong(String),
    /// A ring name that is reserved (`ante`, `post`, `latest`) or reads as a version.
    #[error("`{0}` is reserved")]
    Reserved(String),
}

impl NameError {
    /// One line on how to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Grammar(_) => "use lower-case letters and digits, joined by single `.`, `_` or `-`",
            Self::TooLong(_) => "shorten it to 63 characters",
            Self::Reserved(_) => {
                "`ante` and `post` always exist and are never written; `latest` and versions are not rings"
            }
        }
    }
}

fn follows_grammar(text: &str) -> bool {
    text.split(['.', '_', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn check(text: &str) -> Result<(), NameError> {
    if text.len() > 63 {
        return Err(NameError::TooLong(text.into()));
    }
    if !follows_grammar(text) {
        return Err(NameError::Grammar(text.into()));
    }
    Ok(())
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($check:path);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses and checks the name.
            ///
            /// # Errors
            /// [`NameError`] when the text breaks the grammar of this module.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// The name of an image of the project.
    ImageName(check);
    /// The name of a configured ring: never `ante`, `post`, `latest` or a version (semantics S1).
    RingName(check_ring);
    /// The name of a site.
    SiteName(check);
    /// The name of an environment.
    EnvironmentName(check);
    /// The name of the project; it may contain slashes.
    ProjectName(check_project);
}

fn check_ring(text: &str) -> Result<(), NameError> {
    check(text)?;
    let reserved = matches!(text, "ante" | "post" | "latest");
    if reserved || semver::Version::parse(text).is_ok() {
        return Err(NameError::Reserved(text.into()));
    }
    Ok(())
}

fn check_project(text: &str) -> Result<(), NameError> {
    text.split('/').try_for_each(check).map_err(|e| match e {
        NameError::TooLong(_) => e,
        _ => NameError::Grammar(text.into()),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for good in ["a", "a-b", "a.b_c", "0", "early-adopters"] {
            assert!(ImageName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a--b", "a/b", "a b", "é", "a\n"] {
            assert!(ImageName::new(bad).is_err(), "{bad}");
        }
        assert!(ImageName::new("a".repeat(63)).is_ok());
        assert!(ImageName::new("a".repeat(64)).is_err());
    }

    #[test]
    fn reserved_rings_and_versions_are_refused() {
        for bad in ["ante", "post", "latest", "1.2.3", "1.0.0-rc.1"] {
            assert_eq!(RingName::new(bad).unwrap_err(), NameError::Reserved(bad.into()));
        }
        assert!(RingName::new("v1.2.3").is_ok());
    }

    #[test]
    fn a_project_may_have_slashes() {
        assert!(ProjectName::new("acme/shop").is_ok());
        for bad in ["", "/a", "a/", "a//b", "A/b"] {
            assert!(ProjectName::new(bad).is_err(), "{bad}");
        }
    }
}
