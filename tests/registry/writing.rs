//! The program writes to registries.

use crate::server::{ALL, Kind, Server};
use crate::team::Team;
use crate::world::{open, repository};
use ringshift::registry::Registry;
use serde_json::{Value, json};

/// `base/shop` of each ring, and post.
fn line(board: &Value) -> String {
    let ring = |name: &str| match &board["rings"][name] {
        Value::Null => "–".to_owned(),
        held => format!(
            "{}/{}",
            held["base"].as_str().unwrap(),
            held["shop"].as_str().unwrap()
        ),
    };
    let post = board["post"].as_str().unwrap_or("–");
    format!("{} | {} | {} | {post}", ring("dev"), ring("test"), ring("users"))
}

#[test]
fn the_story_of_a_release_is_the_same_in_every_registry() {
    for kind in ALL {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let team = Team::new(&server);
        let play = |args: &[&str], code: i32, wanted: &str| {
            let dry = team.run(&[args, &["--dry-run"]].concat());
            let ran = team.run(args);
            assert_eq!(ran.code, Some(code), "{kind:?} {args:?}: {ran:?}");
            assert_eq!(line(&team.board()), wanted, "{kind:?} {args:?}");
            assert_eq!(dry.code, Some(code), "{kind:?} {args:?} --dry-run: {dry:?}");
        };
        assert!(
            team.run(&["init", "--dry-run"])
                .err
                .contains("would make the journal")
        );
        assert!(team.ok(&["init"]).err.contains("made the journal"), "{kind:?}");
        assert!(
            team.ok(&["init"]).err.contains("has a journal already"),
            "{kind:?}"
        );
        play(&["build"], 0, "0.1.0/0.1.0 | – | – | –");
        play(&["build"], 0, "0.1.0/0.1.0 | – | – | –");
        play(&["shift", "test"], 0, "0.1.0/0.1.0 | 0.1.0/0.1.0 | – | –");
        team.change("base", "t1");
        play(&["build"], 0, "0.2.0/0.2.0 | 0.1.0/0.1.0 | – | –");
        play(
            &["shift", "--all"],
            0,
            "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –",
        );
        play(
            &["shift", "users"],
            0,
            "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0",
        );
        play(&["unshift"], 0, "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –");
        play(
            &["shift", "users"],
            8,
            "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –",
        );
        play(
            &["unfreeze", "0.2.0"],
            0,
            "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –",
        );
        play(
            &["freeze", "0.1.0", "--reason", "slow"],
            0,
            "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –",
        );
        team.change("base", "t2");
        play(
            &["build", "--ring", "ante", "base"],
            0,
            "0.2.0/0.2.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –",
        );
        play(
            &["shift", "dev"],
            0,
            "0.3.0/0.3.0 | 0.2.0/0.2.0 | 0.1.0/0.1.0 | –",
        );
        let log = team.json(&["log"]);
        assert_eq!(log["entries"].as_array().unwrap().len(), 10, "{log}");
        let verified = team.json(&["state", "verify"]);
        assert_eq!(verified["problems"], json!([]), "{kind:?}: {verified}");
        let registry = open(&server);
        let fixed = kind == Kind::Immutable;
        // The second removes no tags, so that of post stays.
        let stale = usize::from(fixed || kind == Kind::Second);
        let warnings = verified["warnings"].as_array().unwrap().len();
        assert_eq!(warnings, stale, "{kind:?}: {verified}");
        let root = repository("shop");
        if fixed {
            assert_eq!(registry.tags(&root).unwrap(), ["0.1.0", "0.2.0", "0.3.0"]);
        } else {
            for (ring, version) in [("dev", "0.3.0"), ("test", "0.2.0"), ("users", "0.1.0")] {
                let of = |tag: &str| registry.resolve(&root, tag).unwrap().unwrap().digest;
                assert_eq!(of(ring), of(version), "{kind:?} {ring}");
            }
        }
    }
}

/// The requests that `args` causes, one line each.
fn asked(server: Server, args: &[&str], team: &Team, before: usize) -> Vec<String> {
    team.ok(args);
    server.requests().split_off(before)
}

/// A registry in which 0.1.0 is in test and 0.2.0 in dev, and how many requests that took.
fn prepared() -> Option<(Server, Team)> {
    let server = Server::start(Kind::Second)?;
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    team.change("shop", "t1");
    team.ok(&["build"]);
    Some((server, team))
}

/// A verb with the most requests that it may take (performance.md).
fn at_most(most: usize, args: &[&str]) {
    let Some((server, team)) = prepared() else { return };
    // The log is whole only at the end: the same story twice, with the verb and without.
    let (other, same) = prepared().unwrap();
    let before = other.requests().len();
    drop(same);
    let asked = asked(server, args, &team, before);
    assert!(
        asked.len() <= most,
        "{args:?} took {} requests:\n{}",
        asked.len(),
        asked.join("\n")
    );
}

