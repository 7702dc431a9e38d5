//! How each command cuts its text into arguments.

use super::array;
use super::error::{Fault, quoted};
use super::split::is_separator;

/// The arguments of a command, and whether they were a JSON array.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Args {
    pub(super) words: Vec<String>,
    pub(super) json: bool,
}

impl Args {
    fn plain(words: Vec<String>) -> Self {
        Self { words, json: false }
    }
}

/// `FROM`, `EXPOSE`: words between blanks.
pub(super) fn list(rest: &str) -> Args {
    let words = rest.split(is_separator).filter(|word| !word.is_empty());
    Args::plain(words.map(str::to_owned).collect())
}

/// `USER`, `WORKDIR`, `STOPSIGNAL`, `MAINTAINER`: the text is one argument.
pub(super) fn string(rest: &str) -> Args {
    Args::plain(if rest.is_empty() {
        vec![]
    } else {
        vec![rest.to_owned()]
    })
}

/// The strings of a JSON array; `None` when the text is no JSON array at all.
fn json(rest: &str) -> Result<Option<Args>, Fault> {
    let words = array::strings(rest)?;
    Ok(words.map(|words| Args { words, json: true }))
}

/// `RUN`, `CMD`, `ENTRYPOINT`, `SHELL`: a JSON array, else one text.
pub(super) fn json_or_string(rest: &str) -> Result<Args, Fault> {
    Ok(json(rest)?.unwrap_or_else(|| string(rest)))
}

/// `COPY`, `ADD`, `VOLUME`: a JSON array, else words between blanks.
pub(super) fn json_or_list(rest: &str) -> Result<Args, Fault> {
    Ok(json(rest)?.unwrap_or_else(|| list(rest)))
}

/// `HEALTHCHECK`: its type, then as [`json_or_string`].
pub(super) fn healthcheck(rest: &str) -> Result<Args, Fault> {
    let bytes = rest.as_bytes();
    let blank = |b: &u8| (*b as char).is_whitespace();
    let end = bytes.iter().position(blank).unwrap_or(bytes.len());
    if end == 0 {
        return Ok(Args::default());
    }
    let (kind, tail) = bytes.split_at(end);
    let start = tail.iter().position(|b| !blank(b)).unwrap_or(tail.len());
    let mut args = json_or_string(&String::from_utf8_lossy(&tail[start..]))?;
    args.words.insert(0, String::from_utf8_lossy(kind).into_owned());
    Ok(args)
}

/// `ARG`: names, each with or without a value.
pub(super) fn names(rest: &str, escape: char) -> Args {
    Args::plain(quoted_words(rest, escape))
}

/// `ENV`, `LABEL`: key, value and `=` for each pair; in the old form `KEY value with blanks` the third is empty
/// (rule 33).
pub(super) fn pairs(rest: &str, command: &str, escape: char) -> Result<Args, Fault> {
    let words = quoted_words(rest, escape);
    match words.first() {
        None => Ok(Args::default()),
        Some(first) if !first.contains('=') => one_pair(rest, command),
        Some(_) => {
            let mut out = Vec::with_capacity(words.len() * 3);
            for word in &words {
                let (key, value) = word.split_once('=').ok_or_else(|| {
                    Fault::new(format!("{} of {command} has no `=`", quoted(word)))
                        .hint("write NAME=VALUE, with quotes around a value that holds blanks")
                })?;
                out.extend([key.to_owned(), value.to_owned(), "=".to_owned()]);
            }
            Ok(Args::plain(out))
        }
    }
}

fn one_pair(rest: &str, command: &str) -> Result<Args, Fault> {
    let Some(end) = rest.find(is_separator) else {
        return Err(Fault::new(format!("{command} needs a name and a value"))
            .hint(format!("write {command} NAME=VALUE")));
    };
    let value = rest[end..].trim_start_matches(is_separator);
    Ok(Args::plain(vec![
        rest[..end].to_owned(),
        value.to_owned(),
        String::new(),
    ]))
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Blank,
    Word,
    Quote(char),
}

/// Words between blanks; quotes and escapes hold a word together and stay in it.
fn quoted_words(rest: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_quoted = false;
    let mut phase = Phase::Blank;
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        if phase == Phase::Blank {
            if c.is_whitespace() {
                continue;
            }
            phase = Phase::Word;
        }
        match phase {
            Phase::Word if c.is_whitespace() => {
                phase = Phase::Blank;
                if was_quoted || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                was_quoted = false;
                continue;
            }
            Phase::Word if matches!(c, '\'' | '"') => {
                was_quoted = true;
                phase = Phase::Quote(c);
            }
            Phase::Quote(quote) if c == quote => phase = Phase::Word,
            _ => {}
        }
        if c != escape || phase == Phase::Quote('\'') {
            word.push(c);
        } else if let Some(next) = chars.next() {
            word.push(c);
            word.push(next);
        } else {
            phase = Phase::Word;
        }
    }
    if phase != Phase::Blank && (was_quoted || !word.is_empty()) {
        words.push(word);
    }
    words
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together_and_stay() {
        assert_eq!(
            quoted_words("a=\"b c\" d=e\\ f ''", '\\'),
            ["a=\"b c\"", "d=e\\ f", "''"]
        );
        assert_eq!(quoted_words("a='b\\'c' d", '\\'), ["a='b\\'c' d"]);
        assert_eq!(quoted_words("a\\", '\\'), ["a"]);
    }

    #[test]
    fn the_old_form_is_one_pair() {
        let args = pairs("A b  c", "ENV", '\\').unwrap();
        assert_eq!(args.words, ["A", "b  c", ""]);
        assert!(pairs("A", "ENV", '\\').is_err());
        assert!(pairs("A=b c", "ENV", '\\').is_err());
    }

    #[test]
    fn only_an_array_of_strings_is_json() {
        assert_eq!(json_or_list("[\"a b\", \"c\"]").unwrap().words, ["a b", "c"]);
        assert!(json_or_list("[\"a\", 1]").is_err());
        assert_eq!(json_or_string("[a]").unwrap().words, ["[a]"]);
        assert_eq!(json_or_list("a\tb  c/").unwrap().words, ["a", "b", "c/"]);
    }

    #[test]
    fn a_healthcheck_has_a_type_first() {
        let args = healthcheck("CMD [\"a\"]").unwrap();
        assert!(args.json);
        assert_eq!(args.words, ["CMD", "a"]);
    }
}
