//! Paths into objects, as replacements and variables write them.

use super::node::{Kind, Node, Scalar};
use super::parse;
use super::selector;

/// The node at a path of names, indices, `-` for the last item, and `[name=value]`.
///
/// # Errors
/// A sentence when the way leads through a node of another kind.
pub fn get<'n>(node: &'n Node, path: &[String]) -> Result<Option<&'n Node>, String> {
    let mut at = node;
    for part in path
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
    {
        let next = if let Ok(index) = part.parse::<i64>() {
            let index =
                usize::try_from(index).map_err(|_| format!("array index {index} cannot be negative"))?;
            items(at)?.get(index)
        } else if part == "-" {
            items(at)?.last()
        } else if part == "*" {
            return Err("wildcard is not supported in PathGetter".into());
        } else if is_list_index(part) {
            let (name, value) = name_value(part)?;
            items(at)?.iter().find(|item| match name {
                "" => item.text() == value,
                name => item.get(name).is_some_and(|node| node.text() == value),
            })
        } else {
            field(at, part)?
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn items(node: &Node) -> Result<&[Node], String> {
    match node {
        Node::List(items) => Ok(items),
        node if node.is_null() => Ok(&[]),
        other => Err(format!(
            "wrong node kind: expected a list but got {}",
            other.kind().words()
        )),
    }
}

fn field<'n>(node: &'n Node, name: &str) -> Result<Option<&'n Node>, String> {
    match node {
        Node::Map(_) => Ok(node.get(name)),
        node if node.is_null() => Ok(None),
        other => Err(format!(
            "wrong node kind: expected a map but got {}",
            other.kind().words()
        )),
    }
}

fn is_list_index(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

fn is_index(part: &str) -> bool {
    part.parse::<i64>().is_ok_and(|index| index >= 0)
}

fn name_value(part: &str) -> Result<(&str, &str), String> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner
        .split_once('=')
        .ok_or_else(|| "list path element must contain fieldName=fieldValue for element to match".into())
}

/// The kind of what is made before the next part of a path.
fn made(next: Option<&String>, last: Kind) -> Kind {
    match next {
        Some(next) if is_list_index(next) || is_index(next) => Kind::List,
        Some(next) if !next.is_empty() => Kind::Map,
        _ => last,
    }
}

/// Calls `set` for every node that a path means: `*` for every item, `[name=expression]` for
/// items by regular expression. With `create` what is missing is made. Returns how many there were.
///
/// # Errors
/// A sentence when the way leads through a node of another kind, and what `set` says.
pub fn each(
    node: &mut Node,
    path: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<usize, String> {
    let Some((part, rest)) = path.split_first() else {
        set(node)?;
        return Ok(1);
    };
    if is_index(part) {
        let index: usize = part.parse().map_err(|_| format!("`{part}` is no index"))?;
        let items = list(node)?;
        if items.len() == index
            && let Some(create) = create
        {
            items.push(made(rest.first(), create).empty());
        }
        let count = items.len();
        return match items.get_mut(index) {
            Some(item) => each(item, rest, create, set),
            None => Err(format!("index {index} specified but only {count} elements found")),
        };
    }
    if is_list_index(part) {
        return matching(node, part, rest, create, set);
    }
    if part == "*" {
        let mut count = 0;
        for item in list(node)? {
            count += each(item, rest, create, set)?;
        }
        return Ok(count);
    }
    if node.is_null() {
        return Ok(0);
    }
    field(node, part)?;
    if node.get(part).is_none() {
        match create {
            None => return Ok(0),
            Some(create) => node.set(part, made(rest.first(), create).empty()),
        }
    }
    match node.get_mut(part) {
        // Structured text: matched in a copy, which upstream then drops.
        Some(Node::Scalar(scalar)) if !rest.is_empty() && scalar.tag != super::scalar::Tag::Null => {
            let mut inner = parse::documents(&scalar.text)?
                .into_iter()
                .next()
                .unwrap_or(Node::untagged(""));
            each(&mut inner, rest, create, set)
        }
        Some(found) => each(found, rest, create, set),
        None => Ok(0),
    }
}

fn list(node: &mut Node) -> Result<&mut Vec<Node>, String> {
    if node.is_null() {
        *node = Node::List(Vec::new());
    }
    match node {
        Node::List(items) => Ok(items),
        other => Err(format!(
            "wrong node kind: expected a list but got {}",
            other.kind().words()
        )),
    }
}

fn matching(
    node: &mut Node,
    part: &str,
    rest: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<usize, String> {
    let (name, pattern) = name_value(part)?;
    let regex = selector::regex(pattern).map_err(|error| error.message)?;
    let items = list(node)?;
    for round in 0..2 {
        let mut count = 0;
        for item in items.iter_mut() {
            if name.is_empty() {
                if item.kind() == Kind::Scalar && regex.is_match(item.text()) {
                    set(item)?;
                    count += 1;
                }
            } else if item.get(name).is_some_and(|node| regex.is_match(node.text())) {
                count += each(item, rest, create, set)?;
            }
        }
        if count > 0 || create.is_none() || round > 0 {
            return Ok(count);
        }
        items.push(match name {
            "" => Node::untagged(pattern),
            name => Node::Map(vec![(Scalar::untagged(name), Node::untagged(pattern))]),
        });
    }
    Ok(0)
}
