//! Runs that end while builders are at work: by Ctrl-C, or killed.

use crate::machine::Machine;
use crate::processes::{holding, until};
use crate::project::{Place, file, small};
use crate::store::Store;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

/// A run whose images sleep.
struct Sleeping {
    world: Place,
    /// How long, in seconds: as no other test sleeps.
    seconds: String,
    ringshift: Child,
    said: BufReader<ChildStderr>,
}

impl Sleeping {
    /// Begins it, and waits until all of them sleep.
    fn begin(machine: &Machine, claim: u64) -> Self {
        let world = small();
        let name = machine
            .name
            .bytes()
            .fold(0, |sum, byte| sum * 7 % 100 + u64::from(byte));
        let seconds = 100_000_000 + u64::from(std::process::id()) * 1000 + claim * 400 + name;
        // Each another text: BuildKit does what is the same but once.
        let sleepy =
            |image: &str| format!("FROM acme/shop/busybox\nRUN echo begun-{image} | cat; sleep {seconds}\n");
        file(&world, "lib", &sleepy("lib"));
        let mut sleepers = 1;
        // Classic docker builds one after the other.
        if machine.name != "docker-classic" {
            file(&world, "worker", &sleepy("worker"));
            sleepers += 1;
        }
        world.commit("Sleep");
        let mut command = machine.command(&world, &["build", "-v", "--jobs", "4"]);
        let piped = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut ringshift = piped.spawn().unwrap();
        let mut said = BufReader::new(ringshift.stderr.take().unwrap());
        let mut all = String::new();
        while sleepers > 0 {
            let mut line = String::new();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended early: {all}");
            let begun = [" begun-lib\n", " begun-worker\n"];
            sleepers -= usize::from(begun.iter().any(|word| line.ends_with(word)));
            all.push_str(&line);
        }
        Self {
            world,
            seconds: seconds.to_string(),
            ringshift,
            said,
        }
    }

    /// Sends a signal; how it ended, and what it said from then on.
    fn end(&mut self, signal: Signal) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.ringshift), signal).unwrap();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (self.ringshift.wait().unwrap().code(), rest)
    }

    /// The builder's own programs of this world.
    fn programs(&self) -> Vec<String> {
        holding(&self.world.root.path().display().to_string())
    }

    fn sleepers(&self) -> Vec<String> {
        holding(&format!("sleep {}", self.seconds))
    }
}

/// Exit 130; no program of the builder, nothing that a RUN started and no working container is left; the next run
/// keeps what was built.
pub fn ctrl_c_ends_what_was_started(machine: &Machine) {
    let mut run = Sleeping::begin(machine, 0);
    let (code, rest) = run.end(Signal::INT);
    assert_eq!(code, Some(130), "{rest}");
    assert!(
        rest.ends_with("error: interrupted; the next run goes on from here\n"),
        "{rest}"
    );
    assert_eq!(run.programs(), [""; 0], "the builder's own programs end first");
    // A daemon ends what it runs in its own time.
    until(|| run.sleepers(), Vec::is_empty);
    if machine.is_buildah() {
        let all = match machine.name {
            "buildah" => machine.ask(&run.world, &["containers", "--quiet", "--all"]),
            _ => machine.ask(&run.world, &["ps", "--quiet", "--all", "--external"]),
        };
        assert_eq!(all, "", "working containers are left");
    }
    assert_eq!(Store::of(&run.world).versions("busybox").len(), 1);
}

/// What a run that was killed had started ends with it; what it had laid out goes with the next build.
pub fn a_killed_run_takes_its_builders_with_it(machine: &Machine) {
    let mut run = Sleeping::begin(machine, 1);
    kill_process(Pid::from_child(&run.ringshift), Signal::KILL).unwrap();
    run.ringshift.wait().unwrap();
    until(|| run.programs(), Vec::is_empty);
    until(|| run.sleepers(), Vec::is_empty);
    let left = || std::fs::read_dir(run.world.root.path().join("tmp")).unwrap();
    let ours = |name: &str| name.starts_with("ringshift-") && !name.ends_with(".lock");
    let names = || {
        left()
            .flatten()
            .map(|entry| entry.file_name().into_string().unwrap())
    };
    let folders = || names().filter(|name| ours(name)).count();
    assert_ne!(folders(), 0);
    file(
        &run.world,
        "lib",
        "FROM acme/shop/busybox\nRUN echo awake > /lib\n",
    );
    file(
        &run.world,
        "worker",
        "FROM acme/shop/busybox\nRUN echo awake > /worker\n",
    );
    run.world.commit("Wake");
    machine.done(&run.world, &["build"]);
    assert_eq!(folders(), 0);
}
