//! The names of tags in the journal's repository.
//!
//! | tag | what | points at |
//! |---|---|---|
//! | `a.<seq8>.<ballot6>.<pid>` | claim | a constant |
//! | `v.<seq8>.<ballot6>.<pid>.<sha256>` | vote | the entry |
//! | `s.<seq8>` | the entry, decided | the entry |
//! | `t.probe` | by which it was found out whether tags can be moved | a constant |
//! | `t.moves`, `t.fixed` | they can; they cannot, so there are no ring tags | a constant |

use super::step::{Ballot, Pid, Shown};
use crate::model::Digest;
use crate::state::journal::seq_of;

/// The tag by which is found out whether tags can be moved.
pub const PROBE: &str = "t.probe";
/// They can.
pub const MOVES: &str = "t.moves";
/// They cannot.
pub const FIXED: &str = "t.fixed";

/// A tag of the journal's repository, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// An entry.
    Entry(u64),
    /// A claim.
    Claim(u64, Ballot),
    /// A vote for an entry.
    Vote(u64, Ballot, Digest),
}

impl Tag {
    /// What a tag says; `None` for tags that are none of the protocol's.
    pub fn read(tag: &str) -> Option<Self> {
        if let Some(seq) = seq_of(tag) {
            return Some(Self::Entry(seq));
        }
        let mut parts = tag.split('.');
        let kind = parts.next()?;
        let seq = digits(parts.next()?, 8)?;
        let number = u32::try_from(digits(parts.next()?, 6)?).ok()?;
        let pid = parts.next().filter(|pid| pid.len() == 16)?;
        let pid = Pid(u64::from_str_radix(pid, 16).ok()?);
        let ballot = Ballot { number, pid };
        let rest = (parts.next(), parts.next());
        match (kind, rest) {
            ("a", (None, None)) => Some(Self::Claim(seq, ballot)),
            ("v", (Some(entry), None)) => {
                Some(Self::Vote(seq, ballot, format!("sha256:{entry}").parse().ok()?))
            }
            _ => None,
        }
    }

    /// The place in the journal that it is about.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Entry(seq) | Self::Claim(seq, _) | Self::Vote(seq, ..) => *seq,
        }
    }
}

fn digits(text: &str, least: usize) -> Option<u64> {
    let well_formed = text.len() >= least && text.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| text.parse().ok()).flatten()
}

/// The tag of a claim.
pub fn claim(seq: u64, ballot: Ballot) -> String {
    format!("a.{seq:08}.{:06}.{:016x}", ballot.number, ballot.pid.0)
}

/// The tag of a vote.
pub fn vote(seq: u64, ballot: Ballot, entry: &Digest) -> String {
    let (number, pid) = (ballot.number, ballot.pid.0);
    format!("v.{seq:08}.{number:06}.{pid:016x}.{}", entry.hex())
}

/// What a list of tags shows of one place.
pub fn shown(tags: &[String], seq: u64) -> Shown<Digest> {
    let mut shown = Shown::default();
    for tag in tags.iter().filter_map(|tag| Tag::read(tag)) {
        match tag {
            Tag::Entry(other) => {
                shown.published |= other == seq;
                shown.later |= other > seq;
            }
            Tag::Claim(own, ballot) if own == seq => {
                shown.claims.insert(ballot);
            }
            Tag::Vote(own, ballot, entry) if own == seq => {
                shown.votes.insert((ballot, entry));
            }
            Tag::Claim(..) | Tag::Vote(..) => {}
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_read_back_as_written_and_fit() {
        let entry = Digest::of(b"entry");
        let ballot = Ballot {
            number: 17,
            pid: Pid(0xfeed),
        };
        assert_eq!(claim(42, ballot), "a.00000042.000017.000000000000feed");
        assert_eq!(Tag::read(&claim(42, ballot)), Some(Tag::Claim(42, ballot)));
        let vote = vote(42, ballot, &entry);
        assert_eq!(Tag::read(&vote), Some(Tag::Vote(42, ballot, entry)));
        assert!(vote.len() <= 128, "{} characters", vote.len());
        assert_eq!(Tag::read("s.00000042"), Some(Tag::Entry(42)));
        for other in [
            "a.42.000017.000000000000feed",
            "a.00000042.000017.feed",
            "a.00000042.000017.000000000000feed.x",
            "v.00000042.000017.000000000000feed",
            "v.00000042.000017.000000000000feed.00",
            "b.00000042.000017.000000000000feed",
            "latest",
            FIXED,
        ] {
            assert_eq!(Tag::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_list_shows_one_place_and_whether_it_or_a_later_one_is_published() {
        let (entry, ballot) = (
            Digest::of(b"entry"),
            Ballot {
                number: 1,
                pid: Pid(1),
            },
        );
        let tags = [
            "s.00000001".into(),
            claim(2, ballot),
            vote(2, ballot, &entry),
            claim(3, ballot),
        ];
        let seen = shown(&tags, 2);
        assert!(!seen.published && !seen.later);
        assert_eq!(seen.claims.len() + seen.votes.len(), 2);
        assert!(shown(&tags, 1).published && !shown(&tags, 1).later);
        assert!(!shown(&tags, 0).published && shown(&tags, 0).later);
    }
}
