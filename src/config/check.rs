//! A project held against the sources: do the things exist that rings.yaml names?

use super::environments;
use super::project::{ContextSource, Image, Project};
use crate::model::{Problem, Problems, RepoPath, Span};
use crate::tree::{Kind, SourceTree, TreeError};

/// The names of a container file in a context, the first that is there counts (rule 1).
pub const DEFAULT_FILES: [&str; 3] = ["Dockerfile", "dockerfile", "Containerfile"];

/// The container file that a context has when none is named: [`DEFAULT_FILES`].
///
/// # Errors
/// [`TreeError`] when the sources cannot be read.
pub fn default_file(tree: &dyn SourceTree, context: &RepoPath) -> Result<Option<RepoPath>, TreeError> {
    for name in DEFAULT_FILES {
        let path = context.child(name.as_bytes());
        if matches!(tree.kind(&path)?, Some(Kind::File { .. } | Kind::Link)) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Everything in rings.yaml that the sources do not bear out, and everything that is wrong with the
/// overlays; in order of place, empty when all is well. No registry is asked, nothing is rendered.
///
/// # Errors
/// [`TreeError`] when the sources cannot be read.
pub fn check(project: &Project, tree: &dyn SourceTree) -> Result<Vec<Problem>, TreeError> {
    let mut check = Check {
        project,
        tree,
        problems: Vec::new(),
    };
    for name in &project.order {
        if let Some(image) = project.images.get(name) {
            check.image(image)?;
        }
    }
    check.environments()?;
    Ok(Problems::of(check.problems)
        .map(Problems::into_vec)
        .unwrap_or_default())
}

struct Check<'p> {
    project: &'p Project,
    tree: &'p dyn SourceTree,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn say(&mut self, span: Span, code: &'static str, message: String, hint: &str) {
        let problem = self.project.problem(span, code, message);
        self.problems.push(if hint.is_empty() {
            problem
        } else {
            problem.hint(hint)
        });
    }

    fn image(&mut self, image: &Image) -> Result<(), TreeError> {
        let context = self.folder(
            &image.context,
            image.context_span,
            &format!("the context `{}`", image.context),
        )?;
        match &image.file {
            Some(file) => self.named_file(image, file)?,
            None if context => self.default_file(image)?,
            None => {}
        }
        for (name, context) in &image.contexts {
            if let ContextSource::Folder { path, generated } = &context.what {
                self.named_context(name, path, *generated, context.span)?;
            }
        }
        Ok(())
    }

    /// Whether a folder stands at `path`; a problem when not.
    fn folder(&mut self, path: &RepoPath, span: Span, what: &str) -> Result<bool, TreeError> {
        let (message, hint) = match self.tree.kind(path)? {
            // A linked context is followed by the builder, and by whoever reads it.
            Some(Kind::Directory | Kind::Link) => return Ok(true),
            None => (format!("{what} does not exist"), "git keeps no empty folders"),
            Some(Kind::Submodule) => (format!("{what} is a submodule, which is never entered"), ""),
            Some(_) => (format!("{what} is not a folder"), ""),
        };
        self.say(span, "missing-folder", message, hint);
        Ok(false)
    }

    fn named_file(&mut self, image: &Image, file: &RepoPath) -> Result<(), TreeError> {
        if matches!(self.tree.kind(file)?, Some(Kind::File { .. } | Kind::Link)) {
            return Ok(());
        }
        let inside = image.context.join(file);
        let there = self.tree.kind(&inside)?.is_some();
        let hint = match there {
            true => format!("`file` is relative to rings.yaml, not to the context: there is `{inside}`"),
            false => "`file` is relative to the folder of rings.yaml".into(),
        };
        let span = image.file_span.unwrap_or(image.span);
        self.say(
            span,
            "missing-file",
            format!("the container file `{file}` does not exist"),
            &hint,
        );
        Ok(())
    }

    fn default_file(&mut self, image: &Image) -> Result<(), TreeError> {
        if default_file(self.tree, &image.context)?.is_none() {
            let message = format!("`{}` has no container file in `{}`", image.name, image.context);
            let hint = "looked for Dockerfile, dockerfile and Containerfile; another one is named by `file`";
            self.say(image.context_span, "missing-file", message, hint);
        }
        Ok(())
    }

    /// A generated folder need not be there yet, and must not lie in git (B8).
    fn named_context(
        &mut self,
        name: &str,
        path: &RepoPath,
        generated: bool,
        span: Span,
    ) -> Result<(), TreeError> {
        if !generated {
            self.folder(
                path,
                span,
                &format!("the folder `{path}` of the context `{name}`"),
            )?;
        } else if path.is_root() {
            let message = format!("the context `{name}` would be the whole repository");
            self.say(span, "generated", message, "name the folder that git ignores");
        }
        Ok(())
    }

    fn environments(&mut self) -> Result<(), TreeError> {
        let folder = &self.project.environments.folder;
        let found = environments::list(self.tree, folder)?;
        if let Some(span) = self.project.environments.span {
            self.folder(
                folder,
                span,
                &format!("the folder of the environments, `{folder}`,"),
            )?;
        }
        for site in &self.project.sites {
            if !found.contains_key(&site.environment) {
                let message = format!("there is no environment `{}`", site.environment);
                let hint = format!(
                    "it would be `{folder}/{}` with a kustomization.yaml in it",
                    site.environment
                );
                self.say(site.environment_span, "unknown-environment", message, &hint);
            }
        }
        self.problems.extend(environments::check(self.tree, folder)?);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::sample_tree::Sample;
    use super::*;

    const FILES: [(&str, &str); 6] = [
        ("images/base/Dockerfile", "FROM scratch\n"),
        ("images/old/Containerfile", "FROM scratch\n"),
        ("deploy/Dockerfile", "FROM scratch\n"),
        ("services/api/Dockerfile", "FROM scratch\n"),
        ("environments/dev/kustomization.yaml", "resources: [a.yaml]\n"),
        ("environments/dev/a.yaml", "kind: ConfigMap\n"),
    ];

    fn problems(yaml: &str) -> Vec<String> {
        let (project, _) = super::super::read(yaml.as_bytes(), &RepoPath::clean("rings.yaml")).unwrap();
        let found = check(&project, &Sample::of(&FILES)).unwrap();
        found.iter().map(Problem::to_string).collect()
    }

    fn with(images: &str, sites: &str) -> Vec<String> {
        problems(&format!(
            "project: p\nrings: [a]\nimages:\n  shop: {{context: deploy, root: true}}\n  {images}\nsites: {{{sites}}}\n"
        ))
    }

    #[test]
    fn a_project_that_is_borne_out_has_no_problems() {
        let none: [String; 0] = [];
        assert_eq!(with("base: images/base", "s: {environment: dev, ring: a}"), none);
        assert_eq!(with("old: images/old", ""), none);
        assert_eq!(with("api: {context: ., file: services/api/Dockerfile}", ""), none);
        assert_eq!(
            with(
                "api: {context: deploy, contexts: {jar: {path: target, generated: true}}}",
                ""
            ),
            none
        );
    }

    #[test]
    fn what_is_missing_is_told_where_it_is_named() {
        let found = with("base: images/bse", "");
        assert_eq!(
            found,
            ["error: rings.yaml:5:9: the context `images/bse` does not exist"]
        );
        let found = with("base: images", "s: {environment: prod, ring: a}");
        let want = [
            "error: rings.yaml:5:9: `base` has no container file in `images`",
            "error: rings.yaml:6:26: there is no environment `prod`",
        ];
        assert_eq!(found, want);
        let found = with("base: {context: images/base, contexts: {x: none}}", "");
        assert_eq!(
            found,
            ["error: rings.yaml:5:43: the folder `none` of the context `x` does not exist"]
        );
    }

    #[test]
    fn a_file_named_relative_to_its_context_gets_a_hint() {
        let yaml =
            "project: p\nrings: [a]\nimages:\n  a: {context: services/api, file: Dockerfile, root: true}\n";
        let (project, _) = super::super::read(yaml.as_bytes(), &RepoPath::clean("rings.yaml")).unwrap();
        let found = check(&project, &Sample::of(&FILES)).unwrap();
        assert_eq!(found[0].code, "missing-file");
        assert!(
            found[0]
                .hint
                .as_ref()
                .unwrap()
                .contains("services/api/Dockerfile")
        );
    }

    #[test]
    fn a_written_folder_of_environments_must_exist() {
        let yaml =
            "project: p\nrings: [a]\nimages:\n  a: {context: deploy, root: true}\nenvironments: envs\n";
        assert_eq!(
            problems(yaml),
            ["error: rings.yaml:5:15: the folder of the environments, `envs`, does not exist"]
        );
    }
}
