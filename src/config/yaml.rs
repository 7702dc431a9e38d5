//! YAML of ours as a tree in which every node knows its place, so that all problems of a file can
//! be told at once (SEC-A10: size, depth and aliases are bounded before anything is built).

use crate::model::{Problem, Source, Span};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// The most bytes that a file of ours may have (SEC-A10).
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting (SEC-A10).
const MAX_DEPTH: usize = 64;
/// The most nodes that aliases may add (SEC-A10).
const MAX_ALIASED: usize = 10_000;

/// A node and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands; for an alias, where it is used.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is. Entries keep their order and may repeat a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`, and nothing else.
    Bool(bool),
    /// A number as it is written: `1.10` stays `1.10`.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// The text of `bytes`, without a byte order mark. Line ends stay as they are.
///
/// # Errors
/// A [`Problem`] when there are more than [`MAX_BYTES`], or when it is no UTF-8 text.
pub fn text(bytes: &[u8], path: &str) -> Result<Source, Problem> {
    let nowhere = || Source::new(path, "");
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        return Err(nowhere().problem(Span::start(), "too-large", message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let span = end_of(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]));
        let hint = "save it as UTF-8 text";
        nowhere().problem(span, "not-text", "the file is not UTF-8 text").hint(hint)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
    if let Some(at) = text.find(control) {
        return Err(nowhere().problem(end_of(&text[..at]), "not-text", "the file holds control characters"));
    }
    Ok(Source::new(path, text))
}

/// The point behind `text`.
fn end_of(text: &str) -> Span {
    let line = text.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Span::new(number(line), number(column), 0)
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Reads a single document.
///
/// # Errors
/// A [`Problem`] when the text is not YAML or passes a limit of SEC-A10.
pub fn parse(source: &Source) -> Result<Node, Problem> {
    let raw: Raw = serde_saphyr::from_str_with_options(source.text(), options()).map_err(|e| failure(source, &e))?;
    Ok(raw.settle(source.text()))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
        },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_ALIASED,
            max_replay_stack_depth: 8,
        },
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

fn failure(source: &Source, error: &serde_saphyr::Error) -> Problem {
    let span = error.location().map_or_else(Span::start, |at| span_of(&at));
    let said = error.without_snippet().to_string();
    let mut said = said.lines().next().unwrap_or_default().to_owned();
    if let Some(end) = said.rfind(" at line ") {
        said.truncate(end);
    }
    let tab = source
        .line(span.line)
        .is_some_and(|line| line[..line.len() - line.trim_start().len()].contains('\t'));
    let problem = source.problem(span, "yaml", format!("not YAML that can be read: {said}"));
    match tab {
        true => problem.hint("indent with spaces: YAML knows no tabs there"),
        false => problem,
    }
}

fn span_of(at: &Location) -> Span {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let length = small(at.span().len());
    Span::new(small(at.line()).max(1), small(at.column()).max(1), length)
}

/// A node as the parser gives it; numbers have lost their text, which the place brings back.
struct Raw(Spanned<RawValue>);

enum RawValue {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
}

impl Raw {
    fn settle(self, text: &str) -> Node {
        let Self(spanned) = self;
        let value = match spanned.value {
            RawValue::Null => Value::Null,
            RawValue::Bool(value) => Value::Bool(value),
            RawValue::Number => Value::Number(written(text, &spanned.defined)),
            RawValue::Text(text) => Value::Text(text),
            RawValue::List(items) => Value::List(items.into_iter().map(|item| item.settle(text)).collect()),
            RawValue::Map(entries) => {
                let settle = |(key, value): (Raw, Raw)| (key.settle(text), value.settle(text));
                Value::Map(entries.into_iter().map(settle).collect())
            }
        };
        Node {
            span: span_of(&spanned.referenced),
            value,
        }
    }
}

fn written(text: &str, at: &Location) -> String {
    let span = at.span();
    let found = span.byte_offset().zip(span.byte_len()).and_then(|(offset, length)| {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        text.get(start..end)
    });
    found.unwrap_or_default().trim().to_owned()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Raw)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<RawValue, E> {
        Ok(RawValue::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(RawValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Map(entries))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Problem> {
        parse(&super::text(text.as_bytes(), "f.yaml")?)
    }

    fn entries(text: &str) -> Vec<(Node, Node)> {
        match read(text).unwrap().value {
            Value::Map(entries) => entries,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_and_values_know_their_places() {
        let found = entries("a: 1.10\nb:\n  - true\n  - yes\n");
        let (key, value) = &found[0];
        assert_eq!((key.span, &key.value), (Span::new(1, 1, 1), &Value::Text("a".into())));
        assert_eq!((value.span, &value.value), (Span::new(1, 4, 4), &Value::Number("1.10".into())));
        let Value::List(items) = &found[1].1.value else { panic!() };
        assert_eq!(items[0].value, Value::Bool(true));
        assert_eq!((items[1].span, &items[1].value), (Span::new(4, 5, 3), &Value::Text("yes".into())));
    }

    #[test]
    fn repeated_keys_are_all_seen() {
        assert_eq!(entries("a: 1\nb: 2\na: 3\n").len(), 3);
        assert_eq!(entries("{a: 1, a: {b: 1, b: 2}}").len(), 2);
    }

    #[test]
    fn an_alias_stands_where_it_is_used_and_few_are_allowed() {
        let found = entries("a: &x [1]\nb: *x\n");
        assert_eq!(found[1].1.span.line, 2);
        assert!(matches!(&found[1].1.value, Value::List(items) if items[0].value == Value::Number("1".into())));
        let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for i in 1..9 {
            let line = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{line}]\n"));
        }
        assert_eq!(read(&bomb).unwrap_err().code, "yaml");
    }

    #[test]
    fn hostile_files_end_in_a_problem_with_a_place() {
        let deep = format!("a: {}", "[".repeat(1_000_000));
        let block = "- ".repeat(500_000);
        let questions = "? ".repeat(500_000);
        let keys = "a: ".repeat(300_000);
        let open = "{a: ".repeat(200_000);
        for text in [&deep, &block, &questions, &keys, &open, "a: [", "a: {", "a: \"x", "\ta: 1", "a:\n\tb: 1", "a: *no", "--- 1\n--- 2\n", "%", "@", "`", "!!int x", "&a [*a]"] {
            let problem = read(text).expect_err(&text[..text.len().min(20)]);
            assert!(problem.place.line >= 1 && problem.place.column >= 1, "{problem}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_begins() {
        let bad = |bytes: &[u8]| text(bytes, "f").unwrap_err();
        assert_eq!((bad(b"a: 1\nb: \xff").place.line, bad(b"a: 1\nb: \xff").place.column), (2, 4));
        assert_eq!(bad(b"a\0b").code, "not-text");
        assert_eq!(bad(&vec![b'['; 10_000_000]).code, "too-large");
    }

    #[test]
    fn byte_order_mark_line_ends_and_emptiness_are_survived() {
        assert_eq!(entries("\u{feff}a: 1\r\nb: x\r\n")[1].1.value, Value::Text("x".into()));
        for empty in ["", "\n\n", "# c\n", "null", "~", "---\n"] {
            assert_eq!(read(empty).unwrap().value, Value::Null, "{empty:?}");
        }
    }
}
