//! `kustomize`: what `kubectl kustomize` prints, from disk.

use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::Failure;
use ringshift::kustomize::{self, Options};
use ringshift::model::RepoPath;
use ringshift::tree::disk::DiskTree;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Builds and prints. Bases may lie anywhere in the repository around the folder, or anywhere at
/// all where there is none.
pub fn run(settings: &Settings, ui: &Ui, folder: &Path) -> Result<u8, Failure> {
    let wanted = settings.directory.join(folder);
    let absolute = wanted.canonicalize().map_err(|error| {
        Failure::request(
            format!("{}: {error}", folder.display()),
            "name a folder with a kustomization.yaml",
        )
    })?;
    let root = absolute
        .ancestors()
        .find(|above| above.join(".git").exists())
        .unwrap_or_else(|| Path::new("/"));
    let below = absolute.strip_prefix(root).unwrap_or(&absolute);
    let tree =
        DiskTree::open(root).map_err(|error| request(error.to_string(), error.hint().map(str::to_owned)))?;
    let path = RepoPath::clean(below.as_os_str().as_bytes());
    let text = kustomize::build(&tree, &path, Options::default())
        .map_err(|error| request(error.to_string(), error.hint.clone()))?;
    ui.print_raw(text.as_bytes());
    Ok(0)
}

fn request(message: String, hint: Option<String>) -> Failure {
    Failure::Request { message, hint }
}
