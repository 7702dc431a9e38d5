//! `plumbing`: JSON lines in, JSON lines out, one for one, errors included.

use crate::args::Plumbing;
use ringshift::engine::Failure;
use ringshift::plumbing;
use serde_json::{Value, json};
use std::io::{BufRead, BufWriter, Write};

/// Answers every line of standard input.
pub fn run(part: Plumbing) -> Result<u8, Failure> {
    let answer: fn(&Value) -> Value = match part {
        Plumbing::Parse => plumbing::parse,
        Plumbing::Expand => plumbing::expand,
        Plumbing::Ignore => plumbing::ignore,
        Plumbing::Copy => plumbing::copy,
        Plumbing::Reach => plumbing::reach,
    };
    let io = |source| Failure::Io {
        action: "read questions and write answers".into(),
        source,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(io)?;
        if line.trim().is_empty() {
            continue;
        }
        let out_line = match serde_json::from_str(&line) {
            Ok(question) => answer(&question),
            Err(error) => json!({ "err": format!("not a JSON object: {error}") }),
        };
        writeln!(out, "{out_line}").map_err(io)?;
    }
    out.flush().map_err(io)?;
    Ok(0)
}
