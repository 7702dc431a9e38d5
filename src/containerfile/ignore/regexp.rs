//! Go's regular expressions, as far as an ignore pattern can reach them (rule 65).
//!
//! Brackets and backslashes of a pattern go to Go's `regexp` unchanged: `a\d` matches a digit, `[[:alpha:]]` a
//! letter, `\M` is an error. So do `|` and braces, which patternmatcher means to escape and does not. This module reads Go's syntax and writes the same expression for the `regex` crate,
//! every character class spelled out, so that no habit of the crate's own syntax can leak in.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

/// Why Go would not compile the expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegexpError {
    /// A `[` without its `]`.
    #[error("`[` is not closed")]
    OpenBracket,
    /// A range such as `z-a`, or an unknown class.
    #[error("a range or class in `[…]` is not valid")]
    Range,
    /// A backslash before a character that means nothing.
    #[error("`\\{0}` means nothing")]
    Escape(String),
    /// A repetition in braces with nothing to repeat, or too often.
    #[error("a repetition in `{{…}}` is not valid")]
    Repeat,
    /// The compiled expression would be too large.
    #[error("the pattern is too long")]
    Size,
}

type Ranges = Vec<(char, char)>;

/// What one escape stands for.
enum Escape {
    One(char),
    Class { ranges: Ranges, negated: bool },
    Letters { group: String, negated: bool },
}

/// Compiles `go`, an expression in Go's syntax, for matching bytes that hold UTF-8.
///
/// # Errors
/// [`RegexpError`] where Go's `regexp.Compile` gives an error.
pub fn compile(go: &str) -> Result<regex::bytes::Regex, RegexpError> {
    let translated = translate(go)?;
    regex::bytes::RegexBuilder::new(&translated)
        .size_limit(64 << 20)
        .dfa_size_limit(4 << 20)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => RegexpError::Size,
            // An unknown name of letters.
            _ => RegexpError::Range,
        })
}

/// What stands before the cursor, as far as a repetition needs to know.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Item,
    Repetition,
}

fn translate(go: &str) -> Result<String, RegexpError> {
    let mut out = String::new();
    let mut rest = go.chars().peekable();
    let mut before = Before::Nothing;
    while let Some(c) = rest.next() {
        let mut after = Before::Item;
        match c {
            '^' => out.push_str(r"(?:\A)"),
            '$' => out.push_str(r"(?:\z)"),
            '.' => out.push_str(r"[^\n]"),
            '(' => out.push_str("(?:"),
            ')' => out.push(c),
            '|' => {
                out.push(c);
                after = Before::Nothing;
            }
            '*' | '?' => {
                out.push(c);
                after = Before::Repetition;
            }
            '{' => match repetition(&mut rest)? {
                Some(_) if before != Before::Item => return Err(RegexpError::Repeat),
                Some(text) => {
                    out.push_str(&text);
                    after = Before::Repetition;
                }
                None => single(&mut out, c),
            },
            '[' => class(&mut rest, &mut out)?,
            '\\' => outside_escape(&mut rest, &mut out)?,
            literal => single(&mut out, literal),
        }
        before = after;
    }
    Ok(out)
}

/// `n}`, `n,}` or `n,m}` at the cursor; `None` when it is not one and `{` stands for itself.
fn repetition(rest: &mut Peekable<Chars<'_>>) -> Result<Option<String>, RegexpError> {
    let text: String = rest.clone().take_while(|c| *c != '}').collect();
    let closed = rest.clone().count() > text.chars().count();
    let (low, high) = match text.split_once(',') {
        Some((low, "")) => (count(low), Some(None)),
        Some((low, high)) => (count(low), count(high).map(Some)),
        None => (count(&text), count(&text).map(Some)),
    };
    let (Some(low), Some(high), true) = (low, high, closed) else {
        return Ok(None);
    };
    if low > 1000 || high.is_some_and(|high| high > 1000 || high < low) {
        return Err(RegexpError::Repeat);
    }
    for _ in 0..=text.chars().count() {
        rest.next();
    }
    Ok(Some(format!("{{{text}}}")))
}

/// A number as Go reads it in a repetition: digits without a leading zero. A huge one is more than any limit.
fn count(digits: &str) -> Option<u32> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    (plain && !leading_zero).then(|| digits.parse().unwrap_or(u32::MAX))
}

fn single(out: &mut String, c: char) {
    let _ = write!(out, r"\x{{{:x}}}", c as u32);
}

