//! What is read of the contexts (containerfile 1, records 3 and 4).

use super::{Records, words};
use crate::containerfile::recipe::{Op, Recipe};
use crate::model::digest::push_hex;
use crate::model::path::{escape, push_escaped};
use crate::revision::manifest::{Manifest, Read, Root, Section};
use crate::tree::Kind;

/// Writes the entries of every section, in the order of the plan's `reads`.
pub(in crate::revision) fn reads(recipe: &Recipe, manifest: &Manifest, out: &mut Records) {
    for (number, section) in manifest.sections.iter().enumerate() {
        let modes = keeps_modes(recipe, section);
        out.push(Some(section.line), "read", number.to_string());
        for item in &section.roots {
            root(item, modes, Some(section.line), out);
        }
    }
}

/// Writes a context that enters whole.
pub(in crate::revision) fn whole_context(section: &Section, out: &mut Records) {
    if let Some(name) = &section.context {
        out.text(Some(section.line), "named", name);
    }
    for item in &section.roots {
        root(item, true, Some(section.line), out);
    }
}

/// An octal `--chmod` makes the modes of files irrelevant (rule 51).
fn keeps_modes(recipe: &Recipe, section: &Section) -> bool {
    let step = recipe
        .stages
        .get(section.stage)
        .and_then(|s| s.steps.get(section.step));
    let chmod = step.and_then(|step| match &step.op {
        Op::Transfer(transfer) => transfer.chmod.as_deref(),
        _ => None,
    });
    chmod.and_then(words::octal).is_none()
}

fn root(root: &Root, modes: bool, line: Option<u32>, out: &mut Records) {
    match root.kind {
        Kind::Directory => out.push(line, "folder", String::new()),
        _ => out.push(line, "as", escape(&root.name)),
    }
    for read in &*root.entries {
        entry(read, modes, line, out);
    }
}

fn entry(read: &Read, modes: bool, line: Option<u32>, out: &mut Records) {
    let target = read.target.as_bytes();
    let mut payload = String::with_capacity(target.len() + 72);
    let kind = match read.kind {
        Kind::Directory => "bare",
        Kind::Link => "text",
        Kind::File { executable } => {
            payload.push_str(if executable && modes { "755 " } else { "644 " });
            "file"
        }
        // Never in a manifest.
        Kind::Submodule | Kind::Special => "special",
    };
    if kind != "bare" {
        push_hex(&mut payload, read.content.as_bytes());
        payload.push(' ');
    }
    push_escaped(&mut payload, target);
    out.push(line, kind, payload);
}
