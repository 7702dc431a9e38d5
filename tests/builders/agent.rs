//! An ssh agent for a RUN.

use crate::machine::Machine;
use crate::project::{file, small};
use crate::sandbox::World;
use crate::store::Store;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running agent that has one key.
struct Agent {
    daemon: Child,
    socket: PathBuf,
    /// The public key, as the agent tells it.
    public: String,
}

impl Agent {
    /// None where there is no ssh.
    fn start(place: &Path) -> Option<Self> {
        let (socket, key) = (place.join("agent"), place.join("key"));
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket);
        let Ok(daemon) = agent.stdin(Stdio::null()).stdout(Stdio::null()).spawn() else {
            assert!(
                std::env::var("CI").is_err(),
                "ssh-agent is missing (openssh-client)"
            );
            eprintln!("SKIPPED: ssh-agent is missing (openssh-client)");
            return None;
        };
        crate::processes::until(|| socket.exists(), |there| *there);
        let done = |command: &mut Command| {
            let output = command.env("SSH_AUTH_SOCK", &socket).output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        done(
            Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"])
                .arg(&key),
        );
        done(Command::new("ssh-add").arg("-q").arg(&key));
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        Some(Self {
            daemon,
            socket,
            public,
        })
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// Puts a program with all that it is linked to into the context of an image.
fn with_libraries(world: &World, program: &str, context: &str) {
    let linked = Command::new("ldd").arg(program).output().unwrap();
    let linked = String::from_utf8(linked.stdout).unwrap();
    let words = linked.split_whitespace().filter(|word| word.starts_with('/'));
    for path in words.chain([program]) {
        let to = format!("{context}{path}");
        world.write(&to, std::fs::read(path).unwrap());
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(world.path(to), executable).unwrap();
    }
}

/// A RUN asks the agent, or the key that stands in for one, and finds it; the key itself is in no image.
pub fn a_run_finds_the_agent(machine: &Machine) {
    let world = small();
    let Some(agent) = Agent::start(world.root.path()) else {
        return;
    };
    with_libraries(&world, "/usr/bin/ssh-add", "images/worker/root");
    file(
        &world,
        "worker",
        "FROM acme/shop/busybox\nCOPY root /\nRUN --mount=type=ssh,required=true /usr/bin/ssh-add -L > /keys\n",
    );
    world.commit("Ask the agent");
    let ran = machine.run(&world, &["build", "worker"]);
    assert_eq!(ran.code, 1, "{}", ran.shown());
    let wanted = "worker: images/worker/Dockerfile:3: RUN needs the ssh agent `default`, which was not given\n\
                  hint: --ssh default, or --ssh default=PATH of a key\n";
    assert!(ran.err.ends_with(wanted), "{}", ran.err);
    let keys = |number: usize, args: &[&str]| {
        let mut command = machine.command(&world, args);
        command.env("SSH_AUTH_SOCK", &agent.socket);
        let ran = world.end(command);
        assert_eq!(ran.code, 0, "{}", ran.shown());
        let store = Store::of(&world);
        let version = store.versions("worker").swap_remove(number);
        store.file("worker", &version, "keys").unwrap()
    };
    assert_eq!(keys(0, &["build", "worker", "--ssh", "default"]), agent.public);
    file(
        &world,
        "worker",
        "FROM acme/shop/busybox\nCOPY root /\nRUN --mount=type=ssh,id=other /usr/bin/ssh-add -L > /keys\n",
    );
    world.commit("Ask for a key");
    let key = format!("other={}", world.root.path().join("key").display());
    let words = |text: &str| text.split(' ').take(2).map(String::from).collect::<Vec<_>>();
    assert_eq!(
        words(&keys(1, &["build", "worker", "--ssh", &key])),
        words(&agent.public)
    );
}
