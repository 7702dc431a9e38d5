//! Differences that generated overlays showed, each as its smallest overlay (its id says what was
//! wrong) with the text that a real kustomize v5.8.2 printed (fixtures/kustomize-found.jsonl).

use ringshift::kustomize::{self, Options};
use ringshift::model::RepoPath;
use ringshift::tree::memory::MemoryTree;
use serde_json::Value;

#[test]
fn overlays_that_once_differed_give_a_real_kustomizes_text() {
    let mut wrong = String::new();
    for line in include_str!("../../fixtures/kustomize-found.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let files = case["files"].as_object().unwrap();
        let tree = files.iter().fold(MemoryTree::new(), |tree, (path, text)| {
            tree.file(path, text.as_str().unwrap())
        });
        let ours = kustomize::build(&tree, &RepoPath::clean("top"), Options::default()).unwrap();
        if case["expected"] != ours.as_str() {
            wrong.push_str(&format!(
                "==== {}\n--- theirs\n{}\n--- ours\n{ours}\n",
                case["id"],
                case["expected"].as_str().unwrap()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
