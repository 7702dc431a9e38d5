//! A project from its first build to the one that finds nothing to do.

use crate::machine::Machine;
use crate::project::{IMAGES, WITH_RUN, fresh};
use crate::sandbox::{Ran, World};
use crate::store::Store;
use serde_json::Value;
use std::collections::BTreeMap;

/// The labels of a version that say what it is.
fn pinned(store: &Store, image: &str, version: &str) -> BTreeMap<String, Value> {
    let labels = store.labels(image, version);
    assert_eq!(labels["org.opencontainers.image.version"], version);
    assert_eq!(
        labels["org.opencontainers.image.ref.name"],
        format!("acme/shop/{image}")
    );
    let pins = labels
        .into_iter()
        .filter(|(key, _)| key.starts_with("dependency."));
    pins.collect()
}

fn pins(images: &[&str], version: &str) -> BTreeMap<String, Value> {
    let pin = |image: &&str| (format!("dependency.{image}"), Value::from(version));
    images.iter().map(pin).collect()
}

fn everything_is(world: &World, version: &str) {
    for (image, versions) in Store::of(world).all() {
        assert_eq!(versions, [version], "{image}");
    }
}

/// Versions, labels, pins and contents of a first build; a second does nothing; after a change, what reads it is
/// built anew on the rest, which stays; without caches, the same is made.
pub fn a_project_is_built_and_then_only_what_changed(machine: &Machine) {
    let world = fresh();
    machine.done(&world, &["build", "--jobs", "4"]);
    let store = Store::of(&world);
    everything_is(&world, "0.1.0");
    for (image, needs) in IMAGES {
        assert_eq!(pinned(&store, image, "0.1.0"), pins(needs, "0.1.0"), "{image}");
    }
    let everything = IMAGES.map(|(image, _)| image);
    assert_eq!(pinned(&store, "shop", "0.1.0"), pins(&everything, "0.1.0"));
    assert_eq!(
        store.file("api", "0.1.0", "api").as_deref(),
        Some("tool\npart\napp\n")
    );
    assert_eq!(
        store.file("web", "0.1.0", "web").as_deref(),
        Some("tool\ntool\npart\n")
    );
    assert_eq!(machine.builds(&world), WITH_RUN, "{}", machine.notes(&world));

    let called = machine.notes(&world).len();
    let ran = machine.done(&world, &["build", "--jobs", "4"]);
    assert!(ran.out == "Nothing to do.\n" && ran.err.is_empty(), "{ran:?}");
    assert_eq!(
        machine.notes(&world).len(),
        called,
        "a builder was called for nothing"
    );

    world.write("images/lib/part", "another\n");
    world.commit("Another part");
    machine.done(&world, &["build", "--jobs", "4", "--no-cache"]);
    for (image, versions) in store.all() {
        let changed = ["lib", "api", "web", "shop"].contains(&image);
        let wanted: &[&str] = if changed { &["0.1.0", "0.1.1"] } else { &["0.1.0"] };
        assert_eq!(versions, wanted, "{image}");
    }
    let lib_and_tools = BTreeMap::from([
        ("dependency.lib".to_owned(), Value::from("0.1.1")),
        ("dependency.tools".to_owned(), Value::from("0.1.0")),
    ]);
    assert_eq!(pinned(&store, "web", "0.1.1"), lib_and_tools);
    let web = store.file("web", "0.1.1", "web");
    assert_eq!(web.as_deref(), Some("tool\ntool\nanother\n"));
    let without_cache = machine.notes(&world)[called..].matches(" --no-cache ").count();
    assert_eq!(without_cache, 3);
    assert_eq!(machine.run(&world, &["state", "verify"]).code, 0);
}

/// How many RUNs of the project were carried out, not taken from a cache: each says so.
pub fn runs(ran: &Ran) -> usize {
    ran.err.lines().filter(|line| line.ends_with(" ran")).count()
}

/// The same commit in another store: a daemon's cache serves it, and does not when it is told to be left aside.
#[test]
fn the_cache_of_a_daemon_serves_another_store_unless_it_is_left_aside() {
    let Some(machine) = Machine::find("buildctl") else {
        return;
    };
    let world = fresh();
    let carried_out = |store: &str, more: &[&str]| {
        let place = format!("oci:{}", world.root.path().join(store).display());
        let args = ["build", "-v", "--registry", &place];
        let ran = machine.done(&world, &[&args, more].concat());
        runs(&ran)
    };
    assert_eq!(carried_out("one", &[]), WITH_RUN);
    assert_eq!(carried_out("two", &[]), 0, "the cache serves");
    assert_eq!(carried_out("three", &["--no-cache"]), WITH_RUN);
}
