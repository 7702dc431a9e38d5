//! The variables of a compose file: `.env` beside it, and `$X` in its texts.

use std::collections::BTreeMap;

/// The deepest nesting of defaults.
const MAX_DEPTH: usize = 16;
/// The longest text that comes of it, in bytes.
const MAX_LENGTH: usize = 1 << 16;

/// The variables of a `.env` file. The environment of a machine is never asked: a proposal is the same everywhere.
pub fn read(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let value = value.trim();
        let value = match value.strip_prefix('\'') {
            Some(rest) => rest.split('\'').next().map(Into::into),
            None => expand(unquoted(value), &found).ok(),
        };
        if let Some(value) = value {
            found.insert(name.trim_end().to_owned(), value);
        }
    }
    found
}

/// A value without its double quotes, or without the comment behind it.
fn unquoted(value: &str) -> &str {
    match value.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or_default(),
        None => match value.find(" #") {
            Some(at) => value[..at].trim_end(),
            None => value,
        },
    }
}

/// `text` with its variables replaced: `$X`, `${X}`, `${X:-default}`, `${X-default}`, `${X:+other}`,
/// `${X:?message}`; `$$` is a dollar sign.
///
/// # Errors
/// The first variable that has no value, or what stands there instead of one.
pub fn expand(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::new();
    expand_at(text, values, 0, &mut out)?;
    Ok(out)
}

fn expand_at(
    text: &str,
    values: &BTreeMap<String, String>,
    depth: usize,
    out: &mut String,
) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = closing(inside).filter(|_| depth < MAX_DEPTH);
            let end = end.ok_or_else(|| format!("${{{inside}"))?;
            braced(&inside[..end], values, depth, out)?;
            rest = &inside[end + 1..];
        } else {
            let name = &rest[..name_length(rest)];
            let value = values.get(name).filter(|_| !name.is_empty());
            out.push_str(value.ok_or_else(|| format!("${name}"))?);
            rest = &rest[name.len()..];
        }
        if out.len() > MAX_LENGTH {
            return Err("$".into());
        }
    }
    out.push_str(rest);
    Ok(())
}

/// What stands between braces.
fn braced(
    inside: &str,
    values: &BTreeMap<String, String>,
    depth: usize,
    out: &mut String,
) -> Result<(), String> {
    let (name, rest) = inside.split_at(name_length(inside));
    let missing = || format!("${name}");
    let (value, rest) = match rest.strip_prefix(':') {
        Some(rest) => (values.get(name).filter(|value| !value.is_empty()), rest),
        None => (values.get(name), rest),
    };
    match (rest.chars().next(), value) {
        (None | Some('-' | '?'), Some(value)) => out.push_str(value),
        (Some('-'), None) => expand_at(&rest[1..], values, depth + 1, out)?,
        (Some('+'), Some(_)) => expand_at(&rest[1..], values, depth + 1, out)?,
        (Some('+'), None) => {}
        _ => return Err(missing()),
    }
    Ok(())
}

/// Where the brace that is open closes.
fn closing(text: &str) -> Option<usize> {
    let mut level = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => level += 1,
            '}' if level == 0 => return Some(at),
            '}' => level -= 1,
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    let other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.find(other).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        read("# c\nA=1\nexport B = \"two $A\" \nC='$A' # x\nD=x y # z\nE=\nF=$NONE\nG\n")
    }

    #[test]
    fn the_file_gives_values() {
        let values = values();
        let found: Vec<_> = values.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let want = [("A", "1"), ("B", "two 1"), ("C", "$A"), ("D", "x y"), ("E", "")];
        assert_eq!(found, want);
    }

    #[test]
    fn variables_are_replaced() {
        for (text, want) in [
            ("$A-${A}", Ok("1-1")),
            ("$$A", Ok("$A")),
            ("${NONE:-d}${NONE-e}", Ok("de")),
            ("${E:-d}|${E-e}", Ok("d|")),
            ("${NONE:-${NONE:-${A}x}}", Ok("1x")),
            ("${A:+y}${NONE:+n}", Ok("y")),
            ("${A:?no}", Ok("1")),
            ("${NONE:?no}", Err("$NONE")),
            ("x$NONE", Err("$NONE")),
            ("${NONE}", Err("$NONE")),
            ("${A", Err("${A")),
            ("a$", Err("$")),
        ] {
            assert_eq!(
                expand(text, &values()),
                want.map(Into::into).map_err(Into::into),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_grows_for_ever() {
        let deep = format!("{}x{}", "${N:-".repeat(10_000), "}".repeat(10_000));
        assert!(expand(&deep, &values()).is_err());
        let lines: Vec<String> = (1..60).map(|i| format!("A{i}=$A{0}$A{0}", i - 1)).collect();
        let doubling = format!("A0=xx\n{}", lines.join("\n"));
        assert!(
            read(&doubling)
                .values()
                .all(|value| value.len() <= 2 * MAX_LENGTH)
        );
    }
}
