//! rings.lock: what the outside images that container files name are (containerfile 1.1).
//!
//! `ringshift lock` writes it, and everybody commits it: a revision reads the lock of its commit and never the network.

mod read;
mod write;

pub use read::read;

use crate::containerfile::BaseFacts;
use crate::model::{Digest, Platform, Reference, Source, Span};
use std::collections::BTreeMap;

/// The name of the file, beside rings.yaml.
pub const FILE: &str = "rings.lock";

/// What rings.lock holds; of a project that has none, nothing.
#[derive(Debug, Clone)]
pub struct Lock {
    /// The locked images, by their normalised references.
    pub images: BTreeMap<Reference, Locked>,
    /// The file, for messages; none where there is no file.
    pub source: Option<Source>,
}

/// One locked image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// What the reference stands for: the index where it names one.
    pub digest: Digest,
    /// What it is on each platform that is asked for.
    pub platforms: BTreeMap<Platform, Facts>,
    /// Where it stands in the file.
    pub span: Span,
}

/// What of an image's config can matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Env, in order.
    pub env: Vec<(String, String)>,
    /// The ONBUILD triggers, in order.
    pub onbuild: Vec<String>,
    /// User, when set.
    pub user: Option<String>,
    /// WorkingDir.
    pub workdir: String,
    /// The keys of the labels, sorted.
    pub labels: Vec<String>,
}

impl Default for Lock {
    fn default() -> Self {
        Self::nothing()
    }
}

impl Lock {
    /// The lock of a project that has none.
    pub fn nothing() -> Self {
        Self {
            images: BTreeMap::new(),
            source: None,
        }
    }

    /// What is known of an image on a platform. A locked image that was not asked for on this platform is pinned all the
    /// same, and nothing else is known of it; an image that is not locked is [`BaseFacts::unknown`].
    pub fn facts(&self, reference: &Reference, platform: &Platform) -> BaseFacts {
        let Some(locked) = self.images.get(reference) else {
            return BaseFacts::unknown();
        };
        let digest = Some(locked.digest);
        match locked.platforms.get(platform) {
            Some(facts) => BaseFacts {
                digest,
                ..facts.base()
            },
            None => BaseFacts {
                digest,
                ..BaseFacts::unknown()
            },
        }
    }

    /// Whether everything is known of an image on a platform.
    pub fn holds(&self, reference: &Reference, platform: &Platform) -> bool {
        let locked = self.images.get(reference);
        locked.is_some_and(|locked| locked.platforms.contains_key(platform))
    }
}

impl Facts {
    /// What of it a container file that builds FROM the image can see.
    pub fn base(&self) -> BaseFacts {
        BaseFacts {
            env: self.env.clone(),
            open: false,
            onbuild: self.onbuild.clone(),
            user: self.user.clone(),
            workdir: Some(self.workdir.clone()),
            digest: None,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> impl Strategy<Value = Facts> {
        let text = "[ -~]{0,6}|\\PC{0,3}|[\u{0}-\u{a0}\u{2028}\u{feff}]{0,3}";
        let env = prop::collection::vec(("[A-Z_]{1,3}", text), 0..4);
        let user = prop::option::of("[a-z0-9:]{1,5}");
        let more = (
            prop::collection::vec("\\PC{1,9}", 0..3),
            user,
            "/[a-z]{0,5}",
            prop::collection::vec(text, 0..3),
        );
        (env, more).prop_map(|(env, (onbuild, user, workdir, mut labels))| {
            labels.sort();
            labels.dedup();
            Facts {
                env,
                onbuild,
                user,
                workdir,
                labels,
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_back(facts in facts(), other in facts(), digest in any::<[u8; 4]>()) {
            let digest = Digest::of(&digest);
            let locked = Locked {
                digest,
                platforms: [
                    ("linux/amd64".parse().unwrap(), facts),
                    ("linux/arm64".parse().unwrap(), other),
                ].into(),
                span: Span::start(),
            };
            let references = ["alpine".to_owned(), "x.y:5/a/b:1".into(), format!("a@{digest}")];
            let images = references.iter().map(|r| (r.parse().unwrap(), locked.clone()));
            let lock = Lock { images: images.collect(), source: None };
            let text = lock.to_text();
            let mut again = read(text.as_bytes(), "rings.lock").unwrap();
            for locked in again.images.values_mut() {
                locked.span = Span::start();
            }
            prop_assert_eq!(&again.images, &lock.images);
            prop_assert_eq!(again.to_text(), text);
        }
    }
}
