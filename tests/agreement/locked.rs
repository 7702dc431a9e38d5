//! rings.lock and real builders: what is built stands on what is locked, whatever its tag became meanwhile.

use super::builders::machine::{Machine, storage};
use super::native::lab::lab;
use super::outside::Registry;
use ringshift::model::ProjectName;
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{Registry as _, Repository};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

struct Project<'a> {
    dir: &'a Path,
    registries: &'a Path,
}

impl Project<'_> {
    fn write(&self, path: &str, text: &str) {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self, message: &str) {
        for args in [&["add", "-A"][..], &["commit", "-q", "-m", message]] {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
                .args(args);
            assert!(git.current_dir(self.dir).status().unwrap().success());
        }
    }

    /// Exit code, standard output, standard error.
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let path = std::env::join_paths([
            lab().join("bin"),
            "/usr/bin".into(),
            "/bin".into(),
            "/usr/sbin".into(),
        ]);
        let ran = Command::new(env!("CARGO_BIN_EXE_ringshift"))
            .args(args)
            .current_dir(self.dir)
            .env("PATH", path.unwrap())
            .env("RINGSHIFT_CACHE", self.dir.join(".git/cache"))
            .env("CONTAINERS_REGISTRIES_CONF", self.registries)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
    }

    fn out(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {out}{err}");
        out
    }

    /// What the config of a version of `api` says of `WHICH`.
    fn which(&self, version: &str) -> String {
        let store = LayoutRegistry::new(self.dir.join(".git/ringshift"));
        let api = Repository::new(&ProjectName::new("acme").unwrap(), "api");
        let found = store.resolve(&api, version).unwrap().unwrap();
        let manifest: Value = serde_json::from_slice(&store.manifest(&api, &found.digest).unwrap()).unwrap();
        let digest = manifest["config"]["digest"].as_str().unwrap().parse().unwrap();
        let config: Value =
            serde_json::from_slice(&store.small_blob(&api, &digest, 1 << 20).unwrap()).unwrap();
        let env = config["config"]["Env"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str);
        env.filter_map(|pair| pair.strip_prefix("WHICH=")).collect()
    }
}

fn stands_on_what_is_locked(name: &str, builder: &str) {
    if Machine::find(name).is_none() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(place.path()) else {
        assert!(std::env::var("CI").is_err(), "docker-registry is not installed");
        eprintln!("SKIPPED: docker-registry is not installed");
        return;
    };
    let registries = place.path().join("registries.conf");
    let insecure = format!(
        "[[registry]]\nlocation = \"{}\"\ninsecure = true\n",
        registry.address
    );
    std::fs::write(&registries, insecure).unwrap();
    let push =
        |which: &str| registry.push(place.path(), "base:1", json!({"Env": [format!("WHICH={which}")]}));
    push("first");
    let dir = place.path().join("project");
    let project = Project {
        dir: &dir,
        registries: &registries,
    };
    project.write("rings.yaml", &format!("project: acme\nrings: [dev]\nbuilder: {builder}\nimages:\n  api: api\n  shop: {{context: deploy, root: true}}\n"));
    project.write(
        "api/Dockerfile",
        &format!("FROM {}/base:1\nCOPY $WHICH /which\n", registry.address),
    );
    project.write("api/first", "1\n");
    project.write("api/second", "2\n");
    project.write("deploy/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    assert!(
        Command::new("git")
            .args(["init", "-q", "-b", "main"])
            .arg(&dir)
            .status()
            .unwrap()
            .success()
    );
    project.out(&["lock"]);
    project.commit("First");
    push("second");
    project.out(&["build"]);
    assert_eq!(project.which("0.1.0"), "first", "the tag moved, the lock did not");

    project.out(&["lock", "--update"]);
    project.commit("Take the new base");
    let plan: Value = serde_json::from_str(&project.out(&["plan", "--json"])).unwrap();
    let api = &plan["steps"][0];
    assert_eq!(api["image"], "api");
    let paths: Vec<&Value> = api["reasons"][0]["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["path"])
        .collect();
    assert_eq!(paths, ["rings.lock", "api/first", "api/second"]);
    assert!(project.out(&["plan"]).contains("rings.lock"));
    let against = project.out(&["explain", "api", "--against", "0.1.0"]);
    assert!(against.contains("\nrings.lock changed\n"), "{against}");
    assert!(
        against.contains("api/Dockerfile:1: stage was 0 image:sha256:"),
        "{against}"
    );
    project.out(&["build"]);
    assert_eq!(project.which("0.1.1"), "second");

    registry.push(place.path(), "base:1", json!({"OnBuild": ["COPY first /"]}));
    std::fs::remove_file(dir.join("rings.lock")).unwrap();
    project.write("api/Dockerfile", &format!("FROM {}/base:1\n", registry.address));
    project.commit("Without a lock");
    let (code, _, err) = project.run(&["build"]);
    assert_eq!(code, Some(1), "{err}");
    let told = format!(
        "{}/base:1 has ONBUILD triggers that read (`COPY first /`), and it is not locked",
        registry.address
    );
    assert!(
        err.contains(&told) && err.contains("hint: `ringshift lock`"),
        "{err}"
    );
    project.out(&["lock"]);
    project.commit("With a lock");
    project.out(&["build"]);
}

fn socket(part: &str) -> String {
    let own = || format!("unix://{}", lab().join(part).join("sock").display());
    match part {
        "buildkit" => std::env::var("BUILDKIT_HOST").unwrap_or_else(|_| own()),
        _ => own(),
    }
}

#[test]
fn buildah_stands_on_what_is_locked() {
    let engine = storage("buildah").join(", ");
    let builder = format!("{{name: buildah, args: [--isolation, chroot], engine: [{engine}]}}");
    stands_on_what_is_locked("buildah", &builder);
}

#[test]
fn podman_stands_on_what_is_locked() {
    let engine = storage("podman").join(", ");
    let builder = format!("{{name: podman, args: [--isolation, chroot], engine: [{engine}]}}");
    stands_on_what_is_locked("podman", &builder);
}

#[test]
fn buildctl_stands_on_what_is_locked() {
    let builder = format!("{{name: buildctl, engine: [--addr, \"{}\"]}}", socket("buildkit"));
    stands_on_what_is_locked("buildctl", &builder);
}

#[test]
fn docker_stands_on_what_is_locked() {
    let engine = socket("docker");
    let builder = format!("{{name: docker, args: [--network, host], engine: [--host, \"{engine}\"]}}");
    stands_on_what_is_locked("docker", &builder);
}
