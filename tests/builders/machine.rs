//! The builders of this machine, as the lab has started them, each behind a script that notes every call.

use crate::sandbox::{Ran, World};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the programs themselves are found by; ringshift sees the scripts alone.
pub const PATH: &str = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";

pub struct Machine {
    pub name: &'static str,
    /// As ringshift calls it: `docker`.
    program: &'static str,
    real: PathBuf,
    variables: Vec<(&'static str, String)>,
}

/// Where tests/lab/lab.sh puts programs and sockets.
pub fn lab() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab");
    std::env::var_os("RINGSHIFT_LAB").map_or_else(default, Into::into)
}

impl Machine {
    /// A builder by its name; none where it is missing.
    pub fn find(name: &'static str) -> Option<Self> {
        let socket = |part: &str| format!("unix://{}", lab().join(part).join("sock").display());
        let bin = |program: &str| lab().join("bin").join(program);
        let isolation = || ("RINGSHIFT_BUILDER_ARGS", "--isolation chroot".to_owned());
        let docker = |buildkit: &str| {
            vec![
                ("DOCKER_HOST", socket("docker")),
                ("DOCKER_BUILDKIT", buildkit.to_owned()),
                ("RINGSHIFT_BUILDER_ARGS", "--network host".to_owned()),
            ]
        };
        let (program, real, variables) = match name {
            "buildctl" => {
                let address = std::env::var("BUILDKIT_HOST").unwrap_or_else(|_| socket("buildkit"));
                (name, bin(name), vec![("BUILDKIT_HOST", address)])
            }
            "buildx" => (name, bin("lab-buildx"), vec![]),
            "docker" => (name, "/usr/bin/docker".into(), docker("1")),
            "docker-classic" => ("docker", "/usr/bin/docker".into(), docker("0")),
            "buildah" => (name, "/usr/bin/buildah".into(), vec![isolation()]),
            _ => ("podman", "/usr/bin/podman".into(), vec![isolation()]),
        };
        let machine = Self {
            name,
            program,
            real,
            variables,
        };
        let world = World::bare_folder();
        let ran = machine.run(&world, &["doctor", "--builder", program]);
        if ran.code == 0 {
            return Some(machine);
        }
        let reason = format!("no {name} (tests/lab/lab.sh install, start): {}", ran.shown());
        assert!(std::env::var("CI").is_err(), "{reason}");
        eprintln!("SKIPPED: {reason}");
        None
    }

    /// The same with another value of a variable.
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.variables.retain(|(other, _)| *other != name);
        self.variables.push((name, value));
        self
    }

    /// Whether it is buildah, or podman, which builds the same way.
    pub fn is_buildah(&self) -> bool {
        matches!(self.name, "buildah" | "podman")
    }

    /// ringshift in a world where this builder is the only one.
    pub fn command(&self, world: &World, args: &[&str]) -> Command {
        let bin = world.root.path().join("bin");
        if !bin.exists() {
            self.lay_out(world, &bin);
        }
        let mut command = world.command(args);
        command.env("PATH", &bin).envs(self.variables.iter().cloned());
        if self.is_buildah() {
            command.env("RINGSHIFT_ENGINE_ARGS", self.storage(world).join(" "));
        }
        command
    }

    pub fn run(&self, world: &World, args: &[&str]) -> Ran {
        world.end(self.command(world, args))
    }

    /// Runs what must succeed.
    pub fn done(&self, world: &World, args: &[&str]) -> Ran {
        let ran = self.run(world, args);
        assert_eq!(ran.code, 0, "{args:?}\n{}", ran.shown());
        ran
    }

    /// All that was called, with arguments and variables.
    pub fn notes(&self, world: &World) -> String {
        std::fs::read_to_string(world.root.path().join("calls")).unwrap_or_default()
    }

    /// How many times it was called to build.
    pub fn builds(&self, world: &World) -> usize {
        let notes = self.notes(world);
        let calls = notes.lines().filter(|line| line.starts_with("call "));
        calls
            .filter(|call| call.split(' ').any(|word| word == "build"))
            .count()
    }

    /// What the program itself says.
    pub fn ask(&self, world: &World, args: &[&str]) -> String {
        let mut command = Command::new(&self.real);
        command.args(self.storage(world)).args(args).stdin(Stdio::null());
        let output = command.envs(self.variables.iter().cloned()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn lay_out(&self, world: &World, bin: &Path) {
        std::fs::create_dir(bin).unwrap();
        // What ties a program's life to ringshift's.
        std::os::unix::fs::symlink("/usr/bin/setpriv", bin.join("setpriv")).unwrap();
        let script = bin.join(self.program);
        let text = format!(
            "#!/bin/sh\nprintf '%s\\n' \"call $*\" >>{log}\ntr '\\0' '\\n' </proc/$$/environ >>{log}\n\
             PATH={PATH} exec {real} \"$@\"\n",
            log = world.root.path().join("calls").display(),
            real = self.real.display(),
        )
        .replace("tr '", "/usr/bin/tr '");
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Storage of the world's own for programs that have no daemon.
    fn storage(&self, world: &World) -> Vec<String> {
        if !self.is_buildah() {
            return Vec::new();
        }
        let at = |part: &str| world.root.path().join(part).display().to_string();
        let words = [
            "--root",
            &at("storage"),
            "--runroot",
            &at("run"),
            "--storage-driver",
            "overlay",
        ];
        words.map(String::from).to_vec()
    }
}
