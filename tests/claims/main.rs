//! A checker of models: every interleaving of writers that run the protocol's own step function against a model of a
//! registry, and of registries that die while they write.
#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

mod explore;
mod model;

use explore::{Explored, explore};
use model::{Bounds, Violation};

/// `RINGSHIFT_MODEL=full` looks deeper; minutes, in a release build better.
fn full() -> bool {
    std::env::var("RINGSHIFT_MODEL").is_ok_and(|depth| depth == "full")
}

fn sound(name: &str, bounds: Bounds) -> Explored {
    let explored = explore(&bounds);
    eprintln!(
        "{name}: {} states, {} steps between them, {} ends, {:?}",
        explored.states, explored.steps, explored.ends, explored.took
    );
    if let Some((violation, trace)) = &explored.violation {
        panic!("{name}: {violation:?} after\n{}", trace.join("\n"));
    }
    explored
}

#[test]
fn three_writers_over_two_places_never_fork_lose_or_double_an_entry() {
    let explored = sound(
        "three writers, two places",
        Bounds {
            writers: 3,
            places: 2,
            rounds: if full() { 1 } else { 0 },
            faults: if full() { 1 } else { 0 },
            ..Bounds::default()
        },
    );
    assert!(explored.ends > 0);
}

#[test]
fn two_writers_never_fork_lose_or_double_an_entry_while_the_registry_dies_at_a_put() {
    sound(
        "two writers, two places, faults",
        Bounds {
            writers: 2,
            places: 2,
            rounds: 3,
            faults: if full() { 2 } else { 1 },
            ..Bounds::default()
        },
    );
}

#[test]
fn three_writers_at_one_place_agree_while_the_registry_dies_at_a_put() {
    sound(
        "three writers, one place, faults",
        Bounds {
            writers: 3,
            places: 1,
            rounds: if full() { 1 } else { 0 },
            faults: 1,
            ..Bounds::default()
        },
    );
}

#[test]
fn without_any_one_of_its_steps_the_protocol_is_caught() {
    let wanted = [
        (1, Violation::Doubled),
        (2, Violation::Fork),
        (3, Violation::Fork),
        (4, Violation::Fork),
        (5, Violation::Fork),
        (6, Violation::Fork),
        (7, Violation::Lost),
    ];
    for (step, wanted) in wanted {
        let bounds = Bounds {
            writers: 2,
            places: 2,
            rounds: 1,
            faults: 0,
            without: Some(step),
        };
        let explored = explore(&bounds);
        let (violation, trace) = explored
            .violation
            .unwrap_or_else(|| panic!("step {step} is not missed"));
        eprintln!("without step {step}: {violation:?} after {} steps", trace.len());
        assert_eq!(violation, wanted, "without step {step}:\n{}", trace.join("\n"));
    }
}

#[test]
fn the_step_before_publishing_is_missed_only_where_old_claims_are_cleaned() {
    let bounds = Bounds {
        writers: 2,
        places: 1,
        rounds: 1,
        faults: 0,
        without: Some(6),
    };
    let (_, trace) = explore(&bounds).violation.expect("it is missed");
    assert!(
        trace.iter().any(|step| step.contains("clean")),
        "{}",
        trace.join("\n")
    );
}
