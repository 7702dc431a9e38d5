//! Layers that BuildKit keeps in a registry for other machines.

use crate::machine::{self, Machine, lab};
use crate::processes::until;
use crate::project::{WITH_RUN, file, fresh, small};
use crate::sandbox::World;
use crate::server::{Kind, Server};
use crate::whole::runs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A BuildKit of the test's own, which has seen nothing yet.
struct Cold {
    daemon: Child,
    place: tempfile::TempDir,
}

impl Cold {
    fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut command = Command::new(lab().join("bin/buildkitd"));
        command
            .args(["--config", "/dev/null", "--root"])
            .arg(place.path().join("data"))
            .args(["--addr", &Self::address(place.path())])
            .args([
                "--containerd-worker=false",
                "--oci-worker=true",
                "--oci-worker-net=host",
            ])
            .arg("--oci-worker-binary=runc")
            .env("PATH", machine::PATH);
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let cold = Self {
            daemon: quiet.spawn().unwrap(),
            place,
        };
        until(|| cold.answers(), |answers| *answers);
        cold
    }

    fn address(place: &Path) -> String {
        format!("unix://{}", place.join("sock").display())
    }

    fn answers(&self) -> bool {
        let mut command = Command::new(lab().join("bin/buildctl"));
        command.args(["--addr", &Self::address(self.place.path()), "debug", "workers"]);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().unwrap().success()
    }

    fn machine(&self) -> Machine {
        let machine = Machine::find("buildctl").unwrap();
        machine.with("BUILDKIT_HOST", Self::address(self.place.path()))
    }
}

impl Drop for Cold {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.daemon);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.daemon.wait();
    }
}

/// The tags of the repository that layers are kept in.
fn tags(server: &Server) -> Vec<String> {
    let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
    write!(stream, "GET /v2/acme/layers/tags/list HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    let tags = json["tags"].as_array().into_iter().flatten();
    let mut tags: Vec<String> = tags.map(|tag| tag.as_str().unwrap().to_owned()).collect();
    tags.sort();
    tags
}

/// How many RUNs were carried out when the project was built into a store of its own.
fn carried_out(machine: &Machine, world: &World, store: &str, more: &[&str]) -> usize {
    let place = format!("oci:{}", world.root.path().join(store).display());
    let args = ["build", "-v", "--registry", &place];
    let ran = machine.done(world, &[&args, more].concat());
    runs(&ran)
}

#[test]
fn a_cold_buildkit_takes_the_layers_that_another_machine_kept_in_a_registry() {
    if Machine::find("buildctl").is_none() {
        return;
    }
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let world = fresh();
    file(
        &world,
        "docs",
        "FROM acme/shop/busybox\nRUN --mount=type=secret,id=token cat /run/secrets/token | sha256sum > /sum\n",
    );
    world.commit("A secret");
    std::fs::write(world.root.path().join("canary"), "canary").unwrap();
    let secret = format!("id=token,src={}", world.root.path().join("canary").display());
    let layers = format!("{}/acme/layers", server.address);
    let flags = ["--layer-cache", &layers, "--secret", &secret];
    let one = Cold::start();
    assert_eq!(carried_out(&one.machine(), &world, "one", &flags), WITH_RUN);
    drop(one);
    let kept = ["api", "lib", "tools", "web", "worker"].map(|image| format!("{image}-linux-amd64"));
    assert_eq!(tags(&server), kept, "of a secret nothing is kept");
    let other = Cold::start();
    assert_eq!(carried_out(&other.machine(), &world, "two", &flags), 0);
    let no_cache = [&flags[..], &["--no-cache"]].concat();
    assert_eq!(
        carried_out(&other.machine(), &world, "three", &no_cache),
        WITH_RUN
    );
    drop(other);
    let without = Cold::start();
    assert_eq!(
        carried_out(&without.machine(), &world, "four", &flags[2..]),
        WITH_RUN
    );
}

#[test]
fn buildx_keeps_layers_as_rings_yaml_says_and_a_registry_that_is_away_fails_no_build() {
    let Some(machine) = Machine::find("buildx") else {
        return;
    };
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let world = small();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    let keeping = |address: &str| format!("{rings}builder: {{name: buildx, cache: {address}/acme/layers}}\n");
    world.write("rings.yaml", keeping(&server.address));
    world.commit("Keep layers");
    machine.done(&world, &["build", "worker"]);
    assert_eq!(
        tags(&server),
        ["busybox", "lib", "shop", "worker"].map(|image| format!("{image}-linux-amd64"))
    );
    drop(server);
    world.write("rings.yaml", keeping("127.0.0.1:1"));
    file(
        &world,
        "worker",
        "FROM acme/shop/busybox\nRUN echo again > /worker\n",
    );
    world.commit("Another one");
    machine.done(&world, &["build", "worker"]);
}
