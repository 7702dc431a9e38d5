//! What the history of an image says of each instruction, in the form that BuildKit gives it.

use crate::containerfile::recipe::{Op, Source, Step, Transfer, TransferSource};

/// Who wrote the entry.
pub(crate) const COMMENT: &str = "ringshift.native.v1";

/// The text of an instruction; ONBUILD has no entry of its own.
pub(crate) fn created_by(step: &Step) -> Option<String> {
    let pairs = |name: &str, pairs: &[(String, String)]| {
        let words: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("{name} {}", words.join(" "))
    };
    Some(match &step.op {
        Op::OnBuild(_) => return None,
        Op::Transfer(transfer) => self::transfer(transfer),
        Op::Env(env) => pairs("ENV", env),
        Op::Label(labels) => pairs("LABEL", labels),
        Op::User(user) => format!("USER {user}"),
        Op::Workdir(path) => format!("WORKDIR {path}"),
        Op::Expose(ports) => format!("EXPOSE [{}]", ports.join(" ")),
        Op::Volume(paths) => format!("VOLUME [{}]", paths.join(" ")),
        Op::StopSignal(signal) => format!("STOPSIGNAL {signal}"),
        Op::Shell(words) => format!("SHELL [{}]", words.join(" ")),
        Op::Maintainer(name) => format!("MAINTAINER {name}"),
        Op::Arg(args) => {
            let word = |(name, value): &(String, Option<String>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            };
            let words: Vec<String> = args.iter().map(word).collect();
            format!("ARG {}", words.join(" "))
        }
        Op::Run(_) | Op::Cmd(_) | Op::Entrypoint(_) | Op::Healthcheck(_) => step.original.trim().to_owned(),
    })
}

fn transfer(transfer: &Transfer) -> String {
    let mut text = String::from(if transfer.add { "ADD" } else { "COPY" });
    if transfer.parents {
        text.push_str(" --parents");
    }
    if let Some(owner) = &transfer.chown {
        text.push_str(&format!(" --chown={owner}"));
    }
    if let Some(mode) = &transfer.chmod {
        text.push_str(&format!(" --chmod={mode}"));
    }
    match &transfer.from {
        Source::Project(image) => text.push_str(&format!(" --from={image}")),
        Source::Named(name) => text.push_str(&format!(" --from={name}")),
        _ => {}
    }
    for source in &transfer.sources {
        match source {
            TransferSource::Path(word) | TransferSource::Url(word) | TransferSource::Git(word) => {
                text.push_str(&format!(" {word}"));
            }
            TransferSource::Heredoc(document) => text.push_str(&format!(" <<{}", document.name)),
        }
    }
    text.push_str(&format!(" {}", transfer.destination));
    text
}
