//! rings.lock: made of what the registries say, checked without them, and compared with what they say now.

use super::failure::Failure;
use super::project::{Asked, Locks, Origin, project_of, resolve};
use crate::config::Lock;
use crate::config::lock::Locked;
use crate::model::{Digest, Platform, Reference, Span};
use crate::registry::RegistryError;
use crate::registry::facts::Outside;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// How many registries are asked at once.
const AT_ONCE: usize = 8;

/// Which locked images are looked up anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// None: what is locked stays as it is.
    Nothing,
    /// These.
    Some(BTreeSet<Reference>),
    /// All.
    All,
}

/// What becomes of one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub reference: Reference,
    /// What it stood for; none where it was not locked.
    pub old: Option<Digest>,
    /// What it stands for; none where no container file names it any more.
    pub new: Option<Digest>,
    /// The platforms that are new of one that stays.
    pub platforms: Vec<Platform>,
}

/// One locked reference, and what it stands for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// Which.
    pub reference: Reference,
    /// The lock's digest.
    pub locked: Digest,
    /// The registry's; none where there is no such image any more.
    pub now: Option<Digest>,
}

/// What the container files of a project need of a lock: all of `old` that they name, and what `outside` says of the
/// rest. Triggers of a base may name further images, so it is asked until nothing is missing.
///
/// # Errors
/// [`Failure::Project`] for container files that cannot be read; [`Failure::Outside`] with every image that the
/// registries do not know.
pub fn make(origin: &Origin, old: &Lock, update: &Update, outside: &dyn Outside) -> Result<Lock, Failure> {
    let project = project_of(origin)?;
    let mut lock = old.clone();
    lock.images.retain(|reference, _| match update {
        Update::Nothing => true,
        Update::Some(some) => !some.contains(reference),
        Update::All => false,
    });
    loop {
        let locks = Locks::new(lock);
        resolve(&project, &*origin.tree, &locks)?;
        let asked = locks.asked();
        lock = locks.lock().clone();
        let missing: BTreeSet<Asked> = asked
            .iter()
            .filter(|(reference, platform)| !lock.holds(reference, platform))
            .cloned()
            .collect();
        if missing.is_empty() {
            keep(&mut lock, &asked);
            return Ok(lock);
        }
        look_up(&mut lock, missing, outside)?;
    }
}

/// What a lock lacks, and what it has too much, for the container files of a project; asks nobody.
///
/// # Errors
/// [`Failure::Project`] for container files that cannot be read.
pub fn check(origin: &Origin, lock: &Lock) -> Result<Vec<Change>, Failure> {
    let project = project_of(origin)?;
    let locks = Locks::new(lock.clone());
    resolve(&project, &*origin.tree, &locks)?;
    let asked = locks.asked();
    let mut needed: BTreeMap<&Reference, Vec<Platform>> = BTreeMap::new();
    for (reference, platform) in &asked {
        let missing = needed.entry(reference).or_default();
        missing.extend((!lock.holds(reference, platform)).then(|| platform.clone()));
    }
    let lacking = needed.iter().filter(|(_, missing)| !missing.is_empty());
    let lacking = lacking.map(|(reference, missing)| {
        let digest = lock.images.get(*reference).map(|locked| locked.digest);
        Change {
            reference: (*reference).clone(),
            old: digest,
            new: digest,
            platforms: missing.clone(),
        }
    });
    let stale = lock
        .images
        .iter()
        .filter(|(reference, _)| !needed.contains_key(reference));
    let stale = stale.map(|(reference, locked)| Change {
        reference: reference.clone(),
        old: Some(locked.digest),
        new: None,
        platforms: Vec::new(),
    });
    let mut changes: Vec<Change> = lacking.chain(stale).collect();
    changes.sort_by(|a, b| a.reference.cmp(&b.reference));
    Ok(changes)
}

/// What differs from one lock to another.
pub fn changes(old: &Lock, new: &Lock) -> Vec<Change> {
    let references: BTreeSet<&Reference> = old.images.keys().chain(new.images.keys()).collect();
    let change = |reference: &Reference| {
        let (was, is) = (old.images.get(reference), new.images.get(reference));
        let known = |platform: &Platform| was.is_some_and(|was| was.platforms.contains_key(platform));
        let platforms = is.into_iter().flat_map(|is| is.platforms.keys());
        let change = Change {
            reference: reference.clone(),
            old: was.map(|was| was.digest),
            new: is.map(|is| is.digest),
            platforms: platforms.filter(|platform| !known(platform)).cloned().collect(),
        };
        let same = was.map(|was| (was.digest, &was.platforms)) == is.map(|is| (is.digest, &is.platforms));
        (!same).then_some(change)
    };
    references.into_iter().filter_map(change).collect()
}

