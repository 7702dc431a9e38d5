//! RUN.

use super::{Records, words};
use crate::containerfile::recipe::{Command, Heredoc, Mount, MountKind, Run, Source};
use crate::model::RepoPath;

/// Writes the records of one RUN.
pub(super) fn write(run: &Run, line: Option<u32>, out: &mut Records) {
    match &run.command {
        Command::Shell(text) => out.text(line, "run", text),
        Command::Exec(words) => {
            out.list(
                line,
                "run-exec",
                &words.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
    }
    for heredoc in &run.heredocs {
        script(heredoc, line, out);
    }
    for (name, value) in &run.args {
        out.list(line, "arg", &[name, value]);
    }
    for item in &run.mounts {
        mount(item, line, out);
    }
    let named = [
        ("network", run.network.as_deref().filter(|n| *n != "default")),
        ("security", run.security.as_deref().filter(|s| *s != "sandbox")),
    ];
    for (kind, text) in named {
        if let Some(text) = text {
            out.text(line, kind, text);
        }
    }
    for device in &run.devices {
        out.text(line, "device", device);
    }
}

fn script(heredoc: &Heredoc, line: Option<u32>, out: &mut Records) {
    let descriptor = heredoc.descriptor.to_string();
    let flags = [
        if heredoc.expand { "expand" } else { "" },
        if heredoc.chomp { "chomp" } else { "" },
    ];
    out.list(
        line,
        "heredoc",
        &[&heredoc.name, &heredoc.body, &descriptor, flags[0], flags[1]],
    );
}

fn mount(mount: &Mount, line: Option<u32>, out: &mut Records) {
    let (kind, from) = match &mount.kind {
        MountKind::Bind { from, source } => ("bind", Some((from, source))),
        MountKind::Cache { from, source } => ("cache", from.as_ref().map(|from| (from, source))),
        MountKind::Tmpfs => ("tmpfs", None),
        MountKind::Secret => ("secret", None),
        MountKind::Ssh => ("ssh", None),
    };
    let context = |from: &Source| matches!(from, Source::Context | Source::Named(_));
    let place = from.map_or_else(String::new, |(from, _)| words::source(from));
    let path = match from {
        Some((from, source)) if !context(from) => words::absolute(&RepoPath::clean(source)),
        _ => String::new(),
    };
    let mut values = vec![kind, &mount.target, &place, &path];
    values.extend(mount.options.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]));
    out.list(line, "mount", &values);
    if from.is_some_and(|(from, _)| context(from)) {
        out.push(line, "reads", String::new());
    }
}
