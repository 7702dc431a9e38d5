//! The images: names, contexts, which one is the root (S3), and who is meant by an alias.

use super::contexts;
use super::keys;
use super::project::{Image, split};
use super::walk::{Walk, shorten};
use super::yaml::{Node, Value};
use crate::model::reference::normal_name;
use crate::model::{ImageName, ProjectName, RepoPath, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The images by name, their order in the file, and the root.
pub type Images = (BTreeMap<ImageName, Image>, Vec<ImageName>, ImageName);

/// Reads `images:`, whose key stands at `span`.
pub fn read(walk: &mut Walk, node: &Node, span: Span, project: Option<&ProjectName>) -> Option<Images> {
    let entries = walk.entries(node, "images");
    let names: BTreeSet<&str> = entries.iter().map(|(_, name, _)| *name).collect();
    let mut images = BTreeMap::new();
    let mut order = Vec::new();
    let mut complete = true;
    let mut roots: Vec<&Node> = Vec::new();
    for (span, text, value) in &entries {
        roots.extend(root_mark(value));
        let name = walk.name(*span, text, "image", ImageName::new);
        let image = image(walk, *span, value, &names);
        match (name, image) {
            (Some(name), Some(image)) => {
                order.push(name.clone());
                images.insert(name.clone(), Image { name, ..image });
            }
            _ => complete = false,
        }
    }
    if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        walk.say(span, "missing-key", "`images` names no image");
        return None;
    }
    aliases(walk, &images, &order, project);
    one_root(walk, span, &roots, &names);
    let root = images
        .values()
        .find(|image| image.root)
        .map(|image| image.name.clone());
    if let Some(root) = &root {
        state_name(walk, &images, root);
    }
    complete.then_some((images, order, root?))
}

fn image(walk: &mut Walk, span: Span, node: &Node, names: &BTreeSet<&str>) -> Option<Image> {
    let template = Image {
        name: ImageName::new("image").ok()?,
        root: false,
        context: RepoPath::root(),
        file: None,
        target: None,
        args: BTreeMap::new(),
        contexts: BTreeMap::new(),
        aliases: Vec::new(),
        epoch: None,
        silence: BTreeSet::new(),
        checks: Vec::new(),
        span,
        context_span: node.span,
        file_span: None,
    };
    match &node.value {
        Value::Text(_) => Some(Image {
            context: walk.path(node, "context")?,
            ..template
        }),
        Value::Null => {
            no_context(walk, span);
            None
        }
        _ => long_form(walk, span, node, names, template),
    }
}

fn no_context(walk: &mut Walk, span: Span) {
    let hint = "name the folder that is its build context";
    walk.say_hint(span, "missing-key", "the image has no `context`", hint);
}

fn long_form(
    walk: &mut Walk,
    span: Span,
    node: &Node,
    names: &BTreeSet<&str>,
    template: Image,
) -> Option<Image> {
    let fields = walk.fields(node, span, "an image", keys::IMAGE)?;
    let context = match fields.get("context") {
        Some(node) => walk.path(node, "context").map(|path| (path, node.span)),
        None => {
            no_context(walk, span);
            None
        }
    };
    let file = fields
        .get("file")
        .and_then(|node| walk.path(node, "file").map(|path| (path, node.span)));
    let target = fields.get("target").and_then(|node| walk.word(node, "target"));
    let args = fields.get("args").map(|node| args(walk, node));
    let contexts = fields
        .get("contexts")
        .map(|node| contexts::read(walk, node, names));
    let aliases = fields.get("aliases").map(|node| alias_texts(walk, node));
    let root = fields.get("root").and_then(|node| walk.boolean(node, "root"));
    let epoch = fields.get("epoch").and_then(|node| epoch(walk, node));
    let silence = fields.get("silence").map(|node| walk.codes(node));
    let checks = fields.get("checks").map(|node| checks(walk, node));
    let (context, context_span) = context?;
    Some(Image {
        root: root.unwrap_or_default(),
        context,
        file_span: file.as_ref().map(|(_, span)| *span),
        file: file.map(|(path, _)| path),
        target,
        args: args.unwrap_or_default(),
        contexts: contexts.unwrap_or_default(),
        aliases: aliases.unwrap_or_default(),
        epoch,
        silence: silence.unwrap_or_default().into_iter().collect(),
        checks: checks.unwrap_or_default(),
        context_span,
        ..template
    })
}

/// `[{run: [make, test]}]`: each a command with its arguments, no shell.
fn checks(walk: &mut Walk, node: &Node) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for item in walk.list(node, "checks") {
        let Some(fields) = walk.fields(item, item.span, "a check", keys::CHECK) else {
            continue;
        };
        let Some(run) = fields.get("run") else {
            walk.say_hint(
                item.span,
                "missing-key",
                "the check has no `run`",
                "`run: [make, test]`",
            );
            continue;
        };
        if matches!(run.value, Value::Text(_)) {
            let hint = "a list of words, such as [make, test]; for a shell: [sh, -c, \"make test\"]";
            walk.say_hint(run.span, "wrong-type", "`run` is a text, not a list", hint);
            continue;
        }
        let command = walk.texts(run, "run");
        match command.is_empty() {
            true => walk.say(run.span, "invalid-value", "`run` names no command"),
            false => found.push(command),
        }
    }
    found
}

