//! The program on a registry: what it reads, and that no login stands in its output.

use crate::server::{Kind, Server};
use crate::wire::{Origin, Reply};
use crate::world::open;
use ringshift::model::ProjectName;
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{Registry, Repository};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn run(dir: &Path, login: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_ringshift"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("XDG_STATE_HOME", dir.join("../state"))
        .env("XDG_CACHE_HOME", dir.join("../cache"))
        .env("RINGSHIFT_ACTOR", "tester")
        .env("DOCKER_AUTH_CONFIG", login)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

/// A project with a journal in its folder.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, said) = run(dir.path(), "", &["demo", "shop"]);
    assert_eq!(code, Some(0), "{said}");
    dir
}

/// All repositories of a folder, by project and name.
fn copy(store: &Path, project: &str, to: &dyn Registry) {
    let from = LayoutRegistry::new(store);
    for entry in std::fs::read_dir(store.join(project)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let repository = Repository::new(&ProjectName::new(project).unwrap(), &name);
        for tag in from.tags(&repository).unwrap() {
            let found = from.resolve(&repository, &tag).unwrap().unwrap();
            let bytes = from.manifest(&repository, &found.digest).unwrap();
            let manifest: Value = serde_json::from_slice(&bytes).unwrap();
            let layers = manifest["layers"].as_array().unwrap().iter();
            for blob in layers.chain([&manifest["config"]]) {
                let digest = blob["digest"].as_str().unwrap().parse().unwrap();
                let content = from.small_blob(&repository, &digest, 64 << 20).unwrap();
                to.put_blob(&repository, &content).unwrap();
            }
            let stored = to.put_manifest(&repository, &found.media_type, &bytes).unwrap();
            to.create_tag(&repository, &tag, &stored).unwrap();
        }
    }
}

#[test]
fn every_verb_that_reads_says_the_same_of_a_registry_and_of_a_folder() {
    let dir = project();
    let shop = dir.path().join("shop");
    let (_, settings, _) = run(&shop, "", &["config", "--json"]);
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let all = settings["settings"].as_array().unwrap();
    let name = all.iter().find(|one| one["name"] == "project").unwrap()["value"]
        .as_str()
        .unwrap();
    for kind in [Kind::Second, Kind::Third] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        copy(&shop.join(".git/ringshift"), name, &open(&server));
        let reading: [&[&str]; 6] = [
            &["status", "--json"],
            &["status", "--json", "--images"],
            &["log", "--json"],
            &["show", "dev", "--json"],
            &["plan", "--json"],
            &["state", "verify", "--json"],
        ];
        for verb in reading {
            let here = run(&shop, "", verb);
            let there = run(&shop, "", &[&["--registry", &server.address], verb].concat());
            assert_eq!(there, here, "{verb:?}");
            assert_eq!(here.0, Some(0), "{verb:?}: {}", here.2);
        }
        let exported = |registry: &[&str], file: &str| {
            let to = format!("docker-archive:{file}");
            let ran = run(&shop, "", &[registry, &["export", "dev", &to]].concat());
            assert_eq!(ran.0, Some(0), "{}", ran.2);
            std::fs::read(shop.join(file)).unwrap()
        };
        let here = exported(&[], &format!("../{kind:?}-here.tar"));
        assert!(here == exported(&["--registry", &server.address], &format!("../{kind:?}.tar")));
    }
}

#[test]
fn no_login_stands_in_any_output() {
    let dir = project();
    let shop = dir.path().join("shop");
    let echo = |request: &crate::wire::Request, _: &[crate::wire::Request]| {
        // It says again whatever it was told.
        let login = request
            .head
            .lines()
            .find(|line| line.to_lowercase().starts_with("authorization:"));
        match login {
            Some(line) => Reply::status(403).body(format!(
                r#"{{"errors":[{{"code":"{line}","message":"canary-password-f00d"}}]}}"#
            )),
            None => Reply::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        }
    };
    let evil = Origin::start(echo);
    // `canary-user:canary-password-f00d`.
    let pair = "Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3N3b3JkLWYwMGQ=";
    let login = format!(r#"{{"auths":{{"{}":{{"auth":"{pair}"}}}}}}"#, evil.address);
    for more in [&["--json"][..], &["-v"], &["-vv"], &[]] {
        let (code, out, said) = run(
            &shop,
            &login,
            &[&["--registry", &evil.address, "status"], more].concat(),
        );
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("does not allow to"), "{said}");
        for secret in [pair, "canary-password-f00d"] {
            assert!(!out.contains(secret) && !said.contains(secret), "{out}{said}");
        }
    }
    let sent = evil.end();
    assert!(
        sent.iter().any(|request| request.head.contains(pair)),
        "it was sent to the registry itself"
    );
}

#[test]
fn a_registry_without_a_journal_is_not_whole() {
    let dir = project();
    let shop = dir.path().join("shop");
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let there = |verb: &[&str]| run(&shop, "", &[&["--registry", &server.address], verb].concat());
    let wanted = format!(
        "error: http://{} has no journal of acme/shop\nhint: `ringshift build` writes its first entry; if there should be one, check the \
         place and the project\n",
        server.address
    );
    for verb in [&["state", "verify"][..], &["state", "show"]] {
        let (code, out, said) = there(verb);
        assert_eq!(
            (code, out.as_str(), said.as_str()),
            (Some(1), "", wanted.as_str()),
            "{verb:?}"
        );
    }
    let (code, _, said) = there(&["log"]);
    assert_eq!(
        (code, said.as_str()),
        (
            Some(0),
            "note: no entry yet; `ringshift build` writes the first\n"
        )
    );
    // A release without a journal is a journal that was lost.
    let registry = open(&server);
    let root = Repository::single("acme/shop/shop");
    let (image, _) = crate::world::image(&registry, &root, b"layer");
    registry.create_tag(&root, "0.1.0", &image).unwrap();
    let (code, _, said) = there(&["state", "verify"]);
    assert_eq!(code, Some(7), "{said}");
    assert_eq!(
        said,
        "error: acme/shop/shop has releases, and the journal beside it is gone\n"
    );
}
