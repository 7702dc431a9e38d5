//! Runs the protocol over a registry.

use super::pace::Pace;
use super::step::{Answer, Attempt, Next, Request};
use super::tags;
use crate::model::Digest;
use crate::registry::{MANIFEST, Registry, RegistryError, Repository, crash};
use crate::state::journal::{
    Appended, Documents, Journal, JournalError, Stored, artifact, broken, nothing, seq_of, tag_of,
};
use crate::state::{Entry, ReleaseRecord};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The journal on any registry whose LIST shows every acknowledged PUT.
pub struct ClaimsJournal {
    documents: Documents,
    pace: Arc<dyn Pace>,
    /// The list that the head was read from: the first look of the next append.
    looked: Mutex<Option<Vec<String>>>,
    moves: Mutex<Option<bool>>,
}

/// One append: the place, and the manifests that votes and the entry may need.
struct Append<'a> {
    journal: &'a ClaimsJournal,
    seq: u64,
    manifests: BTreeMap<Digest, Vec<u8>>,
    /// How long a request takes, as measured.
    request: Duration,
}

impl ClaimsJournal {
    /// The journal in `repository`.
    pub fn new(registry: Arc<dyn Registry>, repository: Repository, pace: Arc<dyn Pace>) -> Self {
        Self {
            documents: Documents::new(registry, repository),
            pace,
            looked: Mutex::default(),
            moves: Mutex::default(),
        }
    }

    fn list(&self) -> Result<Vec<String>, JournalError> {
        let tags = self.documents.registry.tags(&self.documents.repository)?;
        let says = |name: &str| tags.iter().any(|tag| tag == name);
        if says(tags::FIXED) || says(tags::MOVES) {
            *self.moves.lock().unwrap_or_else(PoisonError::into_inner) = Some(!says(tags::FIXED));
        }
        Ok(tags)
    }

    /// Finds out whether the registry moves tags, once in the life of a journal: what was found is a tag.
    fn probe(&self) -> Result<bool, JournalError> {
        let Documents {
            registry, repository, ..
        } = &self.documents;
        let other = artifact("application/vnd.ringshift.probe.v1", vec![nothing()])?;
        let put = |bytes: &[u8]| registry.put_tagged(repository, tags::PROBE, MANIFEST, bytes);
        // A refusal is an answer, a broken line is none.
        let refused = |error: RegistryError| match &error {
            RegistryError::Remote(remote) if remote.is_refusal() => Ok(()),
            _ => Err(error),
        };
        put(&claim_manifest()?).map(|_| ()).or_else(refused)?;
        put(&other).map(|_| ()).or_else(refused)?;
        // Some say that it was done, and did nothing.
        let there = registry.resolve(repository, tags::PROBE)?;
        let moves = there.is_some_and(|there| there.digest == Digest::of(&other));
        self.create(if moves { tags::MOVES } else { tags::FIXED }, &claim_manifest()?)?;
        Ok(moves)
    }

    fn keep(&self, tags: Option<Vec<String>>) -> Option<Vec<String>> {
        std::mem::replace(
            &mut *self.looked.lock().unwrap_or_else(PoisonError::into_inner),
            tags,
        )
    }

    /// The entry of a place by its tag alone; a clean 404 is `None`.
    fn published(&self, seq: u64) -> Result<Option<Digest>, JournalError> {
        let Documents {
            registry, repository, ..
        } = &self.documents;
        Ok(registry
            .resolve(repository, &tag_of(seq))?
            .map(|found| found.digest))
    }

    /// Creates a tag. One that is refused because it is there already, with the same content, was created before: the
    /// answer was lost.
    fn create(&self, tag: &str, manifest: &[u8]) -> Result<(), JournalError> {
        let Documents {
            registry, repository, ..
        } = &self.documents;
        let refused = match registry.put_tagged(repository, tag, MANIFEST, manifest) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if !matches!(refused, RegistryError::Remote(_)) {
            return Err(refused.into());
        }
        match registry.resolve(repository, tag) {
            Ok(Some(there)) if there.digest == Digest::of(manifest) => Ok(()),
            _ => Err(refused.into()),
        }
    }
}

