#![expect(
    clippy::disallowed_methods,
    reason = "edge: starts helm, in a folder of its own that it ends with"
)]
//! The program helm: inflates charts that lie in the repository.
//!
//! It sees the files of the chart and the values, in a fresh folder, and an environment of few variables (SEC-A12);
//! it is given no cluster and no repository of charts.

use crate::kustomize::{Chart, Helm};
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variables that helm may see.
const NAMES: [&str; 3] = ["PATH", "LANG", "TMPDIR"];
/// The most that it may say.
const MOST: u64 = 16 << 20;
/// How long one chart may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The helm on PATH.
pub struct Program {
    variables: Vec<(OsString, OsString)>,
}

impl Program {
    /// helm with what it may see of these variables.
    pub fn new<'v>(variables: impl Iterator<Item = (&'v OsString, &'v OsString)>) -> Self {
        let known = |name: &OsStr| name.to_str().is_some_and(|name| NAMES.contains(&name));
        let variables = variables.filter(|(name, _)| known(name));
        Self {
            variables: variables
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }

    fn command(&self, home: &Path) -> Command {
        let mut command = Command::new("helm");
        command.current_dir(home).env_clear().envs(self.variables.clone());
        command.env("HOME", home).env("KUBECONFIG", "/dev/null");
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, home.join("helm"));
        }
        command
    }
}

impl Helm for Program {
    fn template(&self, chart: &Chart) -> Result<String, String> {
        let io = |what: &str| {
            let what = what.to_owned();
            move |error: std::io::Error| format!("cannot {what}: {error}")
        };
        let home = tempfile::tempdir().map_err(io("make a folder for helm"))?;
        lay_out(home.path(), chart).map_err(io("lay out the chart"))?;
        let mut command = self.command(home.path());
        command
            .args(["template", &chart.release, "./chart"])
            .args(&chart.flags);
        for number in 0..chart.values.len() {
            command.arg(format!("--values=values-{number}.yaml"));
        }
        let started = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = started.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no `helm` on PATH".to_owned(),
            _ => format!("helm cannot be started: {error}"),
        })?;
        finish(child)
    }
}

fn lay_out(home: &Path, chart: &Chart) -> std::io::Result<()> {
    for (path, bytes) in &chart.files {
        let path = home.join("chart").join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)?;
    }
    for (number, text) in chart.values.iter().enumerate() {
        std::fs::write(home.join(format!("values-{number}.yaml")), text)?;
    }
    Ok(())
}

/// Waits for the child, and gives what it said.
fn finish(mut child: Child) -> Result<String, String> {
    let out = child
        .stdout
        .take()
        .map(|pipe| std::thread::spawn(move || read(pipe)));
    let err = child
        .stderr
        .take()
        .map(|pipe| std::thread::spawn(move || read(pipe)));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("helm did not end in {} seconds", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("helm cannot be awaited: {error}")),
        }
    };
    let text = |thread: Option<std::thread::JoinHandle<Vec<u8>>>| {
        let bytes = thread.and_then(|thread| thread.join().ok()).unwrap_or_default();
        String::from_utf8(bytes).map_err(|_| "helm said what is no text".to_owned())
    };
    let (out, err) = (text(out)?, text(err)?);
    if !status.success() {
        let said = err.lines().map(|line| line.trim_start_matches("Error: "));
        let said: Vec<&str> = said.filter(|line| !line.is_empty()).take(4).collect();
        return Err(format!("helm failed: {}", said.join(" ")));
    }
    match out.len() as u64 > MOST {
        true => Err(format!("helm said more than {MOST} bytes")),
        false => Ok(out),
    }
}

/// What a pipe says, up to a little more than the most; the rest is read and forgotten.
fn read(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.by_ref().take(MOST + 1).read_to_end(&mut bytes);
    let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    bytes
}
