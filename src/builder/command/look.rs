//! Which builders are on the machine, and whether they answer.

#![expect(clippy::disallowed_methods, reason = "edge: looks for programs on PATH")]

use super::process::{Call, Failed};
use crate::model::{BuilderKind, Platform};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a builder may take to say that it is there.
const ANSWER: Duration = Duration::from_secs(10);

/// A builder that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub kind: BuilderKind,
    /// Its program.
    pub program: PathBuf,
    /// What it says its version is.
    pub version: String,
    mode: Mode,
    /// The architecture that docker builds for.
    architecture: Option<String>,
}

/// How a program is to be called, and what it understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the one way that it has.
    Plain,
    /// buildx on its own, not as a plugin of docker.
    Alone,
    /// docker with BuildKit in its daemon: whether that is the one of 20.10.
    BuildKit {
        /// Of 20.10 or older.
        old: bool,
    },
    /// docker without BuildKit.
    Classic,
}

/// A builder that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unusable {
    /// Why, as a sentence without its full stop.
    pub why: String,
    /// What to do.
    pub hint: String,
}

impl Unusable {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: hint.into(),
        }
    }
}

impl Found {
    /// The same docker, told to build without BuildKit; all others stay as they are.
    #[must_use]
    pub fn without_buildkit(self) -> Self {
        let mode = match self.kind {
            BuilderKind::Docker => Mode::Classic,
            _ => self.mode,
        };
        Self { mode, ..self }
    }

    pub(super) fn call(&self) -> Call {
        Call::new(&self.program)
    }

    /// The words before `build`.
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        match self.mode {
            Mode::Alone => &[],
            _ => &["buildx"],
        }
    }

    /// Whether it is docker's own builder, from before BuildKit.
    pub(super) fn is_classic(&self) -> bool {
        self.mode == Mode::Classic
    }

    /// Whether it is the BuildKit of docker 20.10.
    pub(super) fn is_old(&self) -> bool {
        self.mode == Mode::BuildKit { old: true }
    }

    /// Whether it builds for a platform without being told to.
    pub(super) fn is_of(&self, platform: &Platform) -> bool {
        platform.os == "linux"
            && self
                .architecture
                .as_ref()
                .is_none_or(|own| *own == platform.architecture)
    }

    /// Whether the version is `major.minor` or newer.
    pub(super) fn at_least(&self, major: u64, minor: u64) -> bool {
        numbers(&self.version) >= (major, minor)
    }
}

/// The first two numbers of a version: of `28.2.2`, of `v0.33.1`, of `1.28.2`.
fn numbers(version: &str) -> (u64, u64) {
    let mut parts = version
        .trim_start_matches('v')
        .split(|c: char| !c.is_ascii_digit());
    let mut next = || parts.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    (next(), next())
}

/// Looks for a builder on `PATH` and asks whether it can build: `engine` are the arguments that it is called with
/// before its verb. A builder that does not answer within ten seconds is not usable.
///
/// # Errors
/// [`Unusable`], with a hint.
pub fn look(kind: BuilderKind, engine: &[String]) -> Result<Found, Unusable> {
    let name = match kind {
        BuilderKind::Native => {
            return Err(Unusable::new(
                "the native builder is no program",
                "it is always there, for images without RUN",
            ));
        }
        BuilderKind::Buildx if plugin(engine).is_none() => "buildx",
        BuilderKind::Buildx => "docker",
        kind => kind.as_str(),
    };
    match on_path(name) {
        Some(program) => look_at(kind, program, engine),
        None if name == "buildx" => Err(Unusable::new("there is no docker buildx", BUILDX)),
        None => Err(Unusable::new(
            format!("there is no {name} on PATH"),
            format!("install {name}, or choose another builder"),
        )),
    }
}

/// What to do where buildx is missing.
const BUILDX: &str = "install docker's buildx plugin, or put buildx on PATH";

/// As [`look`], for a program that need not be on `PATH`. For buildx it is docker, or buildx itself.
///
/// # Errors
/// [`Unusable`], with a hint.
pub fn look_at(kind: BuilderKind, program: PathBuf, engine: &[String]) -> Result<Found, Unusable> {
    match kind {
        BuilderKind::Buildctl => buildctl(program, engine),
        BuilderKind::Native | BuilderKind::Buildah | BuilderKind::Podman => storage(kind, program, engine),
        BuilderKind::Docker => docker(program, engine),
        BuilderKind::Buildx => buildx(program, engine),
    }
}

