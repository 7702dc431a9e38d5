//! `parse.jsonl`: nodes and escape character.

use super::compare;
use ringshift::plumbing;
use serde_json::Value;

const COMPARED: [&str; 6] = ["cmd", "args", "flags", "heredocs", "start", "end"];

fn agrees(ours: &Value, theirs: &Value) -> bool {
    let nodes = |answer: &Value| -> Vec<Vec<Value>> {
        let nodes = answer["nodes"].as_array().cloned().unwrap_or_default();
        let keys = |node: &Value| COMPARED.iter().map(|key| node[key].clone()).collect();
        nodes.iter().map(keys).collect()
    };
    ours["escape"] == theirs["escape"]
        && ours["warnings"] == theirs["warnings"]
        && nodes(ours) == nodes(theirs)
}

#[test]
fn every_container_file_parses_as_buildkit_parses_it() {
    compare::all(
        include_str!("../../fixtures/vectors/parse.jsonl"),
        plumbing::parse,
        agrees,
    );
}
