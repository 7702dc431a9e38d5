//! A wrong rings.lock: everything at once, with its place, and nothing is done.

use crate::sandbox::World;

#[test]
fn what_is_wrong_with_both_files_is_told_at_once() {
    let world = World::project();
    world.write("rings.yaml", "project: acme/shop\nrings: [dev]\nringz: []\nimages:\n  base: images/base\n  api: images/api\n  shop: {context: deploy, root: true}\n");
    world.write(
        "rings.lock",
        "format: 1\nimages:\n  alpine:\n    digest: sha256:12\n    platforms: {}\n",
    );
    world.commit("Wrong");
    let ran = world.refused(&["plan"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.err, @r"
    error: rings.lock:3:3: `alpine` is not an image reference in full
      |
    3 |   alpine:
      |   ^^^^^^
    hint: write docker.io/library/alpine:latest
    error: rings.lock:4:13: `sha256:12` is not a digest
      |
    4 |     digest: sha256:12
      |             ^^^^^^^^^
    hint: sha256: and 64 lower-case hex digits; `ringshift lock --update` writes it anew
    error: rings.yaml:3:1: unknown key `ringz` in rings.yaml
      |
    3 | ringz: []
      | ^^^^^
    hint: did you mean `rings`?
    ");
}

#[test]
fn a_merge_conflict_stops_every_verb_and_is_written_anew_by_an_update() {
    let world = World::built();
    let conflict = "format: 1\nimages:\n<<<<<<< ours\n  a: {}\n=======\n  b: {}\n>>>>>>> theirs\n";
    world.write("rings.lock", conflict);
    world.commit("Conflict");
    for verb in [
        &["build"][..],
        &["plan"],
        &["check"],
        &["explain", "api"],
        &["graph"],
        &["lock"],
        &["lock", "--check"],
        &["outdated"],
    ] {
        let ran = world.refused(verb);
        assert_eq!(ran.code, 1, "{verb:?}: {ran:?}");
        assert!(ran.err.contains("rings.lock:3:"), "{verb:?}: {ran:?}");
    }
    let ran = world.run(&["lock", "--update"]);
    assert_eq!(ran.shown(), "rings.lock written: 0 outside images");
    assert_eq!(world.run(&["lock", "--check"]).code, 0);
}

#[test]
fn a_lock_that_nobody_needs_changes_no_revision_and_none_is_made_where_there_is_nothing_to_lock() {
    let world = World::built();
    assert_eq!(
        world.run(&["lock"]).shown(),
        "rings.lock is as it must be: 0 outside images"
    );
    assert!(!world.path("rings.lock").exists());
    let digest = format!("sha256:{}", "1".repeat(64));
    let entry = format!(
        "format: 1\nimages:\n  docker.io/library/alpine:3.20: {{digest: \"{digest}\", platforms: {{linux/amd64: {{}}}}}}\n"
    );
    world.write("rings.lock", &entry);
    world.commit("Stale");
    let ran = world.run(&["plan", "--check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(world.run(&["check"]).shown(), @r#"
    acme/shop: 3 images, 3 rings, nothing wrong
    [stderr]
    warning: rings.lock:3:3: no container file asks for docker.io/library/alpine:3.20 [stale-lock]
      |
    3 |   docker.io/library/alpine:3.20: {digest: "sha256:11111111111111111111111111111111111111111111111111
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: ringshift lock
    "#);
    assert_eq!(world.run(&["lock", "--check"]).code, 3);
}

#[test]
fn what_is_asked_of_lock_must_be_locked() {
    let world = World::project();
    let ran = world.refused(&["lock", "--update", "alpine:3.20"]);
    assert_eq!(
        ran.shown(),
        "[stderr]\nerror: docker.io/library/alpine:3.20 is not locked\nhint: `ringshift lock` adds what container files name; --update takes what is locked\n[exit 1]"
    );
    assert_eq!(world.refused(&["lock", "--update", "Not an image"]).code, 1);
    assert_eq!(world.refused(&["lock", "--update", "--check"]).code, 2);
}

#[test]
fn a_lock_that_is_too_large_is_not_read() {
    let world = World::project();
    world.write("rings.lock", vec![b'#'; (1 << 20) + 1]);
    world.commit("Large");
    let ran = world.refused(&["plan"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .starts_with("error: rings.lock:1:1: the file is larger than 1 MiB\n"),
        "{ran:?}"
    );
    assert_eq!(
        world.run(&["lock", "--update"]).shown(),
        "rings.lock written: 0 outside images"
    );
}
