//! One round for one place in the journal, as a pure function: what was seen → what to ask next.
//!
//! This is Disk Paxos on tags that are only ever created. The numbers are those of state store 4:
//!
//! 1. look; 2. claim; 3. look, and choose the entry of the highest vote, or one's own; 4. vote; 5. look again;
//! 6. make sure that nobody published; 7. publish. A higher ballot seen at 3 or 5: back off, start over.
//!
//! No clock, no randomness, no request in here: a checker of models runs the very same code.

use std::collections::BTreeSet;
use std::hash::Hash;

/// What names a process: 64 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u64);

/// Ballots are ordered by number, then process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot {
    /// 1, 2, 3, …
    pub number: u32,
    /// Whose it is.
    pub pid: Pid,
}

/// What a LIST shows of one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown<V> {
    /// The tag of the entry is listed. It may be unreadable.
    pub published: bool,
    /// The tag of a later entry is listed: this one was acknowledged.
    pub later: bool,
    /// The claims.
    pub claims: BTreeSet<Ballot>,
    /// The votes, each with the entry that it points at.
    pub votes: BTreeSet<(Ballot, V)>,
}

impl<V> Default for Shown<V> {
    fn default() -> Self {
        Self {
            published: false,
            later: false,
            claims: BTreeSet::new(),
            votes: BTreeSet::new(),
        }
    }
}

impl<V: Copy + Ord> Shown<V> {
    fn is_taken(&self) -> bool {
        self.published || self.later
    }

    fn ballots(&self) -> impl Iterator<Item = Ballot> {
        let votes = self.votes.iter().map(|(ballot, _)| *ballot);
        self.claims.iter().copied().chain(votes)
    }

    fn highest(&self) -> u32 {
        self.ballots().map(|ballot| ballot.number).max().unwrap_or(0)
    }

    fn foreign(&self, me: Pid) -> BTreeSet<Ballot> {
        self.ballots().filter(|ballot| ballot.pid != me).collect()
    }
}

/// What is asked of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request<V> {
    /// List all tags.
    List,
    /// Is the entry of this place published, and which is it?
    Published,
    /// Create a claim.
    Claim(Ballot),
    /// Can this vote be read? A clean 404 is a no.
    Read(Ballot, V),
    /// Create a vote.
    Vote(Ballot, V),
    /// Create the tag of the entry.
    Publish(V),
    /// Wait about one attempt's time: somebody else is at work.
    Courtesy,
    /// Wait at random, longer each round.
    BackOff(u32),
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer<V> {
    /// Of [`Request::List`].
    Listed(Shown<V>),
    /// Of [`Request::Published`]; a clean 404 is `None`.
    Entry(Option<V>),
    /// Of [`Request::Read`].
    Readable(bool),
    /// Of the others: it is done and acknowledged.
    Done,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Next<V> {
    /// Ask this.
    Ask(Request<V>),
    /// The place is taken, by this entry, for ever.
    Decided(V),
    /// A later entry is listed, and the one of this place is not there.
    Gap,
    /// The registry did not list what it had acknowledged.
    Lag,
    /// Too many others; nothing is decided as far as is known.
    Busy,
}

/// Where a round stands: what was asked last, under which ballot number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum At<V> {
    /// 1.
    Looking,
    /// 1 and 3: the entry's tag is listed; is it readable? At 3 the ballot number goes along.
    Peeking(Shown<V>, Option<u32>),
    /// Between two looks.
    Waiting,
    /// 2.
    Claiming(u32),
    /// 3.
    Choosing(u32),
    /// 3: this vote, then those below it.
    Reading(u32, V, Vec<(Ballot, V)>),
    /// 4.
    Voting(u32, V),
    /// 5.
    Guarding(u32, V),
    /// 6.
    Making(V),
    /// 7.
    Publishing(V),
}

