//! Named contexts: a folder, an image of the project, an external image (rule 78).

use super::keys;
use super::project::{ContextSource, NamedContext};
use super::walk::{Fields, Walk, shorten};
use super::yaml::{Node, Value};
use crate::model::{ImageName, Reference, RepoPath, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Reads `contexts:` of an image; `names` are those of all images.
pub fn read(walk: &mut Walk, node: &Node, names: &BTreeSet<&str>) -> BTreeMap<String, NamedContext> {
    let mut contexts = BTreeMap::new();
    for (span, name, value) in walk.entries(node, "contexts") {
        if !is_context_name(name) {
            let hint = "a stage name or an image reference, such as `assets` or `alpine:3.20`";
            walk.say_hint(
                span,
                "invalid-name",
                format!("`{}` is no name of a context", shorten(name)),
                hint,
            );
            continue;
        }
        if let Some(what) = context(walk, span, value, names) {
            contexts.insert(name.to_owned(), NamedContext { what, span });
        }
    }
    contexts
}

/// Whether a named context can have this name.
pub fn is_context_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
    !name.is_empty() && name.len() <= 255 && name.chars().all(good) && !name.starts_with('-')
}

fn context(walk: &mut Walk, span: Span, node: &Node, names: &BTreeSet<&str>) -> Option<ContextSource> {
    match &node.value {
        Value::Text(text) => short_form(walk, node, text),
        Value::Map(_) => long_form(walk, span, node, names),
        Value::Null => {
            walk.say(span, "missing-key", "the context names no folder");
            None
        }
        _ => walk.text(node, "contexts").and(None),
    }
}

fn short_form(walk: &mut Walk, node: &Node, text: &str) -> Option<ContextSource> {
    if let Some(reference) = text.strip_prefix("docker-image://") {
        return external(walk, node, reference);
    }
    if text.contains("://") {
        let hint =
            "a folder, `{image: NAME}`, or `docker-image://REF`; git, http and oci-layout are not there yet";
        walk.say_hint(
            node.span,
            "invalid-value",
            format!("the context `{}` is of no known kind", shorten(text)),
            hint,
        );
        return None;
    }
    let path = walk.path(node, "contexts")?;
    Some(ContextSource::Folder {
        path,
        generated: false,
    })
}

fn external(walk: &mut Walk, node: &Node, text: &str) -> Option<ContextSource> {
    let reference = text.parse::<Reference>().ok();
    if reference.is_none() {
        let message = format!("`{}` is not an image reference", shorten(text));
        walk.say(node.span, "invalid-value", message);
    }
    reference.map(ContextSource::External)
}

fn long_form(walk: &mut Walk, span: Span, node: &Node, names: &BTreeSet<&str>) -> Option<ContextSource> {
    let fields = walk.fields(node, span, "a named context", keys::CONTEXT)?;
    match (fields.get("image"), fields.get("path")) {
        (Some(image), None) => own_image(walk, &fields, image, names),
        (None, Some(path)) => folder(walk, &fields, path),
        _ => {
            let hint = "`{image: NAME}`, or `{path: FOLDER, generated: true}`";
            walk.say_hint(
                span,
                "invalid-value",
                "the context is neither an image nor a folder",
                hint,
            );
            None
        }
    }
}

fn folder(walk: &mut Walk, fields: &Fields<'_>, node: &Node) -> Option<ContextSource> {
    let generated = fields
        .get("generated")
        .and_then(|node| walk.boolean(node, "generated"));
    let path: RepoPath = walk.path(node, "path")?;
    Some(ContextSource::Folder {
        path,
        generated: generated.unwrap_or_default(),
    })
}

fn own_image(
    walk: &mut Walk,
    fields: &Fields<'_>,
    node: &Node,
    names: &BTreeSet<&str>,
) -> Option<ContextSource> {
    if let Some(span) = fields.key("generated") {
        walk.say(
            span,
            "invalid-value",
            "`generated` belongs to a folder, not to an image",
        );
    }
    let text = walk.text(node, "image")?;
    if let (true, Ok(name)) = (names.contains(text), ImageName::new(text)) {
        return Some(ContextSource::Image(name));
    }
    let hint = match walk.nearest(text, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "an external image is written `docker-image://REF`".into(),
    };
    walk.say_hint(
        node.span,
        "unknown-image",
        format!("there is no image `{}`", shorten(text)),
        hint,
    );
    None
}
