//! What the environments read: the last records of the root image (D1).

use super::Records;
use crate::model::Digest;
use crate::model::path::escape;
use crate::pack::{Mode, Pack};

/// Adds a pack: its environments, its names of images, its files.
pub fn environments(pack: &Pack, out: &mut Records) {
    out.text(None, "environments", crate::pack::FORMAT);
    for (name, folder) in &pack.environments {
        out.list(None, "environment", &[name.as_str(), &folder.to_string()]);
    }
    for (name, image) in &pack.names {
        out.list(None, "alias", &[name, image.as_str()]);
    }
    for (path, file) in &pack.files {
        let (content, path) = (Digest::of(&file.bytes).hex(), escape(path.as_bytes()));
        match file.mode {
            Mode::File => out.push(None, "file", format!("644 {content} {path}")),
            Mode::Executable => out.push(None, "file", format!("755 {content} {path}")),
            Mode::Link => out.push(None, "text", format!("{content} {path}")),
        }
    }
}
