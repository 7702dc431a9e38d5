//! What an image comes to: its merged files and the part of its config that a container sees.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// By path: type, mode, owner, and content or link text.
    files: BTreeMap<String, String>,
    config: BTreeMap<&'static str, Value>,
}

const KEYS: [&str; 13] = [
    "Env",
    "Cmd",
    "Entrypoint",
    "WorkingDir",
    "User",
    "ExposedPorts",
    "Volumes",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "ArgsEscaped",
];

impl Image {
    /// The image that the only manifest of an OCI layout names, or the one with the digest.
    pub fn of_layout(layout: &Path, digest: Option<&str>) -> Self {
        let blob = |digest: &str| layout.join("blobs").join(digest.replace(':', "/"));
        let manifest = match digest {
            Some(digest) => json(&blob(digest)),
            None => json(&layout.join("index.json")),
        };
        Self::read(manifest, &blob)
    }

    /// The image of a folder as `containers/image` writes it with `dir:`.
    pub fn of_folder(folder: &Path) -> Self {
        let blob = |digest: &str| folder.join(digest.trim_start_matches("sha256:"));
        Self::read(json(&folder.join("manifest.json")), &blob)
    }

    fn read(mut manifest: Value, blob: &dyn Fn(&str) -> PathBuf) -> Self {
        while let Some(first) = manifest.get("manifests").and_then(|m| m.get(0)) {
            manifest = json(&blob(first["digest"].as_str().unwrap()));
        }
        let mut files = BTreeMap::new();
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            merge(&mut files, &blob(layer["digest"].as_str().unwrap()));
        }
        files.remove("");
        let config = json(&blob(manifest["config"]["digest"].as_str().unwrap()));
        Self {
            files,
            config: canonical(&config),
        }
    }

    /// What buildah leaves to the runtime: the PATH and the folder of an image that names none, and a flag that only
    /// Windows reads.
    pub fn with_defaults(mut self) -> Self {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let env = self.config.entry("Env").or_insert_with(|| Value::Array(vec![]));
        if let Value::Array(env) = env {
            let is_path = |v: &Value| v.as_str().is_some_and(|t| t.starts_with("PATH="));
            if !env.iter().any(is_path) {
                env.insert(0, path.into());
            }
        }
        self.config.entry("WorkingDir").or_insert_with(|| "/".into());
        self.config.remove("ArgsEscaped");
        self
    }

    pub fn differences(ours: &Self, theirs: &Self) -> Vec<String> {
        let files = differ(&ours.files, &theirs.files);
        let config = differ(&ours.config, &theirs.config);
        files.into_iter().chain(config).collect()
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn differ<K: Ord + std::fmt::Display, V: PartialEq + std::fmt::Debug>(
    ours: &BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
) -> Vec<String> {
    let keys: std::collections::BTreeSet<&K> = ours.keys().chain(theirs.keys()).collect();
    keys.into_iter()
        .filter(|key| ours.get(key) != theirs.get(key))
        .map(|key| format!("{key}: ours {:?}, theirs {:?}", ours.get(key), theirs.get(key)))
        .collect()
}

fn canonical(config: &Value) -> BTreeMap<&'static str, Value> {
    let mut all = BTreeMap::new();
    for key in KEYS {
        let mut value = config["config"].get(key).cloned().unwrap_or(Value::Null);
        if let Value::Object(object) = &mut value {
            object.remove("io.buildah.version");
        }
        let empty = match &value {
            Value::Null => true,
            Value::Bool(b) => !b,
            Value::String(s) => s.is_empty(),
            Value::Array(a) => a.is_empty(),
            Value::Object(o) => o.is_empty(),
            Value::Number(_) => false,
        };
        if !empty {
            all.insert(key, value);
        }
    }
    for key in ["architecture", "os"] {
        all.insert(key, config[key].clone());
    }
    all
}

fn clean(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .trim_matches('/')
        .trim_start_matches("./")
        .to_owned()
}

/// Merges a layer as the OCI specification has it: marks first, for what lower layers hold.
fn merge(files: &mut BTreeMap<String, String>, blob: &Path) {
    let bytes = std::fs::read(blob).unwrap();
    let mut plain = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
    } else {
        plain = bytes;
    }
    let mut added = Vec::new();
    let below = |files: &mut BTreeMap<String, String>, folder: &str| {
        files.retain(|path, _| {
            !path
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        });
    };
    for entry in tar::Archive::new(plain.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = clean(&entry.path_bytes());
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == ".wh..wh..opq" {
            below(files, folder);
        } else if let Some(name) = name.strip_prefix(".wh.") {
            let gone = format!("{folder}/{name}").trim_start_matches('/').to_owned();
            below(files, &gone);
            files.remove(&gone);
        } else {
            added.push((path.clone(), describe(&mut entry)));
        }
    }
    for (path, text) in added {
        let text = match text.strip_prefix("h ") {
            Some(target) => files.get(target).unwrap().clone(),
            None => text,
        };
        if !text.starts_with('d') {
            below(files, &path);
        }
        files.insert(path, text);
    }
}

fn describe<R: Read>(entry: &mut tar::Entry<'_, R>) -> String {
    let mut attributes: Vec<String> = Vec::new();
    let (mut uid, mut gid) = (entry.header().uid().unwrap(), entry.header().gid().unwrap());
    for record in entry.pax_extensions().unwrap().into_iter().flatten() {
        let record = record.unwrap();
        let value = String::from_utf8_lossy(record.value_bytes()).into_owned();
        match record.key().unwrap() {
            "uid" => uid = value.parse().unwrap(),
            "gid" => gid = value.parse().unwrap(),
            key if key.starts_with("SCHILY.xattr.") => attributes.push(format!("{key}={value}")),
            _ => {}
        }
    }
    let mode = entry.header().mode().unwrap() & 0o7777;
    let link = entry
        .link_name_bytes()
        .map(|l| l.into_owned())
        .unwrap_or_default();
    let owner = format!("{uid}:{gid} {}", attributes.join(" "));
    match entry.header().entry_type().as_byte() {
        b'5' => format!("d {mode:o} {owner}"),
        b'2' => format!("l {} {owner}", String::from_utf8_lossy(&link)),
        b'1' => format!("h {}", clean(&link)),
        b'0' | 0 => {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let digest = ringshift::model::Digest::of(&bytes);
            format!("f {mode:o} {owner} {} {}", bytes.len(), digest.short())
        }
        other => format!("{} {mode:o} {owner}", other as char),
    }
}
