//! Two releases side by side, as people read them.

use super::table::{Cell, render, terminal_width};
use ringshift::model::{ImageName, SiteName};
use ringshift::render::difference::{Differing, Field, How};
use ringshift::state::{ReleaseRecord, ReleaseRef};
use serde_json::Value;
use std::collections::BTreeSet;

/// The longest value that is shown in full.
const LONGEST: usize = 60;

/// A line for each image, then what a site is sent of it.
pub fn releases(
    releases: [&ReleaseRef; 2],
    records: [&ReleaseRecord; 2],
    site: Option<(&SiteName, &[Differing])>,
) -> String {
    let [old, new] = records;
    let names: BTreeSet<&ImageName> = old.images.keys().chain(new.images.keys()).collect();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for name in names {
        let (versions, digests) = match (old.images.get(name), new.images.get(name)) {
            (Some(old), Some(new)) if old.digest == new.digest => {
                (format!("{} = {}", old.version, new.version), String::new())
            }
            (Some(old), Some(new)) => (
                format!("{} → {}", old.version, new.version),
                format!("{} → {}", old.digest.short(), new.digest.short()),
            ),
            (None, Some(new)) => (format!("new {}", new.version), new.digest.short()),
            (Some(old), None) => (format!("gone, was {}", old.version), old.digest.short()),
            (None, None) => continue,
        };
        rows.push(vec![name.as_str().into(), versions.into(), digests.into()]);
    }
    let mut out = format!("{} → {}\n\n", releases[0].version, releases[1].version);
    out.push_str(&render(&rows, 2, terminal_width()));
    if let Some((site, objects)) = site {
        out.push_str(&format!("\n\n{site}"));
        if objects.is_empty() {
            out.push_str(": the same objects");
        }
        for object in objects {
            out.push_str(&of_object(object));
        }
    }
    out
}

fn of_object(object: &Differing) -> String {
    let (word, fields) = match &object.how {
        How::Added => (" added", &[][..]),
        How::Removed => (" removed", &[][..]),
        How::Changed(fields) => ("", &fields[..]),
    };
    let mut out = format!("\n  {}/{}{word}", object.kind, object.name);
    for field in fields {
        out.push_str(&format!("\n    {}", of_field(field)));
    }
    out
}

fn of_field(field: &Field) -> String {
    let value = |value: &Value| {
        let text = match value {
            Value::String(text) => text.escape_debug().to_string(),
            other => other.to_string(),
        };
        match text.char_indices().nth(LONGEST) {
            // What is pinned differs at its end.
            Some(_) if text.contains("@sha256:") => {
                let (name, digest) = text.split_once("@sha256:").unwrap_or((&text, ""));
                format!("{name}@{}", digest.get(..12).unwrap_or(digest))
            }
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    };
    match (&field.old, &field.new) {
        (Some(old), Some(new)) => format!("{}: {} → {}", field.path, value(old), value(new)),
        (None, Some(new)) => format!("{}: new {}", field.path, value(new)),
        (Some(old), None) => format!("{}: gone, was {}", field.path, value(old)),
        (None, None) => field.path.clone(),
    }
}