fn outside_escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), RegexpError> {
    match rest.peek() {
        Some('A') => out.push_str(r"\A"),
        Some('z') => out.push_str(r"\z"),
        Some('b') => out.push_str(r"(?-u:\b)"),
        Some('B') => out.push_str(r"(?-u:\B)"),
        Some('Q') => return quoted(rest, out),
        _ => {
            let escape = escape(rest)?;
            return write_class(out, &[escape], false);
        }
    }
    rest.next();
    Ok(())
}

/// `\Q…\E`, or to the end: literal text.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), RegexpError> {
    rest.next();
    while let Some(c) = rest.next() {
        if c == '\\' && rest.peek() == Some(&'E') {
            rest.next();
            return Ok(());
        }
        single(out, c);
    }
    Ok(())
}

/// A bracket class; its `[` has been read.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), RegexpError> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut items = Vec::new();
    let mut first = true;
    while first || rest.peek() != Some(&']') {
        first = false;
        items.push(class_item(rest)?);
    }
    rest.next();
    write_class(out, &items, negated)
}

fn class_item(rest: &mut Peekable<Chars<'_>>) -> Result<Escape, RegexpError> {
    if rest.peek() == Some(&'[')
        && let Some(group) = posix(rest)?
    {
        return Ok(group);
    }
    let low = match class_char(rest)? {
        Escape::One(low) => low,
        class => return Ok(class),
    };
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') || matches!(ahead.peek(), None | Some(']')) {
        return Ok(Escape::One(low));
    }
    *rest = ahead;
    match single_class_char(rest)? {
        high if high >= low => Ok(Escape::Class {
            ranges: vec![(low, high)],
            negated: false,
        }),
        _ => Err(RegexpError::Range),
    }
}

fn class_char(rest: &mut Peekable<Chars<'_>>) -> Result<Escape, RegexpError> {
    match rest.next() {
        None => Err(RegexpError::OpenBracket),
        Some('\\') => escape(rest),
        Some(c) => Ok(Escape::One(c)),
    }
}

fn single_class_char(rest: &mut Peekable<Chars<'_>>) -> Result<char, RegexpError> {
    match class_char(rest)? {
        Escape::One(c) => Ok(c),
        Escape::Class { .. } | Escape::Letters { .. } => {
            Err(RegexpError::Escape("a class as a range's end".into()))
        }
    }
}

