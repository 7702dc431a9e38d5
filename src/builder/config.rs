//! The config of an image, as the JSON that it is: what is not understood survives.
//!
//! What each instruction does to it is BuildKit's behaviour (rule 75).

use super::StepError;
use super::history::COMMENT;
use super::moment::rfc3339;
use crate::containerfile::recipe::{Command, Healthcheck, Op};
use crate::model::{Digest, Platform, RepoPath};
use serde_json::{Map, Value, json};

/// The PATH of an image that has none.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Keys that describe an earlier build, not this image.
const STALE: [&str; 6] = [
    "container",
    "container_config",
    "id",
    "parent",
    "moby.buildkit.buildinfo.v1",
    "moby.buildkit.cache.v0",
];

/// An image config that is being made.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageConfig {
    raw: Map<String, Value>,
    /// Whether this stage set CMD, so that a later ENTRYPOINT leaves it.
    cmd_set: bool,
}

impl ImageConfig {
    /// The config of `scratch`: a PATH and a working directory, as BuildKit has it.
    pub fn scratch(platform: &Platform) -> Self {
        let mut raw = Map::new();
        raw.insert("config".into(), json!({"Env": [PATH], "WorkingDir": "/"}));
        let mut config = Self { raw, cmd_set: false };
        config.set_platform(platform);
        config
    }

    /// The config of a stage that begins with an image. Its ONBUILD triggers are used up (rule 77).
    pub fn of_base(raw: Map<String, Value>, platform: &Platform) -> Self {
        let mut config = Self { raw, cmd_set: false };
        for key in STALE {
            config.raw.shift_remove(key);
        }
        config.set_platform(platform);
        config.child()
    }

    /// The config of a stage that begins with the stage of this one.
    pub fn child(&self) -> Self {
        let mut child = self.clone();
        child.cmd_set = false;
        child.config().shift_remove("OnBuild");
        if !child.env().iter().any(|pair| pair.starts_with("PATH=")) {
            child.list("Env").push(PATH.into());
        }
        if let Some(workdir) = child.text("WorkingDir") {
            child.set("WorkingDir", absolute("/", &workdir).into());
        }
        child
    }

    fn set_platform(&mut self, platform: &Platform) {
        let same = self.raw.get("os") == Some(&json!(platform.os))
            && self.raw.get("architecture") == Some(&json!(platform.architecture));
        self.raw
            .insert("architecture".into(), json!(platform.architecture));
        self.raw.insert("os".into(), json!(platform.os));
        if !platform.variant.is_empty() {
            self.raw.insert("variant".into(), json!(platform.variant));
        } else if !same {
            self.raw.shift_remove("variant");
            self.raw.shift_remove("os.version");
        }
    }

    /// The working directory; `/` when none is set.
    pub fn workdir(&self) -> String {
        self.text("WorkingDir").unwrap_or_else(|| "/".into())
    }

    /// USER; empty when none is set.
    pub fn user(&self) -> String {
        self.text("User").unwrap_or_default()
    }

    /// Does what an instruction does to the config. RUN, COPY and ADD do nothing to it.
    ///
    /// # Errors
    /// [`StepError::Value`] for a value that BuildKit refuses, too.
    pub fn apply(&mut self, op: &Op) -> Result<(), StepError> {
        match op {
            Op::Transfer(_) | Op::Run(_) | Op::Arg(_) => {}
            Op::Env(pairs) => pairs.iter().for_each(|(key, value)| self.set_env(key, value)),
            Op::Label(pairs) => {
                for (key, value) in pairs {
                    self.object("Labels").insert(key.clone(), json!(value));
                }
            }
            Op::Cmd(command) => {
                let words = self.words(command);
                self.set("Cmd", words);
                self.set("ArgsEscaped", json!(true));
                self.cmd_set = true;
            }
            Op::Entrypoint(command) => {
                let words = self.words(command);
                self.set("Entrypoint", words);
                if !self.cmd_set {
                    self.config().shift_remove("Cmd");
                }
            }
            Op::Healthcheck(check) => self.set("Healthcheck", healthcheck(check)),
            Op::Shell(words) => self.set("Shell", json!(words)),
            Op::Expose(ports) => self.add_keys("ExposedPorts", ports),
            Op::Volume(paths) => {
                if paths.iter().any(String::is_empty) {
                    return Err(StepError::Value("VOLUME with an empty path".into()));
                }
                self.add_keys("Volumes", paths);
            }
            Op::User(user) => self.set("User", json!(user)),
            Op::Workdir(path) => {
                let path = absolute(&self.workdir(), path);
                self.set("WorkingDir", path.into());
            }
            Op::StopSignal(signal) => self.set("StopSignal", json!(signal)),
            Op::OnBuild(trigger) => self.list("OnBuild").push(json!(trigger)),
            Op::Maintainer(name) => {
                self.raw.insert("author".into(), json!(name));
            }
        }
        Ok(())
    }

