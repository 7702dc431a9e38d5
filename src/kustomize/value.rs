//! From nodes to values and back, and values as Go prints them in JSON.

use super::node::{Node, Scalar, Style};
use super::scalar::{self, Rules, Tag};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// What a node says, as upstream reads it back before it prints.
///
/// # Errors
/// A sentence when a key is no text or stands twice, or a tag does not fit its value.
pub fn of(node: &Node) -> Result<Value, String> {
    match node {
        Node::Scalar(scalar) => of_scalar(scalar),
        Node::List(items) => items.iter().map(of).collect::<Result<_, _>>().map(Value::Array),
        Node::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let text = key_text(key)?;
                if map.insert(text.clone(), of(value)?).is_some() {
                    return Err(format!("the key `{text}` stands twice"));
                }
            }
            Ok(Value::Object(map))
        }
    }
}

fn key_text(key: &Scalar) -> Result<String, String> {
    match of_scalar(key)? {
        Value::String(text) => Ok(text),
        _ => Err(format!("the key `{}` is no text; write it in quotes", key.text)),
    }
}

fn of_scalar(scalar: &Scalar) -> Result<Value, String> {
    let string = || Ok(Value::String(scalar.text.clone()));
    if scalar.tag == Tag::Str {
        return string();
    }
    if scalar.tag == Tag::Binary {
        return super::base64::decode(&scalar.text)
            .map(|bytes| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
            .ok_or_else(|| "!!binary value contains invalid base64 data".into());
    }
    let quoted = scalar.style == Style::Quoted || scalar.text.contains('\n');
    let (found, value) = scalar::resolve(&scalar.text, Rules::V3);
    match &scalar.tag {
        Tag::Empty | Tag::Other(_) if quoted => string(),
        Tag::Other(_) => string(),
        Tag::Empty => typed(found, value, scalar),
        tag if *tag == found && quoted => string(),
        tag if *tag == found => typed(found, value, scalar),
        Tag::Float if found == Tag::Int => Ok(value),
        tag => Err(format!("cannot decode {found:?} `{}` as a {tag:?}", scalar.text)),
    }
}

fn typed(tag: Tag, value: Value, scalar: &Scalar) -> Result<Value, String> {
    match (tag, &value) {
        (Tag::Float, Value::Null) => Err(format!("`{}` is no number that JSON can hold", scalar.text)),
        _ => Ok(value),
    }
}

/// A node that says `value`, keys in byte order, as upstream makes it.
pub fn node(value: &Value) -> Node {
    let plain = |text: &str, tag: Tag| {
        Node::Scalar(Scalar {
            text: text.into(),
            tag,
            style: Style::Plain,
            shared: 0,
        })
    };
    match value {
        Value::Null => plain("null", Tag::Null),
        Value::Bool(true) => plain("true", Tag::Bool),
        Value::Bool(false) => plain("false", Tag::Bool),
        Value::Number(number) => {
            // Upstream reads every number of JSON as a float.
            let text = number.as_f64().map_or_else(|| number.to_string(), scalar::go_g);
            let tag = scalar::resolve(&text, Rules::V3).0;
            Node::Scalar(Scalar {
                text,
                tag,
                style: Style::Plain,
                shared: 0,
            })
        }
        Value::String(text) => {
            let mut scalar = Scalar::string(text.clone());
            if text.contains('\n')
                || scalar::resolve(text, Rules::V3).0 != Tag::Str
                || scalar::looks_like_no_string(text)
            {
                scalar.style = Style::Quoted;
            }
            Node::Scalar(scalar)
        }
        Value::Array(items) => Node::List(items.iter().map(node).collect()),
        Value::Object(map) => Node::Map(
            sorted(map)
                .into_iter()
                .map(|(key, value)| {
                    (
                        Scalar {
                            text: key.clone(),
                            tag: Tag::Str,
                            style: Style::Plain,
                            shared: 0,
                        },
                        node(value),
                    )
                })
                .collect(),
        ),
    }
}

/// What a node says under go-yaml 2, for kustomizations and the configurations of transformers:
/// `yes` is a boolean there, and the last of two equal keys wins.
pub fn configuration(node: &Node) -> Value {
    match node {
        Node::Scalar(scalar) => match scalar.style {
            _ if scalar.tag == Tag::Str && scalar.style == Style::Quoted => {
                Value::String(scalar.text.clone())
            }
            Style::Plain => match scalar::resolve(&scalar.text, Rules::V2) {
                (Tag::Timestamp, _) => Value::String(scalar.text.clone()),
                (_, value) => value,
            },
            Style::Quoted => Value::String(scalar.text.clone()),
        },
        Node::List(items) => Value::Array(items.iter().map(configuration).collect()),
        Node::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| (configured_key(key), configuration(value)))
                .collect(),
        ),
    }
}

/// A key as JSON has it: what go-yaml 2 reads as a boolean or number is written out as one.
fn configured_key(key: &Scalar) -> String {
    if key.style == Style::Quoted
        || key.tag == Tag::Str && scalar::resolve(&key.text, Rules::V2).0 == Tag::Str
    {
        return key.text.clone();
    }
    match scalar::resolve(&key.text, Rules::V2) {
        (Tag::Bool | Tag::Int | Tag::Float, value) => value.to_string(),
        _ => key.text.clone(),
    }
}

/// The entries of a map in byte order.
pub fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    entries
}

/// JSON as Go's `json.Marshal` writes it: keys in byte order, `<`, `>`, `&` escaped.
pub fn go_json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => go_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                go_json(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, value)) in sorted(map).into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                go_string(key, out);
                out.push(':');
                go_json(value, out);
            }
            out.push('}');
        }
    }
}

fn go_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