impl Journal for ClaimsJournal {
    fn head(&self) -> Result<Option<Stored>, JournalError> {
        let tags = self.list()?;
        let mut listed: Vec<u64> = tags.iter().filter_map(|tag| seq_of(tag)).collect();
        listed.sort_unstable();
        self.keep(Some(tags));
        crash::point("read");
        // A tag may be listed and not there: a registry died while it made it.
        while let Some(seq) = listed.pop() {
            if let Some(stored) = self.documents.at(seq)? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    fn is_last(&self, seq: u64) -> Result<bool, JournalError> {
        let tags = self.list()?;
        Ok(tags
            .iter()
            .filter_map(|tag| seq_of(tag))
            .all(|there| there <= seq))
    }

    fn at(&self, seq: u64) -> Result<Option<Stored>, JournalError> {
        self.documents.at(seq)
    }

    fn parent(&self, of: &Stored) -> Result<Option<Stored>, JournalError> {
        match (&of.entry.parent, of.entry.seq.checked_sub(1)) {
            (Some(digest), Some(seq)) => self.documents.parent(seq, digest).map(Some),
            _ => Ok(None),
        }
    }

    fn clean(&self, decided: u64) -> Result<u64, JournalError> {
        super::cleaning::clean(&self.documents, &self.list()?, decided)
    }

    fn moves_tags(&self, find_out: bool) -> Result<bool, JournalError> {
        let known = *self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = match known {
            Some(moves) => moves,
            None if !find_out => return Ok(true),
            None => self.probe()?,
        };
        *self.moves.lock().unwrap_or_else(PoisonError::into_inner) = Some(moves);
        Ok(moves)
    }

    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
        self.documents.record(digest)
    }

    fn put_record(&self, record: &ReleaseRecord) -> Result<Digest, JournalError> {
        self.documents.put_record(record)
    }

    fn append(&self, head: Option<&Stored>, entry: &Entry) -> Result<Appended, JournalError> {
        let manifest = self.documents.put(head, entry)?;
        let mine = Digest::of(&manifest);
        let mut append = Append {
            journal: self,
            seq: entry.seq,
            manifests: BTreeMap::from([(mine, manifest)]),
            request: Duration::ZERO,
        };
        let decided = append.run(mine)?;
        self.keep(None);
        Ok(match decided == mine {
            true => Appended::Committed(mine),
            false => Appended::Conflict,
        })
    }
}

impl Append<'_> {
    /// Until the place is taken; by what.
    fn run(&mut self, mine: Digest) -> Result<Digest, JournalError> {
        let mut attempt = Attempt::new(self.journal.pace.pid(), mine);
        // What was seen when the head was read was seen.
        let looked = match self.journal.keep(None) {
            Some(tags) => tags,
            None => self.journal.list()?,
        };
        let mut next = attempt.step(Answer::Listed(tags::shown(&looked, self.seq)));
        loop {
            match next {
                Next::Ask(request) => {
                    let before = self.journal.pace.now();
                    let answer = self.ask(&request)?;
                    if !matches!(request, Request::Courtesy | Request::BackOff(_)) {
                        self.measure(self.journal.pace.now().saturating_sub(before));
                    }
                    next = attempt.step(answer);
                }
                Next::Decided(entry) => return Ok(entry),
                Next::Gap => return Err(broken(&tag_of(self.seq), "later ones are there, it is not")),
                Next::Lag => return Err(JournalError::Lagging),
                Next::Busy => return Err(JournalError::Busy),
            }
        }
    }

    fn ask(&mut self, request: &Request<Digest>) -> Result<Answer<Digest>, JournalError> {
        let (journal, seq) = (self.journal, self.seq);
        Ok(match request {
            Request::List => Answer::Listed(tags::shown(&journal.list()?, seq)),
            Request::Published => Answer::Entry(journal.published(seq)?),
            Request::Claim(ballot) => {
                journal.create(&tags::claim(seq, *ballot), &claim_manifest()?)?;
                crash::point("claimed");
                Answer::Done
            }
            Request::Read(ballot, entry) => {
                Answer::Readable(self.read(&tags::vote(seq, *ballot, entry), entry)?)
            }
            Request::Vote(ballot, entry) => {
                let tag = tags::vote(seq, *ballot, entry);
                crash::at("voting", &tag);
                journal.create(&tag, self.manifest(entry)?)?;
                crash::point("voted");
                Answer::Done
            }
            Request::Publish(entry) => {
                let tag = tag_of(seq);
                crash::at("publishing", &tag);
                journal.create(&tag, self.manifest(entry)?)?;
                crash::point("published");
                Answer::Done
            }
            Request::Courtesy => self.wait(self.attempt()),
            Request::BackOff(round) => {
                let most = self.attempt().saturating_mul(1 << (*round).min(6));
                let part = u32::try_from(journal.pace.random() % 1024).unwrap_or_default();
                self.wait(most / 1024 * part)
            }
        })
    }

    /// Whether a vote can be read. What it points at must be what its name says.
    fn read(&mut self, tag: &str, entry: &Digest) -> Result<bool, JournalError> {
        let Documents {
            registry, repository, ..
        } = &self.journal.documents;
        let Some((found, bytes)) = registry.fetch(repository, tag)? else {
            return Ok(false);
        };
        if found.digest != *entry {
            return Err(broken(
                &tag_of(self.seq),
                &format!("the vote {tag} points at {}", found.digest),
            ));
        }
        self.manifests.insert(*entry, bytes);
        Ok(true)
    }

    fn manifest(&self, entry: &Digest) -> Result<&[u8], JournalError> {
        let found = self.manifests.get(entry).map(Vec::as_slice);
        found.ok_or_else(|| broken(&tag_of(self.seq), "a vote was chosen that was not read"))
    }

    fn wait(&self, time: Duration) -> Answer<Digest> {
        self.journal.pace.wait(time.min(LONGEST));
        Answer::Done
    }

