//! rings.lock as text: sorted, one fact a line, so that a base update is a small diff.

use super::{Facts, Lock};
use std::fmt::Write;

const HEAD: &str = "\
# What the outside images of this project are. `ringshift lock` writes it; commit it.
format: 1
";

impl Lock {
    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut out = String::from(HEAD);
        if self.images.is_empty() {
            out.push_str("images: {}\n");
            return out;
        }
        out.push_str("images:\n");
        for (reference, locked) in &self.images {
            let _ = writeln!(out, "  {}:", quoted(&reference.to_string()));
            let _ = writeln!(out, "    digest: {}", locked.digest);
            out.push_str("    platforms:\n");
            for (platform, facts) in &locked.platforms {
                let _ = writeln!(out, "      {platform}:");
                of_platform(facts, &mut out);
            }
        }
        out
    }
}

fn of_platform(facts: &Facts, out: &mut String) {
    let env = facts.env.iter().map(|(name, value)| format!("{name}={value}"));
    list("env", &env.collect::<Vec<_>>(), out);
    list("onbuild", &facts.onbuild, out);
    if let Some(user) = &facts.user {
        let _ = writeln!(out, "        user: {}", quoted(user));
    }
    let _ = writeln!(out, "        workdir: {}", quoted(&facts.workdir));
    list("labels", &facts.labels, out);
}

fn list(key: &str, texts: &[String], out: &mut String) {
    if texts.is_empty() {
        return;
    }
    let _ = writeln!(out, "        {key}:");
    for text in texts {
        let _ = writeln!(out, "          - {}", quoted(text));
    }
}

/// A text in double quotes. Nothing in it is a line end or a control character for any reader of YAML.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
