//! A program of a builder: how it is started, what it says, and how it is ended.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: starts processes, with an environment of few variables"
)]

use super::end::{self, Ending, Running};
use crate::builder::Cancel;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often it is looked whether to stop.
const GLANCE: Duration = Duration::from_millis(50);
/// How long its pipes may stay open once it has ended: another process holds them then.
const LINGER: Duration = Duration::from_secs(2);
/// The longest line that is passed on in one piece, in bytes.
const LONGEST: u64 = 64 << 10;

/// The variables that a program may see (SEC-A12).
const NAMES: [&str; 16] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "USER",
    "LOGNAME",
    "CONTAINER_HOST",
    "REGISTRY_AUTH_FILE",
    "KUBECONFIG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "FTP_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// What the names of further ones begin with.
const PREFIXES: [&str; 8] = [
    "XDG_",
    "LC_",
    "DOCKER_",
    "BUILDKIT_",
    "BUILDX_",
    "BUILDAH_",
    "CONTAINERS_",
    "STORAGE_",
];

/// A call of a program.
#[derive(Debug, Clone)]
pub(super) struct Call {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    ending: Ending,
}

/// How a call ended without success.
#[derive(Debug)]
pub(super) enum Failed {
    /// It was told to stop.
    Cancelled,
    /// It could not be started, or its end could not be awaited.
    Start(io::Error),
    /// It ended with something else than 0.
    Status(ExitStatus),
    /// It did not end in time.
    Late,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => write!(f, "was interrupted"),
            Self::Start(error) => write!(f, "cannot be started: {error}"),
            Self::Status(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(f, "failed with exit code {code}"),
                (None, signal) => write!(f, "was ended by signal {}", signal.unwrap_or_default()),
            },
            Self::Late => write!(f, "does not answer"),
        }
    }
}

impl Call {
    /// A call without arguments.
    pub(super) fn new(program: &Path) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            ending: Ending::Told,
        }
    }

    /// How it is ended when everything is to stop.
    pub(super) fn ending(&mut self, ending: Ending) -> &mut Self {
        self.ending = ending;
        self
    }

    /// Adds an argument.
    pub(super) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args.push(arg.as_ref().into());
        self
    }

    /// Adds arguments.
    pub(super) fn args<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&mut self, args: I) -> &mut Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    pub(super) fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.env.push((name.as_ref().into(), value.as_ref().into()));
        self
    }

    /// Hands on one more variable of ringshift's own, when it is set.
    pub(super) fn hand_on(&mut self, name: &str) -> &mut Self {
        if let Some(value) = std::env::var_os(name) {
            self.env(name, value);
        }
        self
    }

    /// Runs it to its end, and hands every line of both streams on as it comes.
    pub(super) fn run(&self, cancel: &Cancel, line: &mut dyn FnMut(&str)) -> Result<(), Failed> {
        self.await_end(cancel, None, line)
    }

    /// What it prints, when it answers in time.
    pub(super) fn ask(&self, within: Duration) -> Result<String, (Failed, String)> {
        let mut text = String::new();
        let ended = self.await_end(&Cancel::default(), Some(within), &mut |line| {
            text.push_str(line);
            text.push('\n');
        });
        match ended {
            Ok(()) => Ok(text),
            Err(failed) => Err((failed, text)),
        }
    }

    fn await_end(
        &self,
        cancel: &Cancel,
        within: Option<Duration>,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), Failed> {
        if cancel.requested() {
            return Err(Failed::Cancelled);
        }
        let (sender, lines) = mpsc::channel();
        let mut running = self.start(sender)?;
        let began = Instant::now();
        let mut ended: Option<(Instant, ExitStatus)> = None;
        loop {
            match lines.recv_timeout(GLANCE) {
                Ok(text) => line(&text),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if cancel.requested() {
                return Err(Failed::Cancelled);
            }
            if within.is_some_and(|within| began.elapsed() > within) {
                return Err(Failed::Late);
            }
            match ended {
                None => {
                    ended = running
                        .ended()
                        .map_err(Failed::Start)?
                        .map(|status| (Instant::now(), status))
                }
                Some((at, _)) if at.elapsed() > LINGER => break,
                Some(_) => {}
            }
        }
        // Its streams are closed: the end is near, unless it only closed them.
        let status = loop {
            if let Some(status) = running.ended().map_err(Failed::Start)? {
                break status;
            }
            if cancel.requested() {
                return Err(Failed::Cancelled);
            }
            if within.is_some_and(|within| began.elapsed() > within) {
                return Err(Failed::Late);
            }
            std::thread::sleep(GLANCE / 10);
        };
        match status.success() {
            true => Ok(()),
            false => Err(Failed::Status(status)),
        }
    }

    fn start(&self, sender: Sender<String>) -> Result<Running, Failed> {
        let mut command = end::with_ringshift(&self.program).map_err(Failed::Start)?;
        command.args(&self.args).env_clear().envs(inherited());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: what it starts can be ended with it.
        let mut child = command.process_group(0).spawn().map_err(Failed::Start)?;
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|s| Box::new(s) as _),
            child.stderr.take().map(|s| Box::new(s) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || pass_on(stream, &sender));
        }
        Ok(Running::new(child, self.ending))
    }
}

