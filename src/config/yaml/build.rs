//! From the parser's events to the tree, with a stack of its own instead of recursion.

use super::{Node, Value, number, scalar};
use crate::model::{Problems, Source, Span};
use serde_saphyr::granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span as Range, Tag, options,
};
use std::collections::BTreeMap;

/// The deepest nesting (SEC-A10).
const MAX_DEPTH: usize = 64;
/// The most nodes that aliases may add (SEC-A10).
const MAX_ALIASED: usize = 10_000;
/// The most nodes that anchors may name, nested ones counted each time (SEC-A10).
const MAX_ANCHORED: usize = 100_000;

/// Reads a single document.
///
/// # Errors
/// A problem with code `yaml` when the text is not YAML, holds several documents or a tag, or
/// passes a limit of SEC-A10.
pub fn parse(source: &Source) -> Result<Node, Problems> {
    read(Tree::new(source, false))
}

/// The same, but tags that are not YAML's own are kept: others' files may use them.
///
/// # Errors
/// As [`parse`], tags aside.
pub fn parse_tagged(source: &Source) -> Result<Node, Problems> {
    read(Tree::new(source, true))
}

fn read(mut tree: Tree<'_>) -> Result<Node, Problems> {
    let source = tree.source;
    for next in Parser::new_from_str_with_options(source.text(), limits()) {
        let (event, range) = next.map_err(|error| failure(source, &error))?;
        tree.take(event, range)?;
    }
    Ok(tree.done.unwrap_or(Node {
        span: Span::start(),
        value: Value::Null,
    }))
}

fn limits() -> Options {
    options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    }
}

fn failure(source: &Source, error: &ScanError) -> Problems {
    let at = error.marker();
    let span = Span::new(number(at.line()).max(1), number(at.col().saturating_add(1)), 0);
    let said = error.info();
    let said = match said.lines().next().unwrap_or_default() {
        "recursion limit exceeded" => format!("nested deeper than {MAX_DEPTH} levels"),
        other => other.into(),
    };
    let problem = source.problem(span, "yaml", format!("cannot be read as YAML: {said}"));
    let margin = |line: &str| line[..line.len() - line.trim_start().len()].contains('\t');
    let hint = match source.line(span.line).is_some_and(margin) {
        true => "indent with spaces, never with tabs",
        false if said.contains("unclosed") => "close it, or look for a quote or bracket too many before it",
        false if said.contains("anchor") => {
            "an alias `*name` stands for a value that is marked `&name` above it"
        }
        false => "look at this line and the one before it; values with special characters stand in quotes",
    };
    problem.hint(hint).into()
}

/// A list or map that is not closed yet.
struct Open {
    node: Node,
    key: Option<Node>,
    anchor: usize,
    tag: Option<String>,
}

struct Tree<'s> {
    source: &'s Source,
    /// Whether tags are kept.
    tags: bool,
    documents: usize,
    open: Vec<Open>,
    done: Option<Node>,
    anchors: BTreeMap<usize, (Node, usize)>,
    anchored: usize,
    aliased: usize,
}

impl<'s> Tree<'s> {
    fn new(source: &'s Source, tags: bool) -> Self {
        Self {
            source,
            tags,
            documents: 0,
            open: Vec::new(),
            done: None,
            anchors: BTreeMap::new(),
            anchored: 0,
            aliased: 0,
        }
    }

    fn take(&mut self, event: Event<'_>, range: Range) -> Result<(), Problems> {
        let span = span_of(&range);
        match event {
            Event::DocumentStart(..) => self.begin_document(span),
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), span)?;
                self.put(Node { span, value }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(Value::List(Vec::new()), span, anchor, tag.as_deref())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.begin(Value::Map(Vec::new()), span, anchor, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.put(tagged(open.node, open.tag), open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn begin_document(&mut self, span: Span) -> Result<(), Problems> {
        self.documents += 1;
        match self.documents {
            1 => Ok(()),
            _ => Err(self.refuse(span, "the file holds more than one YAML document")),
        }
    }

    fn begin(&mut self, value: Value, span: Span, anchor: usize, tag: Option<&Tag>) -> Result<(), Problems> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.refuse(span, &format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let tag = tag.filter(|tag| !tag.is_yaml_core_schema()).map(Tag::original);
        if let Some(tag) = tag.as_ref().filter(|_| !self.tags) {
            return Err(self.refuse(span, &format!("the tag `{tag}` is not known")));
        }
        let node = Node { span, value };
        self.open.push(Open {
            node,
            key: None,
            anchor,
            tag: tag.map(|tag| tag.to_string()),
        });
        Ok(())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Value, Problems> {
        match tag {
            None if style == ScalarStyle::Plain => Ok(scalar::plain(text)),
            None => Ok(Value::Text(text.into())),
            Some(tag) if tag.is_yaml_core_schema_tag("str") => Ok(Value::Text(text.into())),
            Some(tag) if self.tags => {
                let value = match style {
                    ScalarStyle::Plain => scalar::plain(text),
                    _ => Value::Text(text.into()),
                };
                let node = Box::new(Node { span, value });
                Ok(Value::Tagged(tag.original().to_string(), node))
            }
            Some(tag) => Err(self.refuse(span, &format!("the tag `{}` is not known", tag.original()))),
        }
    }

    /// Puts a finished node where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Problems> {
        if anchor != 0 {
            let size = size(&node);
            self.anchored = self.anchored.saturating_add(size);
            if self.anchored > MAX_ANCHORED {
                return Err(self.refuse(
                    node.span,
                    &format!("anchors name more than {MAX_ANCHORED} values"),
                ));
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.done = Some(node);
            return Ok(());
        };
        match &mut parent.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match parent.key.take() {
                Some(key) => entries.push((key, node)),
                None => parent.key = Some(node),
            },
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problems> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(self.refuse(span, "an alias inside its own anchor"));
        };
        self.aliased = self.aliased.saturating_add(*size);
        if self.aliased > MAX_ALIASED || self.open.len() + depth(node) > MAX_DEPTH {
            return Err(self.refuse(
                span,
                &format!("aliases repeat more than {MAX_ALIASED} values or {MAX_DEPTH} levels"),
            ));
        }
        let value = node.value.clone();
        self.put(Node { span, value }, 0)
    }

    fn refuse(&self, span: Span, message: &str) -> Problems {
        self.source.problem(span, "yaml", message).into()
    }
}

fn tagged(node: Node, tag: Option<String>) -> Node {
    match tag {
        Some(tag) => Node {
            span: node.span,
            value: Value::Tagged(tag, Box::new(node)),
        },
        None => node,
    }
}

fn span_of(range: &Range) -> Span {
    let length = match range.end.line() == range.start.line() {
        true => range.end.col().saturating_sub(range.start.col()),
        false => usize::MAX,
    };
    Span::new(
        number(range.start.line()).max(1),
        number(range.start.col() + 1),
        number(length),
    )
}

/// How many nodes there are; nesting is bounded by [`MAX_DEPTH`].
fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(k, v)| size(k) + size(v)).sum::<usize>(),
        Value::Tagged(_, node) => 1 + size(node),
        _ => 1,
    }
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => {
            let deepest = entries.iter().map(|(k, v)| depth(k).max(depth(v))).max();
            1 + deepest.unwrap_or(0)
        }
        Value::Tagged(_, node) => 1 + depth(node),
        _ => 0,
    }
}
