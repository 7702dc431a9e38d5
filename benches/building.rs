//! Building, as ratios measured in one run: turns A B A B, medians. `cargo bench --bench building`, with `TURNS=N`.
//!
//! What needs BuildKit takes the one that `tests/lab/lab.sh start` has started, and is left out where there is none.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs
)]

mod measure;

use flate2::{Compression, GzBuilder};
use measure::{compare, memory, run};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const RINGSHIFT: &str = env!("CARGO_BIN_EXE_ringshift");
/// How much of a layer is packed at a time, and how hard: as ringshift does it.
const PIECE: usize = 1 << 20;
const LEVEL: u32 = 3;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, verb, folder, to] = args.as_slice()
        && verb == "--tar-hash-pack"
    {
        return tar_hash_pack(Path::new(folder), Path::new(to));
    }
    if !args.iter().any(|arg| arg == "--bench") {
        // `cargo test --all-targets` starts benches too; measuring is not testing.
        return;
    }
    let turns = std::env::var("TURNS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    println!("{turns} turns each, medians; ratio = first / second, pair by pair");
    nothing_to_do(turns);
    large(turns);
    match BuildKit::find() {
        Some(kit) => {
            small_files(&kit, turns);
            one_run(&kit, turns);
        }
        None => println!("no BuildKit: tests/lab/lab.sh install, start"),
    }
}

/// A build of 200 images that are all there.
fn nothing_to_do(turns: usize) {
    let repo = Repo::new("many");
    let mut rings =
        String::from("project: acme\nrings: [dev]\nimages:\n  release: {context: release, root: true}\n");
    for n in 0..200 {
        rings.push_str(&format!("  image-{n}: images/{n}\n"));
        repo.write(
            &format!("images/{n}/Dockerfile"),
            b"FROM scratch\nCOPY src /src\n",
        );
        (0..50).for_each(|file| {
            repo.write(
                &format!("images/{n}/src/{file}"),
                format!("{n} {file}\n").as_bytes(),
            )
        });
    }
    repo.project(&rings);
    let build = || repo.ringshift(&["-q", "build"]);
    run(build());
    let status = || repo.git(&["status", "--porcelain"]);
    compare(
        "build of 200 images, nothing to do",
        build,
        "git status",
        status,
        turns,
        |_| {},
    );
    memory("build of 200 images, nothing to do", build());
}

/// 500 MB in one COPY, one file of it changed.
fn large(turns: usize) {
    let repo = Repo::new("large");
    for n in 0..50 {
        repo.write(&format!("image/data/{n}"), &half_noise(n, 10 << 20));
    }
    repo.write("image/Dockerfile", b"FROM scratch\nCOPY data /data\n");
    repo.project(
        "project: acme\nrings: [dev]\nimages:\n  image: image\n  release: {context: release, root: true}\n",
    );
    let own = std::env::current_exe().unwrap();
    let build = || repo.ringshift(&["-q", "build"]);
    let pack = || {
        let mut command = Command::new(&own);
        command
            .arg("--tar-hash-pack")
            .arg(repo.root.join("image/data"))
            .arg(repo.home.join("packed"));
        command
    };
    let change = |turn: usize| repo.change("image/data/7", &half_noise(1000 + turn as u64, 10 << 20));
    compare(
        "COPY of 500 MB, one file changed",
        build,
        "tar + sha256 + gzip, written",
        pack,
        turns,
        change,
    );
    change(turns + 1);
    memory("COPY of 500 MB, one file changed", build());
}

/// A thousand small files, one changed: the native builder against BuildKit.
fn small_files(kit: &BuildKit, turns: usize) {
    let repo = Repo::new("small");
    for n in 0..1000 {
        repo.write(&format!("image/src/{n}"), &half_noise(n, 1 << 10));
    }
    repo.write("image/Dockerfile", b"FROM scratch\nCOPY src /src\n");
    repo.project(
        "project: acme\nrings: [dev]\nimages:\n  image: image\n  release: {context: release, root: true}\n",
    );
    let build = || repo.ringshift(&["-q", "build"]);
    let other = || kit.build(&repo.root.join("image"), &repo.home);
    let change = |turn: usize| repo.change("image/src/7", &half_noise(2000 + turn as u64, 1 << 10));
    compare(
        "COPY of 1,000 small files, one changed",
        build,
        "BuildKit",
        other,
        turns,
        change,
    );
    change(turns + 1);
    memory("COPY of 1,000 small files, one changed", build());
}

