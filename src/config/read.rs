//! rings.yaml from its bytes to the [`Project`], or to everything that is wrong with it.

use super::project::{Allowance, Builder, Environments, Image, Project, RegistryAddress, Versioning};
use super::walk::{Fields, Walk, shorten};
use super::yaml::{self, Node, Value};
use super::{images, keys, rings, sites};
use crate::model::reference::{normal_name, repository};
use crate::model::{
    BuilderKind, ImageName, Platform, Problem, Problems, ProjectName, RepoPath, Span, Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// Reads rings.yaml. `file` is its path in the repository: messages name it, and the paths that it
/// holds are relative to its folder. The second value are notes: allowed, but worth a look.
///
/// # Errors
/// All [`Problems`] of the file, each with its place.
pub fn read(bytes: &[u8], file: &RepoPath) -> Result<(Project, Vec<Problem>), Problems> {
    let source = yaml::text(bytes, &file.to_string())?;
    let tree = yaml::parse(&source)?;
    let mut walk = Walk::new(source, file.parent().unwrap_or_default());
    let project = project(&mut walk, &tree);
    match (Problems::of(walk.problems), project) {
        (None, Some(project)) => Ok((project, walk.notes)),
        (Some(problems), _) => Err(problems),
        (None, None) => Err(walk
            .source
            .problem(tree.span, "invalid-value", "not a project")
            .into()),
    }
}

fn project(walk: &mut Walk, tree: &Node) -> Option<Project> {
    if tree.value == Value::Null {
        let hint = "`ringshift init` proposes one";
        walk.say_hint(Span::start(), "empty", "the file is empty", hint);
        return None;
    }
    let fields = walk.fields(tree, tree.span, "rings.yaml", keys::PROJECT)?;
    let name = require(walk, &fields, "project").and_then(|node| project_name(walk, node));
    let rings = require(walk, &fields, "rings").map(|node| rings::read(walk, node));
    let images = match require(walk, &fields, "images") {
        Some(node) => images::read(
            walk,
            node,
            fields.key("images").unwrap_or(node.span),
            name.as_ref(),
        ),
        None => None,
    };
    let registry = fields.get("registry").and_then(|node| registry(walk, node));
    let environments = environments(walk, &fields);
    let sites = fields
        .get("sites")
        .map(|node| sites::read(walk, node, rings.as_deref()));
    let vendor = fields
        .get("vendor")
        .and_then(|node| walk.text(node, "vendor").map(Into::into));
    let platforms = fields.get("platforms").map(|node| platforms(walk, node));
    let initial = fields.get("initial").and_then(|node| initial(walk, node));
    let versions = [("guarded", Versioning::Guarded), ("literal", Versioning::Literal)];
    let versioning = fields
        .get("versioning")
        .and_then(|node| walk.choice(node, "versioning", &versions));
    let allow = fields.get("allow").map(|node| allow(walk, node));
    let silence = fields.get("silence").map(|node| walk.codes(node));
    let builder = fields.get("builder").and_then(|node| builder(walk, node));
    let (images, order, root) = images?;
    Some(Project {
        name: name?,
        registry,
        vendor,
        platforms: platforms.unwrap_or_else(|| vec![Platform::default()]),
        rings: rings?,
        aliases: by_alias(&images),
        images,
        order,
        root,
        environments,
        sites: sites.unwrap_or_default(),
        initial: initial.unwrap_or(Version::new(0, 1, 0)),
        versioning: versioning.unwrap_or_default(),
        allow: allow.unwrap_or_default(),
        silence: silence.unwrap_or_default().into_iter().collect(),
        builder,
        source: walk.source.clone(),
    })
}

/// The images by the normal forms of their aliases.
fn by_alias(images: &BTreeMap<ImageName, Image>) -> BTreeMap<String, ImageName> {
    let aliases = images
        .values()
        .flat_map(|image| image.aliases.iter().map(move |alias| (alias, &image.name)));
    aliases
        .map(|(alias, image)| (normal_name(alias), image.clone()))
        .collect()
}

fn require<'n>(walk: &mut Walk, fields: &Fields<'n>, key: &str) -> Option<&'n Node> {
    let found = fields.get(key);
    if found.is_none() {
        let span = fields.key(key).unwrap_or(Span::start());
        let hint = match key {
            "project" => "`project: NAME`; images are `<registry>/<project>/<image>`",
            "rings" => "`rings: [developers, testers, users]`, from the first to the last",
            _ => "`images:`, and under it `NAME: FOLDER` for every image",
        };
        walk.say_hint(span, "missing-key", format!("`{key}` is missing"), hint);
    }
    found
}

fn project_name(walk: &mut Walk, node: &Node) -> Option<ProjectName> {
    let text = walk.text(node, "project")?;
    walk.name(node.span, text, "project", ProjectName::new)
}

