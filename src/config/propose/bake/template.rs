//! The texts of a bake file: `${NAME}` is the default of a variable, `$${` a plain `${`.

use serde_json::Value;
use std::collections::BTreeMap;

/// How often a default may name another variable, one behind the other.
const MAX_DEPTH: usize = 16;
/// The longest text that comes of it, in bytes.
const MAX_LENGTH: usize = 1 << 16;

/// A text, number or boolean as a text.
pub fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// `text` with its variables replaced.
///
/// # Errors
/// The first expression that has no value.
pub fn expand(text: &str, defaults: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::new();
    expand_at(text, defaults, 0, &mut out)?;
    Ok(out)
}

fn expand_at(
    text: &str,
    defaults: &BTreeMap<String, String>,
    depth: usize,
    out: &mut String,
) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        let end = inside.find('}').unwrap_or(inside.len());
        let name = inside[..end].trim();
        let default = defaults.get(name).filter(|_| depth < MAX_DEPTH);
        let default = default.ok_or_else(|| format!("${{{name}}}"))?;
        expand_at(default, defaults, depth + 1, out)?;
        if out.len() > MAX_LENGTH {
            return Err(format!("${{{name}}}"));
        }
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_their_defaults() {
        let defaults = [("A", "1"), ("B", "b${A}"), ("C", "${C}"), ("D", "")];
        let defaults = defaults.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (text, want) in [
            ("${A}-${ B }", Ok("1-b1")),
            ("$${A}$x${D}", Ok("${A}$x")),
            ("${C}", Err("${C}")),
            ("${upper(A)}", Err("${upper(A)}")),
            ("${A", Ok("1")),
            ("${", Err("${}")),
        ] {
            assert_eq!(
                expand(text, &defaults),
                want.map(Into::into).map_err(Into::into),
                "{text}"
            );
        }
        let mut wide: BTreeMap<String, String> = [("V0".into(), "xx".into())].into();
        for i in 1..60 {
            wide.insert(format!("V{i}"), format!("${{V{}}}", i - 1).repeat(9));
        }
        assert!(expand("${V12}", &wide).is_err());
    }
}
