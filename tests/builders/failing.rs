//! Images that cannot be built, and checks that fail.

use crate::machine::Machine;
use crate::project::{configure, file, fresh, small};
use crate::sandbox::Ran;
use crate::store::Store;
use std::collections::BTreeMap;

/// The images of the lines that begin with a word: `Built api 0.1.0 …`.
pub fn told(ran: &Ran, verb: &str) -> BTreeMap<String, String> {
    let lines = ran.err.lines().map(|line| line.split_whitespace());
    let found = lines.filter_map(|mut words| {
        (words.next() == Some(verb)).then(|| (words.next().unwrap_or(""), words.next().unwrap_or("")))
    });
    found
        .map(|(image, version)| (image.to_owned(), version.trim_end_matches(':').to_owned()))
        .collect()
}

fn images(told: &BTreeMap<String, String>) -> Vec<&str> {
    told.keys().map(String::as_str).collect()
}

/// Of an image that fails, the place in the container file, the last thirty lines and the log are told; what does not
/// stand on it is built, and kept by the next run.
pub fn one_failure_stops_its_dependants_and_the_rest_is_adopted(machine: &Machine) {
    let world = fresh();
    let text = "FROM acme/shop/tools\nCOPY part /part\n\n# why not\nRUN n=0; while test $n -lt 40; do n=$((n+1)); echo said-$n; done; \\\n    exit 7\n";
    file(&world, "lib", text);
    world.commit("It fails");
    let ran = machine.run(&world, &["build", "--jobs", "4"]);
    assert_eq!(ran.code, 5, "{}", ran.shown());
    assert_eq!(images(&told(&ran, "Failed")), ["lib"]);
    assert_eq!(images(&told(&ran, "Skipped")), ["api", "shop", "web"]);
    let built = told(&ran, "Built");
    assert_eq!(images(&built), ["busybox", "docs", "tools", "worker"]);
    let last: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("  | ")).collect();
    assert_eq!(last.len(), 30, "{}", ran.err);
    assert!(
        ran.err.contains("said-40\n") && !ran.err.contains("said-1\n"),
        "{}",
        ran.err
    );
    let wanted = format!("  lib: images/lib/Dockerfile:5: {} failed", machine_name(machine));
    assert!(ran.err.contains(&wanted), "{wanted}\n{}", ran.err);
    let log = world.cache().join("ringshift/logs/acme/shop/lib.log");
    assert!(
        ran.err
            .contains("  the whole log: …/cache/ringshift/logs/acme/shop/lib.log\n"),
        "{}",
        ran.err
    );
    let log = std::fs::read_to_string(log).unwrap();
    assert!((1..=40).all(|n| log.contains(&format!("said-{n}\n"))), "{log}");
    assert_eq!(Store::of(&world).versions("lib"), [""; 0]);

    file(
        &world,
        "lib",
        "FROM acme/shop/tools\nCOPY part /part\nRUN cat /part > /lib\n",
    );
    world.commit("Mend it");
    let ran = machine.done(&world, &["build", "--jobs", "4"]);
    assert_eq!(told(&ran, "Adopted"), built);
    assert_eq!(images(&told(&ran, "Built")), ["api", "lib", "shop", "web"]);
}

/// As messages call it.
fn machine_name(machine: &Machine) -> &str {
    machine.name.trim_end_matches("-classic")
}

/// A check that fails names itself, and no version comes of the image; one that passes lets it through.
pub fn a_failed_check_names_the_command_and_the_image_is_built_again(machine: &Machine) {
    let world = small();
    let checked = |file: &str| format!("{{context: images/worker, checks: [{{run: [cat, {file}]}}]}}");
    configure(
        &world,
        "worker: images/worker",
        &format!("worker: {}", checked("/none")),
    );
    world.commit("A check");
    let ran = machine.run(&world, &["build", "worker"]);
    assert_eq!(ran.code, 5, "{}", ran.shown());
    let wanted = "  worker: images/worker/Dockerfile: check failed: `cat /none`";
    assert!(ran.err.contains(wanted), "{}", ran.err);
    assert!(ran.err.contains("/none"), "what it said is shown: {}", ran.err);
    assert_eq!(Store::of(&world).versions("worker"), [""; 0]);
    configure(&world, "/none", "/worker");
    world.commit("Another check");
    let ran = machine.done(&world, &["build", "worker"]);
    assert!(told(&ran, "Built").contains_key("worker"), "{}", ran.err);
    assert_eq!(Store::of(&world).versions("worker").len(), 1);
}
