//! HEALTHCHECK and its durations.

use super::flags::{Flags, Kind};
use super::{Instruction, command};
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::parse::Node;
use crate::containerfile::recipe::Healthcheck;

/// HEALTHCHECK with its flags; `NONE` looks at none of them.
pub(super) fn read(node: &Node) -> Result<(Instruction, Flags), Fault> {
    let Some((kind, args)) = node.args.split_first() else {
        return Err(
            Fault::new("HEALTHCHECK needs an argument").hint("write HEALTHCHECK CMD … or HEALTHCHECK NONE")
        );
    };
    if kind.to_uppercase() == "NONE" {
        return match args {
            [] => Ok((Instruction::Healthcheck(Healthcheck::None), Flags::default())),
            _ => Err(Fault::new("HEALTHCHECK NONE takes no arguments")),
        };
    }
    let flags = Flags::read(&node.flags, &FLAGS)?;
    if kind.to_uppercase() != "CMD" {
        let message = format!("HEALTHCHECK cannot be {}", quoted(kind));
        return Err(Fault::new(message).hint("it is CMD or NONE"));
    }
    if args.is_empty() {
        return Err(Fault::new("HEALTHCHECK CMD needs a command"));
    }
    let test = Healthcheck::Test {
        command: command::of(args, node.json),
        interval: interval(&flags, "interval")?,
        timeout: interval(&flags, "timeout")?,
        start_period: interval(&flags, "start-period")?,
        start_interval: interval(&flags, "start-interval")?,
        retries: retries(&flags)?,
    };
    Ok((Instruction::Healthcheck(test), flags))
}

const FLAGS: [(&str, Kind); 5] = [
    ("interval", Kind::Text),
    ("timeout", Kind::Text),
    ("start-period", Kind::Text),
    ("start-interval", Kind::Text),
    ("retries", Kind::Text),
];

fn interval(flags: &Flags, name: &str) -> Result<i64, Fault> {
    let Some(text) = flags.text(name) else {
        return Ok(0);
    };
    match duration(&text) {
        Some(0) => Ok(0),
        Some(nanoseconds) if nanoseconds >= 1_000_000 => Ok(nanoseconds),
        _ => {
            let message = format!("--{name} cannot be {}", quoted(&text));
            Err(Fault::new(message).hint("write a duration such as 30s or 1m30s, a millisecond at least"))
        }
    }
}

fn retries(flags: &Flags) -> Result<i64, Fault> {
    let Some(text) = flags.text("retries") else {
        return Ok(0);
    };
    match text.parse::<i32>() {
        Ok(count) if count >= 0 => Ok(count.into()),
        _ => Err(Fault::new(format!("--retries cannot be {}", quoted(&text))).hint("it is a whole number")),
    }
}

/// A duration as Go writes it (`1h2m3.5s`), in nanoseconds.
fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (if text.starts_with('-') { -1 } else { 1 }, rest),
        None => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        total = total.checked_add(scaled(number, unit(&tail[..end])?)?)?;
        rest = &tail[end..];
    }
    i64::try_from(sign * total).ok()
}

fn unit(name: &str) -> Option<i128> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.get(..fraction.len().min(15))?;
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().ok()?.into()
    };
    let part: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i64>().ok()?.into()
    };
    let places = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(unit)?.checked_add(part * unit / places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for (text, want) in [
            ("5s", Some(5_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            ("0", Some(0)),
            (".5s", Some(500_000_000)),
            ("-1s", Some(-1_000_000_000)),
            ("5", None),
            ("s", None),
            (".s", None),
            ("1x", None),
            ("99999999999h", None),
        ] {
            assert_eq!(duration(text), want, "{text}");
        }
    }
}
