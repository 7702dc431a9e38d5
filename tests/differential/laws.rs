//! What holds of random worlds without a builder.

use super::dice::Dice;
use super::flip::flip;
use super::ours::{Answer, answer};
use super::report::reason;
use super::world::World;
use super::{generate, noise};
use ringshift::revision::diff;
use std::collections::BTreeMap;

/// Random worlds that ringshift takes.
fn worlds(seed: u64, count: u64) -> impl Iterator<Item = (Dice, World, Answer)> {
    (0..count).filter_map(move |number| {
        let mut dice = Dice::part(seed, number);
        let world = generate::world(&mut dice);
        let answer = answer(&world).ok()?;
        Some((dice, world, answer))
    })
}

fn json(a: &World, b: &World) -> String {
    format!(
        "{}\n{}",
        serde_json::to_string(a).unwrap(),
        serde_json::to_string(b).unwrap()
    )
}

#[test]
fn a_revision_that_moves_says_what_moved_it() {
    let mut moved = 0;
    for (mut dice, mut world, mut before) in worlds(7, 200) {
        for _ in 0..10 {
            let (kind, flipped) = flip(&mut dice, &world);
            let Ok(after) = answer(&flipped) else { continue };
            let changes = diff(&before.records, &after.records);
            let same = before.revision == after.revision;
            moved += usize::from(!same);
            assert_eq!(
                changes.is_empty(),
                same,
                "{kind}: {changes:?}\n{}",
                json(&world, &flipped)
            );
            (world, before) = (flipped, after);
        }
    }
    assert!(moved > 100, "{moved}");
}

#[test]
fn comments_blanks_and_case_move_no_revision() {
    for (mut dice, world, before) in worlds(8, 300) {
        for change in [noise::between, noise::case, noise::continuation] {
            let mut flipped = world.clone();
            if change(&mut dice, &mut flipped).is_none() {
                continue;
            }
            let after =
                answer(&flipped).unwrap_or_else(|error| panic!("{error}\n{}", json(&world, &flipped)));
            let changes = diff(&before.records, &after.records);
            // The text for a shell keeps its blanks (rules 9 and 10); the container file may be read as a file; what is
            // not understood enters as it is written.
            let texts = [
                "run",
                "cmd",
                "entrypoint",
                "healthcheck",
                "onbuild",
                "maintainer",
                "unresolved",
                "whole",
            ];
            let accepted = |what: &str| texts.contains(&what) || world.name.ends_with(what);
            let odd: Vec<_> = changes.iter().filter(|change| !accepted(&change.what)).collect();
            assert!(odd.is_empty(), "{odd:?}\n{}", json(&world, &flipped));
        }
    }
}

#[test]
fn most_worlds_are_taken() {
    let (mut taken, mut refused) = (0, BTreeMap::<String, usize>::new());
    for number in 0..300 {
        match answer(&generate::world(&mut Dice::part(1, number))) {
            Ok(_) => taken += 1,
            Err(error) => *refused.entry(reason(&error)).or_default() += 1,
        }
    }
    assert!(taken > 120, "{taken} of 300: {refused:#?}");
}
