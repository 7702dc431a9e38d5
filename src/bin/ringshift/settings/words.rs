//! A text as the words that a shell would make of it, nothing expanded.

/// The words: parted by blanks, `'…'` and `"…"` keep blanks, a backslash keeps the next character. `None`: a quote is
/// not closed, or nothing follows a backslash.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(rest.next()?),
            '\'' => loop {
                let word = word.get_or_insert_default();
                match rest.next()? {
                    '\'' => break,
                    c => word.push(c),
                }
            },
            '"' => loop {
                let word = word.get_or_insert_default();
                match rest.next()? {
                    '"' => break,
                    '\\' => match rest.next()? {
                        c @ ('"' | '\\' | '$' | '`') => word.push(c),
                        c => word.extend(['\\', c]),
                    },
                    c => word.push(c),
                }
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::split;

    #[test]
    fn words_are_those_of_a_shell() {
        let text = r#" --network=host  --label 'a b'"c \" \n" \  "" "#;
        let want = ["--network=host", "--label", r#"a bc " \n"#, " ", ""];
        assert_eq!(split(text).unwrap(), want);
        assert_eq!(split("").unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_not_ended_is_no_text_of_words() {
        for text in ["'a", "\"a", "a\\", "\"a\\"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
