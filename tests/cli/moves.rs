//! `shift`, `unshift`, `freeze`, `unfreeze`.

use crate::story::{built, done, fixed, log, say, shifted};

#[test]
fn a_shift() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["shift", "test", "--dry-run"]), @r"
    Would write entry 3: shift
      test – → 0.1.0
      tag test → 0.1.0
    ");
    insta::assert_snapshot!(say(&world, &["shift", "test"]), @r"
    [stderr]
         Moved test – → 0.1.0
     Committed shift, entry 3
    ");
    insta::assert_snapshot!(say(&world, &["shift", "test"]), @"Nothing to do.");
    insta::assert_snapshot!(say(&world, &["shift", "--all", "--dry-run"]), @r"
    Would write entry 4: shift
      users – → 0.1.0
      tag users → 0.1.0
    ");
    insta::assert_snapshot!(say(&world, &["shift", "--all"]), @r"
    [stderr]
         Moved users – → 0.1.0
     Committed shift, entry 4
    ");
    insta::assert_snapshot!(say(&world, &["shift", "--all"]), @"Nothing to do.");
}

#[test]
fn a_shift_that_would_lose_a_fix_is_refused() {
    let world = fixed();
    insta::assert_snapshot!(say(&world, &["shift", "users"]), @r#"
    [stderr]
    error: users has a fix that 0.2.0 lacks
      web 0.1.1  dcd83b1 Escape the search box (Ada, AGE ago)
    hint: merge what is missing, build, and try again; or, when it is in there under another commit,
          add --contains 0.1.1 --reason "…"; or, to lose it knowingly, --drop 0.1.1 --reason "…"
    [exit 8]
    "#);
    insta::assert_snapshot!(say(&world, &["shift", "--all"]), @r#"
    [stderr]
    warning: passed over users: users has a fix that 0.2.0 lacks
      web 0.1.1  dcd83b1 Escape the search box (Ada, AGE ago)
    hint: merge what is missing, build, and try again; or, when it is in there under another commit,
          add --contains 0.1.1 --reason "…"; or, to lose it knowingly, --drop 0.1.1 --reason "…"
    [exit 8]
    "#);
    insta::assert_snapshot!(say(&world, &["shift", "users", "--drop", "0.1.1"]), @r#"
    [stderr]
    error: --contains and --drop need a reason, which is kept in the record
    hint: add --reason "…"
    [exit 2]
    "#);
    let why = "squashed in #812";
    insta::assert_snapshot!(say(&world, &["shift", "users", "--contains", "0.1.1", "--reason", why]), @r"
    [stderr]
         Moved users 0.1.1 → 0.2.0
     Committed shift, entry 9
    ");
    insta::assert_snapshot!(log(&world, &["-n", "1"]), @r#"
    9  AGE  shift  users 0.1.1 → 0.2.0                 ada
            "squashed in #812"
            said to contain the fixes of 0.1.1
    "#);
}

#[test]
fn the_ends_of_the_chain_are_not_shifted() {
    let world = shifted();
    insta::assert_snapshot!(say(&world, &["shift", "post"]), @r"
    [stderr]
    error: post is filled by what the next release displaces; nothing is shifted there
    hint: shift the last ring; what it held goes to post
    [exit 1]
    ");
    insta::assert_snapshot!(say(&world, &["shift", "ante"]), @r"
    [stderr]
    error: there is nothing before ante; images are prepared there by a build
    hint: ringshift build --ring ante IMAGE…
    [exit 1]
    ");
    insta::assert_snapshot!(say(&world, &["shift", "dev"]), @r"
    [stderr]
    error: dev takes over from ante, and ante holds nothing
    hint: ringshift build --ring ante IMAGE… prepares images; ringshift build builds against the first ring
    [exit 1]
    ");
}

#[test]
fn taking_back() {
    let world = fixed();
    insta::assert_snapshot!(say(&world, &["unshift", "--dry-run"]), @r"
    Would write entry 9: unshift
      users 0.1.1 → 0.1.0
      tag users → 0.1.0
    ");
    insta::assert_snapshot!(say(&world, &["unshift", "--reason", "login loop"]), @r"
    [stderr]
         Moved users 0.1.1 → 0.1.0
     Committed unshift, entry 9
    ");
    insta::assert_snapshot!(say(&world, &["unshift"]), @r"
    [stderr]
    error: users held nothing before 0.1.0
    hint: ringshift unshift users --empty takes back its first release
    [exit 6]
    ");
    insta::assert_snapshot!(say(&world, &["unshift", "users", "--empty"]), @r"
    [stderr]
         Moved users 0.1.0 → –
     Committed unshift, entry 10
    ");
    insta::assert_snapshot!(say(&world, &["unshift", "users"]), @r"
    [stderr]
    error: users holds no release
    [exit 6]
    ");
    insta::assert_snapshot!(say(&world, &["unshift", "test", "--to", "9.9.9"]), @r"
    [stderr]
    error: test never held 9.9.9
      history: 0.1.0
    hint: ringshift unshift test --to VERSION
    [exit 6]
    ");
    insta::assert_snapshot!(say(&world, &["unshift", "ante"]), @r"
    [stderr]
    error: ante holds nothing
    [exit 6]
    ");
}

#[test]
fn taking_back_a_train() {
    let world = shifted();
    insta::assert_snapshot!(say(&world, &["unshift", "--all"]), @r"
    [stderr]
         Moved test 0.2.0 → 0.1.0
         Moved users 0.1.0 → –
     Committed unshift, entry 7
    ");
    insta::assert_snapshot!(say(&world, &["unshift", "--all"]), @r"
    [stderr]
    error: there is no train to take back
    hint: ringshift unshift RING takes back one ring
    [exit 6]
    ");
}

#[test]
fn what_is_frozen_does_not_pass() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["freeze", "0.1.0", "--reason", "login loop"]), @r"
    [stderr]
     Committed freeze shop 0.1.0, entry 3
    ");
    insta::assert_snapshot!(say(&world, &["freeze", "0.1.0", "--reason", "login loop"]), @"Nothing to do.");
    insta::assert_snapshot!(say(&world, &["shift", "test"]), @r#"
    [stderr]
    error: 0.1.0 is frozen for test
      0.1.0 was frozen by ada on DATE: "login loop"
    hint: build what fixes it, or lift the freeze: ringshift unfreeze 0.1.0
    [exit 8]
    "#);
    insta::assert_snapshot!(say(&world, &["unfreeze", "0.1.0"]), @r"
    [stderr]
     Committed unfreeze shop 0.1.0, entry 4
    ");
    insta::assert_snapshot!(say(&world, &["unfreeze", "0.1.0"]), @"Nothing to do.");
    done(&world, &["shift", "test", "-q"]);
}

#[test]
fn what_was_taken_back_does_not_return_by_a_shift() {
    let world = built();
    done(&world, &["shift", "test", "-q"]);
    done(&world, &["shift", "users", "-q"]);
    done(
        &world,
        &["unshift", "-q", "users", "--empty", "--reason", "login loop"],
    );
    insta::assert_snapshot!(say(&world, &["shift", "users"]), @r#"
    [stderr]
    error: 0.1.0 is frozen for users
      0.1.0 was frozen by ada on DATE: "login loop"
    hint: build what fixes it, or lift the freeze: ringshift unfreeze 0.1.0
          or ringshift unfreeze 0.1.0 --fixed-in W, to let through what contains W
    [exit 8]
    "#);
}
