//! Patches over the objects of a build.

use super::error::Error;
use super::jsonpatch::{self, Operation};
use super::kustomization::{Patch, Selector};
use super::load::Loader;
use super::merge;
use super::node::Node;
use super::objects;
use super::resource::Resource;
use super::schema::Schema;
use super::selector::Matcher;
use super::value;

/// What a patch says.
#[derive(Debug, Clone)]
pub enum Patching {
    /// Objects that are laid over others.
    Merge(Vec<Resource>),
    /// Operations.
    Operations(Vec<Operation>),
}

/// Reads a patch: its text, or the file that it names.
///
/// # Errors
/// When it names both or none, or the text is neither kind of patch.
pub fn read(patch: &Patch, loader: &Loader<'_>) -> Result<Patching, Error> {
    let inline = patch.patch.trim();
    let (place, text) = match (inline, patch.path.as_str()) {
        ("", "") => {
            return Err(Error::at(
                loader.folder(),
                "a patch has neither `patch` nor `path`",
            ));
        }
        (_, "") => (format!("a patch in {}", loader.folder()), inline.to_owned()),
        ("", path) => (loader.name(path), loader.text(path)?),
        _ => return Err(Error::at(loader.folder(), "a patch has both `patch` and `path`")),
    };
    let (merges, operations) = (objects::read(&text), jsonpatch::read(&text));
    match (merges, operations) {
        (Ok(merges), Ok(operations)) if !merges.is_empty() && !operations.is_empty() => Err(Error::at(
            place,
            "illegally qualifies as both an SM and JSON patch",
        )),
        (Ok(mut merges), _) => {
            for merge in &mut merges {
                if patch.options.get("allowNameChange") == Some(&true) {
                    merge.allow_name_change();
                }
                if patch.options.get("allowKindChange") == Some(&true) {
                    merge.allow_kind_change();
                }
            }
            Ok(Patching::Merge(merges))
        }
        (Err(_), Ok(operations)) => Ok(Patching::Operations(operations)),
        (Err(merge), Err(json)) => Err(Error::at(
            place,
            format!("neither a strategic merge patch ({merge}) nor a JSON patch ({json})"),
        )),
    }
}

/// Applies a patch to its target, or to the objects that it names itself.
///
/// # Errors
/// When no object fits, or the patch does not apply.
pub fn apply(
    resources: &mut Vec<Resource>,
    patching: &Patching,
    target: Option<&Selector>,
    schema: &Schema,
) -> Result<(), Error> {
    match (patching, target) {
        (Patching::Merge(patches), None) => {
            for patch in patches {
                let at = objects::by_id(resources, &patch.first_id())?;
                lay_over(&mut resources[at], patch.clone(), schema)?;
            }
            Ok(())
        }
        (Patching::Merge(patches), Some(target)) => match &patches[..] {
            [] => Ok(()),
            [patch] => {
                let chosen = select(resources, target)?;
                over_all(resources, &chosen, patch, schema)
            }
            _ => Err(Error::new(
                "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target`",
            )),
        },
        (Patching::Operations(operations), Some(target)) => {
            for at in select(resources, target)? {
                resources[at].store_id();
                operate(&mut resources[at], operations)?;
            }
            Ok(())
        }
        (Patching::Operations(operations), None) if operations.is_empty() => Ok(()),
        (Patching::Operations(_), None) => Err(Error::new("must specify a target for JSON patch")),
    }
}

/// The objects that a selector means.
///
/// # Errors
/// When an expression or selector cannot be read.
pub fn select(resources: &[Resource], target: &Selector) -> Result<Vec<usize>, Error> {
    let matcher = Matcher::new(target)?;
    let mut chosen = Vec::new();
    for (at, resource) in resources.iter().enumerate() {
        if matcher.object(resource)? {
            chosen.push(at);
        }
    }
    Ok(chosen)
}

/// Lays a patch over the chosen objects; those that it deletes fall out.
///
/// # Errors
/// When it does not apply, or two objects have one name afterwards.
pub fn over_all(
    resources: &mut Vec<Resource>,
    chosen: &[usize],
    patch: &Resource,
    schema: &Schema,
) -> Result<(), Error> {
    for at in chosen {
        let mut copy = patch.clone();
        copy.take_metadata_from(patch);
        let version = resources[*at].api_version().to_owned();
        copy.set_kind(patch.kind());
        copy.set_api_version(&version);
        lay_over(&mut resources[*at], copy, schema)?;
    }
    let kept = std::mem::take(resources)
        .into_iter()
        .filter(|resource| !resource.node.is_empty());
    objects::append(resources, kept.collect())
}

fn lay_over(resource: &mut Resource, patch: Resource, schema: &Schema) -> Result<(), Error> {
    let (name, namespace, kind) = (
        resource.name().to_owned(),
        resource.namespace().to_owned(),
        resource.kind().to_owned(),
    );
    let (renames, rekinds) = (patch.name_change_allowed(), patch.kind_change_allowed());
    if renames || rekinds {
        resource.store_id();
    }
    let target = std::mem::replace(&mut resource.node, Node::Map(Vec::new()));
    let id = patch.id();
    match merge::merge(schema, target, patch.node)
        .map_err(|what| Error::new(format!("the patch {id} does not apply: {what}")))?
    {
        None => return Ok(()),
        Some(node) => resource.node = node,
    }
    if resource.node.is_empty() {
        return Ok(());
    }
    if !rekinds {
        resource.set_kind(&kind);
    }
    if !renames {
        resource.set_name(&name);
    }
    resource.set_namespace(&namespace);
    Ok(())
}

/// Applies operations to one object.
///
/// # Errors
/// When one does not apply.
pub fn operate(resource: &mut Resource, operations: &[Operation]) -> Result<(), Error> {
    let internal = resource.internal();
    let mut document = value::of(&resource.node)?;
    jsonpatch::apply(&mut document, operations)
        .map_err(|what| Error::new(format!("{}: {what}", resource.id())))?;
    resource.node = value::node(&document);
    let mut annotations = resource.annotations();
    annotations.extend(internal);
    resource.set_annotations(&annotations);
    Ok(())
}