/// So often an attempt waits for others out of courtesy.
pub const COURTESIES: u8 = 12;
/// So often it backs off before it gives up.
pub const ROUNDS: u32 = 64;
/// So often a LIST may miss what was acknowledged: a cleaner may be at work.
const LAGS: u8 = 3;

/// One writer's attempt to put its entry at one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt<V> {
    me: Pid,
    mine: V,
    at: At<V>,
    seen: BTreeSet<Ballot>,
    courtesies: u8,
    rounds: u32,
    lags: u8,
    number: u32,
}

impl<V: Copy + Ord + Hash> Attempt<V> {
    /// The attempt of `me` to put `mine`; the first request is [`Request::List`], whose answer goes to [`Attempt::step`].
    pub fn new(me: Pid, mine: V) -> Self {
        Self {
            me,
            mine,
            at: At::Looking,
            seen: BTreeSet::new(),
            courtesies: 0,
            rounds: 0,
            lags: 0,
            number: 0,
        }
    }

    /// As [`Attempt::new`], without courtesy, on which no safety rests.
    pub fn hasty(me: Pid, mine: V) -> Self {
        Self {
            courtesies: COURTESIES,
            ..Self::new(me, mine)
        }
    }

    /// Which step of state store 4 the last request belongs to; 0 for a wait.
    pub fn number(&self) -> u8 {
        match self.at {
            At::Waiting => 0,
            At::Looking | At::Peeking(_, None) => 1,
            At::Claiming(_) => 2,
            At::Choosing(_) | At::Reading(..) | At::Peeking(_, Some(_)) => 3,
            At::Voting(..) => 4,
            At::Guarding(..) => 5,
            At::Making(_) => 6,
            At::Publishing(_) => 7,
        }
    }

    /// What to ask next, now that the last request was answered.
    pub fn step(&mut self, answer: Answer<V>) -> Next<V> {
        match (std::mem::replace(&mut self.at, At::Looking), answer) {
            (At::Looking, Answer::Listed(shown)) if shown.is_taken() => self.peek(shown, None),
            (At::Looking, Answer::Listed(shown)) => self.approach(&shown),
            (At::Choosing(number), Answer::Listed(shown)) if shown.is_taken() => {
                self.peek(shown, Some(number))
            }
            (At::Choosing(number), Answer::Listed(shown)) => self.choose(number, &shown),
            (At::Peeking(..), Answer::Entry(Some(there))) => Next::Decided(there),
            (At::Peeking(shown, _), Answer::Entry(None)) if shown.later => Next::Gap,
            (At::Peeking(shown, None), Answer::Entry(None)) => self.approach(&shown),
            (At::Peeking(shown, Some(number)), Answer::Entry(None)) => self.choose(number, &shown),
            (At::Claiming(number), Answer::Done) => self.ask(At::Choosing(number), Request::List),
            (At::Reading(number, value, _), Answer::Readable(true)) => self.vote(number, value),
            (At::Reading(number, _, below), Answer::Readable(false)) => self.read(number, below),
            (At::Voting(number, value), Answer::Done) => self.ask(At::Guarding(number, value), Request::List),
            (At::Guarding(number, value), Answer::Listed(shown)) => self.guard(number, value, &shown),
            (At::Making(_), Answer::Entry(Some(there))) => Next::Decided(there),
            (At::Making(value), Answer::Entry(None)) => {
                self.ask(At::Publishing(value), Request::Publish(value))
            }
            (At::Publishing(value), Answer::Done) => Next::Decided(value),
            // After a wait, and after an answer to another question.
            _ => self.ask(At::Looking, Request::List),
        }
    }

    fn ask(&mut self, at: At<V>, request: Request<V>) -> Next<V> {
        self.at = at;
        Next::Ask(request)
    }

    fn peek(&mut self, shown: Shown<V>, number: Option<u32>) -> Next<V> {
        self.ask(At::Peeking(shown, number), Request::Published)
    }

