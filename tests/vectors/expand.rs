//! `expand.jsonl`: the word, and the same word in a heredoc body.

use super::compare;
use ringshift::plumbing;
use serde_json::Value;

fn agrees(ours: &Value, theirs: &Value) -> bool {
    let same = |key| ours.get(key) == theirs.get(key);
    let heredoc = same("heredoc") && ours.get("heredoc_err").is_some() == theirs.get("heredoc_err").is_some();
    same("result") && heredoc && same("matched") && same("unmatched")
}

#[test]
fn every_word_expands_as_buildkit_expands_it() {
    compare::all(
        include_str!("../../fixtures/vectors/expand.jsonl"),
        plumbing::expand,
        agrees,
    );
}
