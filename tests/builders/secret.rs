//! A secret reaches the RUN that mounts it and nothing else.

use crate::machine::Machine;
use crate::project::{file, small};
use crate::sandbox::World;
use crate::store::plain;
use ringshift::model::Digest;

/// Every file of a world that holds the text, also below a compression.
fn holding(world: &World, text: &str) -> Vec<String> {
    let kept = world.root.path().join("canary");
    let files = World::files(world.root.path())
        .into_iter()
        .filter(|path| *path != kept);
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let found = files.filter(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        has(&bytes) || (bytes.starts_with(&[0x1f, 0x8b]) && has(&plain(&bytes)))
    });
    found.map(|path| path.display().to_string()).collect()
}

/// SEC-C1: not in labels, logs, records, entries, errors, arguments or variables, though one RUN prints it and another
/// fails with it.
pub fn a_secret_is_told_nowhere(machine: &Machine) {
    let world = small();
    let seed = world.root.path().display().to_string();
    let canary = format!("canary-{}", Digest::of(seed.as_bytes()).short());
    std::fs::write(world.root.path().join("canary"), &canary).unwrap();
    let mount = "--mount=type=secret,id=token";
    let good = format!(
        "FROM acme/shop/busybox\nRUN {mount} cat /run/secrets/token; sha256sum /run/secrets/token > /sum\n"
    );
    file(&world, "worker", &good);
    file(
        &world,
        "lib",
        &format!("FROM acme/shop/busybox\nCOPY part /part\nRUN {mount} cat /run/secrets/token >&2; exit 9\n"),
    );
    world.commit("Secrets");
    let secret = format!("id=token,src={}", world.root.path().join("canary").display());
    let mut told = String::new();
    for more in [&["-v"][..], &["--json", "-v"]] {
        let ran = machine.run(&world, &[&["build", "--secret", &secret], more].concat());
        assert_eq!(ran.code, 5, "{}", ran.shown());
        told.push_str(&format!("{}{}", ran.out, ran.err));
    }
    assert!(!told.contains(&canary), "{told}");
    assert_eq!(holding(&world, &canary), [""; 0]);
    if machine.name == "docker-classic" {
        assert!(
            told.contains("docker without BuildKit does not know RUN with --mount"),
            "{told}"
        );
        return;
    }
    assert!(told.contains("***"), "{told}");
    let store = crate::store::Store::of(&world);
    let sum = store.file("worker", &store.versions("worker")[0], "sum").unwrap();
    assert_eq!(
        sum.split(' ').next().unwrap(),
        Digest::of(canary.as_bytes()).hex()
    );
    assert!(machine.notes(&world).contains("--secret id=token,src="));
}
