//! Words that have no place in the repository.

use crate::pages::{pages, root, tracked};

/// Texts that no file may hold, put together here so that this file is none of them.
fn forbidden() -> Vec<String> {
    let join = |parts: &[&str]| parts.concat();
    vec![
        join(&["/wo", "rk/"]),
        join(&["../sha", "red"]),
        join(&["issue", " #"]),
        join(&["Co-authored", "-by"]),
        join(&["XX", "X:"]),
        join(&["FIX", "ME"]),
    ]
}

#[test]
fn no_file_names_what_lies_outside_the_repository() {
    let binary = |bytes: &[u8]| bytes.contains(&0);
    // What others wrote is as they wrote it.
    let others = [
        "fixtures/vectors",
        "fixtures/krusty.jsonl",
        "benches/parsing/Dockerfile",
    ];
    let own = |path: &std::path::Path| !others.iter().any(|other| path.starts_with(other));
    let mut seen = 0;
    for path in tracked(own) {
        let bytes = std::fs::read(root().join(&path)).unwrap();
        if binary(&bytes) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        for word in forbidden() {
            let line = text.lines().position(|line| line.contains(&word));
            if let Some(line) = line {
                panic!("{}:{}: `{word}`", path.display(), line + 1);
            }
        }
        seen += 1;
    }
    assert!(seen > 100, "only {seen} files");
}

/// The glossary has one word for each thing.
#[test]
fn the_documents_use_the_words_of_the_glossary() {
    let others = [
        ("rollback", "unshift"),
        ("Dockerfiles", "container files"),
        ("whitelist", "allow"),
        ("blacklist", "freeze"),
    ];
    // Decisions and names of repositories are as others said them.
    let free = ["docs/design", "docs/exactness.md"];
    let ours = |page: &&crate::pages::Page| !free.iter().any(|free| page.path.starts_with(free));
    for page in pages().iter().filter(ours) {
        for (number, line) in page.text.lines().enumerate() {
            for (word, ours) in others {
                assert!(
                    !line.contains(word),
                    "{}:{}: `{word}` is `{ours}` here",
                    page.path.display(),
                    number + 1
                );
            }
        }
    }
}
