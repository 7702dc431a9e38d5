//! A folder store, read without the tool's own code: tags, labels, files of an image, a digest of all.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Every file below a folder with the digest of its content.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    collect(folder, folder, &mut all);
    all
}

fn collect(root: &Path, folder: &Path, all: &mut BTreeMap<PathBuf, String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, all);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            all.insert(path.strip_prefix(root).unwrap().to_path_buf(), sha256(&bytes));
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// One repository of a folder store: an OCI image layout.
pub struct Layout(pub PathBuf);

/// An image that a tag of it points at.
pub struct Image {
    pub digest: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// Path to content, whiteouts applied; folders are left out.
    pub files: BTreeMap<String, String>,
}

impl Layout {
    /// Tags with the digests that they point at.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let index: Value =
            serde_json::from_slice(&std::fs::read(self.0.join("index.json")).unwrap()).unwrap();
        let manifests = index["manifests"].as_array().unwrap().iter();
        let name = "org.opencontainers.image.ref.name";
        manifests
            .filter_map(|m| {
                Some((
                    m["annotations"][name].as_str()?.into(),
                    m["digest"].as_str()?.into(),
                ))
            })
            .collect()
    }

    fn blob(&self, digest: &str) -> Vec<u8> {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let bytes = std::fs::read(self.0.join("blobs/sha256").join(hex)).unwrap();
        assert_eq!(sha256(&bytes), hex, "a blob is not what its name says");
        bytes
    }

    pub fn image(&self, tag: &str) -> Image {
        let digest = self.tags()[tag].clone();
        let manifest: Value = serde_json::from_slice(&self.blob(&digest)).unwrap();
        let config: Value = serde_json::from_slice(&self.blob(text(&manifest["config"]["digest"]))).unwrap();
        let mut files = BTreeMap::new();
        for layer in manifest["layers"].as_array().unwrap() {
            self.apply(text(&layer["digest"]), &mut files);
        }
        Image {
            digest,
            labels: texts(&config["config"]["Labels"]),
            annotations: texts(&manifest["annotations"]),
            files,
        }
    }

    fn apply(&self, layer: &str, files: &mut BTreeMap<String, String>) {
        let compressed = self.blob(layer);
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&compressed[..]));
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            assert!(!path.contains(".wh."), "no image of these tests removes anything");
            if entry.header().entry_type().is_file() {
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                files.insert(path, content);
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    let map = map.as_object().into_iter().flatten();
    map.map(|(k, v)| (k.clone(), text(v).to_owned())).collect()
}
