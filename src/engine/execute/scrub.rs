//! Keeps secrets out of what is told: logs, lines, errors (SEC-C1).

/// The texts that nobody may read.
#[derive(Clone, Default)]
pub struct Scrub {
    /// The longest first, so that no rest of one stays.
    texts: Vec<String>,
}

/// A text that is shorter stands everywhere, and hides nothing.
const SHORTEST: usize = 4;

impl Scrub {
    /// The values of secrets. Each line of a value counts alone, for what is said is said by lines.
    pub fn new<'v>(values: impl Iterator<Item = &'v [u8]>) -> Self {
        let mut texts = Vec::new();
        for value in values {
            let value = String::from_utf8_lossy(value);
            let lines = value.lines().map(str::trim);
            texts.extend(lines.filter(|line| line.len() >= SHORTEST).map(String::from));
        }
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        Self { texts }
    }

    /// The text with `***` in the place of every secret.
    pub fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.texts {
            if clean.contains(secret) {
                clean = clean.replace(secret, "***");
            }
        }
        clean
    }
}

impl std::fmt::Debug for Scrub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrub({} texts)", self.texts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub(values: &[&str]) -> Scrub {
        Scrub::new(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn no_line_of_a_secret_is_left() {
        let scrub = scrub(&["canary-1\n", "first line\n  second line\n", "abc"]);
        assert_eq!(scrub.clean("a canary-1, canary-1b"), "a ***, ***b");
        assert_eq!(scrub.clean("the second line abc"), "the *** abc");
        assert_eq!(scrub.clean("nothing"), "nothing");
    }

    #[test]
    fn of_a_secret_that_begins_like_another_no_rest_is_left() {
        let scrub = scrub(&["token", "token-long"]);
        assert_eq!(scrub.clean("token-long token"), "*** ***");
    }

    #[test]
    fn its_own_debug_form_tells_nothing() {
        assert_eq!(format!("{:?}", scrub(&["canary"])), "Scrub(1 texts)");
    }
}