    /// After the first look: others first, for a while; then a claim above all that is there.
    fn approach(&mut self, shown: &Shown<V>) -> Next<V> {
        let moved = !shown.foreign(self.me).is_subset(&self.seen);
        self.remember(shown);
        if moved && self.courtesies < COURTESIES {
            self.courtesies += 1;
            return self.ask(At::Waiting, Request::Courtesy);
        }
        let number = shown.highest().max(self.number) + 1;
        self.number = number;
        self.ask(At::Claiming(number), Request::Claim(self.ballot(number)))
    }

    /// Who moved is told by what was there at the last look, as long as it matters.
    fn remember(&mut self, shown: &Shown<V>) {
        self.seen = match self.courtesies < COURTESIES {
            true => shown.foreign(self.me),
            false => BTreeSet::new(),
        };
    }

    fn ballot(&self, number: u32) -> Ballot {
        Ballot { number, pid: self.me }
    }

    /// 3: what was promised to others binds; what they could read binds too.
    fn choose(&mut self, number: u32, shown: &Shown<V>) -> Next<V> {
        let own = self.ballot(number);
        self.remember(shown);
        if !shown.claims.contains(&own) {
            return self.lag();
        }
        if shown.ballots().any(|ballot| ballot > own) {
            return self.back_off();
        }
        self.read(number, shown.votes.iter().copied().collect())
    }

    /// The highest vote of these that can be read, else one's own entry.
    fn read(&mut self, number: u32, mut votes: Vec<(Ballot, V)>) -> Next<V> {
        match votes.pop() {
            Some((ballot, value)) => {
                self.ask(At::Reading(number, value, votes), Request::Read(ballot, value))
            }
            None => self.vote(number, self.mine),
        }
    }

    fn vote(&mut self, number: u32, value: V) -> Next<V> {
        let request = Request::Vote(self.ballot(number), value);
        self.ask(At::Voting(number, value), request)
    }

    /// 5: whoever came with a higher ballot may not have seen the vote.
    fn guard(&mut self, number: u32, value: V, shown: &Shown<V>) -> Next<V> {
        let own = self.ballot(number);
        self.remember(shown);
        if shown.ballots().any(|ballot| ballot > own) {
            return self.back_off();
        }
        if !shown.votes.contains(&(own, value)) {
            return self.lag();
        }
        self.ask(At::Making(value), Request::Published)
    }

    fn back_off(&mut self) -> Next<V> {
        self.rounds += 1;
        match self.rounds > ROUNDS {
            true => Next::Busy,
            false => self.ask(At::Waiting, Request::BackOff(self.rounds)),
        }
    }

