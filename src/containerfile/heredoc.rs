//! Heredocs (rules 58 and 59): which words of a line announce one, and its body.

use super::error::{Fault, quoted};
use super::expand::{Budget, Lexer, Nothing};

/// A heredoc of an instruction, its body as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word after `<<`, without quotes; a line that is equal ends the body.
    pub name: String,
    /// The digits before `<<`; 0 when there are none.
    pub descriptor: u64,
    /// Whether the body is expanded: no part of the word is quoted.
    pub expand: bool,
    /// `<<-`: tabs at the front of each line are not part of it.
    pub chomp: bool,
    /// The lines of the body, with their line ends.
    pub body: String,
}

impl Heredoc {
    /// The body as a program sees it: without the leading tabs of `<<-`.
    pub fn chomped(&self) -> String {
        if !self.chomp {
            return self.body.clone();
        }
        let lines = self.body.split_inclusive('\n');
        lines.map(|line| line.trim_start_matches('\t')).collect()
    }

    /// Whether a line ends the body.
    pub(super) fn is_end(&self, line: &[u8]) -> bool {
        let mut line = super::line::without_newline(line);
        if self.chomp {
            let tabs = line.iter().take_while(|b| **b == b'\t').count();
            line = &line[tabs..];
        }
        line == self.name.as_bytes()
    }
}

/// The heredocs that a joined line announces, in order, as a shell would cut it.
///
/// # Errors
/// When the word of one is not well formed, or the line goes beyond the bounds of [`Lexer`].
pub fn announced(line: &str) -> Result<Vec<Heredoc>, Fault> {
    let budget = Budget::new();
    let lexer = Lexer {
        raw_quotes: true,
        raw_escapes: true,
        keep_unset: true,
        ..Lexer::new('\\', &budget)
    };
    let words = match lexer.expand(line, &Nothing) {
        Ok(expansion) => expansion.words,
        // What has no words announces nothing; of what is too much for us nobody knows.
        Err(e) if e.too_much => return Err(e.into_fault(line)),
        Err(_) => Vec::new(),
    };
    let found = words.iter().map(|word| parse(word));
    found.filter_map(Result::transpose).collect()
}

/// The heredoc that a word announces, if it does.
///
/// # Errors
/// When it does, but the name is not well formed.
pub fn parse(word: &str) -> Result<Option<Heredoc>, Fault> {
    let Some((descriptor, chomp, name)) = cut(word) else {
        return Ok(None);
    };
    let budget = Budget::new();
    let plain = Lexer {
        keep_unset: true,
        ..Lexer::new('\\', &budget)
    };
    let raw = Lexer {
        raw_quotes: true,
        ..plain
    };
    let words = |lexer: &Lexer<'_>| {
        let expansion = lexer.expand(name, &Nothing);
        expansion.map(|e| e.words).map_err(|e| e.into_fault(name))
    };
    let (plain, raw) = (words(&plain)?, words(&raw)?);
    let [name] = plain.as_slice() else {
        return Ok(None);
    };
    let [raw_name] = raw.as_slice() else {
        return Err(Fault::new(format!("{} is no name for a heredoc", quoted(word))));
    };
    Ok(Some(Heredoc {
        expand: quotes(name) == quotes(raw_name),
        name: name.clone(),
        descriptor,
        chomp,
        body: String::new(),
    }))
}

fn quotes(text: &str) -> usize {
    text.matches(['\'', '"']).count()
}

/// Descriptor, `-` and name of `DIGITS<<-NAME`.
fn cut(word: &str) -> Option<(u64, bool, &str)> {
    let (digits, rest) = word.split_once("<<")?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let descriptor = match digits {
        "" => 0,
        digits => digits.parse().unwrap_or(u64::MAX),
    };
    let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    let name = rest.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    (!name.is_empty() && !name.contains('<')).then_some((descriptor, chomp, name))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<(String, bool, bool)> {
        let found = announced(line).unwrap();
        found.into_iter().map(|h| (h.name, h.expand, h.chomp)).collect()
    }

    #[test]
    fn a_line_can_announce_several() {
        let want = [("A".into(), true, false), ("B".into(), false, true)];
        assert_eq!(names("COPY <<A <<-'B' /h/"), want);
        assert_eq!(names("RUN << E cat"), [("E".into(), true, false)]);
    }

    #[test]
    fn shifts_and_quotes_announce_none() {
        for line in [
            "RUN echo $((1<<2))",
            "RUN echo '<<E'",
            "RUN echo <<",
            "RUN a <<<E",
            "RUN \"<<E",
        ] {
            assert_eq!(names(line), [], "{line}");
        }
    }

    #[test]
    fn a_line_beyond_bounds_is_an_error_and_not_without_heredocs() {
        let nested = |deep| format!("RUN <<E {}x{}", "${n-".repeat(deep), "}".repeat(deep));
        assert_eq!(names(&nested(60)).len(), 1);
        assert!(announced(&nested(100)).is_err());
        assert_eq!(names("RUN <<E ${n"), []);
    }

    #[test]
    fn a_descriptor_may_stand_before() {
        assert_eq!(parse("3<<E").unwrap().unwrap().descriptor, 3);
        assert_eq!(parse("x<<E").unwrap(), None);
    }

    #[test]
    fn tabs_are_chomped_from_every_line() {
        let mut heredoc = parse("<<-E").unwrap().unwrap();
        heredoc.body = "\ta\n\t\t b\n".into();
        assert_eq!(heredoc.chomped(), "a\n b\n");
        assert!(heredoc.is_end(b"\t\tE\r\n"));
    }
}
