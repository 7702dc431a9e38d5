//! Paths inside a source tree: bytes, relative, clean (SEC-A5).

use std::fmt;

/// A path below the root of a source tree. Bytes, joined by `/`, without empty, `.` or `..`
/// components; the empty path is the root itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path that `raw` names when the root is `/`: `.`, empty components and leading slashes
    /// vanish, `..` goes up and stops at the root (containerfile rule 35, `clean("/" + src)`).
    pub fn clean(raw: impl AsRef<[u8]>) -> Self {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in raw.as_ref().split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        Self(parts.join(&b'/'))
    }

    /// The path that `raw` names relative to `self`, clamped at the root.
    pub fn resolve(&self, raw: impl AsRef<[u8]>) -> Self {
        let raw = raw.as_ref();
        if raw.starts_with(b"/") {
            return Self::clean(raw);
        }
        let mut joined = self.0.clone();
        joined.push(b'/');
        joined.extend_from_slice(raw);
        Self::clean(joined)
    }

    /// The same path, or `None` when `raw` climbs above the root or is absolute.
    pub fn relative(raw: impl AsRef<[u8]>) -> Option<Self> {
        let raw = raw.as_ref();
        if raw.starts_with(b"/") {
            return None;
        }
        let mut depth = 0_i64;
        for part in raw.split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => depth -= 1,
                _ => depth += 1,
            }
            if depth < 0 {
                return None;
            }
        }
        Some(Self::clean(raw))
    }

    /// `self` extended by `tail`.
    pub fn join(&self, tail: &RepoPath) -> Self {
        match (self.is_root(), tail.is_root()) {
            (true, _) => tail.clone(),
            (_, true) => self.clone(),
            _ => {
                let mut joined = self.0.clone();
                joined.push(b'/');
                joined.extend_from_slice(&tail.0);
                Self(joined)
            }
        }
    }

    /// `self` extended by one component, which must hold no `/`.
    pub fn child(&self, name: &[u8]) -> Self {
        debug_assert!(!name.contains(&b'/') && !name.is_empty());
        let mut joined = self.0.clone();
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined.extend_from_slice(name);
        Self(joined)
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder that holds it; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.parent_bytes().map(|parent| Self(parent.to_vec()))
    }

    /// The raw bytes of the folder that holds it; `None` for the root.
    pub fn parent_bytes(&self) -> Option<&[u8]> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(&self.0[..end])
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|b| *b == b'/').map_or(0, |i| i + 1);
        &self.0[start..]
    }

    /// The components from the root down.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }

    /// What remains of `self` below `base`; `None` when it does not lie there. A path lies below itself.
    pub fn strip_prefix(&self, base: &RepoPath) -> Option<Self> {
        if base.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(base.0.as_slice())?;
        match rest {
            [] => Some(Self::root()),
            [b'/', tail @ ..] => Some(Self(tail.to_vec())),
            _ => None,
        }
    }

    /// Whether `self` is `base` or lies below it.
    pub fn starts_with(&self, base: &RepoPath) -> bool {
        base.is_root()
            || self
                .0
                .strip_prefix(base.0.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Looked up by its bytes; the two hash and order alike.
impl std::borrow::Borrow<[u8]> for RepoPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes as text: what is not UTF-8 or not printable becomes `\xNN`, a backslash `\\`
/// (containerfile 1, record 3).
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    push_escaped(&mut out, bytes);
    out
}

/// Appends what [`escape`] makes of some bytes.
pub fn push_escaped(out: &mut String, bytes: &[u8]) {
    use fmt::Write;
    for chunk in bytes.utf8_chunks() {
        if chunk.invalid().is_empty() && !chunk.valid().bytes().any(is_odd) {
            out.push_str(chunk.valid());
            continue;
        }
        for c in chunk.valid().chars() {
            if c == '\\' {
                out.push_str("\\\\");
            } else if c.is_control() {
                let mut buffer = [0; 4];
                for b in c.encode_utf8(&mut buffer).bytes() {
                    let _ = write!(out, "\\x{b:02x}");
                }
            } else {
                out.push(c);
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
}

/// Whether a byte of UTF-8 may belong to something that [`escape`] does not leave as it is.
fn is_odd(byte: u8) -> bool {
    !(0x20..0x7f).contains(&byte) || byte == b'\\'
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.pad(".");
        }
        f.pad(&escape(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn cleaning_clamps_at_the_root() {
        for (raw, want) in [
            ("/a//b/./c/", "a/b/c"),
            ("../x", "x"),
            ("a/../../b", "b"),
            ("", "."),
        ] {
            assert_eq!(RepoPath::clean(raw).to_string(), want);
        }
    }

    #[test]
    fn relative_paths_do_not_climb_out() {
        assert_eq!(RepoPath::relative("a/../b").unwrap().to_string(), "b");
        assert_eq!(RepoPath::relative("../b"), None);
        assert_eq!(RepoPath::relative("/b"), None);
    }

    #[test]
    fn prefixes_end_at_components() {
        let ab = RepoPath::clean("a/b");
        assert!(ab.starts_with(&RepoPath::clean("a")));
        assert!(!RepoPath::clean("ab").starts_with(&RepoPath::clean("a")));
        assert_eq!(
            ab.strip_prefix(&RepoPath::clean("a")).unwrap(),
            RepoPath::clean("b")
        );
        assert_eq!(ab.parent().unwrap(), RepoPath::clean("a"));
        assert_eq!(ab.name(), b"b");
    }

    #[test]
    fn odd_bytes_are_escaped() {
        assert_eq!(escape(b"a\nb\\\xff\xc3\xa9"), "a\\x0ab\\\\\\xffé");
    }
}