    /// Appends to the history.
    pub fn add_history(&mut self, created_by: String, created: i64, empty_layer: bool) {
        let mut entry = json!({"created": rfc3339(created), "created_by": created_by, "comment": COMMENT});
        if empty_layer {
            entry["empty_layer"] = json!(true);
        }
        let history = self.raw.entry("history").or_insert_with(|| json!([]));
        if let Value::Array(history) = history {
            history.push(entry);
        }
    }

    /// The finished config.
    pub fn finish(mut self, diff_ids: &[Digest], created: i64) -> Map<String, Value> {
        let ids: Vec<String> = diff_ids.iter().map(ToString::to_string).collect();
        self.raw.insert("created".into(), json!(rfc3339(created)));
        self.raw
            .insert("rootfs".into(), json!({"type": "layers", "diff_ids": ids}));
        let history = self.raw.shift_remove("history").unwrap_or_else(|| json!([]));
        self.raw.insert("history".into(), history);
        self.raw
    }

    fn config(&mut self) -> &mut Map<String, Value> {
        object_in(&mut self.raw, "config")
    }

    fn object(&mut self, key: &str) -> &mut Map<String, Value> {
        object_in(self.config(), key)
    }

    fn list(&mut self, key: &str) -> &mut Vec<Value> {
        let slot = self.config().entry(key).or_insert_with(|| json!([]));
        if !slot.is_array() {
            *slot = json!([]);
        }
        match slot {
            Value::Array(list) => list,
            _ => unreachable!("it was made a list above"),
        }
    }

    /// Sets a key; an empty list removes it, as an absent one means the same.
    fn set(&mut self, key: &str, value: Value) {
        if value.as_array().is_some_and(Vec::is_empty) {
            self.config().shift_remove(key);
        } else {
            self.config().insert(key.into(), value);
        }
    }

    fn add_keys(&mut self, key: &str, names: &[String]) {
        for name in names {
            self.object(key).insert(name.clone(), json!({}));
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        let text = self.raw.get("config")?.get(key)?.as_str()?;
        (!text.is_empty()).then(|| text.into())
    }

    fn env(&mut self) -> Vec<String> {
        let text = |v: &Value| v.as_str().map(Into::into);
        self.list("Env").iter().filter_map(text).collect()
    }

    fn set_env(&mut self, key: &str, value: &str) {
        let pair = json!(format!("{key}={value}"));
        let names = |v: &Value| v.as_str().is_some_and(|t| t.split('=').next() == Some(key));
        let env = self.list("Env");
        match env.iter().position(names) {
            Some(at) => env[at] = pair,
            None => env.push(pair),
        }
    }

    fn words(&mut self, command: &Command) -> Value {
        match command {
            Command::Exec(words) => json!(words),
            Command::Shell(text) => {
                let mut words = self.list("Shell").clone();
                if words.is_empty() {
                    self.config().shift_remove("Shell");
                    words = vec![json!("/bin/sh"), json!("-c")];
                }
                words.push(json!(text));
                words.into()
            }
        }
    }
}

fn object_in<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let slot = map.entry(key).or_insert_with(|| json!({}));
    if !slot.is_object() {
        *slot = json!({});
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("it was made an object above"),
    }
}

/// `path` relative to `workdir`, clean, with its leading slash.
/// A working directory: as it is written, or below the one before (rule 75).
fn absolute(workdir: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let clean = RepoPath::clean(workdir).resolve(path);
    format!("/{}", String::from_utf8_lossy(clean.as_bytes()))
}

fn healthcheck(check: &Healthcheck) -> Value {
    let (command, numbers) = match check {
        Healthcheck::None => return json!({"Test": ["NONE"]}),
        Healthcheck::Test {
            command,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        } => {
            let numbers = [
                ("Interval", interval),
                ("Timeout", timeout),
                ("StartPeriod", start_period),
                ("StartInterval", start_interval),
                ("Retries", retries),
            ];
            (command, numbers)
        }
    };
    let test = match command {
        Command::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
        Command::Exec(words) => [&["CMD".to_owned()], words.as_slice()].concat(),
    };
    let mut value = json!({ "Test": test });
    for (key, number) in numbers {
        if *number != 0 {
            value[key] = json!(number);
        }
    }
    value
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
