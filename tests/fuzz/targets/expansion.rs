//! Variables in words.
//!
//! Fields: letters that set the lexer up (`b` the escape is a backtick, `q` quotes stay, `e` escapes stay, `p` quotes
//! are plain, `k` unset variables stay), the word, then `NAME=value`.

use ringshift::containerfile::expand::{Budget, Expansion, Lexer};
use std::collections::BTreeMap;

/// How much a word may grow beyond twice its length.
const GROWTH: usize = 1 << 20;
/// How much work one container file may cause.
const WORK: usize = 1 << 28;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let (letters, word) = (super::text(&mut fields), super::text(&mut fields));
    let mut variables = BTreeMap::new();
    for field in fields {
        if let Some((name, value)) = String::from_utf8_lossy(field).split_once('=') {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    let budget = Budget::new();
    let has = |letter| letters.contains(letter);
    let lexer = Lexer {
        raw_quotes: has('q'),
        raw_escapes: has('e'),
        plain_quotes: has('p'),
        keep_unset: has('k'),
        ..Lexer::new(if has('b') { '`' } else { '\\' }, &budget)
    };
    let expanded = lexer.expand(&word, &variables);
    assert_eq!(
        expanded,
        lexer.expand(&word, &variables),
        "expanding twice gives the same"
    );
    match &expanded {
        Err(error) => {
            assert!(error.matched.iter().all(|name| variables.contains_key(name)));
            super::told(&error.clone().into_fault(&word).message);
        }
        Ok(found) => {
            assert!(found.matched.iter().all(|name| variables.contains_key(name)));
            assert!(!found.unmatched.iter().any(|name| variables.contains_key(name)));
            bounded(&word, found);
            if !word.contains(['$', '\'', '"', '\\', '`', '<']) {
                assert_eq!(found.text, word, "nothing in it has a meaning");
                assert!(found.words.iter().eq(word.split_whitespace()));
            }
        }
    }
    fed_back(&lexer, &word, &mut variables);
}

fn bounded(word: &str, found: &Expansion) {
    let most = 2 * word.len() + GROWTH;
    assert!(found.text.len() <= most, "{} bytes", found.text.len());
    let words: usize = found.words.iter().map(String::len).sum();
    assert!(words <= most, "{words} bytes in words");
}

/// A variable that takes the expansion as its value, again and again, as `ENV A=…` line after line: all
/// expansions together stay below what one container file may cost.
fn fed_back(lexer: &Lexer<'_>, word: &str, variables: &mut BTreeMap<String, String>) {
    let mut all = 0;
    for _ in 0..6 {
        let Ok(found) = lexer.expand(word, variables) else {
            return;
        };
        bounded(word, &found);
        all += found.text.len();
        assert!(all <= WORK + 8 * word.len());
        variables.insert("A".into(), found.text);
    }
}
