//! Variables in words (rule 31): `$x`, `${x}` and the modifiers of BuildKit's shell.
//!
//! A [`Lexer`] walks a word once. It removes quotes and escapes, replaces variables, and can cut the
//! result into words. Nesting, size and work are bounded, so that no word can exhaust the machine.

mod chars;
mod pattern;
mod substitute;
mod walk;

use super::error::{Fault, quoted};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Where variables get their values.
pub trait Variables {
    /// The value of a variable that is set.
    fn get(&self, name: &str) -> Option<&str>;
}

impl Variables for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

/// No variable is set.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Variables for Nothing {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

/// What became of a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The word, expanded.
    pub text: String,
    /// The same, cut at blanks that are not quoted.
    pub words: Vec<String>,
    /// The variables that were asked for and set.
    pub matched: BTreeSet<String>,
    /// The variables that were asked for and not set.
    pub unmatched: BTreeSet<String>,
}

/// A word that is not well formed, or whose `${x:?…}` complains. The variables that were asked for up
/// to there come along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandError {
    /// What is wrong, a sentence without its full stop.
    pub message: String,
    /// Whether the word may be well formed, and only goes beyond our bounds.
    pub too_much: bool,
    /// The variables that were not set.
    pub unmatched: BTreeSet<String>,
    /// The variables that were set.
    pub matched: BTreeSet<String>,
}

impl ExpandError {
    /// The error as a problem of `word`.
    pub fn into_fault(self, word: &str) -> Fault {
        let hint = match self.message.contains("quote") {
            true => {
                "close it, or put the escape character before it; paths with blanks need the form [\"a b\", \"c\"]"
            }
            false => "a literal dollar sign is written \\$, or stands in single quotes",
        };
        Fault::new(format!("cannot expand {}: {}", quoted(word), self.message)).hint(hint)
    }
}

/// What is left of the work that one container file may cause.
#[derive(Debug)]
pub struct Budget(Cell<u64>);

impl Budget {
    /// Enough for any container file that people write.
    pub fn new() -> Self {
        Self(Cell::new(1 << 28))
    }

    /// Takes `work` off; an error when nothing is left.
    ///
    /// # Errors
    /// A message when the budget is used up.
    pub fn spend(&self, work: usize) -> Result<(), String> {
        match self.0.get().checked_sub(work as u64) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                self.0.set(0);
                Err("the container file asks for too much text or too many steps".into())
            }
        }
    }

    /// Whether nothing is left.
    fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// How words are walked through.
#[derive(Debug, Clone, Copy)]
pub struct Lexer<'b> {
    /// The escape character (rule 6).
    pub escape: char,
    /// Keep quotes in the result.
    pub raw_quotes: bool,
    /// Keep escape characters in the result.
    pub raw_escapes: bool,
    /// Quotes are ordinary characters, as in a heredoc body.
    pub plain_quotes: bool,
    /// Leave variables that are not set as they are.
    pub keep_unset: bool,
    /// What the walk may cost.
    pub budget: &'b Budget,
}

impl<'b> Lexer<'b> {
    /// The lexer of instructions.
    pub fn new(escape: char, budget: &'b Budget) -> Self {
        Self {
            escape,
            raw_quotes: false,
            raw_escapes: false,
            plain_quotes: false,
            keep_unset: false,
            budget,
        }
    }

    /// The lexer of heredoc bodies: always `\`, quotes stay (rules 6 and 58).
    pub fn of_heredoc(budget: &'b Budget) -> Self {
        Self {
            plain_quotes: true,
            ..Self::new('\\', budget)
        }
    }

    /// Expands a word.
    ///
    /// # Errors
    /// [`ExpandError`] when it is not well formed or too large.
    pub fn expand(&self, word: &str, variables: &dyn Variables) -> Result<Expansion, ExpandError> {
        walk::Walk::new(*self, word, variables).run()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn env() -> BTreeMap<String, String> {
        [("a", "x y"), ("e", ""), ("p", "/usr/local/lib"), ("d", "$1")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    fn expand(word: &str) -> Result<String, String> {
        let budget = Budget::new();
        let expansion = Lexer::new('\\', &budget).expand(word, &env());
        expansion.map(|e| e.text).map_err(|e| e.message)
    }

    #[test]
    fn every_form_of_the_table_expands() {
        for (word, want) in [
            ("$a|${a}|$none|", "x y|x y||"),
            ("${none:-w}${e:-w}${e-w}", "ww"),
            ("${a:+w}${e:+w}${e+w}", "ww"),
            (
                "${p#*/}|${p##*/}|${p%/*}|${p%%/*}",
                "usr/local/lib|lib|/usr/local|",
            ),
            ("${p/l/L}|${p//l/L}", "/usr/Local/lib|/usr/LocaL/Lib"),
            ("${none:-${e:-deep}}", "deep"),
            ("\\$a '$a' \"$a\"", "$a $a x y"),
            ("$", "$"),
        ] {
            assert_eq!(expand(word).unwrap(), want, "{word}");
        }
    }

    #[test]
    fn what_the_dialect_lacks_is_refused() {
        for word in [
            "${a",
            "${}",
            "${a:=w}",
            "${a!b}",
            "'a",
            "\"a",
            "${none?}",
            "${e:?no}",
            "${p/\\q/x}",
        ] {
            assert!(expand(word).is_err(), "{word}");
        }
    }

    #[test]
    fn words_are_cut_after_expansion() {
        let budget = Budget::new();
        let expansion = Lexer::new('\\', &budget).expand("1 $a '2 3'", &env()).unwrap();
        assert_eq!(expansion.words, ["1", "x", "y", "2 3"]);
    }

    #[test]
    fn replacements_are_templates() {
        assert_eq!(expand("${p//u/$d}").unwrap(), "/sr/local/lib");
    }

    #[test]
    fn nesting_and_growth_are_bounded() {
        let deep = format!("{}x{}", "${n:-".repeat(10_000), "}".repeat(10_000));
        assert!(expand(&deep).unwrap_err().contains("nested"));
        let big: BTreeMap<_, _> = [("b".to_owned(), "x".repeat(1 << 19))].into();
        let budget = Budget::new();
        assert!(Lexer::new('\\', &budget).expand(&"$b".repeat(64), &big).is_err());
        assert!(Lexer::new('\\', &budget).expand("${b//x/$b}", &big).is_err());
    }
}
