//! The laws of semantics 6, over random histories in the in-memory world.

mod checks;
mod dice;

use checks::Game;
use dice::{Die, Start};
use proptest::test_runner::FileFailurePersistence;

#[test]
fn the_laws_hold_after_every_step_of_any_history() {
    let more = std::env::var("RINGSHIFT_CASES").ok();
    let config = proptest::test_runner::Config {
        cases: more.map_or(200, |cases| cases.parse().unwrap()),
        max_shrink_iters: 4000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/it/laws.regressions",
        ))),
        ..Default::default()
    };
    proptest::proptest!(config, |(start in dice::start(), dice in dice::dice())| {
        play(&start, &dice);
    });
}

fn play(start: &Start, dice: &[Die]) {
    let mut game = Game::new(start);
    for die in dice {
        game.roll(die);
    }
}