    /// What was acknowledged is not listed. Cleaning explains it, when the place is decided; so look again.
    fn lag(&mut self) -> Next<V> {
        self.lags += 1;
        match self.lags > LAGS {
            true => Next::Lag,
            false => self.ask(At::Looking, Request::List),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Pid = Pid(5);
    const OTHER: Pid = Pid(7);

    fn ballot(number: u32, pid: Pid) -> Ballot {
        Ballot { number, pid }
    }

    fn shown(claims: &[Ballot], votes: &[(Ballot, char)]) -> Answer<char> {
        Answer::Listed(Shown {
            published: false,
            later: false,
            claims: claims.iter().copied().collect(),
            votes: votes.iter().copied().collect(),
        })
    }

    /// Steps through and says what was asked.
    fn walk(attempt: &mut Attempt<char>, answers: Vec<Answer<char>>) -> Vec<Next<char>> {
        answers.into_iter().map(|answer| attempt.step(answer)).collect()
    }

    #[test]
    fn alone_an_entry_takes_seven_requests() {
        let (mut attempt, own) = (Attempt::new(ME, 'm'), ballot(1, ME));
        let asked = walk(
            &mut attempt,
            vec![
                shown(&[], &[]),
                Answer::Done,
                shown(&[own], &[]),
                Answer::Done,
                shown(&[own], &[(own, 'm')]),
                Answer::Entry(None),
                Answer::Done,
            ],
        );
        let wanted = [
            Next::Ask(Request::Claim(own)),
            Next::Ask(Request::List),
            Next::Ask(Request::Vote(own, 'm')),
            Next::Ask(Request::List),
            Next::Ask(Request::Published),
            Next::Ask(Request::Publish('m')),
            Next::Decided('m'),
        ];
        assert_eq!(asked, wanted);
    }

    #[test]
    fn who_comes_later_waits_once_for_the_dead_and_helps_their_vote_through() {
        let (mut attempt, dead, own) = (Attempt::new(ME, 'm'), ballot(4, OTHER), ballot(5, ME));
        let there = || shown(&[dead], &[(dead, 'o')]);
        let asked = walk(
            &mut attempt,
            vec![
                there(),
                Answer::Done,
                there(),
                Answer::Done,
                shown(&[dead, own], &[(dead, 'o')]),
                Answer::Readable(true),
            ],
        );
        let wanted = [
            Next::Ask(Request::Courtesy),
            Next::Ask(Request::List),
            Next::Ask(Request::Claim(own)),
            Next::Ask(Request::List),
            Next::Ask(Request::Read(dead, 'o')),
            Next::Ask(Request::Vote(own, 'o')),
        ];
        assert_eq!(asked, wanted);
    }

    #[test]
    fn a_vote_that_is_listed_and_not_there_counts_as_absent() {
        let (mut attempt, dead, own) = (Attempt::new(ME, 'm'), ballot(1, OTHER), ballot(2, ME));
        attempt.courtesies = COURTESIES;
        walk(&mut attempt, vec![shown(&[dead], &[]), Answer::Done]);
        let seen = shown(&[dead, own], &[(dead, 'o')]);
        let asked = walk(&mut attempt, vec![seen, Answer::Readable(false)]);
        assert_eq!(asked[1], Next::Ask(Request::Vote(own, 'm')));
    }

    #[test]
    fn a_higher_ballot_means_back_off_and_the_next_claim_is_above_it() {
        let (mut attempt, own, higher) = (Attempt::new(ME, 'm'), ballot(1, ME), ballot(1, OTHER));
        let asked = walk(
            &mut attempt,
            vec![
                shown(&[], &[]),
                Answer::Done,
                shown(&[own, higher], &[]),
                Answer::Done,
                shown(&[own, higher], &[]),
            ],
        );
        let wanted = [
            Next::Ask(Request::BackOff(1)),
            Next::Ask(Request::List),
            Next::Ask(Request::Claim(ballot(2, ME))),
        ];
        assert_eq!(asked[2..], wanted);
    }

    #[test]
    fn who_keeps_moving_gets_twelve_courtesies() {
        let mut attempt = Attempt::new(ME, 'm');
        let mut waits = 0;
        for number in 1.. {
            let next = attempt.step(shown(&[ballot(number, OTHER)], &[]));
            if next != Next::Ask(Request::Courtesy) {
                break;
            }
            waits += 1;
            attempt.step(Answer::Done);
        }
        assert_eq!(waits, COURTESIES);
    }

    #[test]
    fn an_entry_that_is_missing_below_a_later_one_is_a_gap() {
        let mut attempt = Attempt::new(ME, 'm');
        let seen = Shown {
            later: true,
            ..Shown::default()
        };
        let asked = walk(&mut attempt, vec![Answer::Listed(seen), Answer::Entry(None)]);
        assert_eq!(asked, [Next::Ask(Request::Published), Next::Gap]);
    }

    #[test]
    fn a_registry_that_does_not_list_what_it_acknowledged_is_refused() {
        let mut attempt = Attempt::new(ME, 'm');
        let mut last = attempt.step(shown(&[], &[]));
        for _ in 0..100 {
            last = match last {
                Next::Ask(Request::List) => attempt.step(shown(&[], &[])),
                Next::Ask(_) => attempt.step(Answer::Done),
                end => return assert_eq!(end, Next::Lag),
            };
        }
        panic!("it goes on for ever");
    }
}
