#![expect(
    clippy::disallowed_methods,
    reason = "edge: the environment, the clock, the working directory"
)]
//! Settings: flag, then `RINGSHIFT_*`, then rings.yaml, then default; each knows where it came from.

pub mod builder;
pub mod secrets;
mod words;

use crate::args::Global;
use ringshift::engine::{Author, Failure};
use ringshift::git::{GitError, Repository};
use ringshift::model::{ProjectName, RepoPath};
use ringshift::registry::remote::Variables;
use ringshift::state::Timestamp;
use std::cell::Cell;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A value with where it came from.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// `--flag`, a variable, a file, or `default`.
    pub from: String,
}

/// Everything from outside that is not the store.
pub struct Settings {
    /// Where the command runs.
    pub directory: PathBuf,
    /// The git repository around it, or why there is none.
    pub repository: Result<Arc<Repository>, GitError>,
    /// rings.yaml in the working copy.
    pub config: Option<Setting<PathBuf>>,
    /// `--registry` or its variable.
    pub registry: Option<Setting<String>>,
    /// `--project` or its variable.
    pub project: Option<Setting<ProjectName>>,
    /// Who.
    pub actor: Setting<String>,
    /// Disposable results.
    pub cache: Setting<PathBuf>,
    /// What this machine saw of journals (state store 6).
    pub state: PathBuf,
    /// Nothing that was remembered of a registry is taken for what stands there.
    pub fresh: Cell<bool>,
    /// A journal whose last entry is older is refused.
    pub oldest: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
    /// All variables, for whoever looks up logins as docker does.
    pub variables: Variables,
    operation: String,
}

impl Settings {
    /// Reads the outside once.
    ///
    /// # Errors
    /// [`Failure::Request`] when a flag or variable cannot be used.
    pub fn read(global: Global) -> Result<Self, Failure> {
        let directory = directory(global.directory.as_deref())?;
        let repository = Repository::discover(&directory).map(Arc::new);
        let config = find_config(&directory, repository.as_deref().ok(), global.config.as_deref())?;
        let project = global.project.map(|name| {
            let from = origin("RINGSHIFT_PROJECT", "--project", &name);
            let value = ProjectName::new(name).map_err(|e| Failure::request(e.to_string(), e.hint()))?;
            Ok::<_, Failure>(Setting { value, from })
        });
        let registry = global.registry.map(|value| {
            let from = origin("RINGSHIFT_REGISTRY", "--registry", &value);
            Setting { value, from }
        });
        Ok(Self {
            actor: actor(repository.as_deref().ok()),
            cache: cache(),
            state: state(),
            fresh: Cell::new(false),
            oldest: oldest(global.max_age.as_deref())?,
            now: now(),
            variables: std::env::vars_os().collect(),
            operation: random()?,
            project: project.transpose()?,
            directory,
            repository,
            config,
            registry,
        })
    }

    /// The repository.
    ///
    /// # Errors
    /// [`Failure::Git`] when there is none.
    pub fn git(&self) -> Result<&Arc<Repository>, Failure> {
        self.repository
            .as_ref()
            .map_err(|error| Failure::Git(copy(error, &self.directory)))
    }

    /// The author of a change.
    pub fn author(&self, reason: Option<&str>) -> Author {
        Author {
            actor: self.actor.value.clone(),
            at: self.now,
            reason: reason.map(one_line),
            operation: self.operation.clone(),
        }
    }

    /// rings.yaml as a path in the repository; in a bare repository, the one at its root.
    ///
    /// # Errors
    /// [`Failure::Request`] when there is none, or it lies outside.
    pub fn config_in_repository(&self) -> Result<RepoPath, Failure> {
        let repository = self.git()?;
        let (Some(config), Some(root)) = (&self.config, repository.workdir()) else {
            return match (&self.config, repository.workdir()) {
                (None, Some(_)) => Err(no_config()),
                _ => Ok(RepoPath::clean("rings.yaml")),
            };
        };
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let inside = config.value.strip_prefix(&root).map_err(|_| {
            Failure::request(
                format!(
                    "{} lies outside the repository {}",
                    config.value.display(),
                    root.display()
                ),
                "rings.yaml stands in the repository whose images it names",
            )
        })?;
        Ok(RepoPath::clean(inside.as_os_str().as_bytes()))
    }

    /// The bytes of rings.yaml in the working copy.
    ///
    /// # Errors
    /// [`Failure::Request`] when there is none.
    pub fn config_bytes(&self) -> Result<Vec<u8>, Failure> {
        let config = self.config.as_ref().ok_or_else(no_config)?;
        let too_large = || {
            Failure::request(
                format!("{} is larger than 1 MiB", config.value.display()),
                "make it smaller",
            )
        };
        let io = |source| Failure::Io {
            action: format!("read {}", config.value.display()),
            source,
        };
        if std::fs::metadata(&config.value).map_err(io)?.len() > 1 << 20 {
            return Err(too_large());
        }
        std::fs::read(&config.value).map_err(io)
    }
}

/// There is no rings.yaml here.
pub fn no_config() -> Failure {
    Failure::request(
        "there is no rings.yaml here or in a folder above",
        "ringshift init proposes one; ringshift demo shows one",
    )
}

