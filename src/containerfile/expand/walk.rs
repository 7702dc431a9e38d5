//! The walk through one word: quotes, escapes, variables, and cutting into words.

use super::chars::Chars;
use super::{ExpandError, Expansion, Lexer, Variables};
use std::cell::Cell;
use std::collections::BTreeSet;

/// How deep `${x:-${y:-…}}` may nest.
const DEEPEST: usize = 64;
/// How large a word may grow beyond its own length.
const LARGEST: usize = 1 << 20;

/// The state of a walk.
pub(super) struct Walk<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) chars: Chars<'a>,
    pub(super) variables: &'a dyn Variables,
    /// Keep escapes, for the part that is walked through now.
    pub(super) raw_escapes: bool,
    /// The word that is being cut. BuildKit has one for all levels of nesting, so this has too.
    buffer: String,
    pub(super) matched: BTreeSet<String>,
    pub(super) unmatched: BTreeSet<String>,
    depth: usize,
    limit: usize,
    exceeded: Cell<bool>,
}

/// Words found so far on one level.
#[derive(Default)]
struct Cut {
    words: Vec<String>,
    in_word: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(lexer: Lexer<'a>, word: &'a str, variables: &'a dyn Variables) -> Self {
        Self {
            lexer,
            chars: Chars::new(word),
            variables,
            raw_escapes: lexer.raw_escapes,
            buffer: String::new(),
            matched: BTreeSet::new(),
            unmatched: BTreeSet::new(),
            depth: 0,
            limit: word.len().saturating_add(LARGEST),
            exceeded: Cell::new(false),
        }
    }

    pub(super) fn run(mut self) -> Result<Expansion, ExpandError> {
        match self.part(None, self.raw_escapes) {
            Ok((text, words)) => Ok(Expansion {
                text,
                words,
                matched: self.matched,
                unmatched: self.unmatched,
            }),
            Err(message) => Err(ExpandError {
                message,
                too_much: self.exceeded.get() || self.lexer.budget.is_spent(),
                unmatched: self.unmatched,
                matched: self.matched,
            }),
        }
    }

    /// The text up to `stop`, or to the end; and its words.
    pub(super) fn part(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
    ) -> Result<(String, Vec<String>), String> {
        if self.depth == DEEPEST {
            self.exceeded.set(true);
            return Err(format!("variables are nested more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let before = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let part = self.part_inside(stop);
        self.raw_escapes = before;
        self.depth -= 1;
        part
    }

    fn part_inside(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), String> {
        let mut text = String::new();
        let mut cut = Cut::default();
        self.buffer.clear();
        while let Some(c) = self.chars.peek() {
            if stop == Some(c) {
                self.chars.next();
                return Ok((text, self.end_of_words(cut)));
            }
            match c {
                '$' => {
                    let value = self.variable()?;
                    value.chars().for_each(|c| self.cut_char(&mut cut, c));
                    self.append(&mut text, &value)?;
                }
                '<' => {
                    let mark = self.possible_heredoc();
                    self.cut_raw(&mut cut, &mark);
                    self.append(&mut text, &mark)?;
                }
                '\'' | '"' if !self.lexer.plain_quotes => {
                    let quoted = if c == '"' {
                        self.double_quote()
                    } else {
                        self.single_quote()
                    }?;
                    self.cut_raw(&mut cut, &quoted);
                    self.append(&mut text, &quoted)?;
                }
                _ => self.plain(&mut text, &mut cut),
            }
        }
        match stop {
            Some(stop) => Err(format!("there is no matching `{stop}`")),
            None => Ok((text, self.end_of_words(cut))),
        }
    }

    /// Any other character; the escape character takes the meaning off the next one.
    fn plain(&mut self, text: &mut String, cut: &mut Cut) {
        let Some(c) = self.chars.next() else { return };
        if c != self.lexer.escape {
            self.cut_char(cut, c);
            text.push(c);
            return;
        }
        let mut keep = |walk: &mut Self, c: char| {
            walk.buffer.push(c);
            cut.in_word = true;
            text.push(c);
        };
        if self.raw_escapes {
            keep(self, c);
        }
        if let Some(next) = self.chars.next() {
            keep(self, next);
        }
    }

    /// Between single quotes nothing has a meaning.
    fn single_quote(&mut self) -> Result<String, String> {
        let mut text = String::new();
        self.quote(&mut text);
        while let Some(c) = self.chars.peek() {
            if c == '\'' {
                self.quote(&mut text);
                return Ok(text);
            }
            self.chars.next();
            text.push(c);
        }
        Err("a single quote is not closed".into())
    }

    /// Between double quotes variables have a meaning, and the escape character before `"`, `$` and itself.
    fn double_quote(&mut self) -> Result<String, String> {
        let mut text = String::new();
        self.quote(&mut text);
        while let Some(c) = self.chars.peek() {
            match c {
                '"' => {
                    self.quote(&mut text);
                    return Ok(text);
                }
                '$' => {
                    let value = self.variable()?;
                    self.append(&mut text, &value)?;
                }
                _ => self.inside_double_quote(&mut text),
            }
        }
        Err("a double quote is not closed".into())
    }

    fn inside_double_quote(&mut self, text: &mut String) {
        let Some(mut c) = self.chars.next() else { return };
        let escape = self.lexer.escape;
        if c == escape {
            if self.raw_escapes {
                text.push(c);
            }
            match self.chars.peek() {
                None => return,
                Some(next) if next == '"' || next == '$' || next == escape => {
                    self.chars.next();
                    c = next;
                }
                Some(_) => {}
            }
        }
        text.push(c);
    }

    fn quote(&mut self, text: &mut String) {
        if let (Some(c), true) = (self.chars.next(), self.lexer.raw_quotes) {
            text.push(c);
        }
    }

    /// `<<` keeps the blanks after it in one word with it.
    fn possible_heredoc(&mut self) -> String {
        self.chars.next();
        if self.chars.peek() != Some('<') {
            return "<".into();
        }
        self.chars.next();
        let mut mark = String::from("<<");
        while let Some(c @ ('\t' | '\r' | ' ')) = self.chars.peek() {
            self.chars.next();
            mark.push(c);
        }
        mark
    }

    /// Appends, within the limits.
    pub(super) fn append(&self, text: &mut String, more: &str) -> Result<(), String> {
        self.lexer.budget.spend(more.len() + 1)?;
        if text.len() + more.len() > self.limit {
            self.exceeded.set(true);
            return Err("the text grows beyond all measure".into());
        }
        text.push_str(more);
        Ok(())
    }

    fn cut_char(&mut self, cut: &mut Cut, c: char) {
        if !c.is_whitespace() {
            self.buffer.push(c);
            cut.in_word = true;
        } else if cut.in_word && !self.buffer.is_empty() {
            cut.words.push(std::mem::take(&mut self.buffer));
            cut.in_word = false;
        }
    }

    fn cut_raw(&mut self, cut: &mut Cut, text: &str) {
        self.buffer.push_str(text);
        cut.in_word = true;
    }

    fn end_of_words(&mut self, mut cut: Cut) -> Vec<String> {
        if !self.buffer.is_empty() {
            cut.words.push(std::mem::take(&mut self.buffer));
        }
        cut.words
    }
}
