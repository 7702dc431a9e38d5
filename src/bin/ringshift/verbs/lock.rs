#![expect(clippy::disallowed_methods, reason = "edge: writes rings.lock")]
//! `lock` and `outdated`: what outside images are, kept in rings.lock (containerfile 1.1).

use crate::args::LockArgs;
use crate::open::{self, Caches};
use crate::settings::{Settings, no_config};
use crate::ui::{Ui, count, table};
use ringshift::config::{Lock, lock::FILE};
use ringshift::engine::Failure;
use ringshift::engine::lock::{self, Change, Now, Update};
use ringshift::engine::project::Locks;
use ringshift::model::near::nearest;
use ringshift::model::{Digest, Reference};
use ringshift::registry::remote::Registries;
use ringshift::wire;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Writes rings.lock of the working copy, or checks it.
pub fn run(settings: &Settings, ui: &Ui, request: &LockArgs) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let origin = open::working(settings, &caches)?;
    let everything = request.update.as_ref().is_some_and(Vec::is_empty);
    let (old, there) = match Locks::read(&*origin.tree, &origin.config) {
        Ok(locks) => (locks.lock().clone(), locks.lock().source.is_some()),
        // It is written anew: nothing of it matters.
        Err(Failure::Project(_)) if everything => (Lock::nothing(), true),
        Err(failure) => return Err(failure),
    };
    if request.check {
        let changes = lock::check(&origin, &old)?;
        caches.save();
        tell(ui, &changes, &old, false);
        return Ok(if changes.is_empty() { 0 } else { 3 });
    }
    let update = update(request.update.as_deref(), &old)?;
    let new = lock::make(&origin, &old, &update, &Registries::new(&settings.variables))?;
    caches.save();
    let text = new.to_text();
    let changed = old.source.as_ref().map(|source| source.text()) != Some(text.as_str());
    let written = changed && !request.dry_run && (there || !new.images.is_empty());
    if written {
        write(&path(settings)?, &text)?;
    }
    tell(ui, &lock::changes(&old, &new), &new, written);
    Ok(0)
}

/// Tells what moved since it was locked.
pub fn outdated(settings: &Settings, ui: &Ui, check: bool) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let origin = open::working(settings, &caches)?;
    let locks = Locks::read(&*origin.tree, &origin.config)?;
    if locks.lock().source.is_none() {
        ui.note(&format!("there is no {FILE}; `ringshift lock` makes one"));
    }
    let all = lock::outdated(locks.lock(), &Registries::new(&settings.variables))?;
    let moved: Vec<&Now> = all.iter().filter(|now| now.now != Some(now.locked)).collect();
    match ui.json {
        true => ui.print(&wire::line(
            "outdated",
            &json!({"images": all.iter().map(now_shape).collect::<Vec<_>>()}),
        )),
        false => ui.print(&moved_text(&moved, all.len())),
    }
    Ok(if check && !moved.is_empty() { 3 } else { 0 })
}

fn update(asked: Option<&[String]>, old: &Lock) -> Result<Update, Failure> {
    let Some(asked) = asked else {
        return Ok(Update::Nothing);
    };
    let mut some = BTreeSet::new();
    for text in asked {
        let reference: Reference = text.parse().map_err(|_| {
            Failure::request(
                format!("`{text}` is not an image reference"),
                "such as alpine:3.20",
            )
        })?;
        if !old.images.contains_key(&reference) {
            let known: Vec<String> = old.images.keys().map(ToString::to_string).collect();
            let hint = match nearest(&reference.to_string(), known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    "`ringshift lock` adds what container files name; --update takes what is locked".into()
                }
            };
            return Err(Failure::request(format!("{reference} is not locked"), hint));
        }
        some.insert(reference);
    }
    Ok(if some.is_empty() {
        Update::All
    } else {
        Update::Some(some)
    })
}

/// Beside rings.yaml.
fn path(settings: &Settings) -> Result<PathBuf, Failure> {
    let config = settings.config.as_ref().ok_or_else(no_config)?;
    Ok(config.value.with_file_name(FILE))
}

/// Whoever reads it meanwhile has the old file or the new one.
fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    let io = |source| Failure::Io {
        action: format!("write {}", path.display()),
        source,
    };
    let beside = path.with_file_name(format!(".{FILE}.new"));
    std::fs::write(&beside, text).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)
}

fn tell(ui: &Ui, changes: &[Change], lock: &Lock, written: bool) {
    if ui.json {
        let changes: Vec<Value> = changes.iter().map(shape).collect();
        let body = json!({"written": written, "images": lock.images.len(), "changes": changes});
        ui.print(&wire::line("lock", &body));
        return;
    }
    let rows: Vec<Vec<table::Cell>> = changes
        .iter()
        .map(|change| vec![change.reference.to_string().into(), what(change).into()])
        .collect();
    if !rows.is_empty() {
        ui.print(&table::render(&rows, 0, table::terminal_width()));
    }
    let total = count(lock.images.len() as u64, "outside image", "outside images");
    ui.print(&match (changes.is_empty(), written) {
        (_, true) => format!("{FILE} written: {total}"),
        (true, false) => format!("{FILE} is as it must be: {total}"),
        (false, false) => format!("{FILE} is not written"),
    });
}

fn what(change: &Change) -> String {
    let platforms = || {
        let names: Vec<String> = change.platforms.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    match (&change.old, &change.new) {
        (None, Some(new)) => format!("locked     {}", short(new)),
        (None, None) => format!("not locked {}", platforms()),
        (Some(_), None) => "no container file names it any more".into(),
        (Some(old), Some(new)) if old != new => format!("moved      {} → {}", short(old), short(new)),
        (Some(new), Some(_)) if change.platforms.is_empty() => format!("mended     {}", short(new)),
        (Some(new), Some(_)) => format!("locked     {} for {}", short(new), platforms()),
    }
}

fn short(digest: &Digest) -> String {
    digest.to_string().chars().take("sha256:".len() + 12).collect()
}

fn shape(change: &Change) -> Value {
    let platforms: Vec<String> = change.platforms.iter().map(ToString::to_string).collect();
    json!({
        "reference": change.reference.to_string(),
        "old": change.old,
        "new": change.new,
        "platforms": platforms,
    })
}

fn now_shape(now: &Now) -> Value {
    json!({
        "reference": now.reference.to_string(),
        "locked": now.locked,
        "now": now.now,
        "moved": now.now != Some(now.locked),
    })
}

fn moved_text(moved: &[&Now], all: usize) -> String {
    let total = count(all as u64, "locked image", "locked images");
    if moved.is_empty() {
        return format!("nothing moved: {total}");
    }
    let row = |now: &&Now| -> Vec<table::Cell> {
        let is = now.now.as_ref().map_or_else(|| "gone".into(), short);
        vec![
            now.reference.to_string().into(),
            format!("{} → {is}", short(&now.locked)).into(),
        ]
    };
    let rows: Vec<Vec<table::Cell>> = moved.iter().map(row).collect();
    let mut out = table::render(&rows, 0, table::terminal_width());
    out.push_str(&format!(
        "\n\n{} of {total} moved; `ringshift lock --update [REF]` takes what they are now",
        moved.len()
    ));
    out
}
