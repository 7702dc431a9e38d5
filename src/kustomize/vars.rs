//! Variables: `$(NAME)` in the fields that may hold one becomes the value of another field.

use super::error::Error;
use super::fields;
use super::kustomization::{FieldSpec, Variable};
use super::node::{Node, Scalar, Style};
use super::resource::{Gvk, Id, Resource};
use super::scalar::Tag;
use super::{lookup, schema};
use std::collections::BTreeMap;

/// Adds variables, and remembers in the objects which of them they feed.
///
/// # Errors
/// When a name is taken, or several objects fit.
pub fn add(all: &mut Vec<Variable>, new: &[Variable], resources: &mut [Resource]) -> Result<(), Error> {
    for variable in new {
        let of = &variable.objref;
        let gvk = match of.api_version.as_str() {
            "" => Gvk {
                group: of.group.clone(),
                version: of.version.clone(),
                kind: of.kind.clone(),
            },
            version => Gvk::new(version, &of.kind),
        };
        let id = Id {
            cluster: schema::is_cluster_scoped(&gvk.api_version(), &gvk.kind),
            gvk,
            name: of.name.clone(),
            namespace: of.namespace.clone(),
        };
        let any = id.namespace.is_empty() && !id.cluster;
        let fits = |other: &Id| match any {
            true => other.name == id.name && other.gvk == id.gvk,
            false => other.same(&id),
        };
        let found: Vec<usize> = (0..resources.len())
            .filter(|at| resources[*at].any_id(fits))
            .collect();
        match found[..] {
            [] => {}
            [one] => resources[one].variables.push(variable.name.clone()),
            _ => {
                return Err(Error::new(format!(
                    "found {} resId matches for var {} (unable to disambiguate)",
                    found.len(),
                    variable.name
                )));
            }
        }
    }
    merge(all, new)
}

/// Adds variables of a base.
///
/// # Errors
/// When a name is taken.
pub fn merge(all: &mut Vec<Variable>, new: &[Variable]) -> Result<(), Error> {
    for variable in new {
        if all.iter().any(|have| have.name == variable.name) {
            return Err(Error::new(format!("var '{}' already encountered", variable.name)));
        }
        all.push(variable.clone());
    }
    Ok(())
}

/// Writes the values of all variables where `specs` say.
///
/// # Errors
/// When a variable has no object, or its field is missing.
pub fn resolve(all: &[Variable], specs: &[FieldSpec], resources: &mut [Resource]) -> Result<(), Error> {
    if all.is_empty() {
        return Ok(());
    }
    let mut values: BTreeMap<&str, Option<Scalar>> = BTreeMap::new();
    for variable in all {
        let missing = |what: &str| Error::new(format!("var '{}' {what}", variable.name));
        let source = resources
            .iter()
            .find(|resource| resource.variables.contains(&variable.name))
            .ok_or_else(|| missing("cannot be mapped to a field in the set of known resources"))?;
        let path = match variable.fieldref.fieldpath.as_str() {
            "" => "metadata.name",
            path => path,
        };
        let node = lookup::get(&source.node, &indexed(&fields::split_brackets(path)))
            .ok()
            .flatten()
            .ok_or_else(|| missing("names a field that its resource does not have"))?;
        values.insert(
            &variable.name,
            match node {
                Node::Scalar(scalar) => Some(scalar.clone()),
                _ => None,
            },
        );
    }
    for resource in resources {
        for spec in specs {
            fields::each(&mut resource.node, spec, None, &mut |node| set(node, &values))?;
        }
    }
    Ok(())
}

/// `a[0]` as two parts.
fn indexed(parts: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for part in parts {
        match part.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
            Some((name, index)) if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) => {
                if !name.is_empty() {
                    out.push(name.to_owned());
                }
                out.push(index.to_owned());
            }
            _ => out.push(part.clone()),
        }
    }
    out
}

type Values<'v> = BTreeMap<&'v str, Option<Scalar>>;

fn set(node: &mut Node, values: &Values<'_>) -> Result<(), String> {
    match node {
        Node::Scalar(scalar) => {
            if scalar.is_string() {
                *scalar = expand(&scalar.text, values);
            }
            Ok(())
        }
        Node::Map(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            if !key.is_string() {
                return Err(format!("invalid map key: `{}`", key.text));
            }
            if let Node::Scalar(scalar) = value
                && scalar.is_string()
            {
                *scalar = expand(&scalar.text, values);
            }
            Ok(())
        }),
        Node::List(items) => items.iter_mut().try_for_each(|item| match item {
            Node::Scalar(scalar) if scalar.is_string() => {
                *scalar = expand(&scalar.text, values);
                Ok(())
            }
            _ => Err("invalid value type expect a string".into()),
        }),
    }
}

/// The text with its variables replaced; a text that is one variable takes over its type.
fn expand(text: &str, values: &Values<'_>) -> Scalar {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let Some(next) = after.chars().next() else { break };
        out.push_str(&rest[..at]);
        match next {
            '$' => {
                out.push('$');
                rest = &after[1..];
            }
            '(' => match after.find(')') {
                Some(end) => {
                    let name = &after[1..end];
                    match values.get(name) {
                        Some(Some(value)) if text.len() == name.len() + 3 => return typed(value),
                        Some(Some(value)) => out.push_str(&value.text),
                        _ => {
                            out.push_str("$(");
                            out.push_str(name);
                            out.push(')');
                        }
                    }
                    rest = &after[end + 1..];
                }
                None => {
                    out.push_str("$(");
                    rest = &after[1..];
                }
            },
            other => {
                out.push('$');
                out.push(other);
                rest = &after[other.len_utf8()..];
            }
        }
    }
    out.push_str(rest);
    Scalar::string(out)
}

fn typed(value: &Scalar) -> Scalar {
    let tag = match value.tag {
        Tag::Int | Tag::Float | Tag::Bool => value.tag.clone(),
        _ => Tag::Str,
    };
    Scalar {
        text: value.text.clone(),
        tag,
        style: Style::Plain,
        shared: 0,
    }
}
