//! Values as go-yaml 2 prints them, byte for byte: keys in its natural order, lists flush with
//! their key, long texts folded after 80 columns.

use super::scalar::{self, Rules, Tag};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::fmt::Write as _;

/// A text is folded at the first space after this column.
const WIDTH: usize = 80;
/// A longer key stands after `? `.
const SIMPLE_KEY: usize = 128;

/// A document.
pub fn document(value: &Value) -> String {
    let mut out = Out {
        text: String::new(),
        column: 0,
    };
    match value {
        Value::Object(map) if !map.is_empty() => out.map(map, 0, true),
        Value::Array(items) if !items.is_empty() => out.list(items, 0, true),
        other => out.leaf(other, 0),
    }
    out.text.push('\n');
    out.text
}

struct Out {
    text: String,
    column: usize,
}

impl Out {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize, inline: bool) {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by(|a, b| natural(a.0, b.0));
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if at > 0 || !inline {
                self.line(indent);
            }
            if key.len() > SIMPLE_KEY || key.contains('\n') {
                self.put("? ");
                self.string(key, indent, false);
                self.line(indent);
            } else {
                self.string(key, indent, true);
            }
            self.put(":");
            match value {
                Value::Object(map) if !map.is_empty() => self.map(map, indent + 2, false),
                Value::Array(items) if !items.is_empty() => self.list(items, indent, false),
                leaf => {
                    self.put(" ");
                    self.leaf(leaf, indent);
                }
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, inline: bool) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 || !inline {
                self.line(indent);
            }
            self.put("- ");
            match item {
                Value::Object(map) if !map.is_empty() => self.map(map, indent + 2, true),
                Value::Array(items) if !items.is_empty() => self.list(items, indent + 2, true),
                leaf => self.leaf(leaf, indent),
            }
        }
    }

    fn leaf(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(true) => self.put("true"),
            Value::Bool(false) => self.put("false"),
            Value::Number(number) => {
                let text = match number.as_f64() {
                    Some(float) if number.is_f64() => scalar::go_g(float),
                    _ => number.to_string(),
                };
                self.put(&text);
            }
            Value::String(text) => self.string(text, indent, false),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn string(&mut self, text: &str, indent: usize, key: bool) {
        let found = Allowed::of(text);
        let plain = scalar::resolve(text, Rules::V2).0 == Tag::Str && !scalar::base60(text);
        let indent = indent + 2;
        if text.contains('\n') {
            match found.block && !key {
                true => self.literal(text, indent),
                false => self.double(text, indent, !key),
            }
        } else if !plain {
            self.double(text, indent, !key);
        } else if found.plain {
            self.plain(text, indent, !key);
        } else if found.single {
            self.single(text, indent, !key);
        } else {
            self.double(text, indent, !key);
        }
    }

    fn plain(&mut self, text: &str, indent: usize, folds: bool) {
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' && folds && !spaces && self.column > WIDTH && chars.peek() != Some(&' ') {
                self.line(indent);
            } else {
                self.text.push(c);
                self.column += 1;
            }
            spaces = c == ' ';
        }
    }

    fn single(&mut self, text: &str, indent: usize, folds: bool) {
        self.put("'");
        let mut spaces = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let inner = at > 0 && next.is_some();
            if c == ' ' && folds && !spaces && self.column > WIDTH && inner && next != Some(' ') {
                self.line(indent);
            } else {
                if c == '\'' {
                    self.put("'");
                }
                self.text.push(c);
                self.column += 1;
            }
            spaces = c == ' ';
        }
        self.put("'");
    }

    fn double(&mut self, text: &str, indent: usize, folds: bool) {
        self.put("\"");
        let mut spaces = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            if c == ' ' && folds && !spaces && self.column > WIDTH && at > 0 && next.is_some() {
                self.line(indent);
                if next == Some(' ') {
                    self.put("\\");
                }
            } else if c == '"' || c == '\\' || is_break(c) || !is_printable(c) {
                self.escape(c);
            } else {
                self.text.push(c);
                self.column += 1;
            }
            spaces = c == ' ';
        }
        self.put("\"");
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                let mut long = String::new();
                let _ = match code {
                    0..=0xff => write!(long, "\\x{code:02X}"),
                    0x100..=0xffff => write!(long, "\\u{code:04X}"),
                    _ => write!(long, "\\U{code:08X}"),
                };
                self.put(&long);
                return;
            }
        };
        self.put("\\");
        self.text.push(short);
        self.column += 1;
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put("+");
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.line(if line.is_empty() { 0 } else { indent });
            self.put(line);
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Which styles a text may have.
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                plain: true,
                single: true,
                block: false,
            };
        }
        let mut indicator = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special) = (false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut after_space, mut after_break, mut after_blank) = (false, false, true);
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            let before_blank = matches!(chars.peek(), None | Some(' ' | '\t'));
            indicator |= match c {
                '#' => first || after_blank,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    first
                }
                '?' | '-' => first && before_blank,
                ':' => before_blank,
                _ => false,
            };
            special |= !is_printable(c);
            if c == ' ' {
                break_space |= after_break;
                (after_space, after_break) = (true, false);
            } else if is_break(c) {
                breaks = true;
                space_break |= after_space;
                (after_space, after_break) = (false, true);
            } else {
                (after_space, after_break) = (false, false);
            }
            after_blank = c == ' ' || c == '\t' || is_break(c);
            first = false;
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let edges = edge(text.chars().next()) || edge(text.chars().next_back());
        Self {
            plain: !(edges || break_space || space_break || special || breaks || indicator),
            single: !(break_space || space_break || special),
            block: !(text.ends_with(' ') || space_break || special),
        }
    }
}

/// The order of keys in go-yaml 2: letters by code, other signs before letters, numbers by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for at in 0..a.len().min(b.len()) {
        let (x, y) = (a[at], b[at]);
        if x == y {
            continue;
        }
        match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => return x.cmp(&y),
            (false, true) => return Ordering::Less,
            (true, false) => return Ordering::Greater,
            (false, false) => {}
        }
        let start = u64::from(
            (x == '0' || y == '0')
                && a[..at]
                    .iter()
                    .rev()
                    .take_while(|c| c.is_numeric())
                    .any(|c| *c != '0'),
        );
        let (x_value, x_end) = number(&a, at, start);
        let (y_value, y_end) = number(&b, at, start);
        return x_value.cmp(&y_value).then(x_end.cmp(&y_end)).then(x.cmp(&y));
    }
    a.len().cmp(&b.len())
}

fn number(text: &[char], from: usize, start: u64) -> (i64, usize) {
    let mut value = start.cast_signed();
    let mut at = from;
    while let Some(digit) = text.get(at).and_then(|c| c.to_digit(10)) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        at += 1;
    }
    (value, at)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_natural_order() {
        let value: Value = serde_json::from_str(r#"{"b":1,"a10":1,"a2":1,"a-b":1,"A":1,"1":1}"#).unwrap();
        assert_eq!(document(&value), "\"1\": 1\nA: 1\na-b: 1\na2: 1\na10: 1\nb: 1\n");
    }

    #[test]
    fn a_text_is_quoted_when_yaml_1_1_would_read_something_else() {
        let value: Value =
            serde_json::from_str(r#"["yes","1.0","0777","2020-01-01","12:30","a: b","","x #y","x\ty"]"#)
                .unwrap();
        assert_eq!(
            document(&value),
            "- \"yes\"\n- \"1.0\"\n- \"0777\"\n- \"2020-01-01\"\n- \"12:30\"\n- 'a: b'\n- \"\"\n- 'x #y'\n- \"x\\ty\"\n"
        );
    }
}
