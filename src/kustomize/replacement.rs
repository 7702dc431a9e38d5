//! Replacements: a value of one object copied into fields of others.

use super::error::Error;
use super::fields;
use super::kustomization::{FieldOptions, Replacement, Source, Target};
use super::lookup;
use super::node::{Kind, Node, Scalar};
use super::resource::{Gvk, Resource};
use super::selector::Matcher;
use super::structured;

/// Applies all replacements in order.
///
/// # Errors
/// When a source or field is missing, or several sources fit.
pub fn apply(resources: &mut [Resource], replacements: &[Replacement]) -> Result<(), Error> {
    for replacement in replacements {
        let targets = replacement.targets.as_ref();
        let (value, targets) = match (&replacement.source, &replacement.source_value, targets) {
            (Some(_), Some(_), _) => {
                return Err(Error::new("value and resource selectors are mutually exclusive")
                    .hint("write `source` or `sourceValue`"));
            }
            (None, Some(text), Some(targets)) => (Node::untagged(text.clone()), targets),
            (Some(source), None, Some(targets)) => (read(resources, source)?, targets),
            _ => {
                return Err(Error::new(
                    "replacements must specify a source and at least one target",
                ));
            }
        };
        for target in targets {
            write(resources, &value, target)?;
        }
    }
    Ok(())
}

fn read(resources: &[Resource], source: &Source) -> Result<Node, Error> {
    let gvk = Gvk {
        group: source.group.clone(),
        version: source.version.clone(),
        kind: source.kind.clone(),
    };
    let space = if source.namespace.is_empty() {
        "default"
    } else {
        &source.namespace
    };
    let fits = |resource: &&Resource| {
        resource.ids().iter().any(|id| {
            (source.name.is_empty() || source.name == id.name)
                && (source.namespace.is_empty() || space == id.effective())
                && id.gvk.is_selected(&gvk)
        })
    };
    let mut found = resources.iter().filter(fits);
    let who = || format!("{} {}", gvk, source.name);
    let Some(resource) = found.next() else {
        return Err(Error::new(format!("nothing selected by the source {}", who())));
    };
    if found.next().is_some() {
        return Err(Error::new(format!("multiple matches for the source {}", who())));
    }
    let path = if source.field_path.is_empty() {
        "metadata.name"
    } else {
        &source.field_path
    };
    let node = lookup::get(&resource.node, &fields::split_brackets(path))
        .map_err(|what| Error::new(format!("error looking up replacement source: {what}")))?
        .filter(|node| !node.is_empty())
        .ok_or_else(|| {
            Error::new(format!(
                "fieldPath `{path}` is missing for replacement source {}",
                who()
            ))
        })?;
    let Some(options) = source
        .options
        .as_ref()
        .filter(|options| !options.delimiter.is_empty())
    else {
        return Ok(node.clone());
    };
    let Node::Scalar(scalar) = node else {
        return Err(Error::new("delimiter option can only be used with scalar nodes"));
    };
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|at| scalar.text.split(options.delimiter.as_str()).nth(at))
        .ok_or_else(|| {
            Error::new(format!(
                "options.index {} is out of bounds for value {}",
                options.index, scalar.text
            ))
        })?;
    Ok(Node::Scalar(Scalar {
        text: part.into(),
        ..scalar.clone()
    }))
}

fn write(resources: &mut [Resource], value: &Node, target: &Target) -> Result<(), Error> {
    let Some(select) = &target.select else {
        return Err(Error::new("target must specify resources to select"));
    };
    let default = ["metadata.name".to_owned()];
    let paths = if target.field_paths.is_empty() {
        &default[..]
    } else {
        &target.field_paths
    };
    let wanted = Matcher::new(select)?;
    let rejected = target
        .reject
        .iter()
        .map(Matcher::new)
        .collect::<Result<Vec<_>, _>>()?;
    for resource in resources {
        if !wanted.labels(resource)? {
            continue;
        }
        let ids = resource.ids();
        let mut out = false;
        for (matcher, selector) in rejected.iter().zip(&target.reject) {
            let by_label = !selector.label_selector.is_empty() || !selector.annotation_selector.is_empty();
            out |= by_label && matcher.labels(resource)?;
            out |= !matcher.names_nothing() && ids.iter().any(|id| matcher.id(id));
        }
        if !out && ids.iter().any(|id| wanted.id(id)) {
            for path in paths {
                copy(&mut resource.node, value, path, target.options.as_ref())?;
            }
        }
    }
    Ok(())
}

fn copy(node: &mut Node, value: &Node, path: &str, options: Option<&FieldOptions>) -> Result<(), Error> {
    let parts = fields::split_brackets(path);
    let create = options.filter(|options| options.create).map(|_| value.kind());
    let mut put = |field: &mut Node| set(field, value, options);
    if structured::set(node, &parts, create, &mut put).is_ok() {
        return Ok(());
    }
    let verb = if create.is_some() {
        "find or create"
    } else {
        "find"
    };
    let failed = |what: String| {
        Error::new(format!(
            "unable to {verb} field \"{path}\" in replacement target{what}"
        ))
    };
    match lookup::each(node, &parts, create, &mut put) {
        Ok(0) => Err(failed(String::new())),
        Ok(_) => Ok(()),
        Err(what) => Err(failed(format!(": {what}"))),
    }
}

fn set(field: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<(), String> {
    let mut value = value.clone();
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        let Node::Scalar(old) = &*field else {
            return Err("delimiter option can only be used with scalar nodes".into());
        };
        let mut parts: Vec<&str> = old.text.split(options.delimiter.as_str()).collect();
        let part = if value.is_null() {
            String::new()
        } else {
            value.text().to_owned()
        };
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, &part),
            Ok(at) if at >= parts.len() => parts.push(&part),
            Ok(at) => parts[at] = &part,
        }
        let joined = parts.join(&options.delimiter);
        match (&mut value, &mut *field) {
            (Node::Scalar(scalar), _) => scalar.text = joined,
            // As upstream: a map or list as the source is an empty text here.
            (_, Node::Scalar(old)) => {
                old.text = joined;
                return Ok(());
            }
            _ => {}
        }
    }
    match (&mut *field, value.kind()) {
        (Node::Scalar(scalar), _) => value.text().clone_into(&mut scalar.text),
        (_, Kind::Scalar | Kind::List | Kind::Map) => *field = value,
    }
    Ok(())
}
