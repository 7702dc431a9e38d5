//! `images`: new names, tags and digests.

use super::error::Error;
use super::fields;
use super::kustomization::{FieldSpec, Image};
use super::node::{Kind, Node, Scalar};
use super::resource::Resource;
use super::selector;
use super::transform::set_scalar;
use regex::Regex;

/// Updates an image wherever it stands: in every list of containers, and where `specs` say.
///
/// # Errors
/// When an image is no scalar.
pub fn apply(resources: &mut [Resource], image: &Image, specs: &[FieldSpec]) -> Result<(), Error> {
    let pattern = format!(
        "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{{}}-]*)?$",
        image.name
    );
    let Ok(regex) = selector::regex(&pattern) else {
        return Ok(());
    };
    let set = |node: &mut Node| update(node, image, &regex);
    for resource in resources
        .iter_mut()
        .filter(|resource| resource.kind() != "CustomResourceDefinition")
    {
        containers(&mut resource.node, &set)?;
    }
    for resource in resources
        .iter_mut()
        .filter(|resource| resource.kind() != "CustomResourceDefinition")
    {
        for spec in specs {
            fields::each(&mut resource.node, spec, None, &mut |node| set(node))?;
        }
    }
    Ok(())
}

fn containers(node: &mut Node, set: &dyn Fn(&mut Node) -> Result<(), String>) -> Result<(), String> {
    match node {
        Node::Scalar(_) => Ok(()),
        Node::List(items) => items.iter_mut().try_for_each(|item| containers(item, set)),
        Node::Map(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            containers(value, set)?;
            let Node::List(items) = value else { return Ok(()) };
            if key.text != "containers" && key.text != "initContainers" {
                return Ok(());
            }
            items.iter_mut().try_for_each(|item| match item {
                Node::Map(_) => item.get_mut("image").map_or(Ok(()), set),
                other if other.is_null() => Ok(()),
                other => Err(format!("a container is {}", other.kind().words())),
            })
        }),
    }
}

fn update(node: &mut Node, image: &Image, regex: &Regex) -> Result<(), String> {
    if node.is_null() {
        return Ok(());
    }
    if node.kind() != Kind::Scalar {
        return Err(format!("an image is {}", node.kind().words()));
    }
    if !regex.is_match(node.text()) {
        return Ok(());
    }
    let (name, tag, digest) = split(node.text());
    let mut text = if image.new_name.is_empty() {
        name.to_owned()
    } else {
        image.new_name.clone()
    };
    let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str()) {
        ("", "") if image.tag_suffix.is_empty() => (tag.to_owned(), digest),
        ("", "") => (format!("{tag}{}", image.tag_suffix), ""),
        ("", digest) => (String::new(), digest),
        (tag, digest) => (tag.to_owned(), digest),
    };
    if !tag.is_empty() {
        text = format!("{text}:{tag}");
    }
    if !digest.is_empty() {
        text = format!("{text}@{digest}");
    }
    set_scalar(node, Scalar::untagged(text))
}

fn split(image: &str) -> (&str, &str, &str) {
    let from = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let (at, colon) = (image[from..].find('@'), image[from..].find(':'));
    match (at.map(|at| at + from), colon.map(|at| at + from)) {
        (None, None) => (image, "", ""),
        (Some(at), Some(colon)) if colon < at => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (Some(at), _) => (&image[..at], "", &image[at + 1..]),
        (None, Some(colon)) => (&image[..colon], &image[colon + 1..], ""),
    }
}
