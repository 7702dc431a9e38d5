//! Writers and a registry, as values.
//!
//! A request is one step: it takes effect and is answered. That a writer dies is that it takes no further step, so
//! every death at any step is among the interleavings; a PUT that lands after its sender's death is one that comes
//! late. What a registry does when it dies is a fault: a tag that is there although no answer came, or is listed and
//! cannot be read; the PUT is sent again afterwards, or never.

use ringshift::state::claims::step::{Answer, Attempt, Ballot, Next, Pid, Request, Shown};

/// How much is explored.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    pub writers: u8,
    /// Places of the journal; an entry that would come later is not proposed.
    pub places: u8,
    /// How often a writer backs off before it stops for ever.
    pub rounds: u32,
    /// How often the registry dies at a PUT.
    pub faults: u8,
    /// The step that is left out.
    pub without: Option<u8>,
}

/// What must never be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A place holds one entry, then another.
    Fork,
    /// An acknowledged entry is not in its place.
    Lost,
    /// One operation stands at two places.
    Doubled,
}

/// One place in the registry. An entry is named by its writer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Place {
    entry: Option<u8>,
    /// The entry's tag is listed and cannot be read.
    half: bool,
    claims: Vec<Ballot>,
    /// Ballot, entry, can be read.
    votes: Vec<(Ballot, u8, bool)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Writer {
    /// About to read the head.
    Reading,
    /// Wants its entry at this place, and is about to ask.
    Writing(u8, Attempt<u8>, Request<u8>),
    /// Was told that its entry stands, or stopped.
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    places: Vec<Place>,
    writers: Vec<Writer>,
    faults: u8,
    /// What each writer believes to have put, in a protocol without that step.
    unsent: Vec<Place>,
}

/// What may happen next.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// The writer's request takes effect and is answered.
    Step(u8),
    /// The writer's PUT takes effect, and the answer is lost.
    Unanswered(u8),
    /// The writer's PUT makes a tag that cannot be read.
    Half(u8),
    /// Somebody cleans the claims and votes of a published place.
    Clean(u8),
}

fn insert<T: Ord>(all: &mut Vec<T>, one: T) {
    if let Err(at) = all.binary_search(&one) {
        all.insert(at, one);
    }
}

impl World {
    pub fn new(bounds: &Bounds) -> Self {
        Self {
            places: vec![Place::default(); usize::from(bounds.places)],
            writers: vec![Writer::Reading; usize::from(bounds.writers)],
            faults: bounds.faults,
            unsent: vec![Place::default(); usize::from(bounds.writers)],
        }
    }

    /// Everybody is at the end.
    pub fn is_end(&self) -> bool {
        self.writers.iter().all(|writer| *writer == Writer::Ended)
    }

