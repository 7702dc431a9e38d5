//! Wrong words: verbs, flags, names.

use crate::sandbox::World;

#[test]
fn unknown_verbs_and_flags_are_usage_errors() {
    let world = World::built();
    for (args, code) in [
        (&["buid"][..], 2),
        (&["plan", "--wroktree"], 2),
        (&["shift"], 2),
        (&["shift", "test", "--all"], 2),
        (&["unshift", "test", "--to", "0.1.0", "--empty"], 2),
        (&["export", "api"], 2),
        (&["graph", "--format", "png"], 2),
        (&["build", "--jobs", "0"], 2),
        (&["plan", "--commit", "HEAD", "--worktree"], 2),
        (&["build", "--ring", "ante"], 2),
        (&["shift", "test", "--drop", "0.1.0"], 2),
        (&[], 2),
        (&["plan", ""], 1),
        (&["plan", "--ring", "ANTE"], 1),
        (&["shift", "post"], 1),
        (&["shift", "ante"], 1),
        (&["shift", "dev"], 1),
        (&["shift", "users"], 1),
        (&["unshift", "users"], 6),
        (&["-C", "gone", "plan"], 1),
        (&["-C", "rings.yaml", "plan"], 1),
        (&["--config", "gone.yaml", "plan"], 1),
        (&["--registry", "no registry", "build"], 1),
        (&["--registry", "oci:", "plan"], 1),
        (&["--project", "UP", "plan"], 1),
    ] {
        let ran = world.refused(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        assert!(ran.out.is_empty(), "{args:?}: errors go to standard error");
    }
}

#[test]
fn a_usage_error_as_json_is_one_line() {
    let world = World::built();
    insta::assert_snapshot!(world.refused(&["buid", "--json"]).shown(), @r#"
    [stderr]
    {"kind":"error","format":1,"code":2,"message":"unrecognized subcommand 'buid'","causes":[],"hint":"ringshift --help"}
    [exit 2]
    "#);
    insta::assert_snapshot!(world.refused(&["shift", "--json", "tset"]).shown(), @r#"
    [stderr]
    {"kind":"error","format":1,"code":1,"message":"there is no ring `tset`","causes":[],"hint":"did you mean `test`? the rings are dev, test, users"}
    [exit 1]
    "#);
}

#[test]
fn near_names_of_rings_are_offered() {
    let world = World::built();
    let said = |args: &[&str]| world.refused(args).shown();
    insta::assert_snapshot!(said(&["shift", "tset"]), @r"
    [stderr]
    error: there is no ring `tset`
    hint: did you mean `test`? the rings are dev, test, users
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["plan", "--ring", "user", "api"]), @r"
    [stderr]
    error: there is no ring `user`
    hint: did you mean `users`? the rings are dev, test, users
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["unshift", "tests"]), @r"
    [stderr]
    error: there is no ring `tests`
    hint: did you mean `test`? the rings are dev, test, users
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["show", "dve"]), @r"
    [stderr]
    error: there is no ring `dve`
    hint: did you mean `dev`? the rings are dev, test, users
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["log", "usres"]), @r"
    [stderr]
    error: there is no ring `usres`
    hint: did you mean `users`? the rings are dev, test, users
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["shift", "production"]), @r"
    [stderr]
    error: there is no ring `production`
    hint: the rings are dev, test, users
    [exit 1]
    ");
}

#[test]
fn near_names_of_images_are_offered() {
    let world = World::built();
    let said = |args: &[&str]| world.refused(args).shown();
    insta::assert_snapshot!(said(&["plan", "aip"]), @r"
    [stderr]
    error: there is no image `aip`
    hint: did you mean `api`? the images are api, base, shop
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["build", "--major", "bsae"]), @r"
    [stderr]
    error: there is no image `bsae`
    hint: did you mean `base`? the images are api, base, shop
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["explain", "ap"]), @r"
    [stderr]
    error: there is no image `ap`
    hint: did you mean `api`? the images are api, base, shop
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["export", "shopp@0.1.0", "oci:/nowhere"]), @r"
    [stderr]
    error: there is no image `shopp`
    hint: did you mean `shop`? the images are api, base, shop
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["freeze", "apo@0.1.0", "--reason", "x"]), @r"
    [stderr]
    error: there is no image `apo`
    hint: did you mean `api`? the images are api, base, shop
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["unshift", "ante", "bas"]), @r"
    [stderr]
    error: ante does not hold bas
    [exit 6]
    ");
    insta::assert_snapshot!(said(&["build", "database"]), @r"
    [stderr]
    error: there is no image `database`
    hint: the images are api, base, shop
    [exit 1]
    ");
}

#[test]
fn versions_that_nobody_made() {
    let world = World::built();
    let said = |args: &[&str]| world.refused(args).shown();
    insta::assert_snapshot!(said(&["show", "9.9.9"]), @r"
    [stderr]
    error: no release 9.9.9 of shop is known
    hint: `ringshift log` lists what was released
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["show", "v0.1.0"]), @r"
    [stderr]
    error: there is no ring `v0.1.0`
    hint: the rings are dev, test, users
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["freeze", "9.9.9", "--reason", "x"]), @r"
    [stderr]
    error: no release that is known has 9.9.9
    hint: ringshift log lists the releases; an image's version is written api@1.4.0
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["freeze", "0.1.0"]), @r#"
    [stderr]
    error: a freeze needs a reason, which everybody sees that it stops
    hint: ringshift freeze 0.1.0 --reason "…"
    [exit 2]
    "#);
    insta::assert_snapshot!(said(&["export", "api@9.9.9", "oci:/nowhere"]), @r"
    [stderr]
    error: api 9.9.9 is not in the store
    hint: `ringshift status --images` shows the versions
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["export", "api", "oci:/nowhere"]), @r"
    [stderr]
    error: api is an image, and has many versions
    hint: ringshift export api@VERSION …; `ringshift status --images` shows the versions
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["export", "api@0.1.0", "nowhere"]), @r"
    [stderr]
    error: `nowhere` names no place to export to
    hint: oci:FOLDER[:TAG] or docker-archive:FILE
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["explain", "api", "--against", "9.9.9"]), @r"
    [stderr]
    error: no release that is known has api 9.9.9
    hint: `ringshift status --images` shows the versions
    [exit 1]
    ");
    insta::assert_snapshot!(said(&["unshift", "dev", "--to", "9.9.9"]), @r"
    [stderr]
    error: dev never held 9.9.9
    [exit 6]
    ");
}
