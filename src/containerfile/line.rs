//! Physical lines (rules 2, 3, 4 and 9): byte order mark, line ends, comments, continuations.

use super::error::Fault;

/// The longest physical line, without its newline (rule 3).
pub const LONGEST_LINE: usize = 64 * 1024 - 1;

/// The physical lines of a container file, each with its newline.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    number: u32,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`; a byte order mark at its start is dropped (rule 2).
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: without_bom(bytes),
            number: 0,
        }
    }

    /// The number of the last line that was taken, from 1; 0 before the first.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The next line, its newline included.
    ///
    /// # Errors
    /// When it is longer than [`LONGEST_LINE`] (rule 3).
    pub fn take(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let content = self.rest.iter().position(|b| *b == b'\n');
        let end = content.map_or(self.rest.len(), |i| i + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.number = self.number.saturating_add(1);
        if content.unwrap_or(end) > LONGEST_LINE {
            return Err(
                Fault::new(format!("the line is longer than {LONGEST_LINE} bytes"))
                    .at(self.number)
                    .hint("break it with a line continuation, or put the text into a file"),
            );
        }
        Ok(Some(line))
    }
}

/// `bytes` without a UTF-8 byte order mark (rule 2).
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// A line without its line end; any number of carriage returns goes too (rule 2).
pub fn without_newline(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| !matches!(b, b'\r' | b'\n'));
    &line[..end.map_or(0, |i| i + 1)]
}

/// Whether the first character that is no blank is `#` (rule 4).
pub fn is_comment(line: &[u8]) -> bool {
    let text = line.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    text.trim_start().starts_with('#')
}

/// The bytes as text.
///
/// BuildKit carries bytes that are not UTF-8 along; here they are refused outside comments, so that
/// every word of a recipe is text.
///
/// # Errors
/// When they are not UTF-8.
pub fn text(bytes: &[u8], line: u32) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|e| Fault {
        span: Some(e.valid_up_to()..e.valid_up_to() + e.error_len().unwrap_or(1)),
        ..Fault::new("the line is not UTF-8 text")
            .at(line)
            .hint("save the container file as UTF-8")
    })
}

/// A line without its continuation mark, and whether it had one (rule 9): the escape character at
/// the end, blanks may follow, another escape character must not stand before it.
pub fn without_continuation(line: &str, escape: char) -> (&str, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before, true),
        _ => (line, false),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_64_kib_less_one_is_the_longest() {
        let mut longest = vec![b'#'; LONGEST_LINE];
        assert!(Lines::new(&longest).take().is_ok());
        longest.push(b'\n');
        assert!(Lines::new(&longest).take().is_ok());
        longest.insert(0, b'#');
        assert_eq!(Lines::new(&longest).take().unwrap_err().line, 1);
    }

    #[test]
    fn an_escaped_escape_does_not_continue() {
        for (line, want) in [
            ("a \\", ("a ", true)),
            ("a\\ \t", ("a", true)),
            ("\\", ("", true)),
            ("a\\\\", ("a\\\\", false)),
            ("a \\ b", ("a \\ b", false)),
        ] {
            assert_eq!(without_continuation(line, '\\'), want, "{line}");
        }
        assert_eq!(without_continuation("a `", '`'), ("a ", true));
    }

    #[test]
    fn a_comment_needs_no_utf8() {
        assert!(is_comment(b" \t# gr\xFC\xDFe"));
        assert!(!is_comment(b"RUN x # y"));
        assert_eq!(text(b"RUN \xFF", 7).unwrap_err().span, Some(4..5));
    }

    #[test]
    fn line_ends_and_the_mark_go() {
        assert_eq!(without_newline(b"a\r\r\n"), b"a");
        assert_eq!(without_newline(b"\r\n"), b"");
        let mut lines = Lines::new(b"\xEF\xBB\xBFFROM a\nb");
        assert_eq!(lines.take().unwrap().unwrap(), b"FROM a\n");
        assert_eq!(lines.take().unwrap().unwrap(), b"b");
        assert_eq!(lines.take().unwrap(), None);
    }
}
