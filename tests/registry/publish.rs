//! `publish:`: what arrives in a ring is copied to other registries.

use crate::front::{Answer, Front};
use crate::server::{Kind, Server};
use crate::world::open;
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{Registry, Repository};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The demo's project, whose last ring publishes to these places.
struct Project(tempfile::TempDir);

impl Project {
    fn publishing(to: &[&str]) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("rings.yaml", &format!("project: acme/shop\nrings: [dev, {{name: users, publish: [{}]}}]\nimages:\n  base: base\n  api: api\n  shop: {{context: deploy, root: true}}\n", to.join(", ")));
        project.write("base/Dockerfile", "FROM scratch\nCOPY f /base\n");
        project.write("base/f", "base\n");
        project.write("api/Dockerfile", "FROM acme/shop/base\nCOPY f /api\n");
        project.write("api/f", "api\n");
        project.write("deploy/Dockerfile", "FROM scratch\nCOPY f /shop\n");
        project.write("deploy/f", "shop\n");
        project.git(&["init", "-q", "-b", "main"]);
        project.commit("First");
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(args);
        assert!(command.current_dir(self.dir()).status().unwrap().success());
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// Exit code, standard output, standard error.
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let ran = Command::new(env!("CARGO_BIN_EXE_ringshift"))
            .args(args)
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", "/nonexistent")
            .env("RINGSHIFT_CACHE", self.dir().join(".git/cache"))
            .env("RINGSHIFT_ACTOR", "tester")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
    }

    fn done(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {out}{err}");
        err
    }

    /// Version and digest of every image that a ring holds.
    fn held(&self, ring: &str) -> Vec<(String, String, String)> {
        let (_, out, _) = self.run(&["show", ring, "--json"]);
        let shown: Value = serde_json::from_str(&out).unwrap();
        let text = |image: &Value, key: &str| image[key].as_str().unwrap().to_owned();
        let images = shown["images"].as_array().unwrap().iter();
        images
            .map(|image| (text(image, "name"), text(image, "version"), text(image, "digest")))
            .collect()
    }
}

/// Every image with all its blobs, by its version, in another registry.
fn whole(registry: &dyn Registry, prefix: &str, held: &[(String, String, String)]) {
    for (name, version, digest) in held {
        let repository = Repository::single(&format!("{prefix}acme/shop/{name}"));
        let found = registry.resolve(&repository, version).unwrap();
        let found = found.unwrap_or_else(|| panic!("{repository}:{version} is missing"));
        assert_eq!(found.digest.to_string(), *digest, "{repository}");
        let manifest = registry.manifest(&repository, &found.digest).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        for blob in layers.chain([&manifest["config"]]) {
            let digest = blob["digest"].as_str().unwrap().parse().unwrap();
            let size = blob["size"].as_u64().unwrap();
            assert_eq!(
                registry.small_blob(&repository, &digest, size).unwrap().len() as u64,
                size
            );
        }
    }
}

#[test]
fn what_arrives_in_a_ring_is_copied_by_digest_to_all_its_registries() {
    let (Some(one), Some(other)) = (Server::start(Kind::Second), Server::start(Kind::Third)) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let places = [
        one.address.clone(),
        format!("http://{}/mirror", other.address),
        format!("\"oci:{}\"", folder.path().display()),
    ];
    let project = Project::publishing(&places.each_ref().map(String::as_str));
    let err = project.done(&["build"]);
    assert!(!err.contains("Published"), "dev publishes nothing: {err}");
    let (_, dry, _) = project.run(&["shift", "users", "--dry-run"]);
    let line = format!("\n  copy 0.1.0 of users to {}\n", one.address);
    assert!(dry.contains(&line), "{dry}");
    assert_eq!(
        open(&one).tags(&Repository::single("acme/shop/shop")).unwrap(),
        [""; 0]
    );
    let err = project.done(&["shift", "users"]);
    let said = format!(" Published 0.1.0 of users at {}: 3 images\n", one.address);
    assert!(err.contains(&said), "{err}");
    let held = project.held("users");
    assert_eq!(held.len(), 3);
    whole(&open(&one), "", &held);
    whole(&open(&other), "mirror/", &held);
    whole(&LayoutRegistry::new(folder.path()), "", &held);
    // A build behind the front fills the ring, too; and so does going back.
    project.write("api/f", "mended\n");
    project.commit("Mend");
    project.done(&["build", "--ring", "users", "api"]);
    let mended = project.held("users");
    assert_ne!(held, mended);
    whole(&open(&one), "", &mended);
    let err = project.done(&["unshift", "users"]);
    assert!(!err.contains("Published"), "it is there: {err}");
    assert_eq!(project.done(&["status"]), "");
}

