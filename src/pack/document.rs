//! The pack as bytes: canonical JSON, so that equal packs have equal digests.
//!
//! `{"format": "ringshift-pack/1", "environments": {NAME: FOLDER}, "names": {NAME: IMAGE}, "files": {PATH: FILE}}`,
//! keys in byte order, no blanks; `names` is absent when there are none, and so is `charts`, `{KEY: MANIFESTS}`, behind `files`. A FILE is `{"mode": "100644", "text": "…"}`
//! when its bytes are UTF-8, else `{"mode": "100644", "base64": "…"}`; modes are git's.

use super::{FORMAT, Mode, Pack, PackError, Packed};
use crate::model::{EnvironmentName, ImageName, RepoPath};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The media type of a pack.
pub const MEDIA_TYPE: &str = "application/vnd.ringshift.environments.v1+json";

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    #[serde(default)]
    environments: BTreeMap<EnvironmentName, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    names: BTreeMap<String, ImageName>,
    #[serde(default)]
    files: BTreeMap<String, File>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    charts: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Pack {
    /// The document.
    pub fn write(&self) -> Vec<u8> {
        let file = |(path, file): (&RepoPath, &Packed)| {
            let text = std::str::from_utf8(&file.bytes).ok().map(str::to_owned);
            let base64 = text.is_none().then(|| BASE64.encode(&file.bytes));
            let mode = file.mode.as_git().to_owned();
            (plain(path), File { mode, text, base64 })
        };
        let document = Document {
            format: FORMAT.into(),
            environments: self
                .environments
                .iter()
                .map(|(name, folder)| (name.clone(), plain(folder)))
                .collect(),
            names: self.names.clone(),
            files: self.files.iter().map(file).collect(),
            charts: self.charts.clone(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`PackError::Newer`] and [`PackError::Damaged`].
    pub fn read(bytes: &[u8]) -> Result<Self, PackError> {
        let damaged = |what: String| PackError::Damaged(what);
        let document: Document = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if document.format != FORMAT {
            return Err(PackError::Newer(document.format));
        }
        let path = |text: &str| {
            let path = RepoPath::relative(text).filter(|path| plain(path) == text);
            path.ok_or_else(|| damaged(format!("`{text}` is no path of a repository")))
        };
        let mut pack = Self {
            names: document.names,
            charts: document.charts,
            ..Self::default()
        };
        for (name, folder) in document.environments {
            pack.environments.insert(name, path(&folder)?);
        }
        for (name, file) in document.files {
            let mode = [Mode::File, Mode::Executable, Mode::Link]
                .into_iter()
                .find(|mode| mode.as_git() == file.mode)
                .ok_or_else(|| damaged(format!("`{name}` has the mode `{}`", file.mode)))?;
            let bytes = match (file.text, file.base64) {
                (Some(text), None) => text.into_bytes(),
                (None, Some(text)) => BASE64
                    .decode(text)
                    .map_err(|_| damaged(format!("`{name}` has a content that is no base64")))?,
                _ => return Err(damaged(format!("`{name}` has no content"))),
            };
            pack.files.insert(path(&name)?, Packed { mode, bytes });
        }
        Ok(pack)
    }
}

/// The path as it is: [`Pack::gather`] refuses what is not UTF-8.
fn plain(path: &RepoPath) -> String {
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}
