//! Path patterns as moby/patternmatcher reads them: ignore files, `--exclude` and `--parents` (rules 53, 54, 64 to 66).

use super::clean::{characters, clean, trim};
use super::regexp::{self, RegexpError};
use crate::containerfile::glob::{self, BadPattern};
use std::sync::OnceLock;

/// A pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// `!` alone.
    #[error("`!` stands alone")]
    LoneBang,
    /// The brackets or backslashes are not well formed.
    #[error("the pattern is not well formed")]
    Malformed,
    /// The regular expression that BuildKit makes of it does not compile (rule 65).
    #[error("BuildKit reads it as a regular expression, and {0}")]
    Regexp(#[from] RegexpError),
}

impl From<BadPattern> for PatternError {
    fn from(_: BadPattern) -> Self {
        Self::Malformed
    }
}

/// One pattern, cleaned, without its `!`.
#[derive(Debug)]
pub struct Pattern {
    text: Vec<u8>,
    exception: bool,
    matcher: OnceLock<Result<Matcher, PatternError>>,
}

/// How a pattern is compared, in Go's order of preference.
#[derive(Debug)]
enum Matcher {
    Exact,
    /// `x/**`: whatever begins with `x/`.
    Prefix(Vec<u8>),
    /// `**/x` and `**x`: whatever ends so.
    Suffix(Vec<u8>),
    Regexp {
        regexp: regex::bytes::Regex,
        tail: Vec<u8>,
    },
}

impl Pattern {
    /// Reads one pattern; `None` when it is blank.
    ///
    /// # Errors
    /// [`PatternError`] when it is malformed at first sight. What only its regular expression shows
    /// comes when it is first compared, as with BuildKit: a pattern that is never compared is no error.
    pub fn new(raw: &[u8]) -> Result<Option<Self>, PatternError> {
        let raw = trim(raw);
        if raw.is_empty() {
            return Ok(None);
        }
        let mut text = clean(raw);
        let exception = text[0] == b'!';
        if exception {
            text.remove(0);
        }
        if text.is_empty() {
            return Err(PatternError::LoneBang);
        }
        glob::matches(&text, b".")?;
        Ok(Some(Self {
            text,
            exception,
            matcher: OnceLock::new(),
        }))
    }

    /// The cleaned text, without `!`.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether it began with `!`.
    pub fn exception(&self) -> bool {
        self.exception
    }

    /// Whether the path, `/`-separated and relative, matches as a whole.
    ///
    /// # Errors
    /// [`PatternError::Regexp`] when the pattern cannot be compiled.
    pub fn matches(&self, path: &[u8]) -> Result<bool, PatternError> {
        let matcher = self.matcher.get_or_init(|| compile(&self.text));
        Ok(match matcher.as_ref().map_err(Clone::clone)? {
            Matcher::Exact => path == self.text,
            Matcher::Prefix(prefix) => path.starts_with(prefix),
            Matcher::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix(b"/").is_some_and(|bare| path == bare)
            }
            Matcher::Regexp { regexp, tail } => {
                path.ends_with(tail)
                    && match std::str::from_utf8(path) {
                        Ok(_) => regexp.is_match(path),
                        Err(_) => regexp.is_match(characters(path).as_bytes()),
                    }
            }
        })
    }

    /// The text without a trailing `/*` or `/**`; `None` when what is left still holds wildcards.
    pub fn plain_prefix(&self) -> Option<&[u8]> {
        let text = self.text.strip_suffix(b"/**").unwrap_or(&self.text);
        let text = text.strip_suffix(b"/*").unwrap_or(text);
        let wild = |b: &u8| matches!(b, b'*' | b'[' | b']' | b'?' | b'^' | b'\\');
        (!text.iter().any(wild)).then_some(text)
    }
}

#[derive(PartialEq)]
enum Detected {
    Exact,
    Prefix,
    Suffix,
    Regexp,
}

