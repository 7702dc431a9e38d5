//! How a program is ended, with all that it started.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: ends processes, and reads in /proc which ones a program started"
)]

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long a program that was told to end may take.
const GRACE: Duration = Duration::from_secs(10);
/// How often it is looked whether it ended.
const GLANCE: Duration = Duration::from_millis(10);

/// How a program is ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is told, by SIGTERM.
    Told,
    /// What it started is ended, so that it fails of itself and takes its working container away: buildah and podman,
    /// which leave it where it stands when they are told.
    Below,
}

/// A process that runs; when it is let go of, it and all that it started are ended.
pub(super) struct Running {
    child: Child,
    ending: Ending,
}

impl Running {
    /// The leader of a process group of its own.
    pub(super) fn new(child: Child, ending: Ending) -> Self {
        Self { child, ending }
    }

    /// How it ended, when it did.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.pid() {
            let _gone_already = kill_process_group(group, signal);
        }
    }

    /// Whether it ended within the grace; `meanwhile` is done again and again.
    fn ends(&mut self, meanwhile: impl Fn(&Self)) -> bool {
        let told = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if told.elapsed() > GRACE {
                return false;
            }
            meanwhile(self);
            std::thread::sleep(GLANCE);
        }
        true
    }

    fn end_below(&self) {
        for child in self.pid().map(children).unwrap_or_default() {
            let _gone_already = kill_process(child, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        if !ended && (self.ending == Ending::Told || !self.ends(Self::end_below)) {
            self.signal(Signal::TERM);
            self.ends(|_| ());
        }
        // What it started may be there still.
        self.signal(Signal::KILL);
        let _waited = self.child.wait();
    }
}

/// The processes that a process started itself.
fn children(of: Pid) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pids = numbers.filter_map(Pid::from_raw);
    pids.filter(|pid| parent(*pid) == Some(of)).collect()
}

/// `PID (name) S PPID …`; the name may hold anything.
fn parent(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    Pid::from_raw(rest.split(' ').nth(1)?.parse().ok()?)
}

/// setpriv, where it can tie the life of what it starts to that of its parent.
static SETPRIV: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let program = super::look::on_path("setpriv")?;
    let mut command = Command::new(&program);
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(&program)
        .arg("--version");
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet
        .status()
        .is_ok_and(|status| status.success())
        .then_some(program)
});

/// The command that starts a program which ends with ringshift, also when that is killed; without setpriv, it does not.
/// The kernel sends the signal when the thread that started it ends: it must be the one that waits.
///
/// # Errors
/// When there is no such program.
pub(super) fn with_ringshift(program: &Path) -> io::Result<Command> {
    let Some(setpriv) = &*SETPRIV else {
        return Ok(Command::new(program));
    };
    std::fs::metadata(program)?;
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    Ok(command)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;

    /// A shell of which nothing can be told before it said a line.
    fn shell(script: &str) -> (Child, String) {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.as_mut().unwrap());
        said.read_line(&mut line).unwrap();
        (child, line.trim().to_owned())
    }

    #[test]
    fn what_stands_below_is_ended_first_and_the_program_cleans_up() {
        let place = tempfile::tempdir().unwrap();
        let done = place.path().join("done");
        let script = format!(
            "trap '' TERM; sleep 1000 & echo begun; wait $!; echo $? >{}",
            done.display()
        );
        let (child, _) = shell(&script);
        drop(Running::new(child, Ending::Below));
        assert_eq!(std::fs::read_to_string(done).unwrap(), "137\n");
    }

    #[test]
    fn a_process_is_found_by_its_parent() {
        let (child, _) = shell("sleep 1000 & echo begun; wait");
        let running = Running::new(child, Ending::Told);
        assert_eq!(children(running.pid().unwrap()).len(), 1);
        let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert_eq!(parent(running.pid().unwrap()), Some(own));
    }
}