#[test]
fn a_copy_that_breaks_off_says_how_far_it_came_and_goes_on_when_the_same_verb_runs_again() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let (broken, pushed) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (breaks, counts) = (broken.clone(), pushed.clone());
    let front = Front::to(
        &server.address,
        move |(request, _)| {
            let write = matches!(request.method.as_str(), "POST" | "PUT");
            if write && request.path.contains("/shop/blobs/uploads") {
                counts.fetch_add(1, Ordering::SeqCst);
            }
            // The root cannot be written.
            (write && breaks.load(Ordering::SeqCst) && request.path.starts_with("/v2/acme/shop/shop/"))
                .then(|| Answer::of(403))
        },
        |_, answer| answer,
    );
    let project = Project::publishing(&[&front.address]);
    project.done(&["build"]);
    let (code, _, err) = project.run(&["shift", "users"]);
    assert_eq!(code, Some(5), "{err}");
    let said = format!(
        "error: users holds 0.1.0, and {} has no whole copy of it: 2 of its 3 images are there\n",
        front.address
    );
    assert!(err.contains("Committed shift") && err.contains(&said), "{err}");
    assert!(
        err.contains("hint: ") && err.ends_with("run the same command again: it goes on from there\n"),
        "{err}"
    );
    let held = project.held("users");
    assert_eq!(
        open(&server).tags(&Repository::single("acme/shop/shop")).unwrap(),
        [""; 0]
    );
    // Nothing to do, but for the copy.
    broken.store(false, Ordering::SeqCst);
    let before = front.seen().len();
    let (code, out, err) = project.run(&["shift", "users"]);
    assert_eq!((code, out.as_str()), (Some(0), "Nothing to do.\n"), "{err}");
    assert!(err.contains("Published 0.1.0 of users"), "{err}");
    whole(&open(&server), "", &held);
    let again: Vec<_> = front.seen().split_off(before);
    let sent = again
        .iter()
        .filter(|r| r.method == "PUT" && !r.path.starts_with("/v2/acme/shop/shop/"))
        .count();
    assert_eq!(sent, 0, "what was there is not sent again: {again:?}");
    // And then there is nothing at all.
    let quiet = project.done(&["shift", "users"]);
    assert_eq!(quiet, "");
}

#[test]
fn an_address_that_is_none_is_told_before_anything_is_written() {
    for (wrong, hint) in [
        ("ghcr.io/Acme", "the beginning of a repository"),
        ("me@ghcr.io", "no user or password"),
        ("\"oci:\"", "oci:PATH"),
    ] {
        let project = Project::publishing(&[wrong]);
        let (code, _, err) = project.run(&["build"]);
        assert_eq!(code, Some(1), "{err}");
        assert!(
            err.contains("rings.yaml:2:") && err.contains("`publish` names no registry"),
            "{err}"
        );
        assert!(err.contains(hint), "{err}");
    }
}

#[test]
fn another_content_under_the_version_is_not_overwritten() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let registry = open(&server);
    let api = Repository::single("acme/shop/api");
    let (foreign, _) = crate::world::image(&registry, &api, b"foreign");
    registry.create_tag(&api, "0.1.0", &foreign).unwrap();
    let project = Project::publishing(&[&server.address]);
    project.done(&["build"]);
    let (code, _, err) = project.run(&["shift", "users"]);
    assert_eq!(code, Some(5), "{err}");
    assert!(
        err.contains("1 of its 3 images are there") && err.contains("published by somebody else"),
        "{err}"
    );
    assert_eq!(registry.resolve(&api, "0.1.0").unwrap(), Some(foreign));
}
