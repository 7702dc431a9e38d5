//! What a scalar is: go-yaml's rules, version 3 for what is read, version 2 for what is printed.

use serde_json::{Number, Value};

/// A tag, in go-yaml's short form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// None: the text decides.
    Empty,
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!str`
    Str,
    /// `!!timestamp`
    Timestamp,
    /// `!!merge`, the tag of `<<`
    Merge,
    /// `!!binary`
    Binary,
    /// Any other tag.
    Other(String),
}

/// Which YAML a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// go-yaml 2: `yes`, `on`, `y` are booleans.
    V2,
    /// go-yaml 3: only `true` and `false` are.
    V3,
}

/// What a plain text is, and its value.
pub fn resolve(text: &str, rules: Rules) -> (Tag, Value) {
    let string = || (Tag::Str, Value::String(text.into()));
    let Some(first) = text.bytes().next() else {
        return (Tag::Null, Value::Null);
    };
    match text {
        "~" | "null" | "Null" | "NULL" => return (Tag::Null, Value::Null),
        "true" | "True" | "TRUE" => return (Tag::Bool, Value::Bool(true)),
        "false" | "False" | "FALSE" => return (Tag::Bool, Value::Bool(false)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if rules == Rules::V2 => {
            return (Tag::Bool, Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if rules == Rules::V2 => {
            return (Tag::Bool, Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return (Tag::Float, Value::Null),
        "<<" => return (Tag::Merge, Value::String("<<".into())),
        _ => {}
    }
    match first {
        b'.' => match go_float(text) {
            Some(number) => (Tag::Float, float(number)),
            None => string(),
        },
        b'0'..=b'9' | b'+' | b'-' => {
            if let Some(stamp) = timestamp(text) {
                return (Tag::Timestamp, Value::String(stamp));
            }
            match numeric(text, rules) {
                Some(found) => found,
                None => string(),
            }
        }
        _ => string(),
    }
}

fn numeric(text: &str, rules: Rules) -> Option<(Tag, Value)> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    if let Some(value) = go_int(&plain) {
        return Some((Tag::Int, value));
    }
    if style_float(&plain)
        && let Ok(number) = plain.parse::<f64>()
        && number.is_finite()
    {
        return Some((Tag::Float, float(number)));
    }
    let radix = |digits: &str, radix: u32, negative: bool| {
        if digits.is_empty() {
            return None;
        }
        let wide = i128::from_str_radix(digits, radix).ok()?;
        integer(if negative { -wide } else { wide })
    };
    if rules == Rules::V3 {
        if let Some(rest) = plain.strip_prefix("0o") {
            return radix(rest, 8, false).map(|value| (Tag::Int, value));
        }
        if let Some(rest) = plain.strip_prefix("-0o") {
            return radix(rest, 8, true).map(|value| (Tag::Int, value));
        }
    }
    None
}

/// Go's `strconv.ParseInt` with base 0, or `ParseUint`.
fn go_int(text: &str) -> Option<Value> {
    let (negative, signed, body) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let lower = body.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (&lower[..], 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let wide = i128::from_str_radix(digits, radix).ok()?;
    let wide = if negative { -wide } else { wide };
    if signed && i64::try_from(wide).is_err() {
        return None;
    }
    integer(wide)
}

fn integer(wide: i128) -> Option<Value> {
    if let Ok(number) = i64::try_from(wide) {
        return Some(Value::from(number));
    }
    u64::try_from(wide).ok().map(Value::from)
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn style_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let digits = |at: &mut usize| {
        let from = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        *at > from
    };
    let whole = digits(&mut at);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let part = digits(&mut at);
        if !whole && !part {
            return false;
        }
    } else if !whole {
        return false;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'-' | b'+')) {
            at += 1;
        }
        if !digits(&mut at) {
            return false;
        }
    }
    at == bytes.len()
}

fn go_float(text: &str) -> Option<f64> {
    style_float(text)
        .then(|| text.parse().ok())
        .flatten()
        .filter(|n: &f64| n.is_finite())
}

/// A number as JSON has it: whole ones below 1e21 are integers there.
fn float(number: f64) -> Value {
    if number == number.trunc() && number.abs() < 9.0e18 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        let whole = number as i64;
        if whole != 0 || number.is_sign_positive() {
            return Value::from(whole);
        }
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A float as Go's `%g` writes it in its shortest form.
pub fn go_g(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || number == 0.0 {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Whether YAML 1.1 would read a text as a number in base 60, such as `12:30`.
pub fn base60(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = body.split(':');
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let Some(first) = parts.next() else { return false };
    if !first.starts_with(|c: char| c.is_ascii_digit()) || !digits(first) {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let minute = |part: &str| match part.as_bytes() {
        [b] => b.is_ascii_digit(),
        [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
        _ => false,
    };
    let (whole, fraction) = last.split_once('.').unwrap_or((last, ""));
    middle.iter().all(|part| minute(part)) && minute(whole) && digits(fraction)
}

/// The RFC 3339 form of a date or time as go-yaml reads them, in UTC or with its offset.
fn timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return None;
    }
    let year: u32 = text[..4].parse().ok()?;
    let mut at = 5;
    let mut number = |least: usize, stop: &[u8]| -> Option<(u32, u8)> {
        let from = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() && at - from < 2 {
            at += 1;
        }
        if at - from < least {
            return None;
        }
        let value = std::str::from_utf8(&bytes[from..at]).ok()?.parse().ok()?;
        let end = bytes.get(at).copied().unwrap_or(0);
        if !stop.contains(&end) {
            return None;
        }
        at += 1;
        Some((value, end))
    };
    let (month, _) = number(1, b"-")?;
    let (day, end) = number(1, &[0, b'T', b't', b' '])?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day == 0 || day > days {
        return None;
    }
    if end == 0 {
        return Some(format!("{year:04}-{month:02}-{day:02}T00:00:00Z"));
    }
    let (hour, _) = number(1, b":")?;
    let (minute, _) = number(1, b":")?;
    let (second, _) = number(1, &[0, b'.', b',', b'Z', b'+', b'-'])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut rest = &text[at - 1..];
    let mut fraction = String::new();
    if let Some(after) = rest.strip_prefix(['.', ',']) {
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        if end == 0 {
            return None;
        }
        let digits = after[..end.min(9)].trim_end_matches('0');
        if !digits.is_empty() {
            fraction = format!(".{digits}");
        }
        rest = &after[end..];
    }
    let zone = match (end, rest) {
        (b' ', "") => "Z",
        (b' ', _) => return None,
        (_, "Z") => "Z",
        (_, zone) if offset(zone) => match zone {
            "+00:00" | "-00:00" => "Z",
            zone => zone,
        },
        _ => return None,
    };
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"
    ))
}

fn offset(zone: &str) -> bool {
    let b = zone.as_bytes();
    b.len() == 6
        && matches!(b[0], b'+' | b'-')
        && b[3] == b':'
        && [1, 2, 4, 5].iter().all(|&i| b[i].is_ascii_digit())
}

/// Whether YAML 1.1 would read a text, standing alone as a document, as no string.
pub fn looks_like_no_string(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    let trimmed = text.trim_matches([' ', '\t']);
    match trimmed.as_bytes().first() {
        None | Some(b'#') => true,
        Some(b'"' | b'\'' | b'|' | b'>' | b'%' | b'@' | b'`' | b'*') => false,
        Some(b'&' | b'!') => !trimmed.contains(' '),
        Some(b'[' | b'{') => super::parse::documents(trimmed).is_ok_and(|docs| {
            docs.first()
                .is_some_and(|node| node.kind() != super::node::Kind::Scalar)
        }),
        _ => {
            let plain = trimmed
                .split_once(" #")
                .map_or(trimmed, |(before, _)| before.trim_end());
            plain == "-"
                || plain.starts_with("- ")
                || plain.starts_with("? ")
                || plain.ends_with(':')
                || plain.contains(": ")
                || !matches!(
                    resolve(plain, Rules::V2).0,
                    Tag::Str | Tag::Timestamp | Tag::Merge
                )
        }
    }
}
