//! The verbs, played in memory on a [`Project`]: decisions are the product's, only images and
//! journal are pretended.

use super::git::Project;
use ringshift::bump::Versioning;
use ringshift::model::{CommitId, Digest, ImageName, RingName, Version};
use ringshift::plan::build::{self, Pushed, Request, Target};
use ringshift::plan::known::Records;
use ringshift::plan::shift::World as MoveWorld;
use ringshift::plan::unshift::{Author, Back, Earlier};
use ringshift::plan::{Overrides, Refusal, Transition, complete, freeze, shift, unshift};
use ringshift::state::journal::JournalError;
use ringshift::state::{ReleaseRecord, ReleaseRef, State, Timestamp, Verb};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub struct World {
    pub project: Project,
    pub states: Vec<State>,
    pub verbs: Vec<Verb>,
    pub records: BTreeMap<Digest, Arc<ReleaseRecord>>,
    /// The last build that was planned, empty or not.
    pub planned: Option<build::Plan>,
}

impl Records for World {
    fn record(&self, digest: &Digest) -> Result<Arc<ReleaseRecord>, JournalError> {
        Ok(self.records[digest].clone())
    }
}

impl Earlier for World {
    fn state_at(&self, seq: u64) -> Result<Option<State>, JournalError> {
        Ok(self.states.get(seq as usize).cloned())
    }
}

impl Pushed for World {
    fn pushed(&self, _: &ImageName, _: &Version, _: &Digest) -> Result<build::There, JournalError> {
        Ok(build::There::Nothing)
    }
}

/// What became of a command.
pub enum Done {
    Nothing,
    Changed,
    Refused(Refusal),
    Partly(Vec<(RingName, Refusal)>),
}

impl Done {
    /// The exit code that the binary would have.
    pub fn exit(&self) -> i32 {
        match self {
            Self::Nothing | Self::Changed => 0,
            Self::Partly(_) => 8,
            Self::Refused(refusal) => match refusal {
                Refusal::Request { .. } => 1,
                Refusal::Usage { .. } => 2,
                Refusal::Journal(_) => 5,
                Refusal::NothingToUnshift { .. } => 6,
                Refusal::LostFixes { .. }
                | Refusal::Frozen { .. }
                | Refusal::Rule { .. }
                | Refusal::NeedsCommits { .. } => 8,
            },
        }
    }

    /// What was refused, in words.
    pub fn why(&self) -> String {
        match self {
            Self::Nothing | Self::Changed => String::new(),
            Self::Partly(refused) => format!("{refused:?}"),
            Self::Refused(refusal) => format!("{refusal}: {refusal:?}"),
        }
    }
}

impl World {
    pub fn new(project: Project, rings: Vec<RingName>) -> Self {
        Self {
            project,
            states: vec![State::new(rings, Vec::new())],
            verbs: Vec::new(),
            records: BTreeMap::new(),
            planned: None,
        }
    }

    /// How far the journal is; [`World::back_to`] forgets what came after.
    pub fn mark(&self) -> usize {
        self.states.len()
    }

    pub fn back_to(&mut self, mark: usize) {
        self.states.truncate(mark);
        self.verbs.truncate(mark - 1);
    }

    pub fn record_of(&self, release: &ReleaseRef) -> &ReleaseRecord {
        &self.records[&release.record]
    }

    pub fn state(&self) -> &State {
        self.states.last().unwrap()
    }

    fn head(&self) -> u64 {
        self.states.len() as u64 - 1
    }

    fn append(&mut self, transition: Transition) -> Done {
        let refused = transition.refused;
        if transition.state != *self.state() {
            self.states.push(transition.state);
            self.verbs.push(transition.verb);
        }
        if refused.is_empty() {
            Done::Changed
        } else {
            Done::Partly(refused)
        }
    }

    pub fn entries(&self) -> usize {
        self.verbs.iter().filter(|v| **v != Verb::Reserve).count()
    }

    pub fn author() -> Author {
        Author {
            actor: "ada@example.com".into(),
            at: Timestamp(0),
            reason: Some("x".into()),
        }
    }

