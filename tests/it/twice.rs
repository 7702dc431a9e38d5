//! A command that is given twice does nothing the second time.

use crate::sandbox::Sandbox;
use crate::store;
use serde_json::{Value, json};

/// Two images and three rings; a commit.
pub fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    let config = "project: acme/shop\nrings: [dev, test, users]\nimages:\n  base: base\n  shop: {context: shop, root: true}\n";
    sandbox.write("rings.yaml", config);
    sandbox.write("base/Dockerfile", "FROM scratch\nCOPY src /base\n");
    sandbox.write("base/src/keep", "keep\n");
    sandbox.write("shop/Dockerfile", "FROM acme/shop/base\nCOPY src /shop\n");
    sandbox.write("shop/src/keep", "keep\n");
    sandbox.commit("First");
    sandbox
}

/// Changes an image, and commits.
pub fn change(sandbox: &Sandbox, image: &str, token: &str) -> String {
    sandbox.write(&format!("{image}/src/{token}"), format!("{token}\n"));
    sandbox.commit(token)
}

/// Does it, then again: the second time exits with `code`, and leaves every byte of the store.
fn twice(sandbox: &Sandbox, args: &[&str], code: i32) -> Value {
    let (first, done) = sandbox.asked(args);
    assert_eq!(first, Some(0), "{args:?}");
    assert_ne!(done["entry"], Value::Null, "{args:?} does something");
    let before = store::files(&sandbox.store());
    let (second, done) = sandbox.asked(args);
    assert_eq!(second, Some(code), "{args:?} again: {done}");
    assert_eq!(
        store::files(&sandbox.store()),
        before,
        "{args:?} again changed the store"
    );
    done
}

fn nothing(sandbox: &Sandbox, args: &[&str]) {
    let done = twice(sandbox, args, 0);
    assert_eq!(
        done,
        json!({"kind": "done", "format": 1, "entry": null}),
        "{args:?} again"
    );
}

#[test]
fn builds_shifts_and_freezes_given_twice_do_nothing_the_second_time() {
    let sandbox = small();
    nothing(&sandbox, &["build"]);
    nothing(&sandbox, &["shift", "test"]);
    nothing(&sandbox, &["shift", "users"]);
    change(&sandbox, "shop", "t1");
    nothing(&sandbox, &["build", "shop"]);
    nothing(&sandbox, &["shift", "test"]);
    change(&sandbox, "base", "t2");
    nothing(&sandbox, &["build", "--ring", "ante", "base"]);
    change(&sandbox, "shop", "t3");
    nothing(&sandbox, &["build", "--ring", "users", "shop"]);
    nothing(&sandbox, &["freeze", "0.1.0", "--reason", "slow"]);
    nothing(&sandbox, &["unfreeze", "0.1.0"]);
    nothing(&sandbox, &["freeze", "base@0.1.0", "--reason", "slow"]);
    nothing(&sandbox, &["unfreeze", "base@0.1.0"]);
    nothing(&sandbox, &["unshift", "users", "--to", "0.1.0"]);
    nothing(&sandbox, &["unfreeze", "0.1.1", "--fixed-in", "0.2.0"]);
}

#[test]
fn what_takes_away_finds_nothing_more_the_second_time() {
    let sandbox = small();
    sandbox.ok(&["build"]);
    sandbox.ok(&["shift", "--all"]);
    change(&sandbox, "base", "t1");
    sandbox.ok(&["build", "--ring", "ante", "base"]);
    twice(&sandbox, &["unshift", "ante"], 6);
    sandbox.ok(&["build", "--ring", "ante", "base"]);
    twice(&sandbox, &["shift", "dev"], 1);
    sandbox.ok(&["shift", "test"]);
    twice(&sandbox, &["unshift", "test"], 6);
    sandbox.ok(&["unfreeze", "0.2.0"]);
    sandbox.ok(&["shift", "--all"]);
    twice(&sandbox, &["unshift", "--all"], 6);
    twice(&sandbox, &["unshift", "test", "--empty"], 6);
}

/// The train goes on: every ring that had not arrived moves one step further, and then there is nothing.
#[test]
fn a_train_given_again_goes_on_until_every_ring_has_arrived() {
    let sandbox = small();
    sandbox.ok(&["build"]);
    sandbox.ok(&["shift", "--all"]);
    nothing(&sandbox, &["shift", "--all"]);
    let all = json!({"base": "0.1.0", "shop": "0.1.0"});
    assert_eq!(
        sandbox.board()["rings"],
        json!({"dev": all, "test": all, "users": all})
    );
}