#[test]
fn reading_all_rings_takes_three_requests() {
    at_most(3, &["status"]);
    at_most(3, &["status", "--json"]);
}

#[test]
fn a_build_with_nothing_to_do_takes_three_requests() {
    at_most(3, &["build"]);
    at_most(3, &["plan"]);
}

#[test]
fn a_shift_takes_fourteen_requests_ring_tags_included() {
    at_most(14, &["shift", "test"]);
}

#[test]
fn a_registry_that_went_back_is_an_error_of_its_own() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    let journal = server.folder("acme/shop/shop-state");
    let copy = team.sandbox.outside().join("copy");
    let cp = |from: &std::path::Path, to: &std::path::Path| {
        let _ = std::fs::remove_dir_all(to);
        let done = std::process::Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(to)
            .status()
            .unwrap();
        assert!(done.success());
    };
    cp(&journal, &copy);
    team.ok(&["freeze", "0.1.0", "--reason", "slow"]);
    cp(&copy, &journal);
    for args in [&["status"][..], &["unfreeze", "0.1.0"], &["build"]] {
        let ran = team.run(args);
        assert_eq!(ran.code, Some(7), "{args:?}: {ran:?}");
        assert!(
            ran.err.contains("had entry 4") && ran.err.contains("its last one is 3"),
            "{}",
            ran.err
        );
    }
    // Another writes a fourth entry: now it forked.
    let other = team
        .member("other", &["freeze", "base@0.1.0", "--reason", "y"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    let ran = team.run(&["status"]);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(
        ran.err.contains("had entry 4") && ran.err.contains("entry 4 is "),
        "{}",
        ran.err
    );
    let hint = ran
        .err
        .lines()
        .find_map(|line| line.split_once("rm "))
        .unwrap()
        .1
        .to_owned();
    std::fs::remove_file(hint).unwrap();
    team.ok(&["status"]);
    // And the journal that is gone.
    std::fs::remove_dir_all(&journal).unwrap();
    let ran = team.run(&["status"]);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.err.contains("there is none"), "{}", ran.err);
}

