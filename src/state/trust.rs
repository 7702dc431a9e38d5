//! Trust on first use: what was seen of a journal once must be there for ever (state store 6).
//!
//! A **mark** is the highest entry that this machine saw. A journal that is behind its mark went back; one whose chain
//! of parents does not lead to the mark forked.

mod file;

pub use file::MarkFile;

use super::journal::{Appended, Journal, JournalError, Stored};
use super::{Entry, ReleaseRecord, Timestamp};
use crate::model::Digest;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// The highest entry that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// 1.
    pub format: u32,
    /// The journal, in words.
    pub journal: String,
    /// Its lineage.
    pub lineage: String,
    /// The entry's number.
    pub seq: u64,
    /// The entry's digest.
    pub digest: Digest,
    /// An entry of this machine may stand there whose ring tags were not written yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
}

/// Where the mark of a journal is kept.
pub trait Marks: Send + Sync {
    /// The mark; `None` on first use, and where it cannot be read.
    fn read(&self) -> Option<Mark>;

    /// Keeps a mark. A place that cannot be written is a check less.
    fn write(&self, mark: &Mark);

    /// The place in words.
    fn place(&self) -> String;
}

/// What of the ring tags has to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsettled {
    /// Nothing: they were written after the last entry of this machine.
    Nothing,
    /// What the entry just written moved.
    Moved,
    /// All: nobody knows.
    All,
}

/// A journal that is held against its mark at each reading of the head.
pub struct Trusted {
    journal: Arc<dyn Journal>,
    name: String,
    marks: Arc<dyn Marks>,
    oldest: Option<Timestamp>,
    unsettled: Mutex<Unsettled>,
}

impl Trusted {
    /// `journal`, called `name`. A head written before `oldest` is refused.
    pub fn new(
        journal: Arc<dyn Journal>,
        name: String,
        marks: Arc<dyn Marks>,
        oldest: Option<Timestamp>,
    ) -> Self {
        let left = marks.read().is_some_and(|mark| mark.unsettled);
        let unsettled = if left { Unsettled::All } else { Unsettled::Nothing };
        Self {
            journal,
            name,
            marks,
            oldest,
            unsettled: Mutex::new(unsettled),
        }
    }

    fn went_back(&self, mark: &Mark, there: &str) -> JournalError {
        JournalError::WentBack {
            what: format!(
                "the journal {} had entry {} ({}) when it was read last, and now {there}",
                self.name,
                mark.seq,
                mark.digest.short()
            ),
            mark: self.marks.place(),
        }
    }

    /// The chain of parents from the head must lead to the mark.
    fn check(&self, head: &Stored, mark: &Mark) -> Result<(), JournalError> {
        if head.entry.lineage != mark.lineage {
            return Err(self.went_back(mark, "another journal stands in its place"));
        }
        if head.entry.seq < mark.seq {
            let there = format!("its last one is {}", head.entry.seq);
            return Err(self.went_back(mark, &there));
        }
        let mut at = head.clone();
        while at.entry.seq > mark.seq {
            let (seq, digest) = (at.entry.seq - 1, at.entry.parent);
            // The mark itself need not be read again.
            if seq == mark.seq && digest == Some(mark.digest) {
                return Ok(());
            }
            at = self
                .journal
                .parent(&at)?
                .ok_or_else(|| self.went_back(mark, &format!("entry {seq} is missing")))?;
        }
        match at.digest == mark.digest {
            true => Ok(()),
            false => Err(self.went_back(mark, &format!("entry {} is {}", mark.seq, at.digest.short()))),
        }
    }

    fn mark(&self, head: &Stored, unsettled: bool) -> Mark {
        Mark {
            format: 1,
            journal: self.name.clone(),
            lineage: head.entry.lineage.clone(),
            seq: head.entry.seq,
            digest: head.digest,
            unsettled,
        }
    }

    fn set(&self, unsettled: Unsettled) -> Unsettled {
        let mut own = self.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *own, unsettled)
    }
}