/// One image with a RUN by BuildKit, with and without ringshift around it.
fn one_run(kit: &BuildKit, turns: usize) {
    let repo = Repo::new("run");
    let busybox = ["/bin/busybox", "/usr/bin/busybox"];
    let busybox = busybox
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .expect("busybox-static");
    repo.write("image/sh", &busybox);
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(repo.root.join("image/sh"), executable).unwrap();
    repo.write(
        "image/Dockerfile",
        b"FROM scratch\nCOPY sh /bin/sh\nCOPY word /word\nRUN sleep 1\n",
    );
    repo.write("image/word", b"");
    repo.project(
        "project: acme\nrings: [dev]\nimages:\n  image: image\n  release: {context: release, root: true}\n",
    );
    let build = || {
        let mut command = repo.ringshift(&["-q", "build", "--builder", "buildctl", "image"]);
        command.env("RINGSHIFT_ENGINE_ARGS", format!("--addr {}", kit.address));
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", kit.bin.display()));
        command
    };
    let other = || kit.build(&repo.root.join("image"), &repo.home);
    // Another word each time it is built, so that no cache answers.
    let word = std::cell::Cell::new(0);
    let change = |_: usize| {
        word.set(word.get() + 1);
        repo.change(
            "image/word",
            format!("{} {}", std::process::id(), word.get()).as_bytes(),
        );
    };
    let other_word = || {
        word.set(word.get() + 1);
        repo.write(
            "image/word",
            format!("other {} {}", std::process::id(), word.get()).as_bytes(),
        );
        other()
    };
    compare(
        "RUN of a second by buildctl",
        build,
        "buildctl alone",
        other_word,
        turns,
        change,
    );
    change(0);
    memory("RUN of a second by buildctl", build());
}

/// A repository with an empty store.
struct Repo {
    root: PathBuf,
    home: PathBuf,
}

impl Repo {
    fn new(name: &str) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/bench/building")
            .join(name);
        let _ = std::fs::remove_dir_all(&home);
        let repo = Self {
            root: home.join("repo"),
            home,
        };
        std::fs::create_dir_all(&repo.root).unwrap();
        run(repo.git(&["init", "-q"]));
        repo
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn project(&self, rings: &str) {
        self.write("rings.yaml", rings.as_bytes());
        self.write("release/Dockerfile", b"FROM scratch\nCOPY notes /\n");
        self.write("release/notes", b"what is new\n");
        self.commit();
        run(self.ringshift(&["-q", "plan"]));
    }

    fn change(&self, path: &str, bytes: &[u8]) {
        self.write(path, bytes);
        self.commit();
    }

    fn commit(&self) {
        run(self.git(&["add", "-A"]));
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"];
        run(self.git(&[&who[..], &["commit", "-q", "--allow-empty", "-m", "Next"]].concat()));
    }

    fn git(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.root);
        command
    }

    fn ringshift(&self, args: &[&str]) -> Command {
        let mut command = Command::new(RINGSHIFT);
        command.args(args).current_dir(&self.root);
        command.env("RINGSHIFT_CACHE", self.home.join("cache"));
        command
    }
}

/// The lab's BuildKit.
struct BuildKit {
    bin: PathBuf,
    address: String,
}

impl BuildKit {
    fn find() -> Option<Self> {
        let lab = std::env::var_os("RINGSHIFT_LAB").map(PathBuf::from);
        let lab = lab.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab"));
        let kit = Self {
            bin: lab.join("bin"),
            address: format!("unix://{}", lab.join("buildkit/sock").display()),
        };
        let mut ask = kit.command();
        ask.args(["debug", "workers"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success()).then_some(kit)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.bin.join("buildctl"));
        command.args(["--addr", &self.address]);
        command
    }

    /// Builds a folder into a file.
    fn build(&self, context: &Path, home: &Path) -> Command {
        let mut command = self.command();
        command.args(["build", "--frontend=dockerfile.v0", "--progress=plain"]);
        command
            .arg("--local")
            .arg(format!("context={}", context.display()));
        command
            .arg("--local")
            .arg(format!("dockerfile={}", context.display()));
        command
            .arg("--output")
            .arg(format!("type=oci,dest={}", home.join("image.tar").display()));
        command
    }
}

/// Bytes that shrink to about half.
fn half_noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(size + 16);
    while bytes.len() < size {
        bytes.extend(next());
        bytes.extend(*b"and more");
    }
    bytes.truncate(size);
    bytes
}

/// What cannot be spared: the files as a tar, its sum, the pieces packed on all processors, their sum, and the disk.
fn tar_hash_pack(folder: &Path, to: &Path) {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("data", folder).unwrap();
    let tar = tar.into_inner().unwrap();
    let (sum, packed) = rayon::join(
        || Sha256::digest(&tar),
        || -> Vec<Vec<u8>> { tar.par_chunks(PIECE).map(pack).collect() },
    );
    let mut sum_of_packed = Sha256::new();
    let mut file = std::fs::File::create(to).unwrap();
    for piece in packed {
        sum_of_packed.update(&piece);
        file.write_all(&piece).unwrap();
    }
    file.sync_all().unwrap();
    std::hint::black_box((sum, sum_of_packed.finalize()));
}

fn pack(piece: &[u8]) -> Vec<u8> {
    let mut gz = GzBuilder::new().write(Vec::new(), Compression::new(LEVEL));
    gz.write_all(piece).unwrap();
    gz.finish().unwrap()
}
