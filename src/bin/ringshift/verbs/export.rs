//! `export`.

use super::named;
use crate::open;
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::export::{self, Form};
use ringshift::engine::{Failure, Store};
use ringshift::model::{Digest, ImageName, Version};
use ringshift::state::State;
use ringshift::wire;
use serde_json::json;
use std::path::PathBuf;

/// Takes one image out.
pub fn run(settings: &Settings, ui: &Ui, text: &str, to: &str) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let state = store.journal.head()?.map_or(empty, |head| head.entry.state);
    let (image, version, digest) = find(&store, &state, text)?;
    let form = form(settings, to, &version)?;
    export::export(&store, &image, &version, &digest, &form)?;
    match ui.json {
        true => {
            let body = json!({"image": image, "version": version, "digest": digest, "to": to});
            ui.print(&wire::line("export", &body));
        }
        false => ui.say("Exported", &format!("{image} {version} to {to}")),
    }
    Ok(0)
}

fn find(store: &Store, state: &State, text: &str) -> Result<(ImageName, Version, Digest), Failure> {
    if let Some((image, version)) = text.split_once('@') {
        let image = ImageName::new(image).map_err(|e| Failure::request(e.to_string(), e.hint()))?;
        let version = named::root_version(version)?;
        let found = store
            .registry
            .resolve(&store.repository(&image), &version.to_string())?;
        let found = found.ok_or_else(|| {
            Failure::request(
                format!("{image} {version} is not in the store"),
                "`ringshift status --images` shows the versions",
            )
        })?;
        return Ok((image, version, found.digest));
    }
    let release = named::release(store, state, text)?;
    Ok((store.root.clone(), release.version, release.digest))
}

fn form(settings: &Settings, to: &str, version: &Version) -> Result<Form, Failure> {
    let place = |path: &str| -> PathBuf { settings.directory.join(path) };
    if let Some(rest) = to.strip_prefix("oci:") {
        let (folder, tag) = match rest.rsplit_once(':') {
            Some((folder, tag)) if !tag.contains('/') && !tag.is_empty() => (folder, tag.to_owned()),
            _ => (rest, version.to_string()),
        };
        if !folder.is_empty() {
            return Ok(Form::Layout {
                folder: place(folder),
                tag,
            });
        }
    }
    if let Some(file) = to.strip_prefix("docker-archive:")
        && !file.is_empty()
    {
        return Ok(Form::DockerArchive { file: place(file) });
    }
    Err(Failure::request(
        format!("`{to}` names no place to export to"),
        "oci:FOLDER[:TAG] or docker-archive:FILE",
    ))
}