/// What every locked reference stands for now; those that are pinned in the container file cannot move.
///
/// # Errors
/// [`Failure::Outside`] with every registry that cannot be asked.
pub fn outdated(lock: &Lock, outside: &dyn Outside) -> Result<Vec<Now>, Failure> {
    let movable: Vec<(&Reference, &Locked)> = lock
        .images
        .iter()
        .filter(|(reference, _)| reference.digest().is_none())
        .collect();
    let answers = all(&movable, |(reference, _)| outside.digest(reference));
    let mut failed = Vec::new();
    let mut found = Vec::new();
    for ((reference, locked), answer) in movable.into_iter().zip(answers) {
        match answer {
            Ok(now) => found.push(Now {
                reference: reference.clone(),
                locked: locked.digest,
                now,
            }),
            Err(error) => failed.push((reference.to_string(), error)),
        }
    }
    match failed.is_empty() {
        true => Ok(found),
        false => Err(Failure::Outside(failed)),
    }
}

/// Drops what nobody asks for.
fn keep(lock: &mut Lock, asked: &BTreeSet<Asked>) {
    lock.images.retain(|reference, locked| {
        locked
            .platforms
            .retain(|platform, _| asked.contains(&(reference.clone(), platform.clone())));
        !locked.platforms.is_empty()
    });
}

/// Asks for what is missing. All platforms of a reference are those of one digest, though its tag may move meanwhile.
fn look_up(lock: &mut Lock, missing: BTreeSet<Asked>, outside: &dyn Outside) -> Result<(), Failure> {
    let mut wanted: BTreeMap<Reference, Vec<Platform>> = BTreeMap::new();
    for (reference, platform) in missing {
        wanted.entry(reference).or_default().push(platform);
    }
    let wanted: Vec<(Reference, Vec<Platform>)> = wanted.into_iter().collect();
    let answers = all(&wanted, |(reference, platforms)| {
        let known = lock.images.get(reference).map(|locked| locked.digest);
        of_one(reference, known, platforms, outside)
    });
    let mut failed = Vec::new();
    for ((reference, _), answer) in wanted.into_iter().zip(answers) {
        match answer {
            Ok(found) => {
                let locked = lock.images.entry(reference).or_insert_with(|| Locked {
                    digest: found.digest,
                    platforms: BTreeMap::new(),
                    span: Span::start(),
                });
                locked.platforms.extend(found.platforms);
            }
            Err(error) => failed.push((reference.to_string(), error)),
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Outside(failed)),
    }
}

fn of_one(
    reference: &Reference,
    known: Option<Digest>,
    platforms: &[Platform],
    outside: &dyn Outside,
) -> Result<Locked, RegistryError> {
    let mut digest = known;
    let mut found = BTreeMap::new();
    for platform in platforms {
        let asked = match digest {
            Some(digest) => reference.clone().pinned(&digest),
            None => reference.clone(),
        };
        let (top, facts) = outside.facts(&asked, platform)?;
        digest = Some(top);
        found.insert(platform.clone(), facts);
    }
    let digest = digest.ok_or_else(|| RegistryError::Missing(reference.to_string()))?;
    Ok(Locked {
        digest,
        platforms: found,
        span: Span::start(),
    })
}

/// Asks several at once; the answers in the order of the questions.
pub(in crate::engine) fn all<Q: Sync, A: Send>(questions: &[Q], ask: impl Fn(&Q) -> A + Sync) -> Vec<A> {
    let next = Mutex::new(questions.iter().enumerate());
    let answers = Mutex::new(BTreeMap::new());
    let locked = |number: usize, answer: A| {
        let mut answers = answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.insert(number, answer);
    };
    std::thread::scope(|scope| {
        for _ in 0..questions.len().min(AT_ONCE) {
            scope.spawn(|| {
                loop {
                    let question = next
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .next();
                    let Some((number, question)) = question else { break };
                    locked(number, ask(question));
                }
            });
        }
    });
    let answers = answers
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    answers.into_values().collect()
}