#[test]
fn max_age_is_an_age() {
    let Some(server) = Server::start(Kind::Memory) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["status", "--max-age", "12h"]);
    let wrong = team.run(&["status", "--max-age", "soon"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(
        wrong.err.contains("`soon` is no age for --max-age"),
        "{}",
        wrong.err
    );
}

/// What the journal says, entry by entry, by the digest of the last.
fn head(team: &Team, more: &[&str]) -> Value {
    team.json(&[&["state", "show"], more].concat())["digest"].clone()
}

#[test]
fn a_store_goes_from_a_registry_to_a_folder_and_on_to_another_registry() {
    let (Some(one), Some(other)) = (Server::start(Kind::Second), Server::start(Kind::Third)) else {
        return;
    };
    let team = Team::new(&one);
    let nothing = team.run(&["state", "copy", &one.address, "oci:../backup"]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    let copied = team.json(&["state", "copy", &one.address, "oci:../backup"]);
    assert_eq!(
        (&copied["entries"], &copied["versions"]),
        (&json!(3), &json!(2)),
        "{copied}"
    );
    team.change("base", "t1");
    team.ok(&["build"]);
    let copied = team.json(&["state", "copy", &one.address, "oci:../backup"]);
    assert_eq!(
        (&copied["entries"], &copied["versions"]),
        (&json!(2), &json!(2)),
        "{copied}"
    );
    let again = team.json(&["state", "copy", &one.address, "oci:../backup"]);
    assert_eq!(again["bytes"], 0, "{again}");
    team.ok(&["state", "copy", "oci:../backup", &other.address]);
    for place in ["oci:../backup", &other.address] {
        let there = ["--registry", place];
        assert_eq!(head(&team, &there), head(&team, &[]), "{place}");
        let verified = team.json(&[&["state", "verify"], &there[..]].concat());
        assert_eq!(
            (&verified["problems"], &verified["warnings"]),
            (&json!([]), &json!([])),
            "{place}"
        );
    }
    // Each goes on by itself; then neither is the beginning of the other.
    team.ok(&["shift", "test"]);
    team.ok(&["freeze", "0.1.0", "--reason", "x", "--registry", &other.address]);
    let refused = team.run(&["state", "copy", &one.address, &other.address]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("not the beginning of this one"),
        "{}",
        refused.err
    );
}

#[test]
fn a_registry_that_was_emptied_is_filled_again_from_a_copy() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    let before = team.board();
    team.ok(&["state", "copy", &server.address, "oci:../backup"]);
    for image in ["base", "shop", "shop-state"] {
        std::fs::remove_dir_all(server.folder(&format!("acme/shop/{image}"))).unwrap();
    }
    assert_eq!(
        team.run(&["status"]).code,
        Some(7),
        "it is seen that it went back"
    );
    team.ok(&["state", "copy", "oci:../backup", &server.address]);
    assert_eq!(team.board(), before);
    team.whole();
}

#[test]
fn a_journal_that_is_lost_is_rebuilt_from_ring_tags_and_labels() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["shift", "--all"]);
    team.ok(&["shift", "--all"]);
    team.change("base", "t1");
    team.ok(&["build"]);
    team.ok(&["shift", "--all"]);
    team.ok(&["shift", "users"]);
    let refused = team.run(&["state", "rebuild"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let before = team.board();
    std::fs::remove_dir_all(server.folder("acme/shop/shop-state")).unwrap();
    let other = |args: &[&str]| crate::team::ran(team.member("other", args).output().unwrap());
    assert_eq!(other(&["build"]).code, Some(7), "numbers are not given twice");
    let dry = other(&["state", "rebuild", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    let done = other(&["state", "rebuild"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("lost are: history"), "{}", done.err);
    let after = crate::sandbox::board(&other(&["status", "--json"]).shape().unwrap());
    assert_eq!(after, before);
    let build = other(&["build", "--json"]).shape().unwrap();
    assert_eq!(build["entry"], Value::Null, "what was built is built: {build}");
    team.change("base", "t2");
    assert_eq!(other(&["build"]).code, Some(0));
    assert_eq!(other(&["unshift"]).code, Some(0), "post is back");
    let verified = other(&["state", "verify", "--json"]).shape().unwrap();
    assert_eq!(
        (&verified["problems"], &verified["warnings"]),
        (&json!([]), &json!([])),
        "{verified}"
    );
}

#[test]
fn ring_tags_that_somebody_moved_are_repaired() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.change("base", "t1");
    team.ok(&["build"]);
    let (registry, root) = (open(&server), repository("shop"));
    let old = registry.resolve(&root, "0.1.0").unwrap().unwrap();
    registry.move_tag(&root, "dev", &old).unwrap();
    registry.move_tag(&root, "post", &old).unwrap();
    let repaired = team.json(&["state", "repair"]);
    assert_eq!(repaired["written"], json!(["dev", "post"]));
    team.whole();
    assert_eq!(
        repaired["removed"], 8,
        "a claim and a vote for each of four entries"
    );
    let again = team.json(&["state", "repair"]);
    assert_eq!((&again["written"], &again["removed"]), (&json!([]), &json!(0)));
    team.ok(&["shift", "test"]);
    team.whole();
}

#[test]
fn a_site_needs_the_registry_and_nothing_else() {
    for kind in [Kind::Second, Kind::Third] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let team = Team::new(&server);
        let config = "project: acme/shop\nrings: [dev, test, users]\nimages:\n  base: base\n  shop: {context: shop, root: true}\n\
                      sites:\n  eu: {environment: prod, ring: dev}\n";
        team.sandbox.write("rings.yaml", config);
        team.sandbox.write(
            "environments/prod/kustomization.yaml",
            "namespace: shop\nresources: [pod.yaml]\n",
        );
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: base}\nspec: {containers: [{name: base, image: acme/shop/base}]}\n";
        team.sandbox.write("environments/prod/pod.yaml", pod);
        team.sandbox.commit("Environments");
        team.ok(&["build"]);
        let digest = open(&server)
            .resolve(&repository("base"), "0.1.0")
            .unwrap()
            .unwrap()
            .digest;
        let empty = tempfile::tempdir().unwrap();
        let alone = |args: &[&str]| {
            let mut command = team.member("site", args);
            command.current_dir(empty.path()).env("PATH", "");
            crate::team::ran(command.output().unwrap())
        };
        let rendered = alone(&["render", "eu", "--project", "acme/shop"]);
        let wanted = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    ringshift.dev/ring: dev\n    ringshift.dev/site: eu\n    \
             ringshift.dev/version: 0.1.0\n  name: base\n  namespace: shop\nspec:\n  containers:\n  - image: \
             {}/acme/shop/base@{digest}\n    name: base\n",
            server.address
        );
        assert_eq!(
            (rendered.code, rendered.out),
            (Some(0), wanted),
            "{}",
            rendered.err
        );
        let other = alone(&["render", "eu", "--project", "acme/other"]);
        assert_eq!(other.code, Some(1), "{other:?}");
        assert!(
            other
                .err
                .contains("holds no journal of acme/other with the root other"),
            "{}",
            other.err
        );
    }
}