    /// All that may happen.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (writer, n) in self.writers.iter().zip(0..) {
            match writer {
                Writer::Reading => events.push(Event::Step(n)),
                Writer::Writing(_, _, request) => {
                    events.push(Event::Step(n));
                    if self.faults > 0 {
                        match request {
                            Request::Claim(_) => events.push(Event::Unanswered(n)),
                            Request::Vote(..) | Request::Publish(_) => {
                                events.extend([Event::Unanswered(n), Event::Half(n)]);
                            }
                            _ => {}
                        }
                    }
                }
                Writer::Ended => {}
            }
        }
        for (place, n) in self.places.iter().zip(0..) {
            if place.entry.is_some() && !(place.claims.is_empty() && place.votes.is_empty()) {
                events.push(Event::Clean(n));
            }
        }
        events
    }

    /// What an event is, in words.
    pub fn tell(&self, event: Event) -> String {
        match event {
            Event::Step(n) => match &self.writers[usize::from(n)] {
                Writer::Writing(place, attempt, request) => {
                    format!("{n} at {place}: {request:?} (step {})", attempt.number())
                }
                other => format!("{n}: {other:?}"),
            },
            Event::Unanswered(n) => format!("{} unanswered", self.tell(Event::Step(n))),
            Event::Half(n) => format!("{} half", self.tell(Event::Step(n))),
            Event::Clean(place) => format!("clean {place}"),
        }
    }

    /// The world after an event.
    pub fn after(&self, bounds: &Bounds, event: Event) -> Result<Self, Violation> {
        let mut world = self.clone();
        match event {
            Event::Clean(place) => {
                let place = &mut world.places[usize::from(place)];
                place.claims.clear();
                place.votes.clear();
            }
            Event::Unanswered(n) => {
                world.faults -= 1;
                if let Writer::Writing(place, _, request) = &self.writers[usize::from(n)] {
                    world.places[usize::from(*place)].put(request)?;
                }
            }
            Event::Half(n) => {
                world.faults -= 1;
                if let Writer::Writing(place, _, request) = &self.writers[usize::from(n)] {
                    world.places[usize::from(*place)].put_half(request);
                }
            }
            Event::Step(n) => world.step(bounds, n)?,
        }
        world.forget();
        let places: Vec<u8> = world.places.iter().filter_map(|place| place.entry).collect();
        match places
            .iter()
            .enumerate()
            .any(|(at, one)| places[..at].contains(one))
        {
            true => Err(Violation::Doubled),
            false => Ok(world),
        }
    }

    /// Nobody looks at the claims and votes of a published place again, but those who are still at work there: worlds
    /// that differ in nothing else are one.
    fn forget(&mut self) {
        for (place, n) in self.places.iter_mut().zip(0..) {
            let at_work = |writer: &Writer| matches!(writer, Writer::Writing(place, ..) if *place == n);
            if place.entry.is_some() && !self.writers.iter().any(at_work) {
                place.claims.clear();
                place.votes.clear();
            }
        }
    }

    fn step(&mut self, bounds: &Bounds, n: u8) -> Result<(), Violation> {
        let at = usize::from(n);
        match std::mem::replace(&mut self.writers[at], Writer::Ended) {
            Writer::Reading => self.read(bounds, n),
            Writer::Writing(place, mut attempt, request) => {
                let number = attempt.number();
                let answer = self.answer(bounds, number, place, n, &request)?;
                let next = attempt.step(answer);
                self.go_on(bounds, n, place, attempt, next, number == 7)?;
            }
            Writer::Ended => {}
        }
        Ok(())
    }

    /// The head, and an entry after it.
    fn read(&mut self, bounds: &Bounds, n: u8) {
        let published = |place: &Place| place.entry.is_some();
        let next = self.places.iter().rposition(published).map_or(0, |at| at + 1);
        self.unsent[usize::from(n)] = Place::default();
        self.writers[usize::from(n)] = match u8::try_from(next) {
            Ok(next) if next < bounds.places => {
                // The list that showed the head is the first look.
                let mut attempt = Attempt::hasty(Pid(u64::from(n)), n);
                match attempt.step(Answer::Listed(self.places[usize::from(next)].list(false))) {
                    Next::Ask(request) => Writer::Writing(next, attempt, request),
                    _ => Writer::Ended,
                }
            }
            _ => Writer::Ended,
        };
    }

    fn answer(
        &mut self,
        bounds: &Bounds,
        number: u8,
        at: u8,
        n: u8,
        request: &Request<u8>,
    ) -> Result<Answer<u8>, Violation> {
        let later = self.places[usize::from(at) + 1..]
            .iter()
            .any(|p| p.entry.is_some() || p.half);
        let place = &mut self.places[usize::from(at)];
        let out = bounds.without;
        Ok(match request {
            Request::List if matches!(number, 3 | 5) && out == Some(number) => {
                Answer::Listed(place.own(Pid(u64::from(n))))
            }
            Request::List => {
                let mut shown = place.list(later);
                let believed = self.unsent[usize::from(n)].list(false);
                shown.claims.extend(believed.claims);
                shown.votes.extend(believed.votes);
                Answer::Listed(shown)
            }
            Request::Published if out == Some(6) && number == 6 => Answer::Entry(None),
            Request::Published => Answer::Entry(place.entry),
            Request::Read(ballot, value) => Answer::Readable(place.votes.contains(&(*ballot, *value, true))),
            Request::Claim(_) | Request::Vote(..) | Request::Publish(_) => {
                match out == Some(number) {
                    true => self.unsent[usize::from(n)].put(request)?,
                    false => place.put(request)?,
                }
                Answer::Done
            }
            Request::Courtesy | Request::BackOff(_) => Answer::Done,
        })
    }

    fn go_on(
        &mut self,
        bounds: &Bounds,
        n: u8,
        place: u8,
        mut attempt: Attempt<u8>,
        next: Next<u8>,
        published: bool,
    ) -> Result<(), Violation> {
        let writer = match next {
            Next::Ask(Request::BackOff(round)) if round > bounds.rounds => Writer::Ended,
            // A wait is that others go first.
            Next::Ask(Request::BackOff(_)) => match attempt.step(Answer::Done) {
                Next::Ask(request) => Writer::Writing(place, attempt, request),
                _ => Writer::Ended,
            },
            Next::Ask(request) => Writer::Writing(place, attempt, request),
            Next::Decided(entry) if entry == n && (published || bounds.without != Some(1)) => {
                if self.places[usize::from(place)].entry != Some(n) {
                    return Err(Violation::Lost);
                }
                Writer::Ended
            }
            Next::Decided(_) => Writer::Reading,
            Next::Gap | Next::Lag | Next::Busy => Writer::Ended,
        };
        self.writers[usize::from(n)] = writer;
        Ok(())
    }
}

impl Place {
    fn list(&self, later: bool) -> Shown<u8> {
        Shown {
            published: self.entry.is_some() || self.half,
            later,
            claims: self.claims.iter().copied().collect(),
            votes: self
                .votes
                .iter()
                .map(|(ballot, value, _)| (*ballot, *value))
                .collect(),
        }
    }

    /// What its own writer put there, and nothing else.
    fn own(&self, pid: Pid) -> Shown<u8> {
        let mut shown = self.list(false);
        shown.published = false;
        shown.claims.retain(|ballot| ballot.pid == pid);
        shown.votes.retain(|(ballot, _)| ballot.pid == pid);
        shown
    }

    fn put(&mut self, request: &Request<u8>) -> Result<(), Violation> {
        match request {
            Request::Claim(ballot) => insert(&mut self.claims, *ballot),
            Request::Vote(ballot, value) => {
                self.votes.retain(|vote| *vote != (*ballot, *value, false));
                insert(&mut self.votes, (*ballot, *value, true));
            }
            Request::Publish(value) => {
                if self.entry.is_some_and(|there| there != *value) {
                    return Err(Violation::Fork);
                }
                self.entry = Some(*value);
                self.half = false;
            }
            _ => {}
        }
        Ok(())
    }

    fn put_half(&mut self, request: &Request<u8>) {
        match request {
            Request::Vote(ballot, value) if !self.votes.contains(&(*ballot, *value, true)) => {
                insert(&mut self.votes, (*ballot, *value, false));
            }
            Request::Publish(_) if self.entry.is_none() => self.half = true,
            _ => {}
        }
    }
}