    /// About how long one's own attempt takes: seven requests.
    fn attempt(&self) -> Duration {
        (self.request * 7).max(SHORTEST)
    }

    fn measure(&mut self, took: Duration) {
        self.request = match self.request.is_zero() {
            true => took,
            false => (self.request * 3 + took) / 4,
        };
    }
}

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(30);

/// What all claims point at.
fn claim_manifest() -> Result<Vec<u8>, JournalError> {
    artifact("application/vnd.ringshift.claim.v1", vec![nothing()])
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::step::Pid;
    use super::*;
    use crate::model::ProjectName;
    use crate::registry::memory::MemoryRegistry;
    use crate::state::{State, Timestamp, Verb};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Time that passes only by waiting.
    struct Still(Pid, AtomicU64);

    impl Pace for Still {
        fn pid(&self) -> Pid {
            self.0
        }
        fn now(&self) -> Duration {
            Duration::from_nanos(self.1.load(Ordering::SeqCst))
        }
        fn random(&self) -> u64 {
            self.1
                .fetch_add(1, Ordering::SeqCst)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                >> 20
        }
        fn wait(&self, time: Duration) {
            self.1.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
            std::thread::yield_now();
        }
    }

    fn journal(registry: &MemoryRegistry, pid: u64) -> ClaimsJournal {
        let repository = Repository::new(&ProjectName::new("acme/shop").unwrap(), "shop-state");
        let pace = Still(Pid(pid), AtomicU64::new(0));
        ClaimsJournal::new(Arc::new(registry.clone()), repository, Arc::new(pace))
    }

    fn entry(head: Option<&Stored>, operation: String) -> Entry {
        Entry {
            format: 1,
            lineage: "l".into(),
            seq: head.map_or(1, |h| h.entry.seq + 1),
            parent: head.map(|h| h.digest),
            operation,
            actor: "tester".into(),
            time: Timestamp(0),
            verb: Verb::Freeze,
            reason: None,
            overrides: Vec::new(),
            moved: BTreeMap::new(),
            versions: BTreeMap::new(),
            state: State::default(),
        }
    }

    #[test]
    fn writers_in_many_threads_put_every_entry_once_and_in_one_chain() {
        let registry = MemoryRegistry::new();
        std::thread::scope(|scope| {
            for pid in 0..4 {
                let journal = journal(&registry, pid);
                scope.spawn(move || {
                    for n in 0..8 {
                        loop {
                            let head = journal.head().unwrap();
                            let wanted = entry(head.as_ref(), format!("{pid}.{n}"));
                            match journal.append(head.as_ref(), &wanted) {
                                Ok(Appended::Committed(_)) => break,
                                Ok(Appended::Conflict) | Err(JournalError::Busy) => {}
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                });
            }
        });
        let reader = journal(&registry, 9);
        let mut next = reader.head().unwrap();
        assert_eq!(next.as_ref().unwrap().entry.seq, 32);
        let mut operations = Vec::new();
        while let Some(stored) = next {
            let by_tag = reader.at(stored.entry.seq).unwrap().unwrap();
            assert_eq!(by_tag.digest, stored.digest);
            next = reader.parent(&stored).unwrap();
            operations.push(stored.entry.operation);
        }
        operations.sort();
        let mut wanted: Vec<String> = (0..4)
            .flat_map(|p| (0..8).map(move |n| format!("{p}.{n}")))
            .collect();
        wanted.sort();
        assert_eq!(operations, wanted);
    }

    #[test]
    fn what_writers_needed_to_agree_is_cleaned_and_the_journal_goes_on() {
        let registry = MemoryRegistry::new();
        let journal = journal(&registry, 1);
        let write = || {
            let head = journal.head().unwrap();
            let wanted = entry(head.as_ref(), "x".into());
            journal.append(head.as_ref(), &wanted).unwrap()
        };
        for _ in 0..3 {
            assert!(matches!(write(), Appended::Committed(_)));
        }
        assert_eq!(journal.clean(2).unwrap(), 4, "a claim and a vote for each of two");
        assert_eq!(journal.clean(3).unwrap(), 2);
        assert_eq!(
            journal.list().unwrap(),
            ["s.00000001", "s.00000002", "s.00000003"]
        );
        assert!(matches!(write(), Appended::Committed(_)));
    }

    #[test]
    fn an_entry_that_stands_where_mine_was_to_stand_is_a_conflict() {
        let registry = MemoryRegistry::new();
        let (one, other) = (journal(&registry, 1), journal(&registry, 2));
        let committed = one.append(None, &entry(None, "a".into())).unwrap();
        assert!(matches!(committed, Appended::Committed(_)));
        assert_eq!(
            other.append(None, &entry(None, "b".into())).unwrap(),
            Appended::Conflict
        );
        assert_eq!(one.append(None, &entry(None, "a".into())).unwrap(), committed);
        assert!(one.is_last(1).unwrap() && !one.is_last(0).unwrap());
    }
}
