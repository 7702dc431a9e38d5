//! One file for each object: its name, and what differs from a folder.

use super::lines;
use crate::kustomize::Object;
use crate::model::Digest;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The first line of every file that is written, by which a later run knows its own.
pub const HEADER: &str = "# Written by `ringshift render`; changes are lost.\n";

/// The longest name of a file before its ending.
const LONGEST: usize = 200;

/// The files of objects by name, `[NAMESPACE_]KIND[.GROUP]_NAME.yaml`. Whatever is neither a lower-case letter, a digit,
/// `.` nor `-` is written as `%` and two hex digits; what gets too long is cut and ends in a part of its SHA-256.
pub fn files(objects: &[Object]) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for object in objects {
        match files.get_mut(&name(object)) {
            // Two versions of one object: whoever applies the file finds both.
            Some(text) => {
                text.push_str("---\n");
                text.push_str(&object.text());
            }
            None => {
                files.insert(name(object), format!("{HEADER}{}", object.text()));
            }
        }
    }
    files
}

fn name(object: &Object) -> String {
    let mut name = String::new();
    if !object.namespace().is_empty() {
        name.push_str(&safe(object.namespace()));
        name.push('_');
    }
    name.push_str(&safe(&object.kind().to_ascii_lowercase()));
    if !object.group().is_empty() {
        name.push('.');
        name.push_str(&safe(object.group()));
    }
    name.push('_');
    name.push_str(&safe(object.name()));
    if name.len() > LONGEST {
        let hash = Digest::of(name.as_bytes()).hex();
        name.truncate(LONGEST - 17);
        name.push('-');
        name.push_str(hash.get(..16).unwrap_or(&hash));
    }
    name + ".yaml"
}

fn safe(text: &str) -> String {
    let mut out = String::new();
    for (at, byte) in text.bytes().enumerate() {
        let plain = byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match plain || (byte == b'.' && at > 0) {
            true => out.push(char::from(byte)),
            false => {
                let _ = write!(out, "%{byte:02x}");
            }
        }
    }
    out
}

/// What turns the files that are there into those that are wanted, as a diff; nothing when they are the same.
pub fn diff(there: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let names: std::collections::BTreeSet<&String> = there.keys().chain(wanted.keys()).collect();
    for name in names {
        let (old, new) = (there.get(name), wanted.get(name));
        if old == new {
            continue;
        }
        let side = |file: Option<&String>, sign: &str| match file {
            Some(_) => format!("{sign} {name}\n"),
            None => format!("{sign} /dev/null\n"),
        };
        out.push_str(&side(old, "---"));
        out.push_str(&side(new, "+++"));
        let text = |file: Option<&String>| file.cloned().unwrap_or_default();
        out.push_str(&lines::unified(&text(old), &text(new)));
    }
    out
}