fn found(kind: BuilderKind, program: PathBuf, version: &str, mode: Mode) -> Found {
    Found {
        kind,
        program,
        version: version.trim().to_owned(),
        mode,
        architecture: None,
    }
}

/// What a program answers.
fn ask(program: &Path, engine: &[String], words: &[&str]) -> Result<String, (String, String)> {
    let mut call = Call::new(program);
    call.args(engine).args(words);
    call.ask(ANSWER).map_err(|(failed, said)| {
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        let what = match (&failed, last) {
            (Failed::Status(_), Some(line)) => line.trim().to_owned(),
            _ => failed.to_string(),
        };
        (what, said)
    })
}

fn buildctl(program: PathBuf, engine: &[String]) -> Result<Found, Unusable> {
    ask(&program, engine, &["debug", "workers"]).map_err(|(what, _)| {
        let hint = "start buildkitd, and set BUILDKIT_HOST to its address (unix:///run/buildkit/buildkitd.sock by default)";
        Unusable::new(format!("buildkitd does not answer: {what}"), hint)
    })?;
    let version = ask(&program, &[], &["--version"]).unwrap_or_default();
    let version = version.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    Ok(found(BuilderKind::Buildctl, program, &version, Mode::Plain))
}

/// buildah and podman: no daemon, but storage that must open.
fn storage(kind: BuilderKind, program: PathBuf, engine: &[String]) -> Result<Found, Unusable> {
    let name = kind.as_str();
    ask(&program, engine, &["info"]).map_err(|(what, _)| {
        let hint =
            format!("`{name} info` says more; storage options can stand in rings.yaml as engine arguments");
        Unusable::new(format!("{name} does not work: {what}"), hint)
    })?;
    let version = ask(&program, &[], &["--version"]).unwrap_or_default();
    let version = version.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    Ok(found(kind, program, &version, Mode::Plain))
}

fn docker(program: PathBuf, engine: &[String]) -> Result<Found, Unusable> {
    let versions = daemon(&program, engine)?;
    let mut words = versions.split_whitespace();
    let (client, server) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let wanted = std::env::var("DOCKER_BUILDKIT").ok();
    let plugin = || ask(&program, engine, &["buildx", "version"]).is_ok();
    // Since 23 the client leaves BuildKit to its plugin.
    let buildkit = match numbers(client) >= (23, 0) {
        true => wanted.as_deref() != Some("0") && plugin(),
        false => !matches!(wanted.as_deref(), Some("0" | "false")) && numbers(server) >= (18, 9),
    };
    let mode = match buildkit {
        true => Mode::BuildKit {
            old: numbers(server) < (23, 0),
        },
        false => Mode::Classic,
    };
    Ok(Found {
        architecture: words.next().map(str::to_owned),
        ..found(BuilderKind::Docker, program, server, mode)
    })
}

/// The versions of client and daemon, and the daemon's architecture.
fn daemon(program: &Path, engine: &[String]) -> Result<String, Unusable> {
    let words = [
        "version",
        "--format",
        "{{.Client.Version}} {{.Server.Version}} {{.Server.Arch}}",
    ];
    ask(program, engine, &words).map_err(|(what, _)| {
        let hint = "start docker, or set DOCKER_HOST to the daemon's address";
        Unusable::new(format!("the docker daemon does not answer: {what}"), hint)
    })
}

