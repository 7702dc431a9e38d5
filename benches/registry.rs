//! Pushing many small blobs over a line with delay: `cargo bench --bench registry`, with `BLOBS=1000`, `DELAY=100`
//! (milliseconds, each way) and `THREADS=16`. The time should be that of two round trips for each blob, divided by the
//! threads: what is beyond that is ours. The registry is distribution 3 of `tests/lab/lab.sh`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    dead_code,
    missing_docs
)]

#[path = "../tests/registry/front.rs"]
mod front;
#[path = "../tests/registry/server.rs"]
mod server;
#[path = "../tests/registry/wire.rs"]
mod wire;

use front::Front;
use ringshift::registry::remote::{Access, RemoteRegistry};
use ringshift::registry::{Registry, Repository};
use server::{Kind, Server};
use std::time::{Duration, Instant};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        // `cargo test --all-targets` starts benches too; measuring is not testing.
        return;
    }
    let (blobs, delay, threads) = (number("BLOBS", 1000), number("DELAY", 100), number("THREADS", 16));
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let wait = Duration::from_millis(delay);
    let there = move |_: front::Asked<'_>| {
        std::thread::sleep(wait);
        None
    };
    let front = Front::to(&server.address, there, move |_, answer| {
        std::thread::sleep(wait);
        answer
    });
    let registry = RemoteRegistry::open(Access::anonymous(&front.address)).unwrap();
    let repository = Repository::single("bench/small");
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (registry, repository) = (&registry, &repository);
            scope.spawn(move || {
                for n in (thread..blobs).step_by(threads as usize) {
                    registry
                        .put_blob(repository, format!("blob {n}").as_bytes())
                        .unwrap();
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    let requests = front.seen().len();
    let bound = 2.0 * delay as f64 / 1000.0 * requests as f64 / threads as f64;
    println!(
        "{blobs} blobs, {delay} ms each way, {threads} threads: {requests} requests over {} connections",
        front.connections()
    );
    println!(
        "{took:.2} s; the line alone takes {bound:.2} s ({:.2} times that)",
        took / bound
    );
}
