#![expect(clippy::disallowed_methods, reason = "edge: the folder of manifests")]
//! `render`.

use super::named;
use crate::args::RenderArgs;
use crate::open;
use crate::settings::Settings;
use crate::ui::{Ui, count};
use ringshift::engine::Failure;
use ringshift::engine::rendering::Delivery;
use ringshift::model::{SiteName, near};
use ringshift::render::files::{self, HEADER};
use ringshift::render::findings::Finding;
use ringshift::render::{Rendered, text};
use ringshift::wire;
use ringshift::wire::rendering::RenderShape;
use std::collections::BTreeMap;
use std::path::Path;

/// Renders, and prints, writes or compares.
pub fn run(settings: &Settings, ui: &Ui, args: &RenderArgs) -> Result<u8, Failure> {
    let silent = silent(settings, &args.silence)?;
    let (store, empty) = open::store_alone(settings)?;
    let state = store.journal.head()?.map_or(empty, |head| head.entry.state);
    let ring = args.ring.as_deref().map(named::ring).transpose()?;
    let release = args.release.as_deref();
    let release = release
        .map(|text| named::release(&store, &state, text))
        .transpose()?;
    let delivery = Delivery::of(&state, &site(&args.site)?, ring, release)?;
    let mut rendered = delivery.render(&store, true)?;
    rendered
        .findings
        .retain(|found| !silent.iter().any(|code| code == found.code));
    if ui.json && args.check.is_none() {
        if let Some(folder) = &args.output {
            write(&settings.directory.join(folder), &rendered)?;
        }
        ui.print(&wire::line("render", &RenderShape::new(&delivery, &rendered)));
        return Ok(0);
    }
    rendered.findings.iter().for_each(|found| warn(ui, found));
    if let Some(folder) = &args.check {
        return compare(ui, &settings.directory.join(folder), folder, &rendered);
    }
    match &args.output {
        None => ui.print_raw(text(&rendered.objects).as_bytes()),
        Some(folder) => {
            let (written, removed) = write(&settings.directory.join(folder), &rendered)?;
            let removed = match removed {
                0 => String::new(),
                n => format!(", {n} removed"),
            };
            let version = &delivery.release.version;
            let files = count(written as u64, "file", "files");
            ui.say(
                "Rendered",
                &format!(
                    "{} {version} to {}: {files}{removed}",
                    args.site,
                    folder.display()
                ),
            );
        }
    }
    Ok(0)
}

/// The name of a site.
pub fn site(text: &str) -> Result<SiteName, Failure> {
    SiteName::new(text).map_err(|error| Failure::request(error.to_string(), error.hint()))
}

/// The codes that are not told: those of the flags, and of the rings.yaml at hand.
fn silent(settings: &Settings, flags: &[String]) -> Result<Vec<String>, Failure> {
    let known = ringshift::config::environments::CODES;
    if let Some(code) = flags.iter().find(|code| !known.contains(&code.as_str())) {
        return Err(Failure::request(
            format!("there is no warning `{code}` about manifests"),
            near::hint(code, "warnings", known.into_iter()),
        ));
    }
    let mut silent = flags.to_vec();
    if settings.config.is_some()
        && let Ok(project) = open::project(settings)
    {
        silent.extend(project.silence);
    }
    Ok(silent)
}

fn warn(ui: &Ui, found: &Finding) {
    let place = match &*found.file {
        "" => String::new(),
        file => format!("{file}:{}: ", found.line),
    };
    ui.warn(&format!("{place}{} [{}]", found.message, found.code));
}

/// Writes a file for each object, and removes those of an earlier run whose objects are gone.
fn write(folder: &Path, rendered: &Rendered) -> Result<(usize, usize), Failure> {
    let wanted = files::files(&rendered.objects);
    let failed = |action: String| move |source| Failure::Io { action, source };
    std::fs::create_dir_all(folder).map_err(failed(format!("make {}", folder.display())))?;
    let there = ours(folder)?;
    for (name, text) in &wanted {
        let path = folder.join(name);
        if there.get(name) != Some(text) {
            std::fs::write(&path, text).map_err(failed(format!("write {}", path.display())))?;
        }
    }
    let gone: Vec<&String> = there.keys().filter(|name| !wanted.contains_key(*name)).collect();
    for name in &gone {
        let path = folder.join(name);
        std::fs::remove_file(&path).map_err(failed(format!("remove {}", path.display())))?;
    }
    Ok((wanted.len(), gone.len()))
}

/// The files in a folder that `render` wrote.
fn ours(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let failed = |source| Failure::Io {
        action: format!("read {}", folder.display()),
        source,
    };
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_file = entry.file_type().map_err(failed)?.is_file();
        if is_file && name.ends_with(".yaml") {
            let bytes = std::fs::read(entry.path()).map_err(failed)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if text.starts_with(HEADER) {
                found.insert(name, text);
            }
        }
    }
    Ok(found)
}

fn compare(ui: &Ui, folder: &Path, shown: &Path, rendered: &Rendered) -> Result<u8, Failure> {
    if !folder.is_dir() {
        return Err(Failure::request(
            format!("{} is no folder", shown.display()),
            format!("write it: -o {}", shown.display()),
        ));
    }
    let diff = files::diff(&ours(folder)?, &files::files(&rendered.objects));
    if ui.json {
        let body = serde_json::json!({"same": diff.is_empty(), "diff": diff});
        ui.print(&wire::line("render-check", &body));
    } else if !diff.is_empty() {
        ui.print(&diff);
    }
    Ok(if diff.is_empty() { 0 } else { 3 })
}