fn buildx(program: PathBuf, engine: &[String]) -> Result<Found, Unusable> {
    let version = |said: &str| said.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    let alone = program.file_name().is_some_and(|name| name != "docker");
    let verbs: &[&str] = if alone { &[] } else { &["buildx"] };
    let words: Vec<&str> = verbs.iter().copied().chain(["version"]).collect();
    let said = ask(&program, engine, &words);
    let said = said.map_err(|(what, _)| Unusable::new(format!("buildx does not work: {what}"), BUILDX))?;
    let words: Vec<&str> = verbs.iter().copied().chain(["inspect"]).collect();
    let about = ask(&program, engine, &words).map_err(|(what, _)| {
        let hint = "`docker buildx ls` shows the builders; `docker buildx create --use` makes one";
        Unusable::new(format!("buildx has no builder that answers: {what}"), hint)
    })?;
    if about.lines().any(|line| line.trim_start().starts_with("Error:")) {
        let error = about.lines().find(|line| line.trim_start().starts_with("Error:"));
        let what = error
            .unwrap_or_default()
            .trim()
            .trim_start_matches("Error:")
            .trim();
        return Err(Unusable::new(
            format!("buildx has no builder that answers: {what}"),
            "`docker buildx ls` shows the builders; `docker buildx create --use` makes one",
        ));
    }
    let mode = match (alone, old_driver(&program, engine, &about)) {
        (true, _) => Mode::Alone,
        (false, old) => Mode::BuildKit { old },
    };
    Ok(found(BuilderKind::Buildx, program, &version(&said), mode))
}

/// Whether buildx builds in a docker daemon of 20.10.
fn old_driver(program: &Path, engine: &[String], about: &str) -> bool {
    let docker = about.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("Driver:") && words.next() == Some("docker")
    });
    let server = || daemon(program, engine).unwrap_or_default();
    docker && numbers(server().split_whitespace().nth(1).unwrap_or_default()) < (23, 0)
}

/// Whether docker has the plugin, and what that says of itself.
fn plugin(engine: &[String]) -> Option<String> {
    let program = on_path("docker")?;
    ask(&program, engine, &["buildx", "version"]).ok()
}

/// The first program of that name on `PATH`.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let executable = |at: &PathBuf| {
        std::fs::metadata(at).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(executable)
}

/// The user's list of registries: the file that containers/image would read.
pub(super) fn user_registries() -> Option<String> {
    let read = |path: PathBuf| std::fs::read_to_string(path).ok();
    if let Some(path) = std::env::var_os("CONTAINERS_REGISTRIES_CONF") {
        return read(path.into());
    }
    let home = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    let own = home.and_then(|home| read(home.join("containers/registries.conf")));
    own.or_else(|| read("/etc/containers/registries.conf".into()))
}

/// Writes a small file.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

/// Reads a small file.
pub(super) fn small_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use super::*;

    /// A builder that was found, by a short name.
    pub(in super::super) fn found(name: &str) -> Found {
        let (name, version) = name.split_once('-').unwrap_or((name, ""));
        let (kind, version, mode) = match (name, version) {
            ("old", _) => (BuilderKind::Docker, "20.10.24", Mode::BuildKit { old: true }),
            ("classic", _) => (BuilderKind::Docker, "20.10.24", Mode::Classic),
            ("docker", version) => (BuilderKind::Docker, version, Mode::BuildKit { old: false }),
            ("buildah", "") => (BuilderKind::Buildah, "1.28.2", Mode::Plain),
            (name, version) => (name.parse().unwrap(), version, Mode::Plain),
        };
        super::found(kind, name.into(), version, mode)
    }

    #[test]
    fn versions_are_compared_by_number() {
        let at_least =
            |version: &str, major, minor| found(&format!("podman-{version}")).at_least(major, minor);
        assert!(at_least("4.10.0", 4, 9) && at_least("v5.0", 4, 9) && at_least("4.9.0-rc1", 4, 9));
        assert!(!at_least("4.8.9", 4, 9) && !at_least("unknown", 0, 1));
    }

    #[test]
    fn a_program_that_does_not_answer_is_told_with_a_hint() {
        let missing = look_at(BuilderKind::Buildah, "/no/such/buildah".into(), &[]).unwrap_err();
        assert!(
            missing
                .why
                .starts_with("buildah does not work: cannot be started: "),
            "{}",
            missing.why
        );
        assert!(missing.hint.contains("buildah info"));
        let failing = look_at(BuilderKind::Docker, "/bin/false".into(), &[]).unwrap_err();
        assert_eq!(
            failing.why,
            "the docker daemon does not answer: failed with exit code 1"
        );
        let native = look(BuilderKind::Native, &[]).unwrap_err();
        assert_eq!(native.why, "the native builder is no program");
    }
}
