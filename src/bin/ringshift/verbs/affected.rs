//! `affected`.

use crate::args::SourceArgs;
use crate::open::{self, Caches, Uncommitted};
use crate::settings::Settings;
use crate::ui::{Ui, count};
use ringshift::engine::Failure;
use ringshift::engine::affected::{self, ByPath};
use ringshift::model::{ImageName, RepoPath};
use ringshift::wire;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Tells which images some paths, or what changed since a commit, concern.
pub fn run(
    settings: &Settings,
    ui: &Ui,
    paths: &[PathBuf],
    since: Option<&str>,
    source: &SourceArgs,
) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let opened = open::loaded(settings, &caches, source, Uncommitted::Use)?;
    let mut indirect = Vec::new();
    let found = match since {
        None => {
            let paths = paths.iter().map(|path| in_repository(settings, path));
            let paths = paths.collect::<Result<Vec<_>, _>>()?;
            indirect = affected::indirect(&opened.project, &paths)?;
            affected::by_paths(&opened.project, &paths)?
        }
        Some(text) => {
            let commit = settings.git()?.resolve_commit(text)?;
            let old = open::at_commit(settings, &caches)?(&commit)?;
            affected::since(&old, &opened.project)?
        }
    };
    caches.save();
    for path in &indirect {
        ui.note(&format!(
            "{path} says what images are made of: once it is changed, `ringshift affected --since HEAD` tells which are rebuilt"
        ));
    }
    match ui.json {
        true => ui.print(&wire::line("affected", &shape(&found, &indirect))),
        false => ui.print(&text(&found, since)),
    }
    Ok(0)
}

/// A path as the command line names it, from the root of the repository.
fn in_repository(settings: &Settings, path: &std::path::Path) -> Result<RepoPath, Failure> {
    let outside = || {
        Failure::request(
            format!("{} lies outside the repository", path.display()),
            "name paths of the repository, relative to the working directory",
        )
    };
    let root = settings.git()?.workdir();
    let Some(root) = root.map(|root| std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf()))
    else {
        return RepoPath::relative(path.as_os_str().as_bytes()).ok_or_else(outside);
    };
    let here = std::fs::canonicalize(&settings.directory).unwrap_or_else(|_| settings.directory.clone());
    let absolute = RepoPath::clean(here.as_os_str().as_bytes()).resolve(path.as_os_str().as_bytes());
    let root = RepoPath::clean(root.as_os_str().as_bytes());
    absolute.strip_prefix(&root).ok_or_else(outside)
}

fn shape(found: &ByPath, indirect: &[RepoPath]) -> Value {
    let paths: Map<String, Value> = found
        .iter()
        .map(|(path, affected)| {
            let value = json!({"direct": affected.direct, "rebuilt": affected.rebuilt});
            (path.clone(), value)
        })
        .collect();
    match indirect {
        [] => json!({ "paths": paths }),
        some => {
            let indirect: Vec<String> = some.iter().map(ToString::to_string).collect();
            json!({ "paths": paths, "indirect": indirect })
        }
    }
}

fn text(found: &ByPath, since: Option<&str>) -> String {
    let names = |images: &BTreeSet<ImageName>| {
        let names: Vec<&str> = images.iter().map(ImageName::as_str).collect();
        names.join(", ")
    };
    let mut out = String::new();
    for (path, affected) in found {
        out.push_str(path);
        if affected.direct.is_empty() {
            out.push_str("\n  no image reads it\n");
            continue;
        }
        out.push_str(&format!("\n  read by  {}\n", names(&affected.direct)));
        let more: BTreeSet<ImageName> = affected.rebuilt.difference(&affected.direct).cloned().collect();
        if !more.is_empty() {
            out.push_str(&format!("  with it  {}\n", names(&more)));
        }
    }
    let rebuilt: BTreeSet<&ImageName> = found.values().flat_map(|affected| &affected.rebuilt).collect();
    match (since, rebuilt.len()) {
        (Some(commit), 0) => out.push_str(&format!("nothing that an image reads changed since {commit}")),
        (_, 0) => out.push_str("\nnothing is rebuilt"),
        (_, n) => out.push_str(&format!("\n{} rebuilt", count(n as u64, "image", "images"))),
    }
    out
}
