//! A hermetic place to run the binary in: a repository, a home of its own, a clock that only commits move.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

/// The time of the first commit; each further one is a minute later.
pub const EPOCH: i64 = 1_700_000_000;

pub struct Sandbox {
    dir: tempfile::TempDir,
    clock: AtomicI64,
}

/// What a command said.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A folder that ends with the value; in memory where the machine has such a place, since the tests
/// sync thousands of files.
pub fn temporary() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = match memory.is_dir() {
        true => tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()),
        false => tempfile::tempdir(),
    };
    made.unwrap()
}

impl Sandbox {
    /// A new repository on branch `main`, without a commit.
    pub fn new() -> Self {
        let sandbox = Self::bare();
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox
    }

    /// A sandbox whose repository is yet to be made.
    pub fn bare() -> Self {
        let dir = temporary();
        for folder in ["repo", "home"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let identity = "[user]\n\tname = Ada\n\temail = ada@example.com\n";
        std::fs::write(dir.path().join("home/.gitconfig"), identity).unwrap();
        let clock = AtomicI64::new(EPOCH);
        Self { dir, clock }
    }

    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    /// The folder around the repository, for further stores and outputs.
    pub fn outside(&self) -> &Path {
        self.dir.path()
    }

    /// The folder store of the embedded default.
    pub fn store(&self) -> PathBuf {
        self.repo().join(".git/ringshift")
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn hermetic(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.repo())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path().join("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    pub fn git(&self, args: &[&str]) -> String {
        let date = format!("{} +0000", self.clock.load(Ordering::SeqCst));
        let out = self
            .hermetic("git")
            .args(["-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"])
            .args(args)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "git {args:?}: {err}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything, a minute after the last commit; its id.
    pub fn commit(&self, message: &str) -> String {
        self.tick();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.head()
    }

    /// Lets a minute pass.
    pub fn tick(&self) {
        self.clock.fetch_add(60, Ordering::SeqCst);
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// The binary, ready to be run in the repository's root.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.hermetic(env!("CARGO_BIN_EXE_ringshift"));
        command.args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        let out = self.command(args).output().unwrap();
        Ran {
            code: out.status.code(),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
        }
    }

    /// Runs what must succeed.
    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran
    }

    /// The shape that a command prints last with `--json`, and its exit code.
    pub fn asked(&self, args: &[&str]) -> (Option<i32>, Value) {
        let mut all = args.to_vec();
        all.push("--json");
        let ran = self.run(&all);
        (ran.code, ran.shape().unwrap_or_default())
    }

    /// The shape of a command that must succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        let (code, shape) = self.asked(args);
        assert_eq!(code, Some(0), "{args:?}: {shape}");
        shape
    }

    /// ante, rings with every image's version, and post, as `status --json` tells them.
    pub fn board(&self) -> Value {
        board(&self.json(&["status"]))
    }
}

impl Ran {
    /// The last line of stdout as JSON.
    pub fn shape(&self) -> Option<Value> {
        serde_json::from_str(self.out.lines().last()?).ok()
    }
}

/// The board of a status shape: `{"ante", "rings": {ring: {image: version}|null}, "post"}`.
pub fn board(status: &Value) -> Value {
    let rings: serde_json::Map<String, Value> = status["rings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ring| {
            (
                ring["name"].as_str().unwrap().into(),
                ring["release"]["images"].clone(),
            )
        })
        .collect();
    serde_json::json!({"ante": status["ante"], "rings": rings, "post": status["post"]["version"]})
}
