//! Runs that are killed at any moment, and the same command again.

use crate::failing::told;
use crate::machine::Machine;
use crate::processes::{holding, until};
use crate::project::fresh;
use crate::sandbox::World;
use crate::store::Store;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A small source of numbers; its seed is printed, and read from `RINGSHIFT_SEED`.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let given = std::env::var("RINGSHIFT_SEED").ok();
        let seed = given.map(|seed| seed.parse().unwrap());
        let seed = seed.unwrap_or_else(|| {
            use std::hash::{BuildHasher, Hasher};
            std::hash::RandomState::new().build_hasher().finish()
        });
        eprintln!("RINGSHIFT_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// How often a run is killed; `RINGSHIFT_KILLS` asks for more.
fn kills() -> usize {
    let asked = std::env::var("RINGSHIFT_KILLS").ok();
    asked.map_or(5, |asked| asked.parse().unwrap())
}

const BUILD: [&str; 3] = ["build", "--jobs", "4"];

fn verified(machine: &Machine, world: &World) {
    let ran = machine.run(world, &["state", "verify"]);
    assert_eq!(ran.code, 0, "{}", ran.shown());
}

/// Starts a build, and kills it after a time; whether it was still at work.
fn killed(machine: &Machine, world: &World, after: Duration) -> bool {
    let mut command = machine.command(world, &BUILD);
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = quiet.spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// After each kill nothing of the builder's programs runs, the store is whole, and the next run takes over every image
/// that was tagged, and builds the others.
fn every_kill_is_resumed(name: &'static str) {
    let Some(machine) = Machine::find(name) else {
        return;
    };
    let mut random = Random::seeded();
    let world = fresh();
    let begun = Instant::now();
    machine.done(&world, &BUILD);
    let takes = begun.elapsed();
    let (mut died, mut adopted) = (0, 0);
    for round in 0..kills() {
        let before = Store::of(&world).all();
        world.write("images/busybox/bin/world", format!("{round}\n"));
        world.write("images/docs/manual", format!("{round}\n"));
        world.commit("All over");
        let after = takes.mul_f64(random.below(1000) as f64 / 900.0);
        died += usize::from(killed(&machine, &world, after));
        let root = world.root.path().display().to_string();
        until(|| holding(&root), Vec::is_empty);
        verified(&machine, &world);
        let store = Store::of(&world);
        let kept = store.all().into_iter().filter_map(|(image, versions)| {
            let new = versions
                .into_iter()
                .find(|version| !before[image].contains(version))?;
            Some((image, store.digest(image, &new).unwrap(), new))
        });
        let kept: Vec<_> = kept.collect();
        let ran = machine.done(&world, &BUILD);
        let told = (told(&ran, "Adopted"), told(&ran, "Built"));
        for (image, digest, version) in &kept {
            assert_eq!(store.digest(image, version), Some(*digest), "{image}");
            assert!(
                !told.1.contains_key(*image),
                "{image} was built again: {}",
                ran.err
            );
            if ran.out != "Nothing to do.\n" {
                assert_eq!(told.0.get(*image), Some(version), "{}", ran.err);
                adopted += 1;
            }
        }
        for (image, versions) in store.all() {
            assert_eq!(versions.len(), before[image].len() + 1, "{image}: {versions:?}");
        }
        verified(&machine, &world);
    }
    eprintln!(
        "{name}: {died} of {} died before they had ended; {adopted} images were taken over",
        kills()
    );
}

#[test]
fn what_buildctl_had_built_when_it_was_killed_is_taken_over() {
    every_kill_is_resumed("buildctl");
}

#[test]
fn what_buildah_had_built_when_it_was_killed_is_taken_over() {
    every_kill_is_resumed("buildah");
}