/// Any text; a number is taken as it is written, for `epoch: 2` is what people write.
fn epoch(walk: &mut Walk, node: &Node) -> Option<String> {
    match &node.value {
        Value::Number(written) => Some(written.clone()),
        _ => walk.text(node, "epoch").map(Into::into),
    }
}

/// Whether a build argument can have this name.
pub fn is_arg_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('=') && !name.starts_with('-')
}

fn args(walk: &mut Walk, node: &Node) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    for (span, name, value) in walk.entries(node, "args") {
        if !is_arg_name(name) {
            walk.say(
                span,
                "invalid-name",
                format!("`{}` is no name of a build argument", shorten(name)),
            );
            continue;
        }
        let text = match &value.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null => {
                let hint = "values never come from the environment; write \"\" for an empty one";
                walk.say_hint(
                    span,
                    "invalid-value",
                    format!("the argument `{}` has no value", shorten(name)),
                    hint,
                );
                None
            }
            _ => walk.text(value, name).map(Into::into),
        };
        args.extend(text.map(|text| (name.to_owned(), text)));
    }
    args
}

fn alias_texts(walk: &mut Walk, node: &Node) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for item in walk.list(node, "aliases") {
        let Some(text) = walk.text(item, "aliases") else {
            continue;
        };
        let (name, tag, digest) = split(text);
        if tag.is_some() || digest.is_some() || text.parse::<crate::model::Reference>().is_err() {
            let hint = "an alias is a name without tag and digest, such as `mycorp/base`";
            walk.say_hint(
                item.span,
                "invalid-name",
                format!("`{}` is no alias", shorten(text)),
                hint,
            );
        } else if seen.insert(name) {
            found.push(name.into());
        }
    }
    found
}

/// An alias means one image: no other's alias, name or path.
fn aliases(
    walk: &mut Walk,
    images: &BTreeMap<ImageName, Image>,
    order: &[ImageName],
    project: Option<&ProjectName>,
) {
    if images.values().all(|image| image.aliases.is_empty()) {
        return;
    }
    let mut owners: BTreeMap<String, &ImageName> = BTreeMap::new();
    for name in images.keys() {
        owners.insert(normal_name(name.as_str()), name);
        if let Some(project) = project {
            owners.insert(normal_name(&format!("{project}/{name}")), name);
        }
    }
    for image in order.iter().filter_map(|name| images.get(name)) {
        for alias in &image.aliases {
            match owners.get(&normal_name(alias)) {
                Some(owner) if **owner != image.name => {
                    let message = format!("the alias `{alias}` of `{}` also means `{owner}`", image.name);
                    walk.say_hint(
                        image.span,
                        "alias-clash",
                        message,
                        "a name can mean one image only",
                    );
                }
                _ => {
                    owners.insert(normal_name(alias), &image.name);
                }
            }
        }
    }
}

/// The value of `root: true`, read from the raw tree so that an image with other faults still counts.
fn root_mark(node: &Node) -> Option<&Node> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let root = |(key, value): &&(Node, Node)| {
        key.value == Value::Text("root".into()) && value.value == Value::Bool(true)
    };
    entries.iter().find(root).map(|(key, _)| key)
}

fn one_root(walk: &mut Walk, span: Span, roots: &[&Node], names: &BTreeSet<&str>) {
    match roots {
        [_] => {}
        [] => {
            let guess = ["deploy", "deployment", "release", "root", "bundle"]
                .into_iter()
                .find(|g| names.contains(g));
            let hint = match guess {
                Some(name) => format!("add `root: true` to one, perhaps to `{name}`"),
                None => "add `root: true` to the image whose versions are the releases".into(),
            };
            walk.say_hint(span, "no-root", "no image is the root", hint);
        }
        [first, others @ ..] => {
            for other in others {
                let hint = format!("the other stands in line {}", first.span.line);
                walk.say_hint(
                    other.span,
                    "two-roots",
                    "a second root: exactly one image has `root: true`",
                    hint,
                );
            }
        }
    }
}

/// `<root>-state` is where the journal lies (state store 2).
fn state_name(walk: &mut Walk, images: &BTreeMap<ImageName, Image>, root: &ImageName) {
    let reserved = format!("{root}-state");
    if let Some(image) = images.values().find(|image| image.name.as_str() == reserved) {
        let message = format!("`{reserved}` is reserved for the journal of `{root}`");
        walk.say_hint(image.span, "invalid-name", message, "give the image another name");
    }
}
