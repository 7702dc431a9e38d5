//! What is plainly wrong with an overlay.
//!
//! Nothing is rendered. A kustomization is read as YAML, and the files that it names must be in the
//! repository; whatever stands outside of it, remote resources included, is refused (SEC-A11).

use super::{folders, kustomizations, manifest};
use crate::config::walk::{MOST, shorten};
use crate::config::yaml::{self, Node, Value};
use crate::model::{EnvironmentName, Problem, RepoPath, Source, Span};
use crate::tree::{Kind, SourceTree, TreeError};
use std::collections::BTreeSet;

/// What is wrong with the overlays below `folder`, and with the kustomizations that they name.
///
/// # Errors
/// [`TreeError`] when the sources cannot be read.
pub fn check(tree: &dyn SourceTree, folder: &RepoPath) -> Result<Vec<Problem>, TreeError> {
    let mut check = Check {
        tree,
        problems: Vec::new(),
        seen: BTreeSet::new(),
        waiting: Vec::new(),
    };
    for (name, path) in folders(tree, folder)? {
        if let Err(error) = EnvironmentName::new(name.as_str()) {
            let source = Source::new(path.to_string(), "");
            let message = format!("the environment {error}");
            check.problems.push(
                source
                    .problem(Span::start(), "invalid-name", message)
                    .hint(error.hint()),
            );
        }
        check.waiting.push(path);
    }
    while let Some(path) = check.waiting.pop() {
        if check.seen.insert(path.clone()) {
            check.folder(&path)?;
        }
    }
    Ok(check.problems)
}

struct Check<'t> {
    tree: &'t dyn SourceTree,
    problems: Vec<Problem>,
    seen: BTreeSet<RepoPath>,
    waiting: Vec<RepoPath>,
}

/// What a path in a kustomization may name.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    /// A file.
    File,
    /// A folder with a kustomization.
    Folder,
    /// Either.
    Both,
}