/// The variables that are handed on.
fn inherited() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        let Some(name) = name.to_str() else { return false };
        let upper = name.to_ascii_uppercase();
        let proxy = upper.ends_with("_PROXY") && NAMES.contains(&upper.as_str());
        proxy || NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
}

/// Sends the lines of a stream. A carriage return ends one too: progress is drawn that way.
fn pass_on(stream: Box<dyn Read + Send>, sender: &Sender<String>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut bytes = Vec::new();
        match (&mut stream).take(LONGEST).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&bytes);
        for line in text.trim_end_matches(['\r', '\n']).split('\r') {
            if sender.send(line.to_owned()).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use rustix::process::Pid;

    fn shell(script: &str) -> Call {
        let mut call = Call::new(Path::new("/bin/sh"));
        call.args(["-c", script]);
        call
    }

    fn lines(call: &Call) -> (Vec<String>, Result<(), Failed>) {
        let mut lines = Vec::new();
        let ended = call.run(&Cancel::default(), &mut |line| lines.push(line.to_owned()));
        (lines, ended)
    }

    #[test]
    fn lines_of_both_streams_come_and_the_exit_code_is_told() {
        let (mut said, ended) = lines(&shell("echo a; printf 'b\\rc\\n' >&2; exit 3"));
        said.sort();
        assert_eq!(said, ["a", "b", "c"]);
        assert_eq!(ended.unwrap_err().to_string(), "failed with exit code 3");
        let (_, ended) = lines(&shell("kill -9 $$"));
        assert_eq!(ended.unwrap_err().to_string(), "was ended by signal 9");
        let (_, ended) = lines(&Call::new(Path::new("/nothing/here")));
        assert!(matches!(ended, Err(Failed::Start(_))));
    }

    #[test]
    fn few_variables_are_handed_on() {
        let mut call = Call::new(Path::new("/usr/bin/env"));
        call.env("GIVEN", "1");
        let (said, _) = lines(&call);
        assert!(said.iter().any(|line| line.starts_with("PATH=")));
        assert!(said.contains(&"GIVEN=1".to_owned()));
        // Cargo sets some for every test.
        assert!(!said.iter().any(|line| line.starts_with("CARGO")), "{said:?}");
    }

    #[test]
    fn what_is_told_to_stop_takes_its_children_with_it() {
        let cancel = Cancel::default();
        let mut child = String::new();
        let ended = shell("sleep 1000 & echo $!; wait").run(&cancel, &mut |line| {
            line.clone_into(&mut child);
            cancel.request();
        });
        assert!(matches!(ended, Err(Failed::Cancelled)));
        let child = Pid::from_raw(child.parse().unwrap()).unwrap();
        let gone = || rustix::process::test_kill_process(child).is_err() || is_zombie(child);
        // It was killed; the kernel takes it away in its own time.
        let begun = Instant::now();
        while !gone() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        assert!(gone(), "the child lives on");
    }

    fn is_zombie(pid: Pid) -> bool {
        let mut status = String::new();
        let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
        let read = std::fs::File::options().read(true).open(path);
        read.and_then(|mut f| f.read_to_string(&mut status)).is_err() || status.contains(") Z")
    }

    #[test]
    fn what_does_not_answer_in_time_is_ended() {
        let (failed, text) = shell("echo begun; sleep 1000")
            .ask(Duration::from_millis(200))
            .unwrap_err();
        assert_eq!(
            (failed.to_string().as_str(), text.as_str()),
            ("does not answer", "begun\n")
        );
    }
}
