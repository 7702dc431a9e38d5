//! Ignore files: parsed, and paths judged.
//!
//! Fields: the ignore file, then paths.

use ringshift::containerfile::ignore::{Ignore, Matched};
use ringshift::model::RepoPath;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let bytes = fields.next().unwrap_or_default();
    let ignore = match Ignore::parse(bytes) {
        Ok(ignore) => ignore,
        Err(error) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&(error.line as usize)), "{error}");
            return super::told(&error.to_string());
        }
    };
    let again = printed(&ignore);
    for path in fields.take(16) {
        let path = RepoPath::clean(path);
        let kept = walked(&ignore, &path);
        assert_eq!(kept, walked(&ignore, &path), "judging twice gives the same");
        if let Some(again) = &again {
            assert_eq!(kept, walked(again, &path), "{path} by what was printed");
        }
    }
}

/// The ignore file of the patterns as they are shown, where that loses nothing: they are read as the same patterns.
fn printed(ignore: &Ignore) -> Option<Ignore> {
    let patterns: Vec<&str> = ignore.patterns().collect();
    // What does not print is shown escaped, and a comment would be one on its own line only.
    let plain = |c: char| c.is_ascii_graphic() && c != '\\' && c != '#';
    if !patterns.iter().all(|pattern| pattern.chars().all(plain)) {
        return None;
    }
    let again = Ignore::parse(patterns.join("\n").as_bytes());
    let again = again.unwrap_or_else(|error| panic!("{patterns:?}: {error}"));
    assert!(
        again.patterns().eq(patterns.iter().copied()),
        "cleaning twice changes nothing"
    );
    Some(again)
}

/// Whether a walk keeps the path; `None` where a pattern cannot be used. What lies below a folder that is closed
/// is left out, and [`Ignore::explain`] says the same.
fn walked(ignore: &Ignore, path: &RepoPath) -> Option<bool> {
    let (mut at, mut state) = (RepoPath::root(), Matched::default());
    let (mut closed, mut kept) = (false, true);
    for name in path.components() {
        at = at.child(name);
        let verdict = match ignore.judge(at.as_bytes(), &state) {
            Ok(verdict) => verdict,
            Err(error) => {
                super::told(&error.to_string());
                return None;
            }
        };
        kept = !verdict.matched;
        assert!(!closed || !kept, "{at} is kept in a folder that is closed");
        assert!(
            verdict.by.is_some() || !verdict.matched,
            "{at} is left out by nothing"
        );
        state = verdict.state;
        closed |= !kept && ignore.closes(at.as_bytes());
    }
    assert_eq!(ignore.explain(path).is_none(), kept, "{path} is explained");
    Some(kept)
}
