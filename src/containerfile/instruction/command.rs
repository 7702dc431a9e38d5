//! Commands: RUN, CMD, ENTRYPOINT, SHELL, and the trigger of ONBUILD.

use super::flags::{Flags, Kind};
use super::{Instruction, RunWords, csv, mount};
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::heredoc::Heredoc;
use crate::containerfile::parse::Node;
use crate::containerfile::recipe::{self, Command};

/// The command in shell or exec form.
pub(super) fn of(args: &[String], json: bool) -> Command {
    match json {
        true => Command::Exec(args.to_vec()),
        false => Command::Shell(args.join(" ")),
    }
}

/// RUN with its flags (rules 70 to 73).
pub(super) fn run(node: &Node) -> Result<(Instruction, Flags), Fault> {
    let known = [
        ("mount", Kind::List),
        ("network", Kind::Text),
        ("security", Kind::Text),
        ("device", Kind::List),
    ];
    let flags = Flags::read(&node.flags, &known)?;
    let words = RunWords {
        command: of(&node.args, node.json),
        heredocs: node.heredocs.iter().map(heredoc).collect(),
        mounts: flags.list("mount"),
        network: one_of(&flags, "network", &["default", "none", "host"])?,
        security: one_of(&flags, "security", &["sandbox", "insecure"])?,
        devices: flags.list("device"),
    };
    words
        .mounts
        .iter()
        .try_for_each(|text| mount::from(text).map(drop))?;
    words.devices.iter().try_for_each(|text| device(text))?;
    Ok((Instruction::Run(words), flags))
}

fn one_of(flags: &Flags, name: &str, allowed: &[&str]) -> Result<Option<String>, Fault> {
    match flags.list(name).into_iter().next() {
        Some(value) if !allowed.contains(&value.as_str()) => {
            let message = format!("--{name} cannot be {}", quoted(&value));
            Err(Fault::new(message).hint(format!("it is one of {}", allowed.join(", "))))
        }
        value => Ok(value),
    }
}

fn device(text: &str) -> Result<(), Fault> {
    let mut named = false;
    for field in csv::fields(text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        match (key.as_str(), value) {
            ("required", None) => {}
            ("required", Some(value)) if mount::boolean(value).is_some() => {}
            ("name", Some(_)) if !named => named = true,
            ("required" | "name", Some(_)) => return Err(bad_device(text)),
            _ if !named => named = true,
            _ => return Err(bad_device(text)),
        }
    }
    Ok(())
}

fn bad_device(text: &str) -> Fault {
    Fault::new(format!("--device={} is not understood", quoted(text))).hint("write --device=NAME,required")
}

/// SHELL takes a JSON array of at least one word.
pub(super) fn shell(node: &Node) -> Result<Vec<String>, Fault> {
    if node.json && !node.args.is_empty() {
        return Ok(node.args.clone());
    }
    Err(Fault::new("SHELL takes a JSON array of words").hint("SHELL [\"/bin/bash\", \"-c\"]"))
}

/// The trigger of ONBUILD as the config keeps it: the joined line, then the heredocs with their ends.
pub(super) fn trigger(node: &Node) -> Result<String, Fault> {
    let Some(inner) = &node.trigger else {
        return Err(Fault::new("ONBUILD needs an instruction"));
    };
    let name = inner.command.to_uppercase();
    if matches!(name.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
        return Err(Fault::new(format!("ONBUILD cannot hold {name}")));
    }
    let line = node.original.trim_start();
    let mut text = line
        .get("ONBUILD".len()..)
        .unwrap_or_default()
        .trim_start()
        .to_owned();
    for heredoc in &node.heredocs {
        text.push('\n');
        text.push_str(&heredoc.body);
        text.push_str(&heredoc.name);
    }
    Ok(text)
}

/// A heredoc with its body verbatim: whoever runs it strips the tabs of `<<-`.
pub(super) fn heredoc(heredoc: &Heredoc) -> recipe::Heredoc {
    recipe::Heredoc {
        name: heredoc.name.clone(),
        body: heredoc.body.clone(),
        descriptor: u32::try_from(heredoc.descriptor).unwrap_or(u32::MAX),
        expand: heredoc.expand,
        chomp: heredoc.chomp,
    }
}
