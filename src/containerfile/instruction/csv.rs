//! One line of comma-separated fields, as `--mount` and `--device` have it.

use crate::containerfile::error::{Fault, quoted};

/// The fields of a line. A field in double quotes may hold commas; two double quotes are one.
pub(super) fn fields(line: &str) -> Result<Vec<String>, Fault> {
    let bad = || Fault::new(format!("the quotes in {} do not match", quoted(line)));
    let line = line
        .strip_suffix('\n')
        .map_or(line, |l| l.strip_suffix('\r').unwrap_or(l));
    if line.is_empty() {
        return Err(Fault::new("the value is empty").hint("write key=value,key=value"));
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let tail;
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = unquoted(quoted).ok_or_else(bad)?;
            fields.push(field);
            tail = after;
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            if rest[..end].contains('"') {
                return Err(bad());
            }
            fields.push(rest[..end].to_owned());
            tail = &rest[end..];
        }
        match tail.strip_prefix(',') {
            Some(next) => rest = next,
            None if tail.is_empty() => return Ok(fields),
            None => return Err(bad()),
        }
    }
}

/// The field after an opening quote, and what follows its closing quote.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas() {
        assert_eq!(
            fields("a=1,\"b=2,3\",\"\"\"x\"").unwrap(),
            ["a=1", "b=2,3", "\"x"]
        );
        assert_eq!(fields("a,").unwrap(), ["a", ""]);
        for bad in ["", "a\"", "\"a", "\"a\"b"] {
            assert!(fields(bad).is_err(), "{bad}");
        }
    }
}
