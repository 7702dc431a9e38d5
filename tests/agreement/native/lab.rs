//! Where the real builders are, and how a command is run and told.

use std::path::{Path, PathBuf};
use std::process::Command;

pub fn lab() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab");
    std::env::var_os("RINGSHIFT_LAB").map_or_else(default, Into::into)
}

/// What it says; when it fails, the last lines of that.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| e.to_string())?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let end = |text: &str| text.lines().rev().take(4).collect::<Vec<_>>().join(" | ");
    if output.status.success() {
        Ok(text)
    } else {
        Err(end(&text))
    }
}

pub struct BuildKit {
    buildctl: PathBuf,
    address: String,
}

impl BuildKit {
    pub fn find() -> Self {
        let address = std::env::var("BUILDKIT_HOST");
        Self {
            buildctl: lab().join("bin/buildctl"),
            address: address.unwrap_or_else(|_| format!("unix://{}", lab().join("buildkit/sock").display())),
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.buildctl);
        command.arg("--addr").arg(&self.address);
        command
    }

    /// Why it cannot be asked.
    pub fn missing(&self) -> Option<String> {
        let answer = run(self.command().args(["debug", "workers"]));
        answer
            .err()
            .map(|error| format!("no BuildKit (tests/lab/lab.sh install, start): {error}"))
    }
}
