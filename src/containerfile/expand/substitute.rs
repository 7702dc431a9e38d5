//! What stands after a dollar sign (rule 31).

use super::pattern;
use super::walk::Walk;

impl<'a> Walk<'a> {
    /// The value of `$x`, `${x}` or `${x…}`.
    pub(super) fn variable(&mut self) -> Result<String, String> {
        self.chars.next();
        if self.chars.peek() == Some('{') {
            self.chars.next();
            return self.braces();
        }
        let name = self.chars.name();
        if name.is_empty() {
            return Ok("$".into());
        }
        match self.look_up(&name) {
            None if self.lexer.keep_unset => Ok(format!("${name}")),
            value => Ok(value.unwrap_or_default().to_owned()),
        }
    }

    fn braces(&mut self) -> Result<String, String> {
        match self.chars.peek() {
            None => return Err("`}` is missing".into()),
            Some('{' | '}' | ':') => return Err("the name of a variable is missing after `${`".into()),
            Some(_) => {}
        }
        let name = self.chars.name();
        match self.chars.next() {
            Some('}') => match self.look_up(&name) {
                None if self.lexer.keep_unset => Ok(format!("${{{name}}}")),
                value => Ok(value.unwrap_or_default().to_owned()),
            },
            Some(':') => match self.chars.next() {
                Some(c @ ('#' | '%')) => Err(unsupported(&format!(":{c}"))),
                Some(c) => self.modified(&name, c, true),
                None => Err("`}` is missing".into()),
            },
            Some(c @ ('+' | '-' | '?' | '#' | '%')) => self.modified(&name, c, false),
            Some('/') => self.replaced(&name),
            Some(c) => Err(unsupported(&c.to_string())),
            None => Err("`}` is missing".into()),
        }
    }

    /// `${name-word}` and its kin; with `colon`, empty counts as unset.
    fn modified(&mut self, name: &str, modifier: char, colon: bool) -> Result<String, String> {
        let cuts = matches!(modifier, '#' | '%');
        let (word, _) = self.part(Some('}'), cuts)?;
        let value = self.look_up(name);
        if value.is_none() && self.lexer.keep_unset {
            let colon = if colon { ":" } else { "" };
            return Ok(format!("${{{name}{colon}{modifier}{word}}}"));
        }
        let missing = value.is_none_or(|value| colon && value.is_empty());
        let owned = |value: Option<&str>| value.unwrap_or_default().to_owned();
        match modifier {
            '-' => Ok(if missing { word } else { owned(value) }),
            '+' => Ok(if missing { String::new() } else { word }),
            '?' if missing => Err(complaint(name, &word, value.is_some())),
            '?' => Ok(owned(value)),
            '#' | '%' => self.cut_off(modifier, word, value.unwrap_or_default()),
            _ => Err(unsupported(&format!(
                "{}{modifier}",
                if colon { ":" } else { "" }
            ))),
        }
    }

    /// `${name#pattern}`, `${name%pattern}` and the doubled, greedy forms.
    fn cut_off(&self, modifier: char, word: String, value: &str) -> Result<String, String> {
        let (greedy, pattern) = match word.strip_prefix(modifier) {
            Some(pattern) => (true, pattern),
            None => (false, word.as_str()),
        };
        self.lexer.budget.spend(pattern::cost(pattern, value))?;
        match modifier {
            '%' => pattern::without_suffix(pattern, value, greedy),
            _ => pattern::without_prefix(pattern, value, greedy),
        }
    }

    /// `${name/pattern/replacement}` and `${name//pattern/replacement}`.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.chars.peek() == Some('/');
        if all {
            self.chars.next();
        }
        let (pattern, _) = self.part(Some('/'), true)?;
        let (replacement, _) = self.part(Some('}'), true)?;
        let value = self.look_up(name);
        if value.is_none() && self.lexer.keep_unset {
            return Ok(format!("${{{name}/{pattern}/{replacement}}}"));
        }
        let value = value.unwrap_or_default();
        self.lexer.budget.spend(pattern::cost(&pattern, value))?;
        let mut out = String::new();
        pattern::replace(&pattern, value, &replacement, all, &mut |piece| {
            self.append(&mut out, piece)
        })?;
        Ok(out)
    }

    fn look_up(&mut self, name: &str) -> Option<&'a str> {
        let variables = self.variables;
        let value = variables.get(name);
        let set = if value.is_some() {
            &mut self.matched
        } else {
            &mut self.unmatched
        };
        if !set.contains(name) {
            set.insert(name.to_owned());
        }
        value
    }
}

fn unsupported(modifier: &str) -> String {
    format!("`{modifier}` is no modifier that a variable can have")
}

fn complaint(name: &str, word: &str, set: bool) -> String {
    match (word, set) {
        ("", true) => format!("{name} must not be empty"),
        ("", false) => format!("{name} must be set"),
        (word, _) => format!("{name}: {word}"),
    }
}
