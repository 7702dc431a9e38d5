//! The JSON form of arguments (rule 40), as BuildKit's decoder reads it.

use super::error::Fault;
use serde_json::Value;
use std::borrow::Cow;

/// The strings of an array; `None` when the text is no JSON array at all.
///
/// # Errors
/// When it is one and holds something else than strings, or when nobody can tell: it is nested too deep.
pub(super) fn strings(text: &str) -> Result<Option<Vec<String>>, Fault> {
    let text = text.trim_start();
    if !text.starts_with('[') {
        return Ok(None);
    }
    match serde_json::from_str::<Vec<Value>>(&without_halves(text)) {
        Ok(values) => values.into_iter().map(string).collect::<Result<_, _>>().map(Some),
        Err(e) if e.to_string().starts_with("recursion limit") => Err(no_string("another array")),
        Err(_) => Ok(None),
    }
}

fn string(value: Value) -> Result<String, Fault> {
    match value {
        Value::String(word) => Ok(word),
        other => Err(no_string(&other.to_string())),
    }
}

fn no_string(item: &str) -> Fault {
    Fault::new(format!("the array holds {item}, which is no string"))
        .hint("put every item of the array into double quotes")
}

/// The text with `\ufffd` for every escape that is half a character, as Go has it.
fn without_halves(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        let next = unit(&text[at..]).map(|first| (first, unit(&text[at + 6..])));
        at += match next {
            None => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            Some((0xD800..=0xDBFF, Some(0xDC00..=0xDFFF))) => 12,
            Some((0xD800..=0xDFFF, _)) => {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                copied = at + 6;
                6
            }
            Some(_) => 6,
        };
    }
    if copied == 0 {
        return text.into();
    }
    out.push_str(&text[copied..]);
    out.into()
}

/// The number of `\uXXXX` at the front.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        strings(text).unwrap()
    }

    #[test]
    fn an_array_of_strings_is_one() {
        assert_eq!(read(" [\"a b\", \"\\u00e9\"]").unwrap(), ["a b", "é"]);
        for text in ["[a]", "['a']", "[\"a\"] b", "[\"a\",]", "a"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(strings("[\"a\", 1]").is_err());
    }

    #[test]
    fn half_a_character_is_replaced() {
        for (text, want) in [
            (r#"["\ud800"]"#, "\u{fffd}"),
            (r#"["\udc00\u0041"]"#, "\u{fffd}A"),
            (r#"["\uD800\uD83D\uDE00"]"#, "\u{fffd}\u{1f600}"),
            (r#"["\\ud800\""]"#, "\\ud800\""),
        ] {
            assert_eq!(read(text).unwrap(), [want], "{text}");
        }
        assert_eq!(read(r#"["\ud8"]"#), None);
        assert_eq!(read(r#"["\"#), None);
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_text() {
        for deep in [2, 100, 200, 100_000] {
            let text = format!("{}\"a\"{}", "[".repeat(deep), "]".repeat(deep));
            assert!(strings(&text).is_err(), "{deep}");
        }
    }
}
