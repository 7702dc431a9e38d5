//! Ctrl-C while builders are at work.

use crate::machine::Machine;
use crate::processes::{holding, until};
use crate::project::{file, small};
use crate::store::Store;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Exit 130; no program of the builder, nothing that a RUN started and no working container is left; the next run
/// keeps what was built.
pub fn ctrl_c_ends_what_was_started(machine: &Machine) {
    let world = small();
    // A number of seconds that no other test sleeps.
    let name = machine
        .name
        .bytes()
        .fold(0, |sum, byte| sum * 7 % 1000 + u32::from(byte));
    let seconds = 100_000_000 + u64::from(std::process::id()) * 1000 + u64::from(name);
    // Each another text: BuildKit does what is the same but once.
    let sleepy =
        |image: &str| format!("FROM acme/shop/busybox\nRUN echo begun-{image} | cat; sleep {seconds}\n");
    let sleepers: &[&str] = match machine.name {
        // One build after the other.
        "docker-classic" => &["lib"],
        _ => &["lib", "worker"],
    };
    file(&world, "lib", &sleepy("lib"));
    if sleepers.contains(&"worker") {
        file(&world, "worker", &sleepy("worker"));
    }
    world.commit("Sleep");
    let mut command = machine.command(&world, &["build", "-v", "--jobs", "4"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let (mut begun, mut all) = (0, String::new());
    while begun < sleepers.len() {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended early: {all}");
        begun += usize::from(
            [" begun-lib\n", " begun-worker\n"]
                .iter()
                .any(|word| line.ends_with(word)),
        );
        all.push_str(&line);
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    // Read on, so that it never waits for a reader.
    let rest = std::thread::spawn(move || {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut said, &mut rest).unwrap();
        rest
    });
    let code = child.wait().unwrap().code();
    let rest = rest.join().unwrap();
    assert_eq!(code, Some(130), "{rest}");
    assert!(
        rest.ends_with("error: interrupted; the next run goes on from here\n"),
        "{rest}"
    );
    let root = world.root.path().display().to_string();
    assert_eq!(holding(&root), [""; 0], "the builder's own programs end first");
    // A daemon ends what it runs in its own time.
    until(|| holding(&format!("sleep {seconds}")), Vec::is_empty);
    if machine.is_buildah() {
        let all = match machine.name {
            "buildah" => machine.ask(&world, &["containers", "--quiet", "--all"]),
            _ => machine.ask(&world, &["ps", "--quiet", "--all", "--external"]),
        };
        assert_eq!(all, "", "working containers are left");
    }
    for image in ["busybox"] {
        assert_eq!(Store::of(&world).versions(image).len(), 1, "{image}");
    }
}
