//! The plain part of HCL: blocks with labels, and attributes that are literals, variables, lists and
//! objects of those. A variable stands as the text `${NAME}`, any other expression as [`UNKNOWN`].

use serde_json::{Map, Value};

/// What stands for an expression.
const UNKNOWN: &str = "${…}";

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 16;

/// `{"target": {NAME: {…}}}` of the blocks with one label; an empty object when nothing is understood.
pub fn read(text: &str) -> Value {
    let mut reader = Reader {
        tokens: tokens(text),
        at: 0,
    };
    let mut kinds = Map::new();
    while let Some((kind, name, body)) = reader.block() {
        let blocks = kinds.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        if let Some(blocks) = blocks.as_object_mut() {
            blocks.insert(name, Value::Object(body));
        }
    }
    Value::Object(kinds)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
    Newline,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\n' => {
                tokens.push(Token::Newline);
                1
            }
            '#' => line(rest),
            '/' if rest.starts_with("//") => line(rest),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => {
                let (text, length) = quoted(rest);
                tokens.push(Token::Text(text));
                length
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
                    .unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].into()));
                end
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token::Sign(c));
                }
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// The text in quotes at the beginning, and how long it is with them; quotes inside `${…}` do not end it.
fn quoted(text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut escaped = false;
    let mut level = 0_usize;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                out.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' if level == 0 => return (out, at + 1),
            '{' if level > 0 || (out.ends_with('$') && !out.ends_with("$$")) => {
                level += 1;
                out.push(c);
            }
            '}' => {
                level = level.saturating_sub(1);
                out.push(c);
            }
            // An expression that nobody closes ends with its line.
            '\n' if level > 0 => return (out, at),
            c => out.push(c),
        }
    }
    (out, text.len())
}

/// A number, `true`, `false`, `null`, or a variable.
fn literal(word: &str) -> Value {
    match serde_json::from_str(word) {
        Ok(value) => value,
        Err(_) => Value::String(format!("${{{word}}}")),
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The next `KIND "NAME" { … }`; whatever else stands there is passed over.
    fn block(&mut self) -> Option<(String, String, Map<String, Value>)> {
        loop {
            let Token::Word(kind) = self.next()? else { continue };
            let Some(Token::Text(name)) = self.peek().cloned() else {
                continue;
            };
            self.at += 1;
            if self.peek() == Some(&Token::Sign('{')) {
                self.at += 1;
                return Some((kind, name, self.object(0)));
            }
        }
    }

    /// Entries up to the closing brace; with `=` or `:` between, and commas or line ends behind.
    fn object(&mut self, depth: usize) -> Map<String, Value> {
        let mut entries = Map::new();
        while let Some(token) = self.next() {
            let key = match token {
                Token::Sign('}') => break,
                Token::Word(key) | Token::Text(key) => key,
                _ => continue,
            };
            match self.peek() {
                Some(Token::Sign('=' | ':')) => {
                    self.at += 1;
                    if let Some(value) = self.value(depth) {
                        entries.insert(key, value);
                    }
                }
                Some(Token::Sign('{')) => self.skip(),
                _ => {}
            }
        }
        entries
    }

    /// A literal, variable, list or object with nothing behind it; any other expression is skipped.
    fn value(&mut self, depth: usize) -> Option<Value> {
        let value = match self.peek()?.clone() {
            Token::Text(text) => {
                self.at += 1;
                Some(Value::String(text))
            }
            Token::Word(word) => {
                self.at += 1;
                Some(literal(&word))
            }
            Token::Sign('[') if depth < MAX_DEPTH => {
                self.at += 1;
                Some(self.list(depth + 1))
            }
            Token::Sign('{') if depth < MAX_DEPTH => {
                self.at += 1;
                Some(Value::Object(self.object(depth + 1)))
            }
            _ => None,
        };
        match self.peek() {
            None | Some(Token::Newline | Token::Sign(',' | '}' | ']')) if value.is_some() => value,
            _ => {
                self.skip();
                Some(Value::String(UNKNOWN.into()))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Value {
        let mut items = Vec::new();
        loop {
            match self.peek() {
                None => break,
                Some(Token::Sign(']')) => {
                    self.at += 1;
                    break;
                }
                Some(Token::Newline | Token::Sign(',')) => self.at += 1,
                Some(_) => {
                    let before = self.at;
                    items.extend(self.value(depth));
                    self.at = self.at.max(before + 1);
                }
            }
        }
        Value::Array(items)
    }

    /// Passes over an expression: to the end of the line, the next comma or closing bracket on its own level.
    fn skip(&mut self) {
        let mut level = 0_usize;
        while let Some(token) = self.peek() {
            match token {
                Token::Sign('(' | '[' | '{') => level += 1,
                Token::Sign(')' | ']' | '}') if level == 0 => return,
                Token::Sign(')' | ']' | '}') => level -= 1,
                Token::Newline | Token::Sign(',') if level == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}
