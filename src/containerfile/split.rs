//! The first cut through a joined line: the command, its flags, and the rest (rule 11).

/// A line in three parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) command: String,
    pub(super) flags: Vec<String>,
    pub(super) rest: String,
}

/// The blanks that separate words. A vertical tab is one, other Unicode blanks are not.
pub(super) fn is_separator(c: char) -> bool {
    matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Cuts a line into command, flags and the rest.
pub(super) fn split(line: &str, escape: char) -> Split {
    let line = line.trim();
    let Some(end) = line.find(is_separator) else {
        return Split {
            command: line.to_owned(),
            flags: Vec::new(),
            rest: String::new(),
        };
    };
    let after = line[end..].trim_start_matches(is_separator);
    let (flags, rest) = flags(after.as_bytes(), escape);
    Split {
        command: line[..end].to_owned(),
        flags,
        rest: rest.trim().to_owned(),
    }
}

#[derive(PartialEq)]
enum Phase {
    Blank,
    Word,
    Quote(u8),
}

/// The words at the front that begin with `--`. BuildKit goes through them byte by byte and takes
/// each byte for a character of its own; so does this, to name the same stages and paths.
fn flags(line: &[u8], escape: char) -> (Vec<String>, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let blank = |b: u8| (b as char).is_whitespace();
    let mut flags = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut phase = Phase::Blank;
    let mut at = 0;
    while at < line.len() {
        let byte = line[at];
        match phase {
            Phase::Blank if blank(byte) => {}
            Phase::Blank if !line[at..].starts_with(b"--") => return (flags, text(&line[at..])),
            Phase::Word if blank(byte) => {
                phase = Phase::Blank;
                if word == "--" {
                    return (flags, text(&line[at..]));
                }
                if quoted || !word.is_empty() {
                    flags.push(std::mem::take(&mut word));
                }
                quoted = false;
            }
            Phase::Blank | Phase::Word if matches!(byte, b'\'' | b'"') => {
                quoted = true;
                phase = Phase::Quote(byte);
            }
            Phase::Quote(quote) if byte == quote => phase = Phase::Word,
            _ if byte as char == escape => {
                if phase == Phase::Blank || at + 1 == line.len() {
                    phase = Phase::Word;
                }
                at += 1;
                if let Some(next) = line.get(at) {
                    word.push(*next as char);
                }
            }
            _ => {
                if phase == Phase::Blank {
                    phase = Phase::Word;
                }
                word.push(byte as char);
            }
        }
        at += 1;
    }
    if word != "--" && (quoted || !word.is_empty()) {
        flags.push(word);
    }
    (flags, String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, command: &str, flags: &[&str], rest: &str) {
        let want = Split {
            command: command.into(),
            flags: flags.iter().map(|f| (*f).to_owned()).collect(),
            rest: rest.into(),
        };
        assert_eq!(split(line, '\\'), want, "{line}");
    }

    #[test]
    fn flags_stand_before_the_words() {
        check("RUN\ta  b ", "RUN", &[], "a  b");
        check(
            "COPY --from=x --chown=1:2 a b",
            "COPY",
            &["--from=x", "--chown=1:2"],
            "a b",
        );
        check("COPY a --from=x b", "COPY", &[], "a --from=x b");
        check("FROM", "FROM", &[], "");
    }

    #[test]
    fn two_dashes_end_them() {
        check("COPY --  --a b", "COPY", &[], "--a b");
        check("COPY -- a b", "COPY", &[], "a b");
    }

    #[test]
    fn quotes_and_escapes_are_taken_off_flags() {
        check("COPY --from='x y' a b", "COPY", &["--from=x y"], "a b");
        check("COPY --from=x\\ y a b", "COPY", &["--from=x y"], "a b");
        check("COPY --from=x\\", "COPY", &["--from=x"], "");
    }
}