/// The same error again, for a second reader: errors of git cannot be cloned.
fn copy(error: &GitError, directory: &Path) -> GitError {
    match error {
        GitError::NotARepository(path) => GitError::NotARepository(path.clone()),
        GitError::Unsupported { path, reason } => GitError::Unsupported {
            path: path.clone(),
            reason: reason.clone(),
        },
        other => GitError::Unsupported {
            path: directory.to_path_buf(),
            reason: other.to_string(),
        },
    }
}

fn origin(variable: &str, flag: &str, value: &str) -> String {
    let set = std::env::var(variable).is_ok_and(|there| there == value);
    let given = std::env::args_os().any(|arg| arg.as_bytes().starts_with(flag.as_bytes()));
    if set && !given {
        variable.into()
    } else {
        flag.into()
    }
}

/// An error of the file system in a few words.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".into(),
        _ => error.to_string(),
    }
}

fn directory(flag: Option<&Path>) -> Result<PathBuf, Failure> {
    let here = match flag {
        Some(dir) => dir.to_path_buf(),
        None => PathBuf::from("."),
    };
    let gone = |error: std::io::Error| {
        Failure::request(
            format!("cannot enter {}: {}", here.display(), reason(&error)),
            "name a folder with -C",
        )
    };
    let path = std::fs::canonicalize(&here).map_err(gone)?;
    if !path.is_dir() {
        return Err(Failure::request(
            format!("{} is not a folder", here.display()),
            "name a folder with -C",
        ));
    }
    Ok(path)
}

fn find_config(
    directory: &Path,
    repository: Option<&Repository>,
    flag: Option<&Path>,
) -> Result<Option<Setting<PathBuf>>, Failure> {
    if let Some(flag) = flag {
        let path = directory.join(flag);
        let gone = |error: std::io::Error| {
            Failure::request(
                format!("cannot read {}: {}", path.display(), reason(&error)),
                "name a rings.yaml with --config, or leave it out: it is found by walking up",
            )
        };
        let from = origin("RINGSHIFT_CONFIG", "--config", &flag.to_string_lossy());
        return Ok(Some(Setting {
            value: std::fs::canonicalize(&path).map_err(gone)?,
            from,
        }));
    }
    let root = repository
        .and_then(Repository::workdir)
        .and_then(|root| std::fs::canonicalize(root).ok());
    for folder in directory.ancestors() {
        let candidate = folder.join("rings.yaml");
        if candidate.is_file() {
            return Ok(Some(Setting {
                value: candidate,
                from: "found by walking up".into(),
            }));
        }
        if root.as_deref() == Some(folder) {
            break;
        }
    }
    Ok(None)
}

/// Who: `RINGSHIFT_ACTOR`, the CI system's variable, git's user.email, `<login>@<host>`.
fn actor(repository: Option<&Repository>) -> Setting<String> {
    let variables = [
        "RINGSHIFT_ACTOR",
        "GITHUB_ACTOR",
        "GITLAB_USER_EMAIL",
        "GITLAB_USER_LOGIN",
        "BUILDKITE_BUILD_CREATOR_EMAIL",
    ];
    for name in variables {
        if let Ok(value) = std::env::var(name)
            && !value.trim().is_empty()
        {
            return Setting {
                value: one_line(&value),
                from: name.into(),
            };
        }
    }
    if let Some(email) = repository.and_then(Repository::user_email) {
        return Setting {
            value: one_line(&email),
            from: "git's user.email".into(),
        };
    }
    let login = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "unknown".into());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Setting {
        value: one_line(&format!("{login}@{host}")),
        from: "login and host".into(),
    }
}

fn one_line(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn cache() -> Setting<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(value) = set("RINGSHIFT_CACHE") {
        return Setting {
            value,
            from: "RINGSHIFT_CACHE".into(),
        };
    }
    if let Some(value) = set("XDG_CACHE_HOME").filter(|path| path.is_absolute()) {
        return Setting {
            value: value.join("ringshift"),
            from: "XDG_CACHE_HOME".into(),
        };
    }
    match set("HOME") {
        Some(home) => Setting {
            value: home.join(".cache/ringshift"),
            from: "default".into(),
        },
        None => Setting {
            value: std::env::temp_dir().join("ringshift-cache"),
            from: "default".into(),
        },
    }
}

fn state() -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
    base.unwrap_or_else(std::env::temp_dir).join("ringshift")
}

/// The time that `--max-age` leads to: `90s`, `30m`, `12h`, `7d`.
fn oldest(age: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = age else { return Ok(None) };
    let wrong = || {
        Failure::request(
            format!("`{text}` is no age for --max-age"),
            "a number with its unit: 90s, 30m, 12h, 7d",
        )
    };
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = number
        .checked_mul(unit)
        .filter(|seconds| *seconds >= 0)
        .ok_or_else(wrong)?;
    Ok(Some(Timestamp(now().0 - seconds)))
}

/// Whether the terminal says that nothing can be drawn on it.
pub fn dumb_terminal() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// The clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|d| d.as_secs())
        .unwrap_or_default();
    Timestamp(i64::try_from(since).unwrap_or_default())
}

/// 32 random hex digits.
fn random() -> Result<String, Failure> {
    use std::io::Read;
    let mut bytes = [0; 16];
    let io = |source| Failure::Io {
        action: "read /dev/urandom".into(),
        source,
    };
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(io)?;
    Ok(ringshift::model::digest::hex(&bytes))
}
