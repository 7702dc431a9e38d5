//! `kustomize`: what `kubectl kustomize` prints, from disk.

use crate::args::KustomizeArgs;
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::Failure;
use ringshift::helm::Program;
use ringshift::kustomize::{self, Helm, Options};
use ringshift::model::RepoPath;
use ringshift::tree::disk::DiskTree;
use ringshift::wire;
use serde_json::{Value, json};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Builds and prints. Bases may lie anywhere in the repository around the folder, or anywhere at
/// all where there is none.
pub fn run(settings: &Settings, ui: &Ui, args: &KustomizeArgs) -> Result<u8, Failure> {
    let folder = &args.folder;
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
    let helm = Program::new(settings.variables.iter());
    let helm = args.enable_helm.then_some(&helm as &dyn Helm);
    let failed = |error: kustomize::Error| request(error.to_string(), error.hint.clone());
    let built = kustomize::objects(&tree, &path, Options::default(), helm).map_err(failed)?;
    match ui.json {
        true => {
            let objects = built.objects().map_err(failed)?;
            let objects: Vec<Value> = objects.into_iter().map(|object| object.value).collect();
            ui.print(&wire::line("kustomize", &json!({ "objects": objects })));
        }
        false => ui.print_raw(built.text().map_err(failed)?.as_bytes()),
    }
    Ok(0)
}

fn request(message: String, hint: Option<String>) -> Failure {
    Failure::Request { message, hint }
}
