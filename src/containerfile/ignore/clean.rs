//! Lexical path cleaning as Go's `filepath.Clean` does it; patterns go through it twice (rule 63).

/// The shortest path that names the same thing by text alone; `.` when nothing is left.
///
/// Unlike [`RepoPath::clean`](crate::model::RepoPath::clean) it keeps a leading slash and leading `..`.
pub fn clean(raw: &[u8]) -> Vec<u8> {
    let rooted = raw.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in raw.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            name => parts.push(name),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// Cuts blanks off both ends: all that Unicode calls white space, as Go's `strings.TrimSpace`.
pub fn trim(raw: &[u8]) -> &[u8] {
    let mut rest = raw;
    while let Some(n) = leading_blank(rest) {
        rest = &rest[n..];
    }
    while let Some(n) = trailing_blank(rest) {
        rest = &rest[..rest.len() - n];
    }
    rest
}

fn leading_blank(raw: &[u8]) -> Option<usize> {
    (1..=raw.len().min(3)).find(|n| is_blank(&raw[..*n]))
}

fn trailing_blank(raw: &[u8]) -> Option<usize> {
    (1..=raw.len().min(3)).find(|n| is_blank(&raw[raw.len() - n..]))
}

/// Whether the bytes are one character, and a blank.
fn is_blank(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_whitespace) && chars.next().is_none()
}

/// Bytes as characters the way Go iterates a string: every byte that is not UTF-8 is one U+FFFD.
pub fn characters(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_is_lexical_and_keeps_leading_dots() {
        for (raw, want) in [
            ("", "."),
            ("a/../b//c/.", "b/c"),
            ("../../x", "../../x"),
            ("/../x/", "/x"),
            ("/", "/"),
            ("a/..", "."),
            ("!../x", "!../x"),
        ] {
            assert_eq!(clean(raw.as_bytes()), want.as_bytes(), "{raw}");
        }
    }

    #[test]
    fn blanks_are_those_of_unicode() {
        assert_eq!(trim("\u{3000}\t a b \u{85}\r".as_bytes()), b"a b");
        assert_eq!(trim(b" \xe3\x80 "), b"\xe3\x80");
        assert_eq!(trim(b"  "), b"");
    }

    #[test]
    fn each_broken_byte_is_a_character() {
        assert_eq!(characters(b"a\xe2\x82b"), "a\u{fffd}\u{fffd}b");
    }
}
