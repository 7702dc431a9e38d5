//! `revision --resolve` against a real registry: what a base's configuration says is what its registry holds.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// docker-registry on a port of its own.
pub struct Registry {
    child: Child,
    pub address: String,
    /// Kept open, or its next word would end it.
    _said: BufReader<ChildStderr>,
}

impl Registry {
    /// Starts it and waits until it says where it listens; `None` where it is not installed.
    pub fn start(place: &Path) -> Option<Self> {
        let config = json!({
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": place.join("data")}},
            "http": {"addr": "127.0.0.1:0"},
        });
        let file = place.join("registry.yml");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let lines = said.by_ref().lines().map_while(Result::ok);
        let address = lines.into_iter().find_map(|line| {
            let (_, rest) = line.split_once("listening on ")?;
            let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c));
            Some(rest[..end.unwrap_or(rest.len())].to_owned())
        });
        Some(Self {
            child,
            address: address.unwrap(),
            _said: said,
        })
    }

    /// Pushes an image without files that has this configuration.
    pub fn push(&self, place: &Path, name: &str, config: Value) {
        let layout = place.join(name.replace([':', '/'], "-"));
        let blobs = layout.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        let blob = |bytes: &[u8]| {
            let digest = ringshift::model::Digest::of(bytes);
            std::fs::write(blobs.join(digest.hex()), bytes).unwrap();
            json!({"digest": digest.to_string(), "size": bytes.len()})
        };
        let described = |bytes: &[u8], kind: &str| {
            let mut descriptor = blob(bytes);
            descriptor["mediaType"] = format!("application/vnd.oci.image.{kind}").into();
            descriptor
        };
        let tar = [0; 1024];
        let layer = described(&tar, "layer.v1.tar");
        let image = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described(image.to_string().as_bytes(), "config.v1+json"),
            "layers": [layer],
        });
        let entry = described(manifest.to_string().as_bytes(), "manifest.v1+json");
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
        std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let copied = Command::new("skopeo")
            .args(["copy", "-q", "--insecure-policy", "--dest-tls-verify=false"])
            .arg(format!("oci:{}", layout.display()))
            .arg(format!("docker://{}/{name}", self.address))
            .output()
            .unwrap();
        assert!(copied.status.success(), "{copied:?}");
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code, standard output and standard error of `ringshift revision`.
fn revision(context: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_ringshift"))
        .arg("revision")
        .args(more)
        .arg(context)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn a_base_is_what_its_registry_says() {
    let place = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(place.path()) else {
        assert!(std::env::var("CI").is_err(), "docker-registry is not installed");
        eprintln!("SKIPPED: docker-registry is not installed");
        return;
    };
    let plain = json!({"Env": ["WHICH=first"], "WorkingDir": "/w"});
    registry.push(place.path(), "base:1", plain.clone());
    registry.push(place.path(), "base:alias", plain);
    registry.push(place.path(), "base:2", json!({"Env": ["WHICH=second"]}));
    registry.push(place.path(), "triggers:1", json!({"OnBuild": ["COPY second /"]}));
    let context = place.path().join("context");
    std::fs::create_dir(&context).unwrap();
    let write = |name: &str, text: String| std::fs::write(context.join(name), text).unwrap();
    let ask = |base: &str, rest: &str| {
        write(
            "Dockerfile",
            format!("FROM {}/{base}\n{rest}\n", registry.address),
        );
        let (code, out, err) = revision(&context, &["--resolve"]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{base}");
        out
    };
    write("first", "1".into());
    write("second", "2".into());

    let (one, copy) = ("base:1", "COPY $WHICH d");
    let before = ask(one, copy);
    assert_eq!(before, ask("base:alias", copy), "two tags of one digest");
    assert_eq!(before, ask(one, "COPY first d"), "the value of WHICH is known");
    assert_ne!(before, ask("base:2", copy));
    write("second", "3".into());
    assert_eq!(before, ask(one, copy), "what is not read does not count");
    let triggered = ask("triggers:1", "");
    write("second", "4".into());
    assert_ne!(triggered, ask("triggers:1", ""), "triggers read the context");

    write("Dockerfile", format!("FROM {}/base:none\n", registry.address));
    let (code, out, err) = revision(&context, &["--resolve"]);
    assert_eq!((code, out.as_str()), (Some(5), ""));
    assert!(
        err.starts_with("error: cannot ask for the config of 127.0.0.1:"),
        "{err}"
    );
    let (code, _, err) = revision(&context, &[]);
    assert_eq!(code, Some(0));
    assert!(err.contains("is not pinned"), "{err}");
}
