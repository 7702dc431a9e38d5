//! The environment pack: exactly the files that the environments of a project read, wherever they lie
//! in the repository, as one document (D1). From it a site is rendered without the repository.

mod charts;
mod document;
mod recorder;

pub use document::MEDIA_TYPE;

use crate::kustomize::{self, Built, Helm, Options};
use crate::model::{Digest, EnvironmentName, ImageName, RepoPath};
use crate::tree::memory::MemoryTree;
use crate::tree::{Kind, SourceTree};
use charts::Charts;
use recorder::Recorder;
use std::collections::BTreeMap;

/// The name and number of the format.
pub const FORMAT: &str = "ringshift-pack/1";

/// The most bytes that all files of a pack hold together (SEC-A4).
pub const MAX_BYTES: usize = 24 << 20;

/// What a packed entry is: git's three modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A file, mode 0644.
    File,
    /// A file, mode 0755.
    Executable,
    /// A symbolic link; its text is its content.
    Link,
}

impl Mode {
    /// As git writes it.
    pub fn as_git(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }
}

/// One entry of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// What it is.
    pub mode: Mode,
    /// Its content, or a link's text.
    pub bytes: Vec<u8>,
}

/// What the environments of a project read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pack {
    /// Every environment with its folder.
    pub environments: BTreeMap<EnvironmentName, RepoPath>,
    /// The names besides `<project>/<image>` by which their manifests call images of the project.
    pub names: BTreeMap<String, ImageName>,
    /// The files and links that were read.
    pub files: BTreeMap<RepoPath, Packed>,
    /// What helm made of the charts, by [key](kustomize::Chart::key): rendering starts no program. No part of the revision,
    /// since another helm may say it otherwise.
    pub charts: BTreeMap<String, String>,
}

/// A pack cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A kustomization cannot be built.
    #[error("{error}")]
    Kustomize {
        /// Which environment.
        environment: EnvironmentName,
        /// Why.
        error: kustomize::Error,
    },
    /// The files are too large.
    #[error("what the environments read is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// A path cannot be written down.
    #[error("`{0}` is not UTF-8, which an environment cannot read")]
    Path(RepoPath),
    /// The document is not what a pack is.
    #[error("the environments of the release are damaged: {0}")]
    Damaged(String),
    /// A newer ringshift wrote it.
    #[error("the environments of the release have the format `{0}`, this ringshift knows {FORMAT}")]
    Newer(String),
}

/// A pack, and what each environment comes to before images are pinned.
pub struct Gathered {
    /// The pack, with no [names](Pack::names) yet.
    pub pack: Pack,
    /// The objects of each environment.
    pub built: BTreeMap<EnvironmentName, Built>,
}

impl Pack {
    /// Builds every environment of `tree`, and packs exactly what that read.
    ///
    /// # Errors
    /// [`PackError`] when one cannot be built, or all together are too large.
    pub fn gather(
        tree: &dyn SourceTree,
        environments: &BTreeMap<EnvironmentName, RepoPath>,
        options: Options,
        helm: Option<&dyn Helm>,
    ) -> Result<Gathered, PackError> {
        let recorder = Recorder::new(tree);
        let charts = helm.map(Charts::recording);
        let mut built = BTreeMap::new();
        for (name, folder) in environments {
            let helm = charts.as_ref().map(|charts| -> &dyn Helm { charts });
            let objects = kustomize::objects(&recorder, folder, options, helm).map_err(|error| {
                PackError::Kustomize {
                    environment: name.clone(),
                    error,
                }
            })?;
            built.insert(name.clone(), objects);
        }
        let files = recorder.into_read();
        if files.values().map(|file| file.bytes.len()).sum::<usize>() > MAX_BYTES {
            return Err(PackError::TooLarge);
        }
        let utf8 = |path: &&RepoPath| std::str::from_utf8(path.as_bytes()).is_err();
        if let Some(path) = files.keys().find(utf8) {
            return Err(PackError::Path(path.clone()));
        }
        let pack = Self {
            environments: environments.clone(),
            names: BTreeMap::new(),
            files,
            charts: charts.map(Charts::into_said).unwrap_or_default(),
        };
        Ok(Gathered { pack, built })
    }

    /// The objects of one environment, from the pack alone.
    ///
    /// # Errors
    /// [`PackError::Kustomize`].
    pub fn build(
        &self,
        environment: &EnvironmentName,
        folder: &RepoPath,
        options: Options,
    ) -> Result<Built, PackError> {
        let said = Charts::said(&self.charts);
        kustomize::objects(&self.tree(), folder, options, Some(&said)).map_err(|error| PackError::Kustomize {
            environment: environment.clone(),
            error,
        })
    }

    /// The files as a source tree.
    pub fn tree(&self) -> MemoryTree {
        let add = |tree: MemoryTree, (path, file): (&RepoPath, &Packed)| {
            let kind = match file.mode {
                Mode::File => Kind::File { executable: false },
                Mode::Executable => Kind::File { executable: true },
                Mode::Link => Kind::Link,
            };
            tree.with(path.as_bytes(), kind, &file.bytes)
        };
        self.files.iter().fold(MemoryTree::new(), add)
    }

    /// The digest of the [document](Pack::write).
    pub fn digest(&self) -> Digest {
        Digest::of(&self.write())
    }

    /// The digest of the document without what helm said: of that on which the revision depends.
    pub fn sources(&self) -> Digest {
        match self.charts.is_empty() {
            true => self.digest(),
            false => Self {
                charts: BTreeMap::new(),
                ..self.clone()
            }
            .digest(),
        }
    }

