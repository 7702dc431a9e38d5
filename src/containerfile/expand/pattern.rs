//! Patterns in `${x#p}`, `${x%p}` and `${x/p/r}`: `*` and `?`, nothing else.

use regex::Regex;

/// What matching costs, for the budget.
pub(super) fn cost(pattern: &str, value: &str) -> usize {
    let pattern = pattern.len() + 8;
    pattern
        .saturating_mul(32)
        .saturating_add(pattern.saturating_mul(value.len()))
}

/// The value without the match at its front.
pub(super) fn without_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    let regex = compile(pattern, greedy, true)?;
    let end = regex.find(value).map_or(0, |found| found.end());
    Ok(value[end..].to_owned())
}

/// The value without the match at its end: the front of both, reversed.
pub(super) fn without_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, String> {
    let value: String = value.chars().rev().collect();
    let rest = without_prefix(&reversed(pattern), &value, greedy)?;
    Ok(rest.chars().rev().collect())
}

/// Hands `out` the pieces of the value with the first match, or all, replaced. Where all are, the
/// replacement is a template (`$0` is the match), as in Go.
pub(super) fn replace(
    pattern: &str,
    value: &str,
    replacement: &str,
    all: bool,
    out: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<(), String> {
    let regex = compile(pattern, true, false)?;
    let mut at = 0;
    for found in regex.find_iter(value).take(if all { usize::MAX } else { 1 }) {
        out(&value[at..found.start()])?;
        if all {
            fill(replacement, found.as_str(), out)?;
        } else {
            out(replacement)?;
        }
        at = found.end();
    }
    out(&value[at..])
}

/// A template of Go's regexp package: `$name` and `${name}` are groups, of which only 0 exists.
fn fill(
    template: &str,
    matched: &str,
    out: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<(), String> {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out(&rest[..at])?;
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('$') {
            out("$")?;
            rest = tail;
        } else if let Some((name, tail)) = group(rest) {
            if name.bytes().all(|b| b == b'0') && name.len() == 1 {
                out(matched)?;
            }
            rest = tail;
        } else {
            out("$")?;
        }
    }
    out(rest)
}

fn group(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let body = braced.unwrap_or(text);
    let end = body.find(|c| !super::chars::is_word(c)).unwrap_or(body.len());
    let (name, tail) = body.split_at(end);
    let tail = if braced.is_some() {
        tail.strip_prefix('}')?
    } else {
        tail
    };
    (!name.is_empty()).then_some((name, tail))
}

fn compile(pattern: &str, greedy: bool, anchored: bool) -> Result<Regex, String> {
    let bad = |why: &str| format!("the pattern `{pattern}` {why}");
    let mut text = String::with_capacity(pattern.len() + 8);
    if anchored {
        text.push('^');
    }
    let mut chars = pattern
        .strip_prefix('\u{feff}')
        .unwrap_or(pattern)
        .chars()
        .peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => text.push_str(if greedy { ".*" } else { ".*?" }),
            '?' => text.push('.'),
            '\\' => match chars.peek() {
                Some('}' | '/') => {}
                Some('*' | '?' | '\\') => {
                    text.push('\\');
                    text.extend(chars.next());
                }
                _ => return Err(bad("escapes a character that needs no escape")),
            },
            c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    Regex::new(&text).map_err(|_| bad("is too large"))
}

/// The pattern from its end; an escape stays before what it escapes.
fn reversed(pattern: &str) -> String {
    let mut pieces: Vec<[Option<char>; 2]> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(if c == '\\' {
            [Some(c), chars.next()]
        } else {
            [Some(c), None]
        });
    }
    pieces.into_iter().rev().flatten().flatten().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn single_takes_the_shortest_and_double_the_longest() {
        assert_eq!(without_prefix("*.", "a.b.c", false).unwrap(), "b.c");
        assert_eq!(without_prefix("*.", "a.b.c", true).unwrap(), "c");
        assert_eq!(without_suffix(".*", "a.b.c", false).unwrap(), "a.b");
        assert_eq!(without_suffix(".*", "a.b.c", true).unwrap(), "a");
    }

    #[test]
    fn an_escaped_star_is_a_star() {
        assert_eq!(without_suffix("\\**", "a*bc", false).unwrap(), "a");
        assert_eq!(reversed("a\\*c"), "c\\*a");
        assert!(compile("\\a", false, false).is_err());
        assert!(compile("a\\", false, false).is_err());
    }

    #[test]
    fn templates_know_the_whole_match_only() {
        let mut out = String::new();
        let mut push = |piece: &str| {
            out.push_str(piece);
            Ok(())
        };
        fill("[$0|${0}|$1|$x|$$|$-|${0]", "m", &mut push).unwrap();
        assert_eq!(out, "[m|m|||$|$-|${0]");
    }
}
