//! `reach.jsonl`: what of the context and which images are read.

use super::compare;
use ringshift::plumbing;
use serde_json::Value;
use std::collections::BTreeSet;

fn set(value: &Value) -> BTreeSet<String> {
    let items = value.as_array().into_iter().flatten();
    items.map(Value::to_string).collect()
}

fn agrees(ours: &Value, theirs: &Value) -> bool {
    let contexts = (&ours["context"], &theirs["context"]);
    let same_context = match contexts {
        (Value::Array(_), Value::Array(_)) => set(contexts.0) == set(contexts.1),
        (ours, theirs) => ours == theirs,
    };
    same_context && set(&ours["images"]) == set(&theirs["images"])
}

#[test]
fn every_target_reads_what_buildkit_reads() {
    compare::all(
        include_str!("../../fixtures/vectors/reach.jsonl"),
        plumbing::reach,
        agrees,
    );
}
