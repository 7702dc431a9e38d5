//! `--dry-run` writes nothing, and says what is then written (M10).

use crate::sandbox::Sandbox;
use crate::store;
use crate::twice::{change, small};
use serde_json::{Value, json};

/// The proposal, and what the same command then writes.
fn proposed_and_done(sandbox: &Sandbox, args: &[&str]) -> (Value, Value) {
    let before = store::files(&sandbox.repo());
    let mut dry = args.to_vec();
    dry.push("--dry-run");
    let proposed = sandbox.json(&dry);
    let told = sandbox.ok(&dry);
    assert!(!told.out.is_empty(), "{dry:?} says what would be written");
    assert_eq!(store::files(&sandbox.repo()), before, "{dry:?} wrote something");
    let done = sandbox.json(args);
    assert_ne!(done["entry"], Value::Null, "{args:?} does something");
    (proposed, done)
}

/// A move proposes the very entry that it writes.
fn moves(sandbox: &Sandbox, args: &[&str]) {
    let (proposed, mut done) = proposed_and_done(sandbox, args);
    assert_eq!(proposed["dry_run"], true);
    done["entry"]["digest"] = Value::Null;
    assert_eq!(proposed["entry"], done["entry"], "{args:?}");
}

/// A build proposes the versions that it makes.
fn builds(sandbox: &Sandbox, args: &[&str]) {
    let (proposed, done) = proposed_and_done(sandbox, args);
    assert_eq!(proposed["kind"], "plan", "{args:?}");
    let steps = proposed["steps"].as_array().unwrap().iter();
    let versions: serde_json::Map<String, Value> = steps
        .map(|step| (step["image"].as_str().unwrap().into(), step["to"].clone()))
        .collect();
    assert_eq!(Value::from(versions), done["entry"]["versions"], "{args:?}");
}

#[test]
fn a_dry_run_of_any_verb_changes_nothing_and_tells_what_is_then_written() {
    let sandbox = small();
    builds(&sandbox, &["build"]);
    moves(&sandbox, &["shift", "test"]);
    moves(&sandbox, &["shift", "--all"]);
    change(&sandbox, "base", "t1");
    builds(&sandbox, &["build", "--ring", "ante", "base"]);
    moves(&sandbox, &["unshift", "ante"]);
    builds(&sandbox, &["build", "--ring", "ante", "base"]);
    builds(&sandbox, &["shift", "dev"]);
    moves(&sandbox, &["shift", "test"]);
    moves(&sandbox, &["unshift", "test"]);
    moves(&sandbox, &["unfreeze", "0.2.0"]);
    moves(&sandbox, &["shift", "--all"]);
    moves(&sandbox, &["unshift", "--all"]);
    moves(&sandbox, &["freeze", "base@0.1.0", "--reason", "slow"]);
    change(&sandbox, "shop", "t2");
    builds(&sandbox, &["build", "--ring", "users", "--all-changes"]);
    moves(&sandbox, &["unshift", "users", "--to", "0.1.0"]);
}

#[test]
fn a_dry_run_that_has_nothing_to_do_or_is_refused_says_so_and_changes_nothing() {
    let sandbox = small();
    sandbox.ok(&["build"]);
    let before = store::files(&sandbox.repo());
    let refused = [
        (vec!["build"], 0),
        (vec!["shift", "users"], 1),
        (vec!["shift", "post"], 1),
        (vec!["shift", "dev"], 1),
        (vec!["unshift", "dev"], 6),
        (vec!["unshift", "ante"], 6),
        (vec!["unshift", "--all"], 6),
        (vec!["freeze", "9.9.9", "--reason", "x"], 1),
        (vec!["unfreeze", "0.1.0"], 0),
        (vec!["build", "--ring", "ante"], 2),
    ];
    for (mut args, code) in refused {
        args.push("--dry-run");
        let (got, shape) = sandbox.asked(&args);
        assert_eq!(got, Some(code), "{args:?}: {shape}");
        assert_eq!(store::files(&sandbox.repo()), before, "{args:?} wrote something");
    }
    assert_eq!(
        sandbox.json(&["unfreeze", "0.1.0", "--dry-run"])["entry"],
        json!(null)
    );
}
