//! Much traffic over bad lines: connections that break, lines that delay, blobs larger than the memory.

use crate::server::{Kind, Server};
use crate::world::{open, repository};
use ringshift::model::Digest;
use ringshift::registry::Registry;
use ringshift::registry::remote::{Access, RemoteRegistry};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A line to a server: every connection breaks after so many bytes, a little other each time.
struct Line {
    address: String,
    broken: Arc<AtomicUsize>,
}

impl Line {
    fn to(server: &str, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (server, broken) = (server.to_owned(), Arc::<AtomicUsize>::default());
        let counted = broken.clone();
        std::thread::spawn(move || {
            for (n, near) in listener.incoming().map_while(Result::ok).enumerate() {
                let Ok(far) = TcpStream::connect(&server) else {
                    return;
                };
                let spread = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % bytes;
                let left = Arc::new(AtomicU64::new(bytes + spread));
                for (from, to) in [
                    (near.try_clone(), far.try_clone()),
                    (far.try_clone(), near.try_clone()),
                ] {
                    let (from, to, left, broken) =
                        (from.unwrap(), to.unwrap(), left.clone(), counted.clone());
                    std::thread::spawn(move || pass(from, to, &left, &broken));
                }
            }
        });
        Self { address, broken }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicU64, broken: &AtomicUsize) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(read as u64)
            })
            .is_err()
        {
            broken.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn over_lines_that_break_everything_arrives_whole() {
    for kind in [Kind::Second, Kind::Third] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let line = Line::to(&server.address, 1 << 20);
        let registry = RemoteRegistry::open(Access::anonymous(&line.address)).unwrap();
        let blob = |n: usize| vec![n as u8; 50_000 + n];
        std::thread::scope(|scope| {
            for part in 0..4 {
                let registry = &registry;
                scope.spawn(move || {
                    for n in (part..200).step_by(4) {
                        registry.put_blob(&repository("api"), &blob(n)).unwrap();
                    }
                });
            }
        });
        let large = vec![3; 6 << 20];
        let straight = open(&server);
        straight.put_blob(&repository("api"), &large).unwrap();
        for n in 0..200 {
            assert!(
                straight
                    .has_blob(&repository("api"), &Digest::of(&blob(n)))
                    .unwrap(),
                "{kind:?}: {n}"
            );
        }
        // Larger than any connection lives.
        let back = registry
            .small_blob(&repository("api"), &Digest::of(&large), 6 << 20)
            .unwrap();
        assert!(back == large, "{kind:?}");
        assert!(line.broken.load(Ordering::SeqCst) >= 8, "{:?}", line.broken);
    }
}

/// In MiB; `RINGSHIFT_LARGE=2048` is what the rule names.
fn size() -> usize {
    std::env::var("RINGSHIFT_LARGE").map_or(256, |size| size.parse().unwrap())
}

#[test]
fn a_blob_larger_than_the_memory_goes_up_and_down() {
    let Some(server) = Server::start(Kind::Second) else {
        return;
    };
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["traffic::in_a_process_of_its_own", "--exact", "--nocapture"])
        .env("RINGSHIFT_LARGE_AT", &server.address)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(said.contains("peak "), "{said}");
    eprintln!("{said}");
}

#[test]
fn in_a_process_of_its_own() {
    // The other test starts it; the memory of others would be counted here.
    let Ok(address) = std::env::var("RINGSHIFT_LARGE_AT") else {
        return;
    };
    let registry = RemoteRegistry::open(Access::anonymous(address)).unwrap();
    let api = repository("api");
    let mut writer = registry.begin_blob(&api).unwrap();
    let mut piece = vec![0; 1 << 20];
    for n in 0..size() {
        piece[..8].copy_from_slice(&(n as u64).to_le_bytes());
        writer.write_all(&piece).unwrap();
    }
    let stored = writer.finish().unwrap();
    let mut back = registry.blob(&api, &stored.digest).unwrap();
    let read = std::io::copy(&mut back, &mut std::io::sink()).unwrap();
    assert_eq!(read, (size() as u64) << 20);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    std::io::stdout()
        .write_all(format!("peak {peak} kB\n").as_bytes())
        .unwrap();
    assert!(peak < 100 << 10, "{peak} kB");
}
