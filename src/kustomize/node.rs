//! A YAML node as transformers see it: order of keys, tags and styles of scalars kept.
//!
//! A scalar's type is decided late, when an object is printed: its tag, its style and its text
//! together say what it is, as in go-yaml, whose rules [`super::scalar`] holds.

use super::scalar::{self, Tag};

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes, or as a block: a text whatever it looks like.
    Quoted,
}

/// A scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its text, escapes resolved.
    pub text: String,
    /// Its tag, resolved when it was read; empty for scalars that a transformer made.
    pub tag: Tag,
    /// How it is written.
    pub style: Style,
    /// The group of scalars that upstream keeps as one: zero for none. See [`super::shared`].
    pub shared: u32,
}

impl Scalar {
    /// A plain scalar without a tag: what it is depends on its text.
    pub fn untagged(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tag: Tag::Empty,
            style: Style::Plain,
            shared: 0,
        }
    }

    /// A text, whatever it looks like.
    pub fn string(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tag: Tag::Str,
            style: Style::Plain,
            shared: 0,
        }
    }

    /// Whether it counts as a text for transformers.
    pub fn is_string(&self) -> bool {
        matches!(self.tag, Tag::Str | Tag::Empty)
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in order; keys may repeat until they are printed.
    Map(Vec<(Scalar, Node)>),
}

/// What a node is, for creating and checking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A scalar.
    Scalar,
    /// A list.
    List,
    /// A map.
    Map,
}

impl Kind {
    /// An empty node of this kind, without a tag.
    pub fn empty(self) -> Node {
        match self {
            Self::Scalar => Node::Scalar(Scalar::untagged("")),
            Self::List => Node::List(Vec::new()),
            Self::Map => Node::Map(Vec::new()),
        }
    }

    /// What it is, in words for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }
}

impl Node {
    /// A text.
    pub fn string(text: impl Into<String>) -> Self {
        Self::Scalar(Scalar::string(text))
    }

    /// A plain scalar without a tag.
    pub fn untagged(text: impl Into<String>) -> Self {
        Self::Scalar(Scalar::untagged(text))
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Scalar(_) => Kind::Scalar,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
        }
    }

    /// Whether it is a null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(Scalar { tag: Tag::Null, .. }))
    }

    /// Whether it is a null, an empty list or an empty map.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(scalar) => scalar.tag == Tag::Null,
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }

    /// The text of a scalar; empty for anything else.
    pub fn text(&self) -> &str {
        match self {
            Self::Scalar(scalar) => &scalar.text,
            _ => "",
        }
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[(Scalar, Node)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(key, _)| key.text == name)
            .map(|(_, value)| value)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        match self {
            Self::Map(entries) => entries
                .iter_mut()
                .find(|(key, _)| key.text == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value beneath nested keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Removes a key.
    pub fn remove(&mut self, name: &str) -> Option<Node> {
        match self {
            Self::Map(entries) => {
                let at = entries.iter().position(|(key, _)| key.text == name)?;
                Some(entries.remove(at).1)
            }
            _ => None,
        }
    }

    /// Puts a value at a key, at the end when it is new. A scalar takes the style of the scalar
    /// that it replaces; a null removes the key. A text that YAML 1.1 would read as something
    /// else is put in quotes.
    pub fn set(&mut self, name: &str, value: Node) {
        if value.is_null() {
            self.remove(name);
            return;
        }
        self.put(name, quoted_where_needed(value));
    }

    /// The same, but a null stays.
    pub fn put(&mut self, name: &str, mut value: Node) {
        match self.get_mut(name) {
            Some(old) => {
                keep_style(old, &mut value);
                *old = value;
            }
            None => {
                if let Self::Map(entries) = self {
                    entries.push((Scalar::untagged(name), value));
                }
            }
        }
    }

    /// Replaces a scalar by another, which takes its style.
    pub fn replace_scalar(&mut self, value: Scalar) {
        let mut value = quoted_where_needed(Node::Scalar(value));
        if value.is_null() {
            return;
        }
        keep_style(self, &mut value);
        *self = value;
    }

    /// The value of a key, which is created when it is missing. `None` when this is no map.
    pub fn get_or_create(&mut self, name: &str, kind: Kind) -> Option<&mut Node> {
        let Self::Map(entries) = self else { return None };
        let at = match entries.iter().position(|(key, _)| key.text == name) {
            Some(at) => at,
            None => {
                entries.push((Scalar::untagged(name), quoted_where_needed(kind.empty())));
                entries.len() - 1
            }
        };
        Some(&mut entries[at].1)
    }

    /// How many nodes it holds, itself counted.
    pub fn count(&self) -> usize {
        match self {
            Self::Scalar(_) => 1,
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + value.count()).sum::<usize>(),
        }
    }
}

/// A text that YAML 1.1 would read as something else, in quotes; anything else as it is.
pub fn quoted_where_needed(value: Node) -> Node {
    match value {
        Node::Scalar(mut scalar)
            if scalar.is_string()
                && scalar.style == Style::Plain
                && scalar::looks_like_no_string(&scalar.text) =>
        {
            scalar.style = Style::Quoted;
            Node::Scalar(scalar)
        }
        other => other,
    }
}

fn keep_style(old: &Node, new: &mut Node) {
    if let Node::Scalar(scalar) = new {
        (scalar.style, scalar.shared) = match old {
            Node::Scalar(old) => (old.style, old.shared),
            _ => (Style::Plain, 0),
        };
    }
}