    /// The paths that differ from `old`: `true` for those that are there in both.
    pub fn differences(&self, old: &Self) -> BTreeMap<RepoPath, (bool, bool)> {
        let mut paths = BTreeMap::new();
        for path in self.files.keys().chain(old.files.keys()) {
            if self.files.get(path) != old.files.get(path) {
                let there = (old.files.contains_key(path), self.files.contains_key(path));
                paths.insert(path.clone(), there);
            }
        }
        paths
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree() -> MemoryTree {
        MemoryTree::new()
            .file("env/dev/kustomization.yaml", "resources: [../base]\n")
            .file(
                "env/base/kustomization.yaml",
                "resources: [a.yaml, shared]\nconfigMapGenerator: [{name: c, files: [conf/x]}]\n",
            )
            .file(
                "env/base/a.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n",
            )
            .file("env/base/unread.yaml", "")
            .executable("env/base/conf/x", [0xff_u8, 0])
            .link("env/base/shared", "../../lib/shared")
            .file("lib/shared/kustomization.yaml", "resources: [b.yaml]\n")
            .file(
                "lib/shared/b.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n",
            )
            .file("lib/unread", "")
    }

    fn gathered(tree: &MemoryTree) -> Gathered {
        let name = EnvironmentName::new("dev").unwrap();
        let environments = BTreeMap::from([(name, RepoPath::clean("env/dev"))]);
        Pack::gather(tree, &environments, Options::default(), None).unwrap()
    }

    #[test]
    fn exactly_what_the_kustomizations_read_is_packed() {
        let pack = gathered(&tree()).pack;
        let files: Vec<(String, &str)> = pack
            .files
            .iter()
            .map(|(path, file)| (path.to_string(), file.mode.as_git()))
            .collect();
        let wanted = [
            ("env/base/a.yaml", "100644"),
            ("env/base/conf/x", "100755"),
            ("env/base/kustomization.yaml", "100644"),
            ("env/base/shared", "120000"),
            ("env/dev/kustomization.yaml", "100644"),
            ("lib/shared/b.yaml", "100644"),
            ("lib/shared/kustomization.yaml", "100644"),
        ];
        assert_eq!(files, wanted.map(|(path, mode)| (path.to_owned(), mode)));
        let other = tree()
            .file("lib/unread", "other")
            .file("env/base/unread.yaml", "other");
        assert_eq!(gathered(&other).pack.digest(), pack.digest());
    }

    #[test]
    fn the_pack_alone_renders_what_the_tree_renders() {
        let Gathered { pack, built } = gathered(&tree());
        let name = EnvironmentName::new("dev").unwrap();
        let read = Pack::read(&pack.write()).unwrap();
        let again = read.build(&name, &RepoPath::clean("env/dev"), Options::default());
        let texts = [again.unwrap(), built.into_values().next().unwrap()].map(|built| built.text().unwrap());
        assert_eq!(texts[0], texts[1]);
        assert!(texts[0].contains("name: b"), "{}", texts[0]);
    }

    #[test]
    fn the_document_is_a_promise() {
        let mut pack = gathered(
            &MemoryTree::new()
                .file(
                    "env/dev/kustomization.yaml",
                    "configMapGenerator: [{name: c, files: [x]}]\n",
                )
                .file("env/dev/x", [0xff_u8]),
        )
        .pack;
        pack.names
            .insert("api-server".into(), ImageName::new("api").unwrap());
        let wanted = r#"{"format":"ringshift-pack/1","environments":{"dev":"env/dev"},"names":{"api-server":"api"},"files":{"env/dev/kustomization.yaml":{"mode":"100644","text":"configMapGenerator: [{name: c, files: [x]}]\n"},"env/dev/x":{"mode":"100644","base64":"/w=="}}}"#;
        assert_eq!(String::from_utf8(pack.write()).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_pack_is_refused() {
        let damaged = |text: &str| match Pack::read(text.as_bytes()).unwrap_err() {
            PackError::Damaged(what) => what,
            other => other.to_string(),
        };
        assert!(damaged("{").contains("EOF"));
        assert_eq!(
            damaged(r#"{"format":"ringshift-pack/2"}"#),
            "the environments of the release have the format `ringshift-pack/2`, this ringshift knows ringshift-pack/1"
        );
        let file = |path: &str, file: &str| {
            damaged(&format!(
                r#"{{"format":"ringshift-pack/1","environments":{{}},"files":{{"{path}":{file}}}}}"#
            ))
        };
        assert_eq!(
            file("../x", r#"{"mode":"100644","text":""}"#),
            "`../x` is no path of a repository"
        );
        assert_eq!(
            file("x", r#"{"mode":"40000","text":""}"#),
            "`x` has the mode `40000`"
        );
        assert_eq!(file("x", r#"{"mode":"100644"}"#), "`x` has no content");
        assert_eq!(
            file("x", r#"{"mode":"100644","base64":"*"}"#),
            "`x` has a content that is no base64"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pack_is_read_as_it_was_written(
            files in prop::collection::btree_map("[a-z\"\\\\é]{1,4}(/[a-z ]{1,3})?", prop::collection::vec(any::<u8>(), 0..9), 0..5)
        ) {
            let mut pack = Pack::default();
            for (path, bytes) in files {
                pack.files.insert(RepoPath::clean(path), Packed { mode: Mode::File, bytes });
            }
            prop_assert_eq!(Pack::read(&pack.write()), Ok(pack));
        }
    }
}
