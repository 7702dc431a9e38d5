//! Upstream's own cases (fixtures/krusty.jsonl): an answer counts when it is upstream's text, or
//! what a real `kubectl kustomize` printed.

use ringshift::kustomize::{self, Options, Order};
use ringshift::model::RepoPath;
use ringshift::tree::memory::MemoryTree;
use serde_json::Value;
use std::collections::BTreeMap;

/// The cases that differ, each with the reason. The test fails when one gets better or worse.
const DIFFERENT: &str = include_str!("../../fixtures/krusty-different.txt");

fn cases() -> Vec<Value> {
    include_str!("../../fixtures/krusty.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn tree(case: &Value) -> MemoryTree {
    let files = case["files"].as_object().unwrap();
    files.iter().fold(MemoryTree::new(), |tree, (path, text)| {
        let path = path.trim_start_matches('/');
        match text.as_str() {
            Some(text) => tree.file(path, text),
            None => tree.file(path, unbase64(text["base64"].as_str().unwrap())),
        }
    })
}

fn unbase64(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = text
        .chars()
        .filter_map(|letter| LETTERS.find(letter))
        .map(|index| format!("{index:06b}"))
        .collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

fn run(case: &Value, order: Order) -> Result<String, kustomize::Error> {
    let options = Options {
        order,
        unrestricted: case["options"]["loadRestrictions"] == "LoadRestrictionsNone",
        managed_by: case["options"]["addManagedbyLabel"] == true,
    };
    let folder = case["target"].as_str().unwrap().trim_matches('/');
    kustomize::build(&tree(case), &RepoPath::clean(folder), options)
}

/// What is wrong with our answer, if anything.
fn judge(case: &Value) -> Option<String> {
    let order = match case["options"]["reorder"].as_str() {
        Some("none") => Order::AsListed,
        _ => Order::Legacy,
    };
    let ours = run(case, order);
    if case["expect_error"].as_bool() == Some(true) || case["expect_error"].is_string() {
        return match ours {
            Err(_) => None,
            Ok(text) => Some(format!("an error is expected, not\n{text}")),
        };
    }
    let expected = case["expected"].as_str().unwrap_or_default();
    match ours {
        Ok(text) if text == expected => None,
        Ok(text) => {
            let kubectl = case["kubectl_output"].as_str();
            let legacy = run(case, Order::Legacy).ok();
            if kubectl.is_some() && legacy.as_deref() == kubectl {
                return None;
            }
            Some(format!("--- expected\n{expected}\n--- ours\n{text}"))
        }
        Err(error) => Some(format!("error: {error}\n--- expected\n{expected}")),
    }
}

#[test]
fn upstreams_cases_give_upstreams_text() {
    let known: BTreeMap<&str, &str> = DIFFERENT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .collect();
    let (mut wrong, mut told) = (Vec::new(), String::new());
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        if std::env::var("KRUSTY").is_ok_and(|one| one != id) {
            continue;
        }
        if let Some(what) = judge(&case) {
            wrong.push(id.to_owned());
            if !known.contains_key(id) {
                told.push_str(&format!("==== {id}\n{what}\n"));
            }
        }
    }
    let better: Vec<_> = known
        .keys()
        .filter(|id| !wrong.iter().any(|one| one == *id))
        .collect();
    assert!(told.is_empty(), "{} differ:\n{told}", wrong.len());
    assert!(
        better.is_empty() || std::env::var("KRUSTY").is_ok(),
        "no longer different; strike them out: {better:?}"
    );
}
