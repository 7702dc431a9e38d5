//! Planning, as ratios measured in one run: turns A B A B, medians, so that a machine that drifts or is
//! busy shows in both. `cargo bench --bench planning`, with `PRESET=S|M|L` (M by default) and `TURNS=N`.
//!
//! The monorepo is made by `gen_monorepo.py`; it gets a rings.yaml with a root image, is committed and
//! built once into its folder store.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs
)]

mod measure;

use measure::{compare, memory, run};
use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const RINGSHIFT: &str = env!("CARGO_BIN_EXE_ringshift");

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, verb, list] = args.as_slice()
        && verb == "--read-and-hash"
    {
        return read_and_hash(Path::new(list));
    }
    if !args.iter().any(|arg| arg == "--bench") {
        // `cargo test --all-targets` starts benches too; measuring is not testing.
        return;
    }
    let preset = std::env::var("PRESET").unwrap_or_else(|_| "M".into());
    let turns = std::env::var("TURNS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(9);
    let repo = Repo::prepare(&preset);
    let own = std::env::current_exe().unwrap();
    let list = repo.list_of_reads();
    println!("preset {preset}, {turns} turns each, medians; ratio = first / second, pair by pair");
    let warm = || repo.ringshift(&["plan"], "warm");
    let quiet = || repo.ringshift(&["-q", "plan"], "warm");
    let status = || repo.git(&["status", "--porcelain"]);
    let ls_tree = || repo.git(&["ls-tree", "-r", "HEAD"]);
    warm().output().unwrap();
    compare("plan, warm", warm, "git status", status, turns, |_| {});
    compare(
        "plan -q, warm",
        quiet,
        "git ls-tree -r HEAD",
        ls_tree,
        turns,
        |_| {},
    );
    let baseline = || {
        let mut command = Command::new(&own);
        command.arg("--read-and-hash").arg(&list);
        command
    };
    let forget = || drop(std::fs::remove_dir_all(repo.cache("cold")));
    let cold = || repo.ringshift(&["plan"], "cold");
    compare(
        "plan, caches cold",
        cold,
        "read + sha256 of what images read",
        baseline,
        turns,
        |_| forget(),
    );
    compare(
        "version",
        || repo.ringshift(&["version"], "warm"),
        "git --version",
        || repo.git(&["--version"]),
        turns,
        |_| {},
    );
    memory("plan, warm", warm());
    forget();
    memory("plan, caches cold", cold());
}

/// The files named in `list`, on all processors.
fn read_and_hash(list: &Path) {
    let names = std::fs::read_to_string(list).unwrap();
    let names: Vec<&str> = names.lines().collect();
    let sum: usize = names
        .par_iter()
        .map(|name| usize::from(Sha256::digest(std::fs::read(name).unwrap())[0]))
        .sum();
    std::hint::black_box(sum);
}

struct Repo {
    root: PathBuf,
    home: PathBuf,
}

impl Repo {
    fn prepare(preset: &str) -> Self {
        let home = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        std::fs::create_dir_all(&home).unwrap();
        let repo = Self {
            root: home.join(format!("monorepo-{preset}")),
            home,
        };
        if !repo.root.join(".git/ringshift").exists() {
            let _ = std::fs::remove_dir_all(&repo.root);
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/gen_monorepo.py");
            let mut generator = Command::new("python3");
            generator
                .arg(script)
                .args(["--preset", preset, "--run", "none"])
                .arg(&repo.root);
            run(generator);
            repo.configure();
            let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"];
            run(repo.git(&["add", "-A"]));
            run(repo.git(&[&who[..], &["commit", "-qm", "Rings"]].concat()));
            run(repo.ringshift(&["-q", "build"], "warm"));
        }
        repo
    }

    fn configure(&self) {
        let images: Value =
            serde_json::from_slice(&std::fs::read(self.root.join("images.json")).unwrap()).unwrap();
        let images = images.as_array().or_else(|| images["images"].as_array()).unwrap();
        let mut text = String::from("project: acme\nrings: [dev, test, users]\nimages:\n");
        for image in images {
            let (name, context, file) = (&image["name"], &image["context"], &image["dockerfile"]);
            let name = name.as_str().unwrap();
            text.push_str(&format!(
                "  {name}: {{context: {context}, file: {file}, aliases: [registry.example.test/acme/{name}]}}\n"
            ));
        }
        text.push_str("  release: {context: release, root: true}\n");
        std::fs::write(self.root.join("rings.yaml"), text).unwrap();
        std::fs::create_dir_all(self.root.join("release")).unwrap();
        std::fs::write(
            self.root.join("release/Dockerfile"),
            "FROM scratch\nCOPY notes /\n",
        )
        .unwrap();
        std::fs::write(self.root.join("release/notes"), "what is new\n").unwrap();
    }

    fn cache(&self, name: &str) -> PathBuf {
        self.home.join(format!("cache-{name}"))
    }

    fn git(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.root);
        command
    }

    fn ringshift(&self, args: &[&str], cache: &str) -> Command {
        let mut command = Command::new(RINGSHIFT);
        command
            .args(args)
            .current_dir(&self.root)
            .env("RINGSHIFT_CACHE", self.cache(cache));
        command
    }

    /// A file that names every file that an image reads.
    fn list_of_reads(&self) -> PathBuf {
        let list = self.home.join("reads");
        let graph = self
            .ringshift(&["-q", "graph", "--json"], "warm")
            .output()
            .unwrap();
        let graph: Value = serde_json::from_slice(&graph.stdout).unwrap();
        let names: Vec<&str> = graph["images"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|i| i["name"].as_str())
            .collect();
        let reads: BTreeSet<String> = names
            .par_iter()
            .flat_map_iter(|name| {
                let out = self
                    .ringshift(&["-q", "explain", name, "--json"], "warm")
                    .output()
                    .unwrap();
                let explained: Value = serde_json::from_slice(&out.stdout).unwrap();
                let reads = explained["reads"].as_array().unwrap().clone();
                reads
                    .into_iter()
                    .map(|read| read["path"].as_str().unwrap().to_owned())
            })
            .collect();
        let lines: Vec<String> = reads
            .iter()
            .map(|path| self.root.join(path))
            .map(|p| p.display().to_string())
            .collect();
        std::fs::write(&list, lines.join("\n")).unwrap();
        list
    }
}
