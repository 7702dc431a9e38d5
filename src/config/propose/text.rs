//! The proposal as a file.

use super::{Draft, Named};
use crate::model::{ProjectName, RepoPath};
use std::collections::BTreeMap;

/// The text of rings.yaml.
pub fn write(project: &ProjectName, vendor: Option<&str>, drafts: &[Draft]) -> String {
    let vendor = vendor.map(|vendor| format!("vendor: {}\n", scalar(vendor)));
    let mut out = format!(
        "# The rings of {project}: `ringshift check` tells what is wrong here, `ringshift plan` what would be built.\n\
         project: {}\n\
         # registry: registry.example.com   # without one, images are kept in a folder in git's common directory\n\
         {}\n\
         # From the first who get a release to the last.\n\
         rings: [developers, testers, users]\n\
         \n\
         images:\n",
        scalar(project.as_str()),
        vendor.unwrap_or_default()
    );
    for draft in drafts {
        out.push_str(&image(draft));
    }
    out.push_str(
        "\n# A site gets what its ring holds, with the kustomization in environments/ENVIRONMENT.\n\
         # sites:\n\
         #   example: {environment: prod, ring: users}\n",
    );
    out
}

fn image(draft: &Draft) -> String {
    let fields = fields(draft);
    let name = scalar(draft.name.as_str());
    match fields.as_slice() {
        [(_, context)] => format!("  {name}: {context}\n"),
        _ => {
            let lines: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("    {key}: {value}\n"))
                .collect();
            format!("  {name}:\n{}", lines.concat())
        }
    }
}

fn fields(draft: &Draft) -> Vec<(&'static str, String)> {
    let mut fields = vec![("context", path(&draft.context))];
    if !draft.default {
        fields.push(("file", path(&draft.path)));
    }
    if let Some(target) = &draft.target {
        fields.push(("target", scalar(target)));
    }
    if !draft.args.is_empty() {
        fields.push(("args", map(&draft.args, |value| scalar(value))));
    }
    if !draft.contexts.is_empty() {
        fields.push(("contexts", map(&draft.contexts, named)));
    }
    if !draft.aliases.is_empty() {
        let aliases: Vec<String> = draft.aliases.iter().map(|alias| scalar(alias)).collect();
        fields.push(("aliases", format!("[{}]", aliases.join(", "))));
    }
    if draft.root {
        fields.push(("root", "true".into()));
    }
    fields
}

fn map<V>(entries: &BTreeMap<String, V>, write: impl Fn(&V) -> String) -> String {
    let entry = |(key, value): (&String, &V)| format!("{}: {}", scalar(key), write(value));
    let entries: Vec<String> = entries.iter().map(entry).collect();
    format!("{{{}}}", entries.join(", "))
}

fn named(context: &Named) -> String {
    match context {
        Named::Folder(folder) => path(folder),
        Named::External(reference) => scalar(reference),
        Named::Other(image) => format!("{{image: {}}}", scalar(image)),
    }
}

fn path(path: &RepoPath) -> String {
    match path.is_root() {
        true => ".".into(),
        false => scalar(&String::from_utf8_lossy(path.as_bytes())),
    }
}

/// A text that YAML reads as this text: plain where nothing can be mistaken, otherwise in quotes.
fn scalar(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let word = matches!(
        text.to_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    match begins && !word && text.chars().all(harmless) {
        true => text.into(),
        // JSON's quotes are YAML's.
        false => escaped(&serde_json::Value::from(text).to_string()),
    }
}

/// What JSON lets stand and YAML does not, or takes for the end of a line, as escapes.
fn escaped(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => out.extend(escape(c)),
            c if c.is_control() => out.extend(escape(c)),
            c => out.push(c),
        }
    }
    out
}

fn escape(c: char) -> impl Iterator<Item = char> {
    format!("\\u{:04x}", u32::from(c))
        .into_bytes()
        .into_iter()
        .map(char::from)
}