/// `host[:port]`, `http://host[:port]` or `oci:PATH`.
fn registry(walk: &mut Walk, node: &Node) -> Option<RegistryAddress> {
    let text = walk.word(node, "registry")?;
    if let Some(folder) = text.strip_prefix("oci:") {
        if folder.is_empty() || folder.starts_with("//") {
            walk.say_hint(
                node.span,
                "invalid-value",
                "`registry` names no folder",
                "`oci:PATH`",
            );
            return None;
        }
        return Some(RegistryAddress::Folder(folder.into()));
    }
    let (plain, host) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
        (Some(host), _) => (true, host),
        (_, Some(host)) => (false, host),
        _ => (false, text.as_str()),
    };
    match wrong_host(host) {
        None => Some(RegistryAddress::Remote {
            host: host.into(),
            plain,
        }),
        Some(hint) => {
            // A password may stand in the text (SEC-C1), and nobody should read it in a log.
            let problem = walk
                .source
                .problem(node.span, "invalid-value", "`registry` is not a registry");
            let problem = Problem {
                snippet: problem.snippet.clone().filter(|_| !host.contains('@')),
                ..problem
            };
            walk.problems.push(problem.hint(hint));
            None
        }
    }
}

pub(super) fn wrong_host(host: &str) -> Option<&'static str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let port = host.rsplit_once(':').map(|(_, port)| port);
    if host.contains('@') {
        return Some("no user or password here: `docker login` and `podman login` keep them");
    }
    if host.contains('/') {
        return Some("only `host[:port]` stands here; what follows the host belongs to `project`");
    }
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
    if name.is_empty() || !name.chars().all(good) || port.is_some_and(|p| p.parse::<u16>().is_err()) {
        return Some("`host[:port]`, `http://host[:port]` or `oci:PATH`");
    }
    None
}

fn environments(walk: &mut Walk, fields: &Fields<'_>) -> Environments {
    let default = walk.folder.child(b"environments");
    match fields.get("environments") {
        None => Environments {
            folder: default,
            span: None,
        },
        Some(node) => Environments {
            folder: walk.path(node, "environments").unwrap_or(default),
            span: Some(node.span),
        },
    }
}

/// At least one; each once.
fn platforms(walk: &mut Walk, node: &Node) -> Vec<Platform> {
    let mut found: Vec<Platform> = Vec::new();
    let items = walk.list(node, "platforms");
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        let hint = "name one, or leave the key out: linux/amd64 is the default";
        walk.say_hint(node.span, "invalid-value", "`platforms` names no platform", hint);
    }
    for item in items {
        let Some(text) = walk.text(item, "platforms") else {
            continue;
        };
        match text.parse::<Platform>() {
            Ok(platform) if found.contains(&platform) => {
                let message = format!("the platform {platform} is named twice");
                walk.say(item.span, "invalid-value", message);
            }
            Ok(platform) => found.push(platform),
            Err(error) => walk.say_hint(
                item.span,
                "invalid-value",
                error.to_string(),
                "such as linux/amd64",
            ),
        }
    }
    found
}

fn initial(walk: &mut Walk, node: &Node) -> Option<Version> {
    let text = walk.text(node, "initial")?;
    let version = text.parse().ok();
    if version.is_none() {
        let message = format!("`{}` is not a version", shorten(text));
        walk.say_hint(
            node.span,
            "invalid-value",
            message,
            "MAJOR.MINOR.PATCH, such as 0.1.0",
        );
    }
    version
}

fn allow(walk: &mut Walk, node: &Node) -> BTreeSet<Allowance> {
    let words = [
        ("network=host", Allowance::NetworkHost),
        ("security=insecure", Allowance::SecurityInsecure),
        ("helm", Allowance::Helm),
    ];
    let items = walk.list(node, "allow");
    items
        .iter()
        .filter_map(|item| walk.choice(item, "allow", &words))
        .collect()
}

fn builder(walk: &mut Walk, node: &Node) -> Option<Builder> {
    let words = BuilderKind::ALL.map(|kind| (kind.as_str(), kind));
    if matches!(node.value, Value::Text(_)) {
        return Some(Builder {
            kind: walk.choice(node, "builder", &words)?,
            args: Vec::new(),
            engine: Vec::new(),
            cache: None,
        });
    }
    let fields = walk.fields(node, node.span, "builder", keys::BUILDER)?;
    let Some(name) = fields.get("name") else {
        walk.say(fields.span, "missing-key", "`builder` has no `name`");
        return None;
    };
    let kind = walk.choice(name, "name", &words)?;
    let args = fields.get("args").map(|node| walk.texts(node, "args"));
    let engine = fields.get("engine").map(|node| walk.texts(node, "engine"));
    let cache = fields.get("cache").and_then(|node| layers(walk, node, kind));
    Some(Builder {
        kind,
        args: args.unwrap_or_default(),
        engine: engine.unwrap_or_default(),
        cache,
    })
}

/// The repository of a layer cache.
fn layers(walk: &mut Walk, node: &Node, kind: BuilderKind) -> Option<String> {
    let text = walk.text(node, "cache")?;
    if !kind.keeps_layers() {
        let message = format!("{kind} keeps no layers in a registry; buildx and buildctl do");
        walk.say(node.span, "invalid-value", message);
        return None;
    }
    let repository = repository(text);
    if repository.is_none() {
        let message = format!(
            "`cache` cannot be `{}`: it is a repository without tag",
            text.escape_debug()
        );
        walk.say(node.span, "invalid-value", message);
    }
    repository
}
