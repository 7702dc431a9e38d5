//! A small world in memory: sources, images of a project, contexts.

use ringshift::containerfile::ignore::Ignore;
use ringshift::containerfile::{Base, BaseFacts, ProjectRef, ResolveError, World};
use ringshift::model::{ImageName, ProjectName, RepoPath};
use ringshift::registry::Repository;
use ringshift::revision::{ContextTree, Contexts};
use ringshift::tree::SourceTree;
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeMap;

/// Images of the project begin with `shop/`; of the others, `locked` is known.
#[derive(Default)]
pub struct Shop {
    /// The triggers of `shop/triggers`.
    pub triggers: Vec<String>,
}

impl World for Shop {
    fn project_image(&self, reference: &str) -> Result<Option<ProjectRef>, ResolveError> {
        let Some(rest) = reference.strip_prefix("shop/") else {
            return Ok(None);
        };
        let (rest, digest) = cut(rest, '@');
        let (name, tag) = cut(rest, ':');
        let image = ImageName::new(name).ok();
        Ok(image.map(|image| ProjectRef { image, tag, digest }))
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let known = BaseFacts {
            env: vec![("PATH".into(), "/bin".into()), ("LANG".into(), "C".into())],
            workdir: Some("/srv".into()),
            ..BaseFacts::default()
        };
        Ok(match base {
            Base::Project(image) if image.as_str() == "triggers" => BaseFacts {
                onbuild: self.triggers.clone(),
                ..known
            },
            Base::Project(_) => known,
            Base::External { reference, .. } if reference.name().ends_with("/locked") => known,
            Base::External { .. } => BaseFacts::unknown(),
        })
    }
}

fn cut(text: &str, at: char) -> (&str, Option<String>) {
    match text.split_once(at) {
        Some((head, tail)) => (head, Some(tail.to_owned())),
        None => (text, None),
    }
}

/// Sources with a folder, an executable file, links that lead in, out and round, and an odd name.
pub fn sources() -> MemoryTree {
    MemoryTree::new()
        .file("a", "A")
        .file("app/main.c", "int main;")
        .file("app/lib/x.h", "")
        .executable("bin/run", "#!/bin/sh\n")
        .link("link", "app/lib")
        .link("out", "../../etc/passwd")
        .link("app/round", "round")
        .file(b"odd\n\xfe \\name", "odd")
        .file("left/out", "secret")
        .directory("empty")
}

/// The contexts of a build in `tree`: all of it but `left`, and its folder `app` under the name `extra`.
pub fn contexts<'t>(tree: &'t dyn SourceTree, ignore: &str) -> Contexts<'t> {
    let context = |root: &str, ignore: &str| ContextTree {
        tree,
        root: RepoPath::clean(root),
        ignore: Ignore::parse(ignore.as_bytes()).unwrap_or_default(),
        display: RepoPath::clean(root),
    };
    Contexts {
        main: context("", ignore),
        named: BTreeMap::from([("extra".to_owned(), context("app", ""))]),
    }
}

/// A repository of the project.
pub fn repository(name: &str) -> Repository {
    match ProjectName::new("acme") {
        Ok(project) => Repository::new(&project, name),
        Err(_) => Repository::single(name),
    }
}