/// Makes the regular expression, and notices the simple cases on the way.
fn compile(text: &[u8]) -> Result<Matcher, PatternError> {
    let decoded = characters(text);
    // Go's scanner swallows a byte order mark at the very start.
    let mut rest = decoded
        .strip_prefix('\u{feff}')
        .unwrap_or(&decoded)
        .chars()
        .peekable();
    let mut go = String::from("^");
    let mut tail = String::new();
    let mut kind = Detected::Exact;
    let mut first = true;
    while let Some(c) = rest.next() {
        let plain = !"*?[]^\\{}".contains(c);
        if plain {
            tail.push(c)
        } else {
            tail.clear()
        }
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                let last = rest.peek().is_none();
                go.push_str(if last { ".*" } else { "(.*/)?" });
                kind = match (first, last, kind) {
                    (true, ..) => Detected::Suffix,
                    (false, true, Detected::Exact) => Detected::Prefix,
                    _ => Detected::Regexp,
                };
            }
            '*' => (go, kind) = (go + "[^/]*", Detected::Regexp),
            '?' => (go, kind) = (go + "[^/]", Detected::Regexp),
            // Not `|`, `{` and `}`: the table of characters to escape ends before them.
            '.' | '+' | '(' | ')' | '$' => {
                go.push('\\');
                go.push(c);
            }
            '\\' => {
                go.push('\\');
                if let Some(next) = rest.next() {
                    go.push(next);
                    kind = Detected::Regexp;
                }
            }
            '[' | ']' => {
                go.push(c);
                kind = Detected::Regexp;
            }
            _ => go.push(c),
        }
        first = false;
    }
    Ok(match kind {
        Detected::Exact => Matcher::Exact,
        Detected::Prefix => Matcher::Prefix(text[..text.len() - 2].to_vec()),
        Detected::Suffix => Matcher::Suffix(text[2..].to_vec()),
        Detected::Regexp => {
            go.push('$');
            let literal = !decoded.contains(['\\', '|', char::REPLACEMENT_CHARACTER]);
            Matcher::Regexp {
                regexp: regexp::compile(&go)?,
                tail: if literal { tail.into_bytes() } else { Vec::new() },
            }
        }
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hit(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern.as_bytes())
            .unwrap()
            .unwrap()
            .matches(path.as_bytes())
            .unwrap()
    }

    #[test]
    fn leading_stars_without_a_slash_match_any_ending() {
        assert!(hit("**.log", "a/b.log"));
        assert!(hit("**/x", "x"));
        assert!(hit("**/x", "a/x"));
        assert!(!hit("**/x", "ax"));
        assert!(hit("**", "anything"));
    }

    #[test]
    fn stars_in_the_middle_match_any_depth() {
        assert!(hit("a/**/b", "a/b"));
        assert!(hit("a/**/b", "a/x/y/b"));
        assert!(hit("a/**", "a/x"));
        assert!(!hit("a/**", "a"));
        assert!(hit("a**", "ab/c"));
    }

    #[test]
    fn bars_and_braces_work_once_the_pattern_is_an_expression() {
        assert!(!hit("a|b", "b"));
        assert!(hit("a|b*", "b"));
        assert!(hit("a{2}*", "aa"));
        assert!(!hit("a{2}", "aa"));
    }

    #[test]
    fn a_path_that_is_not_utf8_matches_byte_by_byte() {
        let broken = |pattern: &str| {
            let pattern = Pattern::new(pattern.as_bytes()).unwrap().unwrap();
            pattern.matches(b"a\xff\xfeb").unwrap()
        };
        assert!(broken("a??b"));
        assert!(!broken("a?b"));
        assert!(broken("a*b"));
    }

    #[test]
    fn a_byte_order_mark_is_swallowed_only_by_expressions() {
        assert!(hit("\u{feff}a*", "ab"));
        assert!(!hit("\u{feff}a", "a"));
    }
}
