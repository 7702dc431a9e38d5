//! Every link in the documents leads somewhere.

use crate::pages::{blocks, pages, root};
use std::path::Path;

/// The targets of the links of a text, outside blocks of code, with their line numbers.
fn links(text: &str) -> Vec<(usize, String)> {
    let code = blocks(text);
    let quoted = |line| {
        code.iter()
            .any(|b| (b.line..b.line + b.lines.len()).contains(&line))
    };
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let span = regex::Regex::new(r"`[^`]*`").unwrap();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(n, l)| (n + 1, l)) {
        if !quoted(number) {
            let line = span.replace_all(line, "`…`");
            found.extend(link.captures_iter(&line).map(|c| (number, c[1].to_owned())));
        }
    }
    found
}

/// A heading as browsers of repositories name it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_anchor(file: &Path, wanted: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .any(|a| a == wanted)
}

#[test]
fn links_lead_somewhere() {
    let mut seen = 0;
    for page in pages() {
        for (line, link) in links(&page.text) {
            let place = format!("{}:{line}: {link}", page.path.display());
            if link.starts_with("https://") {
                continue;
            }
            assert!(!link.contains("://"), "{place}: https is meant");
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = root().join(page.path.parent().unwrap());
            let target = if path.is_empty() {
                root().join(&page.path)
            } else {
                folder.join(path)
            };
            assert!(target.exists(), "{place}: nothing is there");
            assert!(
                anchor.is_empty() || has_anchor(&target, anchor),
                "{place}: no such heading"
            );
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links: are they read?");
}
