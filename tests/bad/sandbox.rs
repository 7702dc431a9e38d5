//! A world of its own: a git repository, a home, a cache, with nothing of the machine's configuration.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A command that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The smallest project: base, api on base, shop as the root; three rings.
pub const RINGS: &str = "\
project: acme/shop
rings: [dev, test, users]
images:
  base: images/base
  api: images/api
  shop: {context: deploy, root: true}
";

pub struct World {
    pub root: tempfile::TempDir,
    /// The minutes that commits have advanced.
    minute: std::cell::Cell<u32>,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    /// An empty repository.
    pub fn empty() -> Self {
        let world = Self::bare_folder();
        world.git(&["init", "-q", "-b", "main"]);
        world
    }

    /// A folder that is no repository.
    pub fn bare_folder() -> Self {
        let world = Self {
            root: tempfile::tempdir().unwrap(),
            minute: std::cell::Cell::new(0),
        };
        for folder in ["repo", "home", "cache", "state", "tmp"] {
            std::fs::create_dir(world.root.path().join(folder)).unwrap();
        }
        world
    }

    /// The smallest project, not committed.
    pub fn uncommitted() -> Self {
        let world = Self::empty();
        world.write("rings.yaml", RINGS);
        world.write("images/base/Dockerfile", "FROM scratch\nCOPY motd /etc/motd\n");
        world.write("images/base/motd", "welcome\n");
        world.write("images/api/Dockerfile", "FROM acme/shop/base\nCOPY app /app\n");
        world.write("images/api/app", "the api\n");
        world.write("deploy/Dockerfile", "FROM scratch\nCOPY notes /notes\n");
        world.write("deploy/notes", "notes\n");
        world
    }

    /// The smallest project in one commit.
    pub fn project() -> Self {
        let world = Self::uncommitted();
        world.commit("First");
        world
    }

    /// The smallest project, built once.
    pub fn built() -> Self {
        let world = Self::project();
        assert_eq!(world.run(&["build", "-q"]).shown(), "");
        world
    }

    pub fn repo(&self) -> PathBuf {
        self.root.path().join("repo")
    }

    pub fn store(&self) -> PathBuf {
        self.repo().join(".git/ringshift")
    }

    pub fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    pub fn path(&self, path: impl AsRef<OsStr>) -> PathBuf {
        self.repo().join(path.as_ref())
    }

    pub fn write(&self, path: impl AsRef<OsStr>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn link(&self, path: &str, to: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, path).unwrap();
    }

    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo(), args)
    }

    pub fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let date = format!("2026-01-02T03:{:02}:05Z", self.minute.get() % 60);
        let safe = [
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "protocol.file.allow=always",
        ];
        let mut command = Command::new("git");
        command.args(safe).args(args).current_dir(dir);
        self.environment(&mut command);
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ada");
            command.env(format!("GIT_{who}_EMAIL"), "ada@example.com");
            command.env(format!("GIT_{who}_DATE"), &date);
        }
        let out = command.output().unwrap();
        assert!(
            out.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// Commits everything, a minute after the commit before; the id.
    pub fn commit(&self, message: &str) -> String {
        self.minute.set(self.minute.get() + 1);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn environment(&self, command: &mut Command) {
        let at = |name: &str| self.root.path().join(name);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", at("home"))
            .env("XDG_CACHE_HOME", at("cache"))
            .env("XDG_STATE_HOME", at("state"))
            .env("TMPDIR", at("tmp"))
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .env("RINGSHIFT_ACTOR", "ada");
    }

    /// The program, to be started in the repository.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringshift"));
        command.args(args).current_dir(self.repo());
        self.environment(&mut command);
        command
    }

    /// Another program with the same environment.
    pub fn program(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(name);
        command.args(args).current_dir(self.repo());
        self.environment(&mut command);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.end(self.command(args))
    }

    /// Runs what must fail, and looks that it changed nothing: neither files nor store.
    pub fn refused(&self, args: &[&str]) -> Ran {
        let before = self.everything();
        let ran = self.run(args);
        assert_ne!(ran.code, 0, "{args:?} did what it should have refused: {ran:?}");
        assert_eq!(
            before,
            self.everything(),
            "{args:?} failed, and changed something"
        );
        ran
    }

    /// Ends a command, with its output in the words of this world.
    pub fn end(&self, mut command: Command) -> Ran {
        let output = finish(&mut command);
        let text = |bytes: &[u8]| self.masked(&String::from_utf8_lossy(bytes));
        let ran = Ran {
            code: output
                .status
                .code()
                .unwrap_or_else(|| -output.status.signal().unwrap_or(0)),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        let bug = ran.code == 70 || ran.err.contains("panicked") || ran.err.contains("this is a bug");
        assert!(!bug && ran.code >= 0, "{command:?}: {ran:?}");
        ran
    }

    /// The text without what differs from run to run.
    fn masked(&self, text: &str) -> String {
        let root = std::fs::canonicalize(self.root.path()).unwrap();
        let temporary = regex::Regex::new("/w-[A-Za-z0-9]{6}\\b").unwrap();
        let text = text.replace(root.to_str().unwrap(), "…");
        temporary.replace_all(&text, "/w-…").into_owned()
    }

    /// Every file of the working copy and the store, with kind and content.
    pub fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let git = self.path(".git");
        let skip = |path: &Path| path.starts_with(&git) && !path.starts_with(self.store()) && path != git;
        gather(&self.repo(), &skip, &mut all);
        all
    }

    /// Every file below a folder.
    pub fn files(folder: &Path) -> Vec<PathBuf> {
        let mut all = BTreeMap::new();
        gather(folder, &|_| false, &mut all);
        all.into_keys().filter(|path| path.is_file()).collect()
    }
}

