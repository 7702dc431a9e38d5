//! What differs from a version of an image: its files, and the instructions of its container file as a diff.

use super::super::named;
use crate::open::{self, Caches};
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::engine::difference;
use ringshift::engine::project::{Image, Loaded};
use ringshift::engine::{Failure, Store};
use ringshift::model::{ImageName, RepoPath, Version};
use ringshift::plan::known;
use ringshift::revision;
use ringshift::state::State;
use ringshift::wire;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What differs from a version of the image: that one is read again from the commit of its record.
pub fn compare(
    settings: &Settings,
    ui: &Ui,
    caches: &Caches,
    project: &Loaded,
    name: &ImageName,
    image: &Image,
    text: &str,
) -> Result<u8, Failure> {
    let wanted = named::version(text.strip_prefix(&format!("{name}@")).unwrap_or(text))?.version;
    let store = open::store(settings, &project.project)?;
    let state = store
        .journal
        .head()?
        .map_or_else(State::default, |head| head.entry.state);
    let commit = commit_of(&store, &state, name, &wanted)?;
    let there = open::at_commit(settings, caches)?(&commit)?;
    let old = there.image(name)?;
    let files = difference::between(&there, project, name)?;
    let words = revision::diff(&old.records, &image.records);
    let words: Vec<&revision::Change> = words.iter().filter(|change| !change.file).collect();
    if ui.json {
        let changed: Vec<Value> = files
            .iter()
            .map(|c| json!({"path": c.path, "change": c.how.as_str(), "lines": c.lines}))
            .collect();
        let value = |said: &Option<revision::Said>| said.as_ref().map(|said| said.value.clone());
        let records: Vec<Value> = words
            .iter()
            .map(|c| {
                let (old, new) = (value(&c.old), value(&c.new));
                json!({"line": c.line(), "kind": c.what, "change": c.how().as_str(), "old": old, "new": new})
            })
            .collect();
        let body = json!({
            "image": name, "against": wanted, "old": old.revision, "new": image.revision,
            "changed": changed, "records": records,
        });
        ui.print(&wire::line("explain-against", &body));
        return Ok(0);
    }
    if old.revision == image.revision {
        ui.print(&format!(
            "{name} {wanted} has the same revision, {}",
            old.revision
        ));
        return Ok(0);
    }
    let mut out = format!(
        "{name} {wanted} ({}) → {}\n",
        old.revision.short(),
        image.revision.short()
    );
    for changed in &files {
        out.push_str(&format!("\n{} {}", changed.path, changed.how));
        if !changed.lines.is_empty() {
            out.push_str(&instructions(&there, project, &old, image, &words));
        }
    }
    // Where no text differs, what it comes to does.
    if files.iter().all(|changed| changed.lines.is_empty()) {
        for change in &words {
            out.push_str(&format!("\n{}", meaning(&image.file, change)));
        }
    }
    ui.print(&out);
    Ok(0)
}

/// The instructions of the container file that differ, as a diff; where an instruction reads the same, what it comes to.
fn instructions(
    there: &Loaded,
    here: &Loaded,
    old: &Image,
    new: &Image,
    words: &[&revision::Change],
) -> String {
    let read = |project: &Loaded, image: &Image| {
        let bytes = project.container_file(&image.file).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines()
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let (before, after) = (read(there, old), read(here, new));
    let at = |lines: &[String], line: u32| lines.get(line as usize - 1).cloned().unwrap_or_default();
    let (mut gone, mut come, mut same) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for change in words {
        let side = |said: &Option<revision::Said>, lines: &[String]| {
            let line = said.as_ref().and_then(|said| said.line)?;
            Some((line, at(lines, line)))
        };
        match (side(&change.old, &before), side(&change.new, &after)) {
            (Some((_, was)), Some((_, is))) if was == is => same.push(meaning(&new.file, change)),
            (None, None) => same.push(meaning(&new.file, change)),
            (was, is) => {
                gone.extend(was);
                come.extend(is);
            }
        }
    }
    // What became of an instruction of which only a part differs.
    for (was, is) in revision::same_lines(&old.records, &new.records) {
        let texts = (at(&before, was), at(&after, is));
        if texts.0 != texts.1 && (gone.contains_key(&was) || come.contains_key(&is)) {
            gone.insert(was, texts.0);
            come.insert(is, texts.1);
        }
    }
    let mut out = String::new();
    for (sign, lines) in [('-', gone), ('+', come)] {
        for (line, text) in lines {
            out.push_str(&format!("\n  {sign} {line:>3}  {text}"));
        }
    }
    for text in same {
        out.push_str(&format!("\n  {text}"));
    }
    out
}

/// One record that differs, in words.
fn meaning(file: &RepoPath, change: &revision::Change) -> String {
    let value = |said: &Option<revision::Said>| match said {
        Some(said) if said.value.is_empty() => "yes".to_owned(),
        Some(said) => said.value.clone(),
        None => "nothing".to_owned(),
    };
    let place = match change.line() {
        Some(line) => format!("{file}:{line}: "),
        None => String::new(),
    };
    format!(
        "{place}{} was {}, is {}",
        change.what,
        value(&change.old),
        value(&change.new)
    )
}

fn commit_of(
    store: &Store,
    state: &State,
    name: &ImageName,
    version: &Version,
) -> Result<ringshift::model::CommitId, Failure> {
    let mut releases = known::releases(state);
    releases.reverse();
    for release in releases {
        let record = store.journal.record(&release.record)?;
        if let Some(image) = record.images.get(name).filter(|image| image.version == *version) {
            return image.commit.clone().ok_or_else(|| {
                Failure::request(
                    format!("{name} {version} was built from a working copy"),
                    "its sources were never committed, so there is nothing to compare with",
                )
            });
        }
    }
    Err(Failure::request(
        format!("no release that is known has {name} {version}"),
        "`ringshift status --images` shows the versions",
    ))
}
