//! Every rule that the code cites stands in the documents.

use crate::pages::{root, tracked};
use std::collections::{BTreeMap, BTreeSet};

/// The rules cited in the comments of the sources, each with one place.
fn cited(pattern: &str) -> BTreeMap<String, String> {
    let pattern = regex::Regex::new(pattern).unwrap();
    let mut cited = BTreeMap::new();
    for path in tracked(|p| p.starts_with("src") && p.extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        for (number, line) in text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else {
                continue;
            };
            for found in pattern.captures_iter(comment) {
                let place = format!("{}:{}", path.display(), number + 1);
                cited.entry(found[1].to_owned()).or_insert(place);
            }
        }
    }
    cited
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The rules that a page tells: those that begin a list entry or a row of a table.
fn told(page: &str, pattern: &str) -> BTreeSet<String> {
    let pattern = regex::Regex::new(pattern).unwrap();
    pattern.captures_iter(page).map(|c| c[1].to_owned()).collect()
}

#[test]
fn rules_of_releasing_that_the_code_cites_are_told() {
    let told = told(&page("docs/concepts/rings.md"), r"(?m)^- \*\*([SBMD]\d+)\b");
    let cited = cited(r"\b([SBMD]\d+)\b(?:\.\d)?");
    assert!(cited.len() > 15, "{cited:?}");
    for (rule, place) in cited {
        assert!(told.contains(&rule), "{place}: {rule} stands in no document");
    }
}

#[test]
fn rules_of_the_revision_that_the_code_cites_are_told() {
    let told = told(&page("docs/concepts/revision.md"), r"(?m)^\| (\d+) \|");
    let cited = cited(r"\b[Rr](?:ule|ow)s? (\d+)\b");
    assert!(cited.len() > 20, "{cited:?}");
    for (rule, place) in cited {
        assert!(told.contains(&rule), "{place}: rule {rule} stands in no document");
    }
}

#[test]
fn rules_of_security_that_the_code_cites_are_told() {
    let told = told(&page("docs/concepts/security.md"), r"(?m)^- \*\*(SEC-[A-F]\d+)\b");
    let cited = cited(r"(SEC-[A-F]\d+)\b");
    assert!(cited.len() > 4, "{cited:?}");
    for (rule, place) in cited {
        assert!(told.contains(&rule), "{place}: {rule} stands in no document");
    }
}
