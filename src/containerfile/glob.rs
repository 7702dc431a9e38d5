//! Wildcards in COPY and ADD sources: Go's `filepath.Match` (rule 37).

/// A wildcard is malformed: a bracket without its end, an empty class, a trailing backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether the pattern matches the whole of `name`. `*` and `?` do not match `/`; a class does.
///
/// # Errors
/// [`BadPattern`], when the comparison comes to what is malformed ([`check`] always does).
pub fn matches(pattern: &[u8], name: &[u8]) -> Result<bool, BadPattern> {
    let mut pattern = pattern;
    let mut name = name;
    while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        match place(star, chunk, pattern.is_empty(), name)? {
            Some(left) => name = left,
            None => return Ok(false),
        }
    }
    Ok(name.is_empty())
}

/// What is left of `name` after the chunk, at the first place where a star lets it stand.
fn place<'n>(star: bool, chunk: &[u8], last: bool, name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    for start in 0..=name.len() {
        let left = match_chunk(chunk, &name[start..])?;
        if let Some(left) = left
            && (left.is_empty() || !last)
        {
            return Ok(Some(left));
        }
        if !star || name.get(start) == Some(&b'/') {
            break;
        }
    }
    Ok(None)
}

/// Splits off leading stars and the text up to the next star outside brackets.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|b| **b == b'*').count();
    let rest = &pattern[stars..];
    let mut bracket = false;
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 1,
            b'[' => bracket = true,
            b']' => bracket = false,
            b'*' if !bracket => break,
            _ => {}
        }
        at += 1;
    }
    let at = at.min(rest.len());
    (stars > 0, &rest[..at], &rest[at..])
}

/// Matches a chunk without stars at the start of `name`; the whole chunk is checked even after a mismatch.
fn match_chunk<'n>(chunk: &[u8], name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut chunk = chunk;
    let mut left = Some(name);
    while let Some((first, rest)) = chunk.split_first() {
        left = left.filter(|name| !name.is_empty());
        chunk = rest;
        match first {
            b'[' => {
                let (c, after) = left.map_or(('\0', None), |name| {
                    let (c, n) = decode(name);
                    (c, Some(&name[n..]))
                });
                let (hit, rest) = class(chunk, c)?;
                chunk = rest;
                left = after.filter(|_| hit);
            }
            b'?' => {
                left = left
                    .filter(|name| name[0] != b'/')
                    .map(|name| &name[decode(name).1..])
            }
            b'\\' => {
                let (literal, rest) = chunk.split_first().ok_or(BadPattern)?;
                chunk = rest;
                left = left.and_then(|name| name.strip_prefix(&[*literal]));
            }
            literal => left = left.and_then(|name| name.strip_prefix(&[*literal])),
        }
    }
    Ok(left)
}

/// Reads a class whose `[` is gone; whether `c` is in it, and what follows the `]`.
fn class(chunk: &[u8], c: char) -> Result<(bool, &[u8]), BadPattern> {
    let negated = chunk.first() == Some(&b'^');
    let mut rest = &chunk[usize::from(negated)..];
    let mut hit = false;
    let mut any = false;
    loop {
        if any && rest.first() == Some(&b']') {
            return Ok((hit != negated, &rest[1..]));
        }
        let (low, after) = class_char(rest)?;
        rest = after;
        let mut high = low;
        if rest[0] == b'-' {
            (high, rest) = class_char(&rest[1..])?;
        }
        hit |= low <= c && c <= high;
        any = true;
    }
}

/// One character of a class, possibly escaped; something must follow it.
fn class_char(chunk: &[u8]) -> Result<(char, &[u8]), BadPattern> {
    let chunk = match chunk.first() {
        None | Some(b'-' | b']') => return Err(BadPattern),
        Some(b'\\') => &chunk[1..],
        Some(_) => chunk,
    };
    if chunk.is_empty() {
        return Err(BadPattern);
    }
    let (c, n) = decode(chunk);
    let rest = &chunk[n..];
    if rest.is_empty() || (c == char::REPLACEMENT_CHARACTER && n == 1) {
        return Err(BadPattern);
    }
    Ok((c, rest))
}