/// `[:name:]` at the cursor; `None` when it is not one and `[` stands for itself.
fn posix(rest: &mut Peekable<Chars<'_>>) -> Result<Option<Escape>, RegexpError> {
    let text: String = rest.clone().collect();
    let Some(inner) = text.strip_prefix("[:") else {
        return Ok(None);
    };
    let Some(end) = inner.find(":]") else {
        return Ok(None);
    };
    let name = &inner[..end];
    let (name, negated) = match name.strip_prefix('^') {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let ranges = posix_ranges(name).ok_or(RegexpError::Range)?;
    for _ in 0..text[..2 + end + 2].chars().count() {
        rest.next();
    }
    Ok(Some(Escape::Class {
        ranges: ranges.to_vec(),
        negated,
    }))
}

fn posix_ranges(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}

/// What follows a backslash, inside brackets or out.
fn escape(rest: &mut Peekable<Chars<'_>>) -> Result<Escape, RegexpError> {
    let Some(c) = rest.next() else {
        return Err(RegexpError::Escape(String::new()));
    };
    let wrong = || Err(RegexpError::Escape(c.into()));
    let perl = |ranges: &[(char, char)]| {
        Ok(Escape::Class {
            ranges: ranges.to_vec(),
            negated: c.is_ascii_uppercase(),
        })
    };
    match c {
        'd' | 'D' => perl(&[('0', '9')]),
        's' | 'S' => perl(&[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')]),
        'w' | 'W' => perl(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        'p' | 'P' => letters(rest, c == 'P'),
        'a' => Ok(Escape::One('\x07')),
        'f' => Ok(Escape::One('\x0c')),
        'n' => Ok(Escape::One('\n')),
        'r' => Ok(Escape::One('\r')),
        't' => Ok(Escape::One('\t')),
        'v' => Ok(Escape::One('\x0b')),
        'x' => hexadecimal(rest).map_or_else(wrong, |c| Ok(Escape::One(c))),
        '0' => Ok(Escape::One(octal(c, rest))),
        '1'..='7' if matches!(rest.peek(), Some('0'..='7')) => Ok(Escape::One(octal(c, rest))),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(Escape::One(c)),
        _ => wrong(),
    }
}

/// The name of a class of Unicode after `\p`: one letter, or a category or script in braces.
fn letters(rest: &mut Peekable<Chars<'_>>, negated: bool) -> Result<Escape, RegexpError> {
    let first = rest.next().ok_or(RegexpError::Range)?;
    let name = match first {
        '{' => braced(rest).ok_or(RegexpError::Range)?,
        letter => letter.to_string(),
    };
    let (group, flipped) = match name.strip_prefix('^') {
        Some(bare) => (bare, true),
        None => (name.as_str(), false),
    };
    if group.is_empty()
        || !group
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_- ".contains(c))
    {
        return Err(RegexpError::Range);
    }
    Ok(Escape::Letters {
        group: group.into(),
        negated: negated != flipped,
    })
}

/// The text up to a `}`, which is read too; `None` when there is none.
fn braced(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '}' => return Some(text),
            c => text.push(c),
        }
    }
}

fn hexadecimal(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let digits = match rest.next()? {
        '{' => braced(rest)?,
        high => [high, rest.next()?].iter().collect(),
    };
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    char::from_u32(u32::from_str_radix(&digits, 16).ok().filter(|_| plain)?)
}

/// Up to three octal digits, the first of which is `c`.
fn octal(c: char, rest: &mut Peekable<Chars<'_>>) -> char {
    let mut value = c.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(8)) else {
            break;
        };
        value = value * 8 + digit;
        rest.next();
    }
    char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn write_class(out: &mut String, items: &[Escape], negated: bool) -> Result<(), RegexpError> {
    out.push_str(if negated { "[^" } else { "[" });
    for item in items {
        match item {
            Escape::One(c) => single(out, *c),
            Escape::Class { ranges, negated } => {
                out.push_str(if *negated { "[^" } else { "[" });
                for (low, high) in ranges {
                    single(out, *low);
                    out.push('-');
                    single(out, *high);
                }
                out.push(']');
            }
            Escape::Letters { group, negated } => {
                let _ = write!(out, r"\{}{{{group}}}", if *negated { 'P' } else { 'p' });
            }
        }
    }
    out.push(']');
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn matches(go: &str, text: &str) -> bool {
        compile(go).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn perl_classes_are_ascii() {
        assert!(matches(r"^a\d$", "a1"));
        assert!(!matches(r"^a\d$", "a٣"));
        assert!(!matches(r"^a\w$", "aé"));
        assert!(matches(r"^a\W$", "aé"));
        assert!(matches(r"^\pL$", "é"));
    }

    #[test]
    fn a_bracket_in_a_class_is_a_character() {
        assert!(matches("^[a[^/]*]$", "[a^/]"));
        assert!(matches("^[&&a]$", "&"));
        assert!(matches("^[&&~~a]$", "~"));
    }

    #[test]
    fn posix_groups_are_known_and_others_refused() {
        assert!(matches("^[[:alpha:]]$", "x"));
        assert!(matches("^[[:^alpha:]]$", "1"));
        assert_eq!(translate("^[[:foo:]]$"), Err(RegexpError::Range));
        assert!(matches("^[[:a]$", ":"));
    }

    #[test]
    fn escapes_are_those_of_go() {
        assert!(matches(r"^\x41\101\.$", "AA."));
        assert!(matches(r"^\Qa.[\Eb$", "a.[b"));
        assert!(matches(r"^\Qa$", "a$"));
        for bad in [r"\M", r"\1", r"\8", r"\é", r"\E", r"\C", r"\x4", "[z-a]", "[a"] {
            assert!(translate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_dot_does_not_match_a_newline_but_a_negated_class_does() {
        assert!(!matches("^.$", "\n"));
        assert!(matches("^[^/]$", "\n"));
    }

    #[test]
    fn bars_and_braces_are_not_escaped() {
        assert!(matches("^a|b$", "ax"));
        assert!(matches("^x|$", "anything"));
        assert!(matches("^ab{2}$", "abb"));
        assert!(matches("^ab{2,}$", "abbb"));
        assert!(matches("^ab{,2}$", "ab{,2}"));
        assert!(matches("^ab{02}$", "ab{02}"));
        assert!(matches(r"^\p{Greek}\x{e9}\P{^L}$", "αéx"));
        for bad in [
            "^a|{2}",
            "^a{2}{3}",
            "^a{1001}",
            "^a{3,2}",
            "^[^/]*{2}",
            r"\p{",
            r"\p{gc=L}",
            r"\x{}",
        ] {
            assert!(translate(bad).is_err(), "{bad}");
        }
        assert_eq!(compile(r"\p{Nope}").map(|_| ()), Err(RegexpError::Range));
    }
}