    fn moving(&self) -> MoveWorld<'_> {
        MoveWorld {
            state: self.state(),
            head: self.head(),
            records: self,
            commits: &self.project,
        }
    }

    pub fn run(&mut self, args: &[&str]) -> Done {
        match self.try_run(args) {
            Ok(done) => done,
            Err(refusal) => Done::Refused(refusal),
        }
    }

    fn try_run(&mut self, args: &[&str]) -> Result<Done, Refusal> {
        let parsed = Args::parse(self, args);
        let transition = match parsed.verb {
            "build" => return self.build(&parsed, false),
            "shift" if parsed.all => shift::train(&self.moving(), &parsed.overrides)?,
            "shift" => {
                let name = parsed.words[0];
                if name == "post" || name == "ante" {
                    return Err(Refusal::request("no", "no"));
                }
                let ring = RingName::new(name).unwrap();
                if self.state().first() == Some(&ring) {
                    return self.build(&parsed, true);
                }
                shift::shift(&self.moving(), &ring, &parsed.overrides)?
            }
            "unshift" if parsed.all => Some(unshift::unshift_train(&self.moving(), self, &Self::author())?),
            "unshift" if parsed.words.first() == Some(&"ante") => {
                let images = parsed.words[1..]
                    .iter()
                    .map(|n| ImageName::new(*n).unwrap())
                    .collect();
                Some(unshift::unshift_ante(self.state(), &images)?)
            }
            "unshift" => {
                let last = self.state().chain.last().unwrap().clone();
                let ring = match parsed.words.first() {
                    None | Some(&"post") => last,
                    Some(name) => RingName::new(*name).unwrap(),
                };
                let back = match (&parsed.to, parsed.empty) {
                    (Some(version), _) => Back::To(version.clone()),
                    (None, true) => Back::Empty,
                    (None, false) => Back::One,
                };
                let author = Self::author();
                unshift::unshift(&self.moving(), self, &ring, &back, &author, &parsed.overrides)?
            }
            "freeze" => freeze::freeze(self.state(), self, &named(parsed.words[0]), &Self::author())?,
            "unfreeze" => {
                let fixed = parsed.fixed_in.as_ref().map(|version| self.commit_of(version));
                let root = &self.project.root;
                let fixed = fixed.transpose()?;
                freeze::unfreeze(self.state(), root, &named(parsed.words[0]), fixed.as_ref())?
            }
            other => panic!("{other}"),
        };
        Ok(match transition {
            None => Done::Nothing,
            Some(transition) => self.append(transition),
        })
    }

    fn commit_of(&self, version: &Version) -> Result<CommitId, Refusal> {
        let named = freeze::Named {
            image: None,
            version: version.clone(),
        };
        Ok(freeze::find(self.state(), self, &named)?.1.commit.clone())
    }

    fn build(&mut self, args: &Args<'_>, from_ante: bool) -> Result<Done, Refusal> {
        if from_ante && self.state().ante.is_empty() {
            return Err(Refusal::request("ante holds nothing", ""));
        }
        let first = self.state().first().unwrap().clone();
        let target = match args.ring {
            None => Target::Ring(first),
            Some("ante") => Target::Ante,
            Some(name) => Target::Ring(RingName::new(name).unwrap()),
        };
        let names: BTreeSet<ImageName> = match from_ante {
            true => self.state().ante.keys().cloned().collect(),
            false => args.words.iter().map(|n| ImageName::new(*n).unwrap()).collect(),
        };
        let request = Request {
            target,
            names,
            majors: args.majors.clone(),
            all_changes: args.all_changes,
            from_ante,
            overrides: args.overrides.clone(),
            versioning: Versioning::Guarded,
            initial: Version::new(0, 1, 0),
        };
        let commit = args.commit.unwrap_or(self.project.head());
        let sources = self.project.sources(commit);
        let world = build::World {
            state: self.state(),
            records: self,
            sources: &sources,
            commits: &self.project,
            pushed: self,
        };
        let plan = build::plan(&world, &request)?;
        self.planned = Some(plan.clone());
        if plan.is_empty() {
            return Ok(Done::Nothing);
        }
        let reserve = complete::reserve(self.state(), &plan, Timestamp(0));
        if let Some(reserve) = reserve {
            self.append(reserve);
        }
        let digests: BTreeMap<ImageName, Digest> = plan
            .steps
            .iter()
            .map(|s| {
                (
                    s.image.clone(),
                    Digest::of(format!("{}@{}", s.image, s.to).as_bytes()),
                )
            })
            .collect();
        let record = complete::record(self.state(), self, &self.project, &plan, &digests).unwrap();
        let release = match record {
            _ if plan.steps.is_empty() => None,
            Some(record) => {
                let digest = Digest::of(&serde_json::to_vec(&record).unwrap());
                let root = record.root().unwrap();
                let (version, manifest) = (root.version.clone(), root.digest);
                self.records.insert(digest, Arc::new(record));
                Some(ReleaseRef {
                    version,
                    digest: manifest,
                    record: digest,
                })
            }
            None => plan.adopted.clone(),
        };
        let done = complete::complete(self.state(), self.head(), &plan, &digests, release);
        Ok(self.append(done))
    }

    /// ante, rings and post as the histories write them.
    pub fn board(&self) -> serde_json::Value {
        let state = self.state();
        let images = |release: &ReleaseRef| -> serde_json::Value {
            let record = &self.records[&release.record];
            record
                .images
                .iter()
                .map(|(n, i)| (n.to_string(), i.version.to_string().into()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let ante: serde_json::Map<_, _> = state
            .ante
            .iter()
            .map(|(n, p)| (n.to_string(), p.version.to_string().into()))
            .collect();
        let rings: serde_json::Map<_, _> = state
            .rings
            .iter()
            .map(|(n, r)| {
                (
                    n.to_string(),
                    r.release.as_ref().map_or(serde_json::Value::Null, images),
                )
            })
            .collect();
        let post = state.post().map(|r| r.version.to_string());
        serde_json::json!({"ante": ante, "rings": rings, "post": post})
    }
}

fn named(text: &str) -> freeze::Named {
    match text.split_once('@') {
        Some((image, version)) => freeze::Named {
            image: Some(ImageName::new(image).unwrap()),
            version: version.parse().unwrap(),
        },
        None => freeze::Named {
            image: None,
            version: text.parse().unwrap(),
        },
    }
}

#[derive(Default)]
struct Args<'a> {
    verb: &'a str,
    words: Vec<&'a str>,
    ring: Option<&'a str>,
    commit: Option<git2::Oid>,
    all: bool,
    all_changes: bool,
    empty: bool,
    to: Option<Version>,
    fixed_in: Option<Version>,
    majors: BTreeSet<ImageName>,
    overrides: Overrides,
}

impl<'a> Args<'a> {
    fn parse(world: &World, args: &[&'a str]) -> Self {
        let mut parsed = Self {
            verb: args[0],
            ..Self::default()
        };
        let mut rest = args[1..].iter();
        while let Some(word) = rest.next() {
            let mut value = || *rest.next().unwrap();
            match *word {
                "--ring" => parsed.ring = Some(value()),
                "--commit" => parsed.commit = Some(world.project.labels[&value()[1..]]),
                "--all" => parsed.all = true,
                "--all-changes" => parsed.all_changes = true,
                "--empty" => parsed.empty = true,
                "--to" => parsed.to = Some(value().parse().unwrap()),
                "--fixed-in" => parsed.fixed_in = Some(value().parse().unwrap()),
                "--major" => {
                    parsed.majors.insert(ImageName::new(value()).unwrap());
                }
                "--contains" => parsed.overrides.contains.push(value().parse().unwrap()),
                "--drop" => parsed.overrides.drop.push(value().parse().unwrap()),
                "--reason" => {
                    value();
                }
                flag if flag.starts_with("--") => panic!("{flag}"),
                word => parsed.words.push(word),
            }
        }
        parsed
    }
}
