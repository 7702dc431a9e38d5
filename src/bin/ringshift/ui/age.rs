//! Times as people say them.

use ringshift::state::Timestamp;

/// How long ago: `40 s`, `5 min`, `3 h`, `9 d`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = (now.0 - then.0).max(0);
    match seconds {
        s if s < 60 => format!("{s} s"),
        s if s < 3_600 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_their_own_unit() {
        let said = |seconds| age(Timestamp(0), Timestamp(seconds));
        assert_eq!(
            [5, 300, 7_200, 90_000, 800_000, -3].map(said),
            ["5 s", "5 min", "2 h", "25 h", "9 d", "0 s"]
        );
    }
}