fn gather(folder: &Path, skip: &dyn Fn(&Path) -> bool, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let kind = meta.file_type();
        if skip(&path) {
            continue;
        }
        if kind.is_dir() {
            all.insert(path.clone(), Vec::new());
            gather(&path, skip, all);
        } else if kind.is_symlink() {
            let to = std::fs::read_link(&path).unwrap();
            all.insert(path, to.as_os_str().as_bytes().to_vec());
        } else if kind.is_fifo() {
            all.insert(path, b"fifo".to_vec());
        } else {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.extend(meta.mode().to_le_bytes());
            all.insert(path, bytes);
        }
    }
}

/// Waits for a command, at most as long as anybody would.
fn finish(command: &mut Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait(child, &format!("{command:?}"))
}

/// Waits for a child that was started with pipes.
pub fn wait(mut child: Child, name: &str) -> Output {
    let id = child.id().to_string();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let errors = thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).unwrap();
        let status = child.wait().unwrap();
        let _ = done.send((status, bytes));
    });
    let Ok((status, stdout)) = ended.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").args(["-9", &id]).status();
        panic!("{name} hangs");
    };
    Output {
        status,
        stdout,
        stderr: errors.join().unwrap(),
    }
}

impl Ran {
    /// All that a person sees, and the exit code when it is not 0.
    pub fn shown(&self) -> String {
        let mut parts = Vec::new();
        let (out, err) = (self.out.trim_end(), self.err.trim_end());
        if !out.is_empty() {
            parts.push(out.to_owned());
        }
        if !err.is_empty() {
            parts.push(format!("[stderr]\n{err}"));
        }
        if self.code != 0 {
            parts.push(format!("[exit {}]", self.code));
        }
        parts.join("\n")
    }
}

/// Whether this process may mount file systems of its own, in a namespace of its own. Under `CI=true`
/// it must: a test that is never run proves nothing.
pub fn may_mount() -> bool {
    let may = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let must = std::env::var_os("CI").is_some_and(|ci| ci == "true") && rustix::process::getuid().is_root();
    assert!(may || !must, "mounting is not permitted here");
    if !may {
        eprintln!("SKIPPED: mounting is not permitted here (run the tests as root)");
    }
    may
}

/// A name from bytes.
pub fn os(bytes: &[u8]) -> OsString {
    OsString::from(OsStr::from_bytes(bytes))
}
