//! The versioned JSON shapes that other programs read (`--json`): one line each, `kind` and
//! `format: 1` first, keys in the documented order; more keys may come.

pub mod diff;
pub mod done;
pub mod event;
pub mod log;
pub mod plan;
pub mod release;
pub mod rendering;
pub mod status;

use serde::Serialize;
use serde_json::Value;

/// A shape as one line of JSON.
pub fn line(kind: &str, body: &impl Serialize) -> String {
    let mut shape = serde_json::Map::new();
    shape.insert("kind".into(), kind.into());
    shape.insert("format".into(), 1.into());
    if let Ok(Value::Object(body)) = serde_json::to_value(body) {
        shape.extend(body);
    }
    Value::Object(shape).to_string()
}

/// `error`: what went wrong.
#[derive(Debug, Serialize)]
pub struct Error<'a> {
    /// The exit code.
    pub code: i32,
    /// One sentence.
    pub message: &'a str,
    /// Why, the nearest first.
    pub causes: &'a [String],
    /// What to do.
    pub hint: Option<&'a str>,
}
