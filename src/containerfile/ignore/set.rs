//! Patterns in order, and what they say of a path during a walk (rule 66).

use super::pattern::{Pattern, PatternError};

/// An ordered list of patterns.
#[derive(Debug, Default)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
    origins: Vec<usize>,
    exceptions: bool,
    plain_exceptions: bool,
}

/// Which patterns matched a folder, for the decision on what lies in it. The default is the root's.
#[derive(Debug, Clone, Default)]
pub struct Matched(Vec<bool>);

/// What the patterns say of one path.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whether the path is matched, in the end.
    pub matched: bool,
    /// Index of the text, as given to [`PatternSet::new`], that had the last word, if any had.
    pub by: Option<usize>,
    /// What its children need to know.
    pub state: Matched,
}

impl PatternSet {
    /// Reads patterns in order; blank ones vanish.
    ///
    /// # Errors
    /// The index into `raw` of a malformed pattern, and what is wrong with it.
    pub fn new<T: AsRef<[u8]>>(raw: impl IntoIterator<Item = T>) -> Result<Self, (usize, PatternError)> {
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut origins = Vec::new();
        for (index, text) in raw.into_iter().enumerate() {
            if let Some(pattern) = Pattern::new(text.as_ref()).map_err(|error| (index, error))? {
                patterns.push(pattern);
                origins.push(index);
            }
        }
        let exceptions = || patterns.iter().filter(|p| p.exception());
        let plain_exceptions = exceptions().all(|p| p.plain_prefix().is_some());
        Ok(Self {
            exceptions: exceptions().next().is_some(),
            plain_exceptions,
            patterns,
            origins,
        })
    }

    /// The patterns, in order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether any begins with `!`.
    pub fn has_exceptions(&self) -> bool {
        self.exceptions
    }

    /// Judges `path`, whose folder was judged with the outcome `parent`.
    ///
    /// A pattern that matched the folder holds for what is in it. It is skipped, and counts as not
    /// matching for everything below, where its sense equals the state that the patterns before it left.
    ///
    /// # Errors
    /// The index of a text that cannot be compiled, when it comes to be compared.
    pub fn judge(&self, path: &[u8], parent: &Matched) -> Result<Verdict, (usize, PatternError)> {
        let mut matched = false;
        let mut by = None;
        let mut state = vec![false; self.patterns.len()];
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = parent.0.get(index).copied().unwrap_or(false);
            if !inherited && pattern.exception() != matched {
                continue;
            }
            state[index] = inherited
                || pattern
                    .matches(path)
                    .map_err(|error| (self.origins[index], error))?;
            if state[index] {
                matched = !pattern.exception();
                by = Some(self.origins[index]);
            }
        }
        Ok(Verdict {
            matched,
            by,
            state: Matched(state),
        })
    }

    /// Whether nothing below a matched folder can be unmatched, so that BuildKit does not enter it.
    pub fn closes(&self, folder: &[u8]) -> bool {
        if !self.exceptions {
            return true;
        }
        let below = |pattern: &Pattern| {
            let prefix = pattern.plain_prefix().unwrap_or_default();
            prefix == folder
                || prefix
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with(b"/"))
        };
        self.plain_exceptions && !self.patterns.iter().filter(|p| p.exception()).any(below)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_pattern_counts_as_not_matching_below() {
        // `!a` is skipped on `a`, which nothing has left out, so it cannot save `a/b`.
        let set = PatternSet::new(["!a", "a/b"]).unwrap();
        let folder = set.judge(b"a", &Matched::default()).unwrap();
        assert!(!folder.matched);
        assert!(set.judge(b"a/b", &folder.state).unwrap().matched);
    }

    #[test]
    fn a_pattern_that_matched_a_folder_holds_below_it() {
        let set = PatternSet::new(["a", "!a/b"]).unwrap();
        let folder = set.judge(b"a", &Matched::default()).unwrap();
        assert!(folder.matched);
        assert!(set.judge(b"a/c", &folder.state).unwrap().matched);
        assert!(!set.judge(b"a/b", &folder.state).unwrap().matched);
    }

    #[test]
    fn folders_close_when_no_plain_exception_lies_below() {
        let closes =
            |patterns: &[&str], folder: &str| PatternSet::new(patterns).unwrap().closes(folder.as_bytes());
        assert!(closes(&["a"], "a"));
        assert!(closes(&["a", "!b/c"], "a"));
        assert!(!closes(&["a", "!a/b/**"], "a"));
        assert!(closes(&["a", "!a/b/**"], "a/b/c"));
        assert!(!closes(&["a", "!*/x"], "a"));
    }

    #[test]
    fn blank_texts_do_not_shift_the_numbers() {
        let set = PatternSet::new([" ", "a"]).unwrap();
        assert_eq!(set.judge(b"a", &Matched::default()).unwrap().by, Some(1));
    }
}