impl Check<'_> {
    fn folder(&mut self, folder: &RepoPath) -> Result<(), TreeError> {
        let found = kustomizations(self.tree, folder)?;
        let Some(file) = found.first() else { return Ok(()) };
        if let [_, second, ..] = found.as_slice() {
            let source = Source::new(second.to_string(), "");
            let message = format!("`{folder}` holds more than one kustomization");
            self.problems
                .push(source.problem(Span::start(), "two-kustomizations", message));
        }
        let Some((source, root)) = self.yaml(file)? else {
            return Ok(());
        };
        match &root.value {
            Value::Map(entries) => self.kustomization(&source, folder, entries),
            _ => {
                self.say(&source, root.span, "wrong-type", "a kustomization is a map");
                Ok(())
            }
        }
    }

    /// The tree of a file, or nothing after its problem was told.
    fn yaml(&mut self, path: &RepoPath) -> Result<Option<(Source, Node)>, TreeError> {
        if self.tree.kind(path)? == Some(Kind::Link) {
            return Ok(None);
        }
        let name = path.to_string();
        let bytes = match self.tree.read(path, yaml::MAX_BYTES as u64) {
            Err(TreeError::Limit { .. }) => {
                let message = format!("larger than {} bytes", yaml::MAX_BYTES);
                self.problems
                    .push(Source::new(name, "").problem(Span::start(), "too-large", message));
                return Ok(None);
            }
            other => other?,
        };
        let read = yaml::text(&bytes, &name).and_then(|source| Ok((yaml::parse(&source)?, source)));
        match read {
            Ok((node, source)) => Ok(Some((source, node))),
            Err(problems) => {
                self.problems.extend(problems.into_vec());
                Ok(None)
            }
        }
    }

    fn kustomization(
        &mut self,
        source: &Source,
        folder: &RepoPath,
        entries: &[(Node, Node)],
    ) -> Result<(), TreeError> {
        for (key, value) in entries {
            let Value::Text(name) = &key.value else { continue };
            match name.as_str() {
                "kind" => self.kind(source, value),
                "resources" => self.paths(source, folder, value, Wanted::Both)?,
                "bases" | "components" => self.paths(source, folder, value, Wanted::Folder)?,
                "patchesStrategicMerge" | "crds" | "configurations" => {
                    self.paths(source, folder, value, Wanted::File)?;
                }
                "patches" | "patchesJson6902" | "replacements" => self.path_fields(source, folder, value)?,
                "transformers" | "generators" | "validators" => {
                    self.paths(source, folder, value, Wanted::Both)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn kind(&mut self, source: &Source, node: &Node) {
        let good = matches!(&node.value, Value::Text(kind) if kind == "Kustomization" || kind == "Component");
        if !good {
            self.say(
                source,
                node.span,
                "wrong-kind",
                "`kind` is neither Kustomization nor Component",
            );
        }
    }

    fn paths(
        &mut self,
        source: &Source,
        folder: &RepoPath,
        node: &Node,
        wanted: Wanted,
    ) -> Result<(), TreeError> {
        match &node.value {
            Value::Null => Ok(()),
            Value::List(items) => items
                .iter()
                .try_for_each(|item| self.path(source, folder, item, wanted)),
            _ => {
                self.say(source, node.span, "wrong-type", "a list of paths is wanted here");
                Ok(())
            }
        }
    }

    /// The `path` of every item.
    fn path_fields(&mut self, source: &Source, folder: &RepoPath, node: &Node) -> Result<(), TreeError> {
        let Value::List(items) = &node.value else {
            return self.paths(source, folder, node, Wanted::File);
        };
        for item in items {
            let Value::Map(entries) = &item.value else {
                continue;
            };
            for (key, value) in entries {
                if key.value == Value::Text("path".into()) {
                    self.path(source, folder, value, Wanted::File)?;
                }
            }
        }
        Ok(())
    }

    fn path(
        &mut self,
        source: &Source,
        folder: &RepoPath,
        node: &Node,
        wanted: Wanted,
    ) -> Result<(), TreeError> {
        let Value::Text(text) = &node.value else {
            self.say(source, node.span, "wrong-type", "a path is a text");
            return Ok(());
        };
        if text.contains('\n') {
            return Ok(()); // An inline patch.
        }
        if is_remote(text) && self.tree.kind(&folder.resolve(text))?.is_none() {
            self.say(
                source,
                node.span,
                "remote",
                &format!("`{}` is not in the repository", shorten(text)),
            );
            return Ok(());
        }
        let Some(path) = inside(folder, text) else {
            self.say(
                source,
                node.span,
                "outside",
                &format!("`{}` leaves the repository", shorten(text)),
            );
            return Ok(());
        };
        self.target(source, node.span, path, wanted)
    }

    fn target(
        &mut self,
        source: &Source,
        span: Span,
        path: RepoPath,
        wanted: Wanted,
    ) -> Result<(), TreeError> {
        match self.tree.kind(&path)? {
            None => self.say(source, span, "missing-file", &format!("`{path}` does not exist")),
            Some(Kind::File { .. } | Kind::Link) if wanted == Wanted::Folder => {
                self.say(
                    source,
                    span,
                    "wrong-kind",
                    &format!("`{path}` is a file, not a folder"),
                );
            }
            Some(Kind::Directory) if wanted == Wanted::File => {
                self.say(
                    source,
                    span,
                    "wrong-kind",
                    &format!("`{path}` is a folder, not a file"),
                );
            }
            Some(Kind::Directory) if kustomizations(self.tree, &path)?.is_empty() => {
                self.say(
                    source,
                    span,
                    "missing-file",
                    &format!("`{path}` holds no kustomization"),
                );
            }
            Some(Kind::Directory) => self.waiting.push(path),
            Some(Kind::File { .. }) if wanted == Wanted::Both => self.manifest(&path)?,
            Some(_) => {}
        }
        Ok(())
    }

    /// A manifest is read once; one that is too large to check is left to what renders it.
    fn manifest(&mut self, path: &RepoPath) -> Result<(), TreeError> {
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        let bytes = match self.tree.read(path, yaml::MAX_BYTES as u64) {
            Err(TreeError::Limit { .. }) => return Ok(()),
            other => other?,
        };
        self.problems.extend(manifest::problem(&path.to_string(), &bytes));
        Ok(())
    }

    fn say(&mut self, source: &Source, span: Span, code: &'static str, message: &str) {
        if self.problems.len() < MOST {
            self.problems.push(source.problem(span, code, message));
        }
    }
}

/// Whether kustomize would look for it on a network (SEC-A11).
fn is_remote(text: &str) -> bool {
    let begins = |prefix| text.starts_with(prefix);
    text.contains("://")
        || begins("git::")
        || begins("git@")
        || begins("github.com/")
        || text.contains("?ref=")
}

fn inside(folder: &RepoPath, text: &str) -> Option<RepoPath> {
    if text.starts_with('/') {
        return None;
    }
    let mut whole = folder.as_bytes().to_vec();
    whole.push(b'/');
    whole.extend_from_slice(text.as_bytes());
    RepoPath::relative(whole.strip_prefix(b"/").unwrap_or(&whole))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::config::sample_tree::Sample;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let found = check(&Sample::of(files), &RepoPath::clean("environments")).unwrap();
        found.iter().map(Problem::to_string).collect()
    }

    fn dev(text: &str) -> Vec<String> {
        problems(&[
            ("environments/dev/kustomization.yaml", text),
            ("environments/dev/a.yaml", "a: 1\n"),
        ])
    }

    #[test]
    fn named_files_must_be_there() {
        let none: [String; 0] = [];
        assert_eq!(
            dev("kind: Kustomization\nresources:\n- a.yaml\npatches:\n- path: a.yaml\n- patch: |-\n    x\n"),
            none
        );
        assert_eq!(
            dev("resources: [b.yaml, ../../../x]\npatches: [{path: c.yaml}]\n"),
            [
                "error: environments/dev/kustomization.yaml:1:13: `environments/dev/b.yaml` does not exist",
                "error: environments/dev/kustomization.yaml:1:21: `../../../x` leaves the repository",
                "error: environments/dev/kustomization.yaml:2:18: `environments/dev/c.yaml` does not exist",
            ]
        );
    }

    #[test]
    fn remote_resources_are_refused_before_anything_is_read() {
        for remote in [
            "https://example.com/a.yaml",
            "git::x",
            "github.com/a/b?ref=v1",
            "git@host:a/b",
        ] {
            let found = dev(&format!("resources: ['{remote}']\n"));
            assert!(found[0].ends_with("is not in the repository"), "{found:?}");
        }
    }

    #[test]
    fn bases_are_read_too_and_circles_end() {
        let found = problems(&[
            ("environments/dev/kustomization.yaml", "resources: [../base]\n"),
            (
                "environments/base/kustomization.yaml",
                "resources: [../dev, missing.yaml]\n",
            ),
        ]);
        assert_eq!(
            found,
            [
                "error: environments/base/kustomization.yaml:1:21: `environments/base/missing.yaml` does not exist"
            ]
        );
    }

    #[test]
    fn broken_kustomizations_are_told() {
        assert_eq!(
            dev("kind: Deployment\n"),
            ["error: environments/dev/kustomization.yaml:1:7: `kind` is neither Kustomization nor Component"]
        );
        assert!(dev("resources: [")[0].contains("cannot be read as YAML"));
        assert!(dev("- a\n")[0].ends_with("a kustomization is a map"));
        assert!(dev("resources: a.yaml\n")[0].ends_with("a list of paths is wanted here"));
        assert!(dev(&format!("a: {}", "[".repeat(500_000)))[0].contains("YAML"));
    }
}