/// The first character and its length; U+FFFD and 1 for a byte that is not UTF-8.
fn decode(bytes: &[u8]) -> (char, usize) {
    let head = &bytes[..bytes.len().min(4)];
    let valid = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid
        .chars()
        .next()
        .map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, c.len_utf8()))
}

/// Whether a pattern is well formed, all of it.
///
/// # Errors
/// [`BadPattern`] when it is not.
pub fn check(pattern: &[u8]) -> Result<(), BadPattern> {
    let mut pattern = pattern;
    while !pattern.is_empty() {
        let (_, chunk, rest) = next_chunk(pattern);
        match_chunk(chunk, b"")?;
        pattern = rest;
    }
    Ok(())
}

/// Whether a source word holds a wildcard that no backslash takes back.
pub fn has_wildcard(word: &[u8]) -> bool {
    let mut bytes = word.iter();
    while let Some(b) = bytes.next() {
        match b {
            b'\\' => {
                bytes.next();
            }
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// A clean source word as the path before the first component with a wildcard, and the wildcard from there on.
/// The second is empty for a literal word.
pub fn split(word: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    for part in word.split(|b| *b == b'/') {
        if has_wildcard(part) {
            return (&word[..start.max(1) - 1], &word[start..]);
        }
        start += part.len() + 1;
    }
    (word, b"")
}

/// How deep below its base a wildcard can match: its slashes and one, and one more for each class, since a
/// class can match a slash.
pub fn depth(wildcard: &[u8]) -> usize {
    1 + wildcard.iter().filter(|b| matches!(b, b'/' | b'[')).count()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hit(pattern: &str, name: &str) -> bool {
        matches(pattern.as_bytes(), name.as_bytes()).unwrap()
    }

    #[test]
    fn stars_stop_at_slashes_and_take_dot_files() {
        assert!(hit("*", ".x"));
        assert!(!hit("*", "a/b"));
        assert!(hit("a*/b", "abc/b"));
        assert!(!hit("a*b", "a/b"));
        assert!(hit("a*b?c*x", "abxbbxdbxebxczzx"));
        assert!(!hit("a*b?c*x", "abxbbxdbxebxczzy"));
        assert!(hit("**", "x"));
    }

    #[test]
    fn classes_match_slashes() {
        assert!(hit("a[^x]b", "a/b"));
        assert!(hit("[a-c]", "b"));
        assert!(!hit("[^a-c]", "b"));
        assert!(hit("[!a]", "!"));
        assert!(hit(r"[\]a]", "]"));
        assert!(hit("[\u{e0}-\u{ef}]", "é"));
    }

    #[test]
    fn malformed_patterns_are_found_by_check_and_else_when_they_are_reached() {
        assert_eq!(matches(b"x*[", b"."), Ok(false));
        assert_eq!(matches(b"x*[", b"xy"), Err(BadPattern));
        for bad in ["[", "[]a]", "[a", "[a-]", "[-a]", "a\\", "x*[", "[^]"] {
            assert_eq!(check(bad.as_bytes()), Err(BadPattern), "{bad}");
        }
    }

    #[test]
    fn words_split_before_the_first_wildcard() {
        let parts = |word: &'static str| split(word.as_bytes());
        assert_eq!(parts("a/b*/c"), (b"a".as_slice(), b"b*/c".as_slice()));
        assert_eq!(parts("*"), (b"".as_slice(), b"*".as_slice()));
        assert_eq!(parts("a/b"), (b"a/b".as_slice(), b"".as_slice()));
        assert_eq!(parts(r"a\*/b"), (br"a\*/b".as_slice(), b"".as_slice()));
    }
}
