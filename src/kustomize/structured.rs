//! JSON or YAML that stands as a text in a field: replacements reach into it.

use super::lookup;
use super::node::{Kind, Node};
use super::{emit, parse, value};
use serde_json::Value;

/// Calls `put` for the fields that the rest of a path means within the first text on the way.
///
/// # Errors
/// A sentence when there is no such text or field.
pub fn set(
    node: &mut Node,
    path: &[String],
    create: Option<Kind>,
    put: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    for cut in 1..path.len() {
        let text = match lookup::get(node, &path[..cut]) {
            Ok(Some(Node::Scalar(scalar))) => scalar.text.clone(),
            _ => continue,
        };
        let Ok(documents) = parse::documents(&text) else {
            continue;
        };
        let mut inner = documents
            .into_iter()
            .next()
            .ok_or("no structured data found in path")?;
        let count = lookup::each(&mut inner, &path[cut..], create, put)?;
        if count == 0 {
            return Err("unable to find field in structured data".into());
        }
        let written = write(&inner, &text)?;
        lookup::each(node, &path[..cut], None, &mut |field| {
            if let Node::Scalar(scalar) = field {
                scalar.text.clone_from(&written);
            }
            Ok(())
        })?;
        return Ok(());
    }
    Err("no structured data found in path".into())
}

fn write(inner: &Node, before: &str) -> Result<String, String> {
    let value = value::of(inner)?;
    if !before.trim_start().starts_with(['{', '[']) {
        return Ok(emit::document(&value).trim().to_owned());
    }
    let mut out = String::new();
    match before.contains('\n') && before.contains("  ") {
        true => pretty(&value, 0, &mut out),
        false => value::go_json(&value, &mut out),
    }
    Ok(out)
}

fn pretty(value: &Value, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                pretty(item, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (at, (key, value)) in value::sorted(map).into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                value::go_json(&Value::String(key.clone()), out);
                out.push_str(": ");
                pretty(value, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        leaf => value::go_json(leaf, out),
    }
}
