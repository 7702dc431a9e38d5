//! Instructions that only write the image's config: where they stand in a stage does not matter (rule 75).

use super::plan::State;
use super::{Records, words};
use crate::containerfile::recipe::{Command, Healthcheck, Op};
use std::collections::BTreeMap;

type Line = Option<u32>;

/// The metadata of one stage, as its last words leave it.
#[derive(Default)]
pub(super) struct Metadata {
    labels: BTreeMap<String, (String, Line)>,
    ports: BTreeMap<String, Line>,
    volumes: BTreeMap<String, Line>,
    triggers: Vec<(String, Line)>,
    /// CMD, ENTRYPOINT and the like by kind: the last one wins.
    last: BTreeMap<&'static str, (Vec<String>, Line)>,
}

impl Metadata {
    /// Takes one instruction; others than those of metadata are not for it.
    pub(super) fn take(&mut self, op: &Op, state: &State, line: Line) {
        match op {
            Op::Label(pairs) => {
                let pairs = pairs.iter().map(|(k, v)| (k.clone(), (v.clone(), line)));
                self.labels.extend(pairs);
            }
            Op::Expose(ports) => self.ports.extend(ports.iter().map(|p| (words::port(p), line))),
            Op::Volume(volumes) => self.volumes.extend(volumes.iter().map(|v| (v.clone(), line))),
            Op::OnBuild(trigger) => self.triggers.push((trigger.clone(), line)),
            Op::Cmd(command) => self.set("cmd", with_shell(command, state), line),
            Op::Entrypoint(command) => self.set("entrypoint", with_shell(command, state), line),
            Op::Healthcheck(check) => self.set("healthcheck", healthcheck(check), line),
            Op::StopSignal(signal) => self.set("stopsignal", vec![signal.clone()], line),
            Op::Maintainer(name) => self.set("maintainer", vec![name.clone()], line),
            Op::Transfer(_)
            | Op::Run(_)
            | Op::Arg(_)
            | Op::Env(_)
            | Op::Shell(_)
            | Op::User(_)
            | Op::Workdir(_) => {}
        }
    }

    fn set(&mut self, kind: &'static str, values: Vec<String>, line: Line) {
        self.last.insert(kind, (values, line));
    }

    /// Writes the records, in one order whatever the file's.
    pub(super) fn write(self, out: &mut Records) {
        for (kind, (values, line)) in self.last {
            out.list(line, kind, &values.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for (port, line) in self.ports {
            out.text(line, "expose", &port);
        }
        for (key, (value, line)) in self.labels {
            out.list(line, "label", &[&key, &value]);
        }
        for (trigger, line) in self.triggers {
            out.text(line, "onbuild", &trigger);
        }
        for (volume, line) in self.volumes {
            out.text(line, "volume", &volume);
        }
    }
}

fn command(command: &Command) -> Vec<String> {
    match command {
        Command::Shell(text) => vec!["shell".into(), text.clone()],
        Command::Exec(words) => ["exec".to_owned()]
            .into_iter()
            .chain(words.iter().cloned())
            .collect(),
    }
}

/// A command in shell form is put behind the shell of that moment.
fn with_shell(given: &Command, state: &State) -> Vec<String> {
    let mut values = command(given);
    if let (Command::Shell(_), Some(shell)) = (given, &state.shell) {
        values.extend(shell.iter().cloned());
    }
    values
}

fn healthcheck(check: &Healthcheck) -> Vec<String> {
    match check {
        Healthcheck::None => vec!["none".into()],
        Healthcheck::Test {
            command: test,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        } => {
            let numbers = [interval, timeout, start_period, start_interval, retries];
            let numbers = numbers.into_iter().map(ToString::to_string);
            numbers.chain(command(test)).collect()
        }
    }
}
