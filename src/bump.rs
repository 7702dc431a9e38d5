//! The version rule, alone (semantics B4).

pub use crate::config::Versioning;
use crate::model::Version;

/// What is known of one image when its number is chosen.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// How the order is read.
    pub versioning: Versioning,
    /// The first number of any image.
    pub initial: &'a Version,
    /// What the ring holds.
    pub held: Option<&'a Version>,
    /// The highest number the image ever had.
    pub highest: Option<&'a Version>,
    /// Whether the ring is the front: the first configured ring, or ante.
    pub front: bool,
    /// A major was asked for.
    pub major: bool,
    /// What the rings further out hold, the next one first (`None`: not this image); for ante the
    /// first ring too.
    pub further: &'a [Option<Version>],
}

/// What kind of step a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bump {
    /// The first number.
    Initial,
    /// The third number rises.
    Patch,
    /// The second number rises.
    Minor,
    /// The first number rises.
    Major,
}

impl Bump {
    /// Its word in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// The number that B4 wants, before it gives way to what is taken, with the bump and the rule.
pub fn next(question: &Question<'_>) -> (Version, Bump, &'static str) {
    let Some(v) = question.held.or(question.highest) else {
        return (question.initial.clone(), Bump::Initial, "B4.1");
    };
    let further = || question.further.iter().flatten();
    if question.major {
        let highest = further().map(Version::major).fold(v.major(), u64::max);
        return (Version::new(highest + 1, 0, 0), Bump::Major, "B4.2");
    }
    if question.versioning == Versioning::Literal {
        let next = question.further.first().and_then(Option::as_ref);
        return match next {
            Some(next) if next.series() == v.series() => (v.next_minor(), Bump::Minor, "B4.literal"),
            _ => (v.next_patch(), Bump::Patch, "B4.literal"),
        };
    }
    if !question.front {
        return (v.next_patch(), Bump::Patch, "B4.3");
    }
    match further().filter(|w| w.series() == v.series() || *w > v).max() {
        Some(highest) => (highest.next_minor(), Bump::Minor, "B4.4"),
        None => (v.next_patch(), Bump::Patch, "B4.4"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<Version> {
        (text != "-").then(|| text.parse().unwrap())
    }

    /// held, highest ever, front, major, further out (nearest first) → number, bump, rule
    #[test]
    fn the_truth_table_of_b4_holds() {
        let table = [
            ("-", "-", true, false, "", "0.1.0", "initial", "B4.1"),
            ("-", "-", false, false, "-", "0.1.0", "initial", "B4.1"),
            ("-", "-", true, true, "", "0.1.0", "initial", "B4.1"),
            ("1.2.3", "1.2.3", true, true, "-", "2.0.0", "major", "B4.2"),
            (
                "1.2.3",
                "4.0.0",
                true,
                true,
                "1.2.3 3.0.0",
                "4.0.0",
                "major",
                "B4.2",
            ),
            ("-", "1.4.0", true, true, "", "2.0.0", "major", "B4.2"),
            ("1.2.3", "1.2.3", false, false, "1.2.3", "1.2.4", "patch", "B4.3"),
            ("1.2.3", "1.2.3", false, false, "-", "1.2.4", "patch", "B4.3"),
            ("-", "1.3.1", false, false, "", "1.3.2", "patch", "B4.3"),
            ("0.1.0", "0.1.0", true, false, "-", "0.1.1", "patch", "B4.4"),
            ("0.1.0", "0.1.0", true, false, "0.1.0", "0.2.0", "minor", "B4.4"),
            ("0.1.0", "0.1.0", true, false, "- 0.1.0", "0.2.0", "minor", "B4.4"),
            ("0.2.0", "0.2.0", true, false, "0.1.0", "0.2.1", "patch", "B4.4"),
            (
                "0.2.0",
                "0.4.0",
                true,
                false,
                "0.1.0 0.4.7",
                "0.5.0",
                "minor",
                "B4.4",
            ),
            ("0.2.0", "0.2.5", true, false, "0.2.5", "0.3.0", "minor", "B4.4"),
            ("0.2.5", "0.2.5", true, false, "0.2.1", "0.3.0", "minor", "B4.4"),
            ("-", "0.3.2", true, false, "0.3.1", "0.4.0", "minor", "B4.4"),
            ("-", "0.3.2", true, false, "0.2.1", "0.3.3", "patch", "B4.4"),
        ];
        let initial = Version::new(0, 1, 0);
        for (held, highest, front, major, further, number, bump, rule) in table {
            let further: Vec<_> = further.split_whitespace().map(version).collect();
            let (held, highest) = (version(held), version(highest));
            let question = Question {
                versioning: Versioning::Guarded,
                initial: &initial,
                held: held.as_ref(),
                highest: highest.as_ref(),
                front,
                major,
                further: &further,
            };
            let (got, got_bump, got_rule) = next(&question);
            let got = (got.to_string(), got_bump.as_str(), got_rule);
            assert_eq!(got, (number.into(), bump, rule), "{question:?}");
        }
    }

    #[test]
    fn the_literal_order_looks_at_the_next_ring_only() {
        let initial = Version::new(0, 1, 0);
        let held = Version::new(0, 2, 3);
        for (further, number) in [
            ("0.2.1", "0.3.0"),
            ("0.1.9", "0.2.4"),
            ("- 0.2.1", "0.2.4"),
            ("0.9.0", "0.2.4"),
        ] {
            let further: Vec<_> = further.split_whitespace().map(version).collect();
            for front in [true, false] {
                let question = Question {
                    versioning: Versioning::Literal,
                    initial: &initial,
                    held: Some(&held),
                    highest: Some(&held),
                    front,
                    major: false,
                    further: &further,
                };
                assert_eq!(next(&question).0.to_string(), number);
            }
        }
    }
}
