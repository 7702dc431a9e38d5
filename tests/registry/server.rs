//! Real registries, each on a port of its own, with their access logs.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Which program answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// docker-registry 2.8.2 of Debian.
    Second,
    /// distribution 3.
    Third,
    /// ocimem: in memory, with referrers.
    Memory,
    /// ocimem whose tags cannot be moved.
    Immutable,
}

pub const ALL: [Kind; 4] = [Kind::Second, Kind::Third, Kind::Memory, Kind::Immutable];

/// A running registry; ended when dropped.
pub struct Server {
    child: Child,
    pub kind: Kind,
    pub address: String,
    logs: Vec<JoinHandle<Vec<String>>>,
    dir: tempfile::TempDir,
}

/// Where tests/lab/lab.sh puts programs.
fn lab(program: &str) -> PathBuf {
    let lab = std::env::var_os("RINGSHIFT_LAB").map(PathBuf::from);
    let lab = lab.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab"));
    lab.join("bin").join(program)
}

impl Server {
    /// A registry that everybody may use, over plain HTTP, with deletion.
    pub fn start(kind: Kind) -> Option<Self> {
        Self::start_with(kind, &json!({}))
    }

    /// A registry of distribution with more in its configuration. `None`, said on stderr, where the program is
    /// missing; with `CI=true` that fails.
    pub fn start_with(kind: Kind, more: &Value) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut command = match kind {
            Kind::Second | Kind::Third => {
                let program = match kind {
                    Kind::Second => "docker-registry".into(),
                    _ => lab("registry"),
                };
                let file = dir.path().join("config.json");
                std::fs::write(&file, config(dir.path(), more).to_string()).unwrap();
                let mut command = Command::new(program);
                command.arg("serve").arg(file);
                command
            }
            Kind::Memory | Kind::Immutable => {
                let mut command = Command::new(lab("ocimem"));
                let mode = if kind == Kind::Immutable {
                    "immutable"
                } else {
                    "mutable"
                };
                command.args(["127.0.0.1:0", mode]);
                command
            }
        };
        command.env("OTEL_TRACES_EXPORTER", "none");
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null());
        let Ok(mut child) = command.spawn() else {
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "{kind:?} is missing: tests/lab/lab.sh install"
            );
            eprintln!("SKIPPED: {kind:?} is missing: tests/lab/lab.sh install");
            return None;
        };
        let (send, receive) = channel();
        let logs = vec![
            drain(child.stdout.take().unwrap(), send.clone()),
            drain(child.stderr.take().unwrap(), send),
        ];
        let address = listening(&receive);
        Some(Self {
            child,
            kind,
            address,
            logs,
            dir,
        })
    }

    /// Where a registry of distribution keeps a repository.
    pub fn folder(&self, repository: &str) -> PathBuf {
        self.dir
            .path()
            .join("data/docker/registry/v2/repositories")
            .join(repository)
    }

    /// Kills a registry of distribution and starts it again, at the same address with what it had stored.
    pub fn die_and_rise(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let file = self.dir.path().join("config.json");
        let more = json!({"http": {"addr": self.address}});
        std::fs::write(&file, config(self.dir.path(), &more).to_string()).unwrap();
        let program = match self.kind {
            Kind::Second => "docker-registry".into(),
            _ => lab("registry"),
        };
        let mut command = Command::new(program);
        command
            .arg("serve")
            .arg(&file)
            .env("OTEL_TRACES_EXPORTER", "none");
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null());
        self.child = command.spawn().unwrap();
        let (send, receive) = channel();
        self.logs
            .push(drain(self.child.stdout.take().unwrap(), send.clone()));
        self.logs.push(drain(self.child.stderr.take().unwrap(), send));
        listening(&receive);
    }

    /// Ends it gently; the lines of its logs that tell of a request, `METHOD PATH`.
    pub fn requests(mut self) -> Vec<String> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        let lines = self.logs.drain(..).flat_map(|log| log.join().unwrap());
        lines.filter_map(|line| request(&line)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(dir: &Path, more: &Value) -> Value {
    let mut config = json!({
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": false}},
        "storage": {"filesystem": {"rootdirectory": dir.join("data")}, "delete": {"enabled": true}},
        "http": {"addr": "127.0.0.1:0", "draintimeout": "10s"},
    });
    merge(&mut config, more);
    config
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// Reads on until the end, so that the program never waits for a reader.
fn drain(from: impl Read + Send + 'static, to: Sender<String>) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut lines = Vec::new();
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = to.send(line.clone());
            lines.push(line);
        }
        lines
    })
}

/// Where it says that it listens.
fn listening(lines: &Receiver<String>) -> String {
    let mut said = Vec::new();
    while let Ok(line) = lines.recv() {
        if let Some((_, rest)) = line.split_once("listening on ") {
            let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c));
            return rest[..end.unwrap_or(rest.len())].to_owned();
        }
        said.push(line);
    }
    panic!("it did not start: {}", said.join("\n"));
}

/// `GET /v2/…` of a line in an access log.
fn request(line: &str) -> Option<String> {
    let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let (_, rest) = line.split_once('"').unwrap_or(("", line));
    let words: Vec<&str> = rest.split([' ', '"']).collect();
    let at = words.iter().position(|word| method.contains(word))?;
    let path = words.get(at + 1).filter(|path| path.starts_with("/v2/"))?;
    // The combined format alone: other lines of distribution tell the same request again.
    let own = line.contains("HTTP/1.1\" ") || line.contains("HTTP/2.0\" ") || !line.contains('"');
    own.then(|| format!("{} {}", words[at], path.split('?').next().unwrap_or(path)))
}
