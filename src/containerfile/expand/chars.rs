//! The characters of a word, one at a time, and which of them make a name.

use regex::Regex;
use std::sync::LazyLock;

/// A word that is being read.
#[derive(Debug)]
pub(super) struct Chars<'a> {
    rest: &'a str,
}

impl<'a> Chars<'a> {
    /// The characters of `word`; a byte order mark at its front is passed over, as Go's scanner does.
    pub(super) fn new(word: &'a str) -> Self {
        Self {
            rest: word.strip_prefix('\u{feff}').unwrap_or(word),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// The name of a variable: digits, one special character, or letters, digits and `_`.
    pub(super) fn name(&mut self) -> String {
        let Some(first) = self.peek() else {
            return String::new();
        };
        let end = if is_digit(first) {
            self.end_of(is_digit)
        } else if matches!(first, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
            1
        } else {
            self.end_of(is_word)
        };
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    fn end_of(&self, belongs: fn(char) -> bool) -> usize {
        self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len())
    }
}

static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Nd}$").ok());
static LETTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{L}$").ok());

fn is_in(class: &LazyLock<Option<Regex>>, c: char) -> bool {
    let mut buffer = [0; 4];
    class
        .as_ref()
        .is_some_and(|class| class.is_match(c.encode_utf8(&mut buffer)))
}

/// A decimal digit of any script.
pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && is_in(&DIGIT, c))
}

/// A letter or digit of any script, or `_`.
pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || (!c.is_ascii() && (is_in(&LETTER, c) || is_in(&DIGIT, c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_the_shell_ends_them() {
        for (word, name) in [
            ("12a", "12"),
            ("@x", "@"),
            ("$$", "$"),
            ("éa_1-", "éa_1"),
            ("-a", "-"),
            (".", ""),
        ] {
            assert_eq!(Chars::new(word).name(), name, "{word}");
        }
    }

    #[test]
    fn a_mark_at_the_front_is_no_character() {
        assert_eq!(Chars::new("\u{feff}a").next(), Some('a'));
    }
}
