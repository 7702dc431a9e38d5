//! From text to nodes: documents as upstream splits them, aliases and merge keys written out.
//!
//! SEC-A11: bytes, depth and what aliases add are bounded before anything is built.

use super::node::{Node, Scalar, Style};
use super::scalar::{self, Rules, Tag};
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, options};
use std::collections::BTreeMap;

/// The most bytes of one file.
pub const MAX_BYTES: usize = 16 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 100;
/// The most nodes that the aliases of one document may add.
const MAX_ALIASED: usize = 100_000;

fn limits() -> Options {
    options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    }
}

/// The documents of a text, empty ones left out.
///
/// # Errors
/// A sentence on why it cannot be read.
pub fn documents(text: &str) -> Result<Vec<Node>, String> {
    Ok(placed(text)?.into_iter().map(|(_, node)| node).collect())
}

/// The documents of a text, each with the line where it begins, from 1.
///
/// # Errors
/// As [`documents`].
pub fn placed(text: &str) -> Result<Vec<(usize, Node)>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("larger than {MAX_BYTES} bytes"));
    }
    let mut nodes = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    for (line, part) in split(&text)? {
        if let Some(node) = document(part).map_err(|error| error.shifted(line))?
            && !node.is_null()
        {
            nodes.push((line + first_line(part), node));
        }
    }
    Ok(nodes)
}

/// The first line that says something, from 1.
fn first_line(part: &str) -> usize {
    let said = |line: &str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("---")
    };
    part.lines().position(said).map_or(1, |at| at + 1)
}

/// Cuts at lines that begin with `---`, as upstream does before it parses; with each part goes
/// the number of lines before it.
fn split(text: &str) -> Result<Vec<(usize, &str)>, String> {
    let mut parts = Vec::new();
    let (mut from, mut first, mut at) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if at > from && line.starts_with("---") && line.ends_with('\n') {
            let rest = line[3..].trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(format!(
                    "line {}: invalid document separator: {}",
                    number + 1,
                    line.trim()
                ));
            }
            parts.push((first, &text[from..at]));
            from = at + line.len();
            first = number + 1;
        }
        at += line.len();
    }
    parts.push((first, &text[from..]));
    Ok(parts)
}

struct Failure {
    line: usize,
    what: String,
}

impl Failure {
    fn shifted(self, lines: usize) -> String {
        match self.line {
            0 => self.what,
            line => format!("line {}: {}", line + lines, self.what),
        }
    }
}

struct Open {
    node: Node,
    key: Option<Scalar>,
    anchor: usize,
    merges: Vec<Node>,
}

/// The first document of a text; `None` when it has none.
fn document(text: &str) -> Result<Option<Node>, Failure> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, (Node, usize)> = BTreeMap::new();
    let mut aliased = 0;
    let mut done = None;
    for next in Parser::new_from_str_with_options(text, limits()) {
        let (event, span) = next.map_err(|error| Failure {
            line: error.marker().line(),
            what: error.info().lines().next().unwrap_or_default().to_owned(),
        })?;
        let line = span.start.line();
        let fail = |what: String| Failure { line, what };
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                // The parser says `~` where nothing is written.
                let absent = style == ScalarStyle::Plain && span.start.index() == span.end.index();
                let text = if absent { "".into() } else { text };
                let tag = tag.map(|tag| {
                    let mut long = tag.handle().to_owned();
                    long.push_str(tag.suffix());
                    long
                });
                (
                    Node::Scalar(read_scalar(text.into_owned(), style, tag.as_deref())),
                    anchor,
                )
            }
            Event::Alias(id) => {
                let (node, count) = anchors
                    .get(&id)
                    .ok_or_else(|| fail("an alias names a value that holds it".into()))?;
                aliased += count;
                if aliased > MAX_ALIASED {
                    return Err(fail(format!("aliases add more than {MAX_ALIASED} nodes")));
                }
                (node.clone(), 0)
            }
            Event::SequenceStart(_, anchor, _) => {
                open.push(Open {
                    node: Node::List(Vec::new()),
                    key: None,
                    anchor,
                    merges: Vec::new(),
                });
                continue;
            }
            Event::MappingStart(_, anchor, _) => {
                open.push(Open {
                    node: Node::Map(Vec::new()),
                    key: None,
                    anchor,
                    merges: Vec::new(),
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = open.pop() else { continue };
                (merged(closed.node, closed.merges), closed.anchor)
            }
            Event::DocumentEnd => break,
            _ => continue,
        };
        if anchor > 0 {
            let count = node.count();
            anchors.insert(anchor, (node.clone(), count));
        }
        match open.last_mut() {
            None => done = Some(node),
            Some(parent) => place(parent, node).map_err(|what| fail(what.into()))?,
        }
    }
    Ok(done)
}

fn place(parent: &mut Open, node: Node) -> Result<(), &'static str> {
    match &mut parent.node {
        Node::List(items) => items.push(node),
        Node::Map(entries) => match parent.key.take() {
            None => match node {
                Node::Scalar(key) => parent.key = Some(key),
                _ => return Err("a key is a list or a map"),
            },
            Some(key) if key.tag == Tag::Merge => {
                let merges = match node {
                    Node::Map(_) => vec![node],
                    Node::List(items) if items.iter().all(|item| matches!(item, Node::Map(_))) => {
                        items.into_iter().rev().collect()
                    }
                    _ => return Err("map merge requires map or sequence of maps as the value"),
                };
                if !parent.merges.is_empty() {
                    return Err("duplicate merge key");
                }
                parent.merges = merges;
            }
            Some(key) => entries.push((key, node)),
        },
        Node::Scalar(_) => {}
    }
    Ok(())
}

/// Own entries win over merged ones, earlier merged maps over later ones.
fn merged(node: Node, merges: Vec<Node>) -> Node {
    let Node::Map(own) = node else { return node };
    if merges.is_empty() {
        return Node::Map(own);
    }
    let mut all: Vec<(Scalar, Node)> = own.clone();
    for (key, value) in merges
        .into_iter()
        .flat_map(|map| match map {
            Node::Map(entries) => entries,
            _ => Vec::new(),
        })
        .chain(own)
    {
        match all.iter_mut().find(|(have, _)| have.text == key.text) {
            Some(entry) => *entry = (key, value),
            None => all.push((key, value)),
        }
    }
    Node::Map(all)
}

fn read_scalar(text: String, style: ScalarStyle, tag: Option<&str>) -> Scalar {
    let plain = style == ScalarStyle::Plain;
    let tag = match tag {
        None | Some("!") if plain => scalar::resolve(&text, Rules::V3).0,
        None | Some("!") => Tag::Str,
        Some("tag:yaml.org,2002:str") => Tag::Str,
        Some("tag:yaml.org,2002:int") => Tag::Int,
        Some("tag:yaml.org,2002:float") => Tag::Float,
        Some("tag:yaml.org,2002:bool") => Tag::Bool,
        Some("tag:yaml.org,2002:null") => Tag::Null,
        Some("tag:yaml.org,2002:binary") => Tag::Binary,
        Some("tag:yaml.org,2002:timestamp") => Tag::Timestamp,
        Some(other) => Tag::Other(other.to_owned()),
    };
    Scalar {
        text,
        tag,
        shared: 0,
        style: if plain { Style::Plain } else { Style::Quoted },
    }
}
