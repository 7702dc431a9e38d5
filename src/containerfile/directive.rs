//! Parser directives (rules 5 and 6): `# escape=`, `# syntax=`, `# check=` before anything else.

use super::error::Fault;

/// Which names count as directives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The frontend (rule 7).
    Syntax,
    /// The escape character (rule 6).
    Escape,
    /// Lint options (rule 8).
    Check,
}

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Which.
    pub key: Key,
    /// Its value, blanks around it removed.
    pub value: String,
}

/// Reads directives line by line until the first line that is none (rule 5).
#[derive(Debug)]
pub struct Reader {
    prefix: &'static str,
    seen: Vec<Key>,
    done: bool,
}

impl Reader {
    /// A reader of lines that begin with `prefix`: `#`, or `//` for a syntax line.
    pub fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            seen: Vec::new(),
            done: false,
        }
    }

    /// A reader that finds no more directives.
    pub fn finished() -> Self {
        Self {
            done: true,
            ..Self::new("#")
        }
    }

    /// Whether no directive can follow.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The directive on a line, if it is one.
    ///
    /// # Errors
    /// When the same directive was there before.
    pub fn read(&mut self, line: &str) -> Result<Option<Directive>, Fault> {
        if self.done {
            return Ok(None);
        }
        let Some(directive) = line.strip_prefix(self.prefix).and_then(parse) else {
            self.done = true;
            return Ok(None);
        };
        if self.seen.contains(&directive.key) {
            let name = directive.key.name();
            return Err(Fault::new(format!("`# {name}=` stands here for the second time"))
                .hint("keep one of the two"));
        }
        self.seen.push(directive.key);
        Ok(Some(directive))
    }
}

impl Key {
    fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "syntax" => Some(Self::Syntax),
            "escape" => Some(Self::Escape),
            "check" => Some(Self::Check),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

fn parse(comment: &str) -> Option<Directive> {
    let text = comment.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let rest = rest.trim_start_matches(is_blank).strip_prefix('=')?;
    let value = match rest.trim_matches(is_blank) {
        "" => rest.chars().last()?.to_string(),
        value => value.to_owned(),
    };
    Key::of(name).map(|key| Directive { key, value })
}

/// The character that an escape directive names (rule 6).
///
/// # Errors
/// When it is neither `\` nor a backtick.
pub fn escape(value: &str) -> Result<char, Fault> {
    match value {
        "\\" => Ok('\\'),
        "`" => Ok('`'),
        _ => Err(Fault::new(format!(
            "{} cannot be the escape character",
            super::error::quoted(value)
        ))
        .hint("only \\ and ` can")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<Option<String>> {
        let mut reader = Reader::new("#");
        lines
            .iter()
            .map(|line| reader.read(line).unwrap().map(|d| d.value))
            .collect()
    }

    #[test]
    fn names_are_case_insensitive_and_blanks_are_free() {
        assert_eq!(read(&["#  EsCape \t=  ` "]), [Some("`".into())]);
    }

    #[test]
    fn a_blank_a_comment_or_an_unknown_name_ends_them() {
        for end in ["", "# a comment", "# foo=bar"] {
            assert_eq!(read(&[end, "# escape=`"]), [None, None], "{end}");
        }
    }

    #[test]
    fn a_repeated_directive_is_an_error() {
        let mut reader = Reader::new("#");
        reader.read("# escape=`").unwrap();
        reader.read("# check=skip=all").unwrap();
        assert!(reader.read("#escape=`").is_err());
    }

    #[test]
    fn only_two_characters_escape() {
        assert_eq!(escape("`").unwrap(), '`');
        assert!(escape("x").is_err());
    }
}