impl Journal for Trusted {
    fn head(&self) -> Result<Option<Stored>, JournalError> {
        let (head, mark) = (self.journal.head()?, self.marks.read());
        match (&head, &mark) {
            (None, None) => return Ok(None),
            (None, Some(mark)) => return Err(self.went_back(mark, "there is none")),
            (Some(head), Some(mark)) => self.check(head, mark)?,
            (Some(_), None) => {}
        }
        if let (Some(head), Some(oldest)) = (&head, self.oldest)
            && head.entry.time < oldest
        {
            return Err(JournalError::Old { at: head.entry.time });
        }
        if let Some(head) = &head {
            let new = self.mark(head, self.unsettled() != Unsettled::Nothing);
            if mark.as_ref() != Some(&new) {
                self.marks.write(&new);
            }
        }
        Ok(head)
    }

    fn is_last(&self, seq: u64) -> Result<bool, JournalError> {
        self.journal.is_last(seq)
    }

    fn at(&self, seq: u64) -> Result<Option<Stored>, JournalError> {
        self.journal.at(seq)
    }

    fn parent(&self, of: &Stored) -> Result<Option<Stored>, JournalError> {
        self.journal.parent(of)
    }

    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
        self.journal.record(digest)
    }

    fn put_record(&self, record: &ReleaseRecord) -> Result<Digest, JournalError> {
        self.journal.put_record(record)
    }

    fn append(&self, head: Option<&Stored>, entry: &Entry) -> Result<Appended, JournalError> {
        // Whoever dies after the entry stands has not written its ring tags.
        if let Some(head) = head {
            self.marks.write(&self.mark(head, true));
        }
        // If nothing comes of it, or somebody else's entry was helped through, all may be out of date.
        let before = self.set(Unsettled::All);
        let appended = self.journal.append(head, entry)?;
        if let Appended::Committed(digest) = &appended {
            let stored = Stored::new(*digest, entry.clone());
            self.marks.write(&self.mark(&stored, true));
            if before != Unsettled::All && head.is_some() {
                self.set(Unsettled::Moved);
            }
        }
        Ok(appended)
    }

    fn unsettled(&self) -> Unsettled {
        *self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clean(&self, decided: u64) -> Result<u64, JournalError> {
        self.journal.clean(decided)
    }

    fn moves_tags(&self, find_out: bool) -> Result<bool, JournalError> {
        self.journal.moves_tags(find_out)
    }

    fn settled(&self) {
        self.set(Unsettled::Nothing);
        if let Some(mark) = self.marks.read().filter(|mark| mark.unsettled) {
            self.marks.write(&Mark {
                unsettled: false,
                ..mark
            });
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::ProjectName;
    use crate::registry::Repository;
    use crate::registry::memory::MemoryRegistry;
    use crate::state::journal::TagJournal;
    use crate::state::{State, Verb};
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Noted(Mutex<Option<Mark>>);

    impl Marks for Noted {
        fn read(&self) -> Option<Mark> {
            self.0.lock().unwrap().clone()
        }
        fn write(&self, mark: &Mark) {
            *self.0.lock().unwrap() = Some(mark.clone());
        }
        fn place(&self) -> String {
            "the mark".into()
        }
    }

    fn trusted(registry: &MemoryRegistry, marks: &Arc<Noted>, oldest: Option<i64>) -> Trusted {
        let repository = Repository::new(&ProjectName::new("acme/shop").unwrap(), "shop-state");
        let journal = TagJournal::new(Arc::new(registry.clone()), repository);
        Trusted::new(
            Arc::new(journal),
            "j".into(),
            marks.clone(),
            oldest.map(Timestamp),
        )
    }

    /// Writes entries at the times that are given; the last is the head.
    fn write(journal: &Trusted, lineage: &str, times: &[i64]) {
        for time in times {
            let head = journal.journal.head().unwrap();
            let entry = Entry {
                format: 1,
                lineage: lineage.into(),
                seq: head.as_ref().map_or(1, |h| h.entry.seq + 1),
                parent: head.as_ref().map(|h| h.digest),
                operation: time.to_string(),
                actor: "tester".into(),
                time: Timestamp(*time),
                verb: Verb::Freeze,
                reason: None,
                overrides: Vec::new(),
                moved: BTreeMap::new(),
                versions: BTreeMap::new(),
                state: State::default(),
            };
            let appended = journal.append(head.as_ref(), &entry).unwrap();
            assert!(matches!(appended, Appended::Committed(_)));
        }
    }

    fn refused(journal: &Trusted) -> String {
        journal.head().unwrap_err().to_string()
    }

    #[test]
    fn a_journal_that_grows_is_trusted_and_the_mark_grows_with_it() {
        let (registry, marks) = (MemoryRegistry::new(), Arc::<Noted>::default());
        let own = trusted(&registry, &marks, None);
        write(&own, "l", &[1]);
        assert_eq!(own.head().unwrap().unwrap().entry.seq, 1);
        let others = trusted(&registry, &Arc::default(), None);
        write(&others, "l", &[2, 3, 4]);
        assert_eq!(own.head().unwrap().unwrap().entry.seq, 4);
        assert_eq!(marks.read().unwrap().seq, 4);
    }

    #[test]
    fn a_journal_that_is_gone_went_back_forked_or_is_another_is_refused() {
        let (registry, marks) = (MemoryRegistry::new(), Arc::<Noted>::default());
        let own = trusted(&registry, &marks, None);
        write(&own, "l", &[1, 2]);
        let elsewhere = |times: &[i64], lineage: &str| {
            let registry = MemoryRegistry::new();
            write(&trusted(&registry, &Arc::default(), None), lineage, times);
            refused(&trusted(&registry, &marks, None))
        };
        let gone = refused(&trusted(&MemoryRegistry::new(), &marks, None));
        assert!(
            gone.contains("had entry 2") && gone.ends_with("now there is none"),
            "{gone}"
        );
        assert!(elsewhere(&[1], "l").ends_with("now its last one is 1"));
        assert!(elsewhere(&[1, 9], "l").contains("now entry 2 is "));
        assert!(elsewhere(&[1, 9, 10], "l").contains("now entry 2 is "));
        assert!(elsewhere(&[1, 2], "m").ends_with("now another journal stands in its place"));
        assert!(own.head().is_ok());
    }

    #[test]
    fn a_journal_whose_last_entry_is_too_old_is_refused() {
        let (registry, marks) = (MemoryRegistry::new(), Arc::<Noted>::default());
        write(&trusted(&registry, &marks, None), "l", &[100]);
        assert!(trusted(&registry, &marks, Some(100)).head().is_ok());
        let old = trusted(&registry, &marks, Some(101)).head().unwrap_err();
        assert!(matches!(old, JournalError::Old { at: Timestamp(100) }), "{old}");
    }

    #[test]
    fn ring_tags_are_unsettled_from_before_an_entry_until_they_are_written() {
        let (registry, marks) = (MemoryRegistry::new(), Arc::<Noted>::default());
        let own = trusted(&registry, &marks, None);
        assert_eq!(own.unsettled(), Unsettled::Nothing);
        write(&own, "l", &[1]);
        assert_eq!(own.unsettled(), Unsettled::All, "of the first entry nobody knows");
        own.settled();
        assert_eq!(own.unsettled(), Unsettled::Nothing);
        write(&own, "l", &[2]);
        assert_eq!(own.unsettled(), Unsettled::Moved);
        // It dies; whoever comes next on this machine looks at all.
        let next = trusted(&registry, &marks, None);
        assert_eq!(next.unsettled(), Unsettled::All);
        next.head().unwrap();
        assert!(marks.read().unwrap().unsettled, "reading settles nothing");
        next.settled();
        assert_eq!(trusted(&registry, &marks, None).unsettled(), Unsettled::Nothing);
    }
}
