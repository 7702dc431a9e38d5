//! `export`.

use super::named;
use crate::open;
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::export::{self, Form};
use ringshift::engine::{Failure, Store};
use ringshift::model::{Digest, ImageName, Version};
use ringshift::plan::Refusal;
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
        let found = found.ok_or_else(|| absent(store, state, &image, &version))?;
        return Ok((image, version, found.digest));
    }
    let image = ImageName::new(text).ok();
    if let Some(image) = image.filter(|image| state.numbers.contains_key(image)) {
        return Err(Failure::request(
            format!("{image} is an image, and has many versions"),
            format!("ringshift export {image}@VERSION …; `ringshift status --images` shows the versions"),
        ));
    }
    let release = named::release(store, state, text)?;
    Ok((store.root.clone(), release.version, release.digest))
}

/// The image is none of the project, or has no such version.
fn absent(store: &Store, state: &State, image: &ImageName, version: &Version) -> Failure {
    let known = state.numbers.contains_key(image) || *image == store.root;
    match known || state.numbers.is_empty() {
        true => Failure::request(
            format!("{image} {version} is not in the store"),
            "`ringshift status --images` shows the versions",
        ),
        false => Refusal::no_such_image(image, state.numbers.keys()).into(),
    }
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
