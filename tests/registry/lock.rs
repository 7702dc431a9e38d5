//! rings.lock: made of real registries, and read by everything else without them.

use crate::server::{Kind, Server};
use crate::world::open;
use ringshift::model::Digest;
use ringshift::registry::{CONFIG, Descriptor, INDEX, MANIFEST, Registry, Repository};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A repository with one image on an outside base, and where its registry is.
struct Project {
    dir: tempfile::TempDir,
    address: String,
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Project {
    fn new(server: &Server, container_file: &str) -> Self {
        let project = Self {
            dir: tempfile::tempdir().unwrap(),
            address: server.address.clone(),
        };
        project.write("rings.yaml", "project: acme/shop\nrings: [dev, users]\nplatforms: [linux/amd64, linux/arm64]\nimages:\n  api: api\n  shop: {context: deploy, root: true}\n");
        project.write("deploy/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
        project.write("api/ob.txt", "read by a trigger\n");
        project.write("api/named.txt", "named by a variable\n");
        project.write(
            "api/Dockerfile",
            &container_file.replace("REGISTRY", &server.address),
        );
        project.git(&["init", "-q", "-b", "main"]);
        project.commit("First");
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(args);
        let ran = command.current_dir(self.dir.path()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn run(&self, args: &[&str]) -> Ran {
        run(self.dir.path(), args, &self.address)
    }

    /// What must succeed; its standard output.
    fn out(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    fn json(&self, args: &[&str]) -> Value {
        let out = self.out(&[args, &["--json"]].concat());
        serde_json::from_str(out.lines().last().unwrap()).unwrap()
    }

    fn revision(&self) -> String {
        let explained = self.json(&["explain", "api", "--worktree"]);
        explained["revision"].as_str().unwrap().to_owned()
    }
}

fn run(dir: &Path, args: &[&str], address: &str) -> Ran {
    let ran = Command::new(env!("CARGO_BIN_EXE_ringshift"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("RINGSHIFT_CACHE", dir.join(".git/cache"))
        .env("RINGSHIFT_ACTOR", "tester")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(address, "REGISTRY");
    Ran {
        code: ran.status.code(),
        out: text(&ran.stdout),
        err: text(&ran.stderr),
    }
}

/// Pushes an index over amd64 and arm64, both with this config, under the tag.
fn push(registry: &dyn Registry, name: &str, tag: &str, config: &Value) -> Digest {
    let repository = Repository::single(name);
    let put = |media_type: &str, value: &Value| {
        registry
            .put_manifest(&repository, media_type, value.to_string().as_bytes())
            .unwrap()
    };
    let entry = |d: &Descriptor| json!({"mediaType": d.media_type, "digest": d.digest, "size": d.size});
    let images: Vec<Value> = ["amd64", "arm64"]
        .iter()
        .map(|architecture| {
            let config = json!({"os": "linux", "architecture": architecture, "config": config, "rootfs": {"type": "layers", "diff_ids": []}});
            let blob = registry.put_blob(&repository, config.to_string().as_bytes()).unwrap();
            let config = json!({"mediaType": CONFIG, "digest": blob.digest, "size": blob.size});
            let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
            let mut entry = entry(&put(MANIFEST, &manifest));
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            entry
        })
        .collect();
    let index = put(
        INDEX,
        &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": images}),
    );
    registry.move_tag(&repository, tag, &index).unwrap();
    index.digest
}

fn config(env: &str) -> Value {
    json!({"Env": ["PATH=/bin", format!("FILE={env}")], "WorkingDir": "/srv", "Labels": {"b": "", "a": ""}})
}

#[test]
fn a_lock_says_per_platform_what_every_outside_image_is_and_stays_as_it_is_until_it_is_updated() {
    for kind in [Kind::Second, Kind::Third, Kind::Memory] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let registry = open(&server);
        let first = push(&registry, "base", "1", &config("named.txt"));
        let project = Project::new(&server, "FROM REGISTRY/base:1\nCOPY $FILE here\n");
        let before = project.revision();
        let table = format!(
            "REGISTRY/base:1  locked     {}\nrings.lock written: 1 outside image\n",
            &first.to_string()[..19]
        );
        assert_eq!(project.out(&["lock"]), table);
        let platform = |name: &str| {
            format!(
                "      linux/{name}:\n        env:\n          - \"PATH=/bin\"\n          - \"FILE=named.txt\"\n        workdir: \"/srv\"\n        labels:\n          - \"a\"\n          - \"b\"\n"
            )
        };
        let text = format!(
            "# What the outside images of this project are. `ringshift lock` writes it; commit it.\nformat: 1\nimages:\n  \"{}/base:1\":\n    digest: {first}\n    platforms:\n{}{}",
            server.address,
            platform("amd64"),
            platform("arm64")
        );
        assert_eq!(project.read("rings.lock"), text);
        let locked = project.revision();
        assert_ne!(before, locked);
        // Nothing moves while nobody asks.
        let second = push(&registry, "base", "1", &config("ob.txt"));
        assert_eq!(
            project.out(&["lock"]),
            "rings.lock is as it must be: 1 outside image\n"
        );
        assert_eq!(project.read("rings.lock"), text);
        assert_eq!(project.revision(), locked);
        let moved = project.json(&["outdated"]);
        let row = &moved["images"][0];
        assert_eq!(
            (row["locked"].as_str(), row["now"].as_str()),
            (
                Some(first.to_string().as_str()),
                Some(second.to_string().as_str())
            )
        );
        assert_eq!(project.run(&["outdated", "--check"]).code, Some(3));
        let dry = project.out(&["lock", "--update", "--dry-run"]);
        assert!(dry.ends_with("rings.lock is not written\n"), "{dry}");
        assert_eq!(project.read("rings.lock"), text);
        let reference = format!("{}/base:1", server.address);
        project.out(&["lock", "--update", &reference]);
        assert_ne!(project.revision(), locked);
        assert_eq!(project.run(&["outdated", "--check"]).code, Some(0));
    }
}

#[test]
fn a_plan_needs_the_lock_alone_and_names_it_as_the_reason_when_it_changed() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let registry = open(&server);
    push(&registry, "base", "1", &config("named.txt"));
    let project = Project::new(&server, "FROM REGISTRY/base:1\nCOPY $FILE here\n");
    project.out(&["lock"]);
    project.commit("Lock");
    push(&registry, "base", "1", &config("ob.txt"));
    let old = project.read("rings.lock");
    project.out(&["lock", "--update"]);
    project.write("new.lock", &project.read("rings.lock"));
    // From here on nobody answers.
    drop(registry);
    drop(server);
    let reads = |project: &Project| -> Vec<String> {
        let explained = project.json(&["explain", "api", "--worktree"]);
        let reads = explained["reads"].as_array().unwrap().iter();
        reads
            .map(|read| read["path"].as_str().unwrap().to_owned())
            .collect()
    };
    project.write("rings.lock", &old);
    assert_eq!(reads(&project), ["api/named.txt"]);
    let new = project.read("new.lock");
    project.write("rings.lock", &new);
    assert_eq!(reads(&project), ["api/ob.txt"]);
    let affected = project.json(&["affected", "--since", "HEAD", "--worktree"]);
    assert_eq!(affected["paths"]["rings.lock"]["direct"], json!(["api"]));
    project.commit("Take the new base");
    let plan = project.run(&["plan", "--json"]);
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    assert_eq!(project.run(&["lock", "--check"]).code, Some(0));
}

#[test]
fn triggers_of_a_locked_base_are_read_and_may_name_further_images() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let registry = open(&server);
    let tools = push(&registry, "tools", "2", &config("x"));
    let triggers = json!({"OnBuild": [
        "COPY ob.txt /ob.txt",
        format!("COPY --from={}/tools:2 /x /y", server.address),
    ]});
    push(&registry, "base", "1", &triggers);
    let project = Project::new(&server, "FROM REGISTRY/base:1\n");
    let unlocked = project.json(&["explain", "api"]);
    assert_eq!(unlocked["reads"], json!([]));
    project.out(&["lock"]);
    let lock = project.read("rings.lock");
    assert!(lock.contains(&format!("digest: {tools}")), "{lock}");
    let locked = project.json(&["explain", "api", "--worktree"]);
    assert_eq!(locked["reads"][0]["path"], "api/ob.txt");
    assert_eq!(locked["warnings"], json!([]));
}

#[test]
fn what_cannot_be_looked_up_is_all_told_and_nothing_is_written() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let registry = open(&server);
    push(&registry, "base", "1", &config("x"));
    let project = Project::new(
        &server,
        "FROM REGISTRY/nope:1 AS one\nFROM REGISTRY/base:2 AS two\nFROM REGISTRY/base:1\nCOPY --from=one /a /a\nCOPY --from=two /a /a\n",
    );
    let ran = project.run(&["lock"]);
    assert_eq!(
        ran.err,
        "error: 2 outside images could not be looked up\n  \
         REGISTRY/base:2 is not in the registry\n  \
         REGISTRY/nope:1 is not in the registry\n\
         hint: there is no such image: correct the reference in the container file\n"
    );
    assert_eq!(ran.code, Some(1));
    assert!(!project.dir.path().join("rings.lock").exists());
    assert!(!project.dir.path().join(".rings.lock.new").exists());
}

#[test]
fn an_entry_that_nobody_needs_and_a_missing_one_are_told_by_check_and_mended_by_lock() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let registry = open(&server);
    for name in ["base", "other"] {
        push(&registry, name, "1", &config("named.txt"));
    }
    let project = Project::new(&server, "FROM REGISTRY/base:1\n");
    project.out(&["lock"]);
    project.write("api/Dockerfile", &format!("FROM {}/other:1\n", server.address));
    let ran = project.run(&["lock", "--check"]);
    assert_eq!(
        ran.out,
        "REGISTRY/base:1   no container file names it any more\n\
         REGISTRY/other:1  not locked linux/amd64, linux/arm64\n\
         rings.lock is not written\n"
    );
    assert_eq!(ran.code, Some(3));
    let told = project.run(&["check"]).err;
    for line in [
        "warning: api/Dockerfile:1:1: REGISTRY/other:1 is not pinned",
        "warning: rings.lock:4:3: no container file asks for REGISTRY/base:1 [stale-lock]",
    ] {
        assert!(told.contains(line), "{told}");
    }
    project.out(&["lock"]);
    assert_eq!(project.run(&["lock", "--check"]).code, Some(0));
    assert!(!project.run(&["check"]).err.contains("lock"));
}
