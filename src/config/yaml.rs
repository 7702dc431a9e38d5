//! YAML of ours as a tree in which every node knows its place, so that all problems of a file can
//! be told at once (SEC-A10: size, depth and aliases are bounded before anything is built).

mod build;
mod scalar;

pub use build::{parse, parse_tagged};

use crate::model::{Problems, Source, Span};

/// The most bytes that a file of ours may have (SEC-A10).
pub const MAX_BYTES: usize = 1 << 20;

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
    /// A value with a tag of its own, which [`parse`] refuses and [`parse_tagged`] keeps.
    Tagged(String, Box<Node>),
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
            Self::Tagged(..) => "a value with a tag",
        }
    }
}

/// The text of `bytes`, without a byte order mark. Line ends stay as they are.
///
/// # Errors
/// [`Problems`] when there are more than [`MAX_BYTES`], or when it is no UTF-8 text.
pub fn text(bytes: &[u8], path: &str) -> Result<Source, Problems> {
    let nowhere = || Source::new(path, "");
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        return Err(nowhere().problem(Span::start(), "too-large", message).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let span = end_of(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]));
        let hint = "save it as UTF-8 text";
        Problems::from(
            nowhere()
                .problem(span, "not-text", "the file is not UTF-8 text")
                .hint(hint),
        )
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
    if let Some(at) = text.find(control) {
        let span = end_of(&text[..at]);
        return Err(nowhere()
            .problem(span, "not-text", "the file holds control characters")
            .hint("remove them, or write them as escapes in double quotes: \"\\x1b\"")
            .into());
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::Problem;

    fn only(problems: Problems) -> Problem {
        problems.into_vec().remove(0)
    }

    fn read(text: &str) -> Result<Node, Problems> {
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
        assert_eq!(
            (key.span, &key.value),
            (Span::new(1, 1, 1), &Value::Text("a".into()))
        );
        assert_eq!(
            (value.span, &value.value),
            (Span::new(1, 4, 4), &Value::Number("1.10".into()))
        );
        let Value::List(items) = &found[1].1.value else {
            panic!()
        };
        assert_eq!(items[0].value, Value::Bool(true));
        assert_eq!(
            (items[1].span, &items[1].value),
            (Span::new(4, 5, 3), &Value::Text("yes".into()))
        );
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
        assert!(
            matches!(&found[1].1.value, Value::List(items) if items[0].value == Value::Number("1".into()))
        );
        let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for i in 1..9 {
            let line = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{line}]\n"));
        }
        assert_eq!(only(read(&bomb).unwrap_err()).code, "yaml");
    }

    #[test]
    fn hostile_files_end_in_a_problem_with_a_place() {
        let deep = format!("a: {}", "[".repeat(1_000_000));
        let kept = format!("{}{}{}", "&a [".repeat(60), "1,".repeat(30_000), "]".repeat(60));
        let block = "- ".repeat(500_000);
        let questions = "? ".repeat(500_000);
        let keys = "a: ".repeat(300_000);
        let open = "{a: ".repeat(200_000);
        for text in [
            &deep,
            &block,
            &questions,
            &kept,
            &keys,
            &open,
            "a: [",
            "a: {",
            "a: \"x",
            "a:\n\tb: 1",
            "a: *no",
            "--- 1\n--- 2\n",
            "a: !custom x",
            "<<: {a: 1}\n? [x]\n: 1\n]",
            "%",
            "@",
            "`",
            "!!int x",
            "&a [*a]",
        ] {
            let problem = only(read(text).expect_err(&text[..text.len().min(20)]));
            assert!(problem.place.line >= 1 && problem.place.column >= 1, "{problem}");
        }
    }

    #[test]
    fn tags_are_kept_where_they_are_asked_for() {
        let text = |text: &str| super::text(text.as_bytes(), "f.yaml").unwrap();
        let root = parse_tagged(&text("a: !override [1]\nb: !reset null\nc: !!str 1\n")).unwrap();
        let Value::Map(entries) = root.value else { panic!() };
        let kinds: Vec<_> = entries.iter().map(|(_, value)| &value.value).collect();
        assert!(matches!(kinds[0], Value::Tagged(tag, list)
            if tag == "!override" && matches!(list.value, Value::List(_))));
        assert!(matches!(kinds[1], Value::Tagged(tag, null) if tag == "!reset" && null.value == Value::Null));
        assert_eq!(kinds[2], &Value::Text("1".into()));
        assert!(read("a: !override [1]\n").is_err());
        let deep = text(&format!("a: {}", "!x [".repeat(200)));
        assert!(parse_tagged(&deep).is_err());
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_begins() {
        let bad = |bytes: &[u8]| only(text(bytes, "f").unwrap_err());
        assert_eq!(
            (
                bad(b"a: 1\nb: \xff").place.line,
                bad(b"a: 1\nb: \xff").place.column
            ),
            (2, 4)
        );
        assert_eq!(bad(b"a\0b").code, "not-text");
        assert_eq!(bad(&vec![b'['; 10_000_000]).code, "too-large");
    }

    #[test]
    fn byte_order_mark_line_ends_and_emptiness_are_survived() {
        assert_eq!(
            entries("\u{feff}a: 1\r\nb: x\r\n")[1].1.value,
            Value::Text("x".into())
        );
        for empty in ["", "\n\n", "# c\n", "null", "~", "---\n"] {
            assert_eq!(read(empty).unwrap().value, Value::Null, "{empty:?}");
        }
    }
}
