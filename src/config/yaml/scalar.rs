//! What a scalar is: YAML 1.2's core schema, so `yes` and `on` are texts and `0o17` is a number.

use super::Value;

/// A scalar without quotes.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.into()),
        _ => Value::Text(text.into()),
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let prefixed = |prefix, radix| {
        let digits = text.strip_prefix(prefix).unwrap_or_default();
        !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))
    };
    matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
        || prefixed("0o", 8)
        || prefixed("0x", 16)
        || is_decimal(unsigned)
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let power = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && power.is_none_or(|p| !p.is_empty() && digits(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_what_the_core_schema_says() {
        for number in [
            "0", "-1", "1.10", "1e3", ".5", "5.", "0x1F", "0o17", "+.inf", ".nan", "007",
        ] {
            assert_eq!(plain(number), Value::Number(number.into()));
        }
        for text in [
            "1.2.3",
            "v1",
            "yes",
            "off",
            "1_000",
            "e3",
            ".",
            "-",
            "0x",
            "1e",
            "localhost:5000",
            "60:60",
        ] {
            assert_eq!(plain(text), Value::Text(text.into()));
        }
        assert_eq!(plain("~"), Value::Null);
        assert_eq!(plain("True"), Value::Bool(true));
    }
}
