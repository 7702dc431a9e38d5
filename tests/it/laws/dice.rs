//! Random projects, and dice that become steps in whatever world they fall into.

use crate::model::git::{Image, Project, oid};
use crate::model::world::World;
use proptest::prelude::*;
use ringshift::model::{ImageName, RingName, Version};
use ringshift::state::State;
use std::collections::BTreeSet;

/// A project and a chain.
#[derive(Debug, Clone)]
pub struct Start {
    rings: Vec<String>,
    /// Names, with the places of the dependencies among the names before; the last one is the root.
    images: Vec<(String, Vec<usize>)>,
}

/// A kind of step and three numbers that choose its parts.
pub type Die = (u8, usize, usize, usize);

/// One to nine rings, one to six images, any graph.
pub fn start() -> impl Strategy<Value = Start> {
    let names = |most| {
        let name = "[a-z0-9]{1,4}([._-][a-z0-9]{1,3})?";
        proptest::collection::btree_set(name, 1..=most).prop_shuffled()
    };
    let graph = proptest::collection::vec(any::<[bool; 6]>(), 6);
    let rings = prop_oneof![4 => names(4), 1 => names(9)];
    (rings, names(6), graph).prop_map(|(rings, images, graph)| {
        let rings = rings
            .into_iter()
            .filter(|ring| RingName::new(ring.as_str()).is_ok())
            .collect();
        let mut rings: Vec<String> = rings;
        if rings.is_empty() {
            rings.push("dev".into());
        }
        let edges = |place: usize| (0..place).filter(|on| graph[place][*on]).collect();
        let images = images
            .into_iter()
            .enumerate()
            .map(|(place, name)| (name, edges(place)));
        Start {
            rings,
            images: images.collect(),
        }
    })
}

trait Shuffled {
    fn prop_shuffled(self) -> BoxedStrategy<Vec<String>>;
}

impl<S: Strategy<Value = BTreeSet<String>> + 'static> Shuffled for S {
    fn prop_shuffled(self) -> BoxedStrategy<Vec<String>> {
        let list = self.prop_map(|set| set.into_iter().collect::<Vec<_>>());
        list.prop_shuffle().boxed()
    }
}

/// What happens, step by step.
pub fn dice() -> impl Strategy<Value = Vec<Die>> {
    proptest::collection::vec((0..100u8, 0..1000usize, 0..1000usize, 0..1000usize), 1..90)
}

impl Start {
    pub fn world(&self) -> World {
        let name = |place: &usize| ImageName::new(self.images[*place].0.as_str()).unwrap();
        let images: Vec<Image> = self
            .images
            .iter()
            .enumerate()
            .map(|(place, (_, deps))| Image {
                name: name(&place),
                deps: deps.iter().map(name).collect(),
            })
            .collect();
        let rings: Vec<RingName> = self
            .rings
            .iter()
            .map(|r| RingName::new(r.as_str()).unwrap())
            .collect();
        let root = name(&(self.images.len() - 1));
        World::new(Project::new(images, root, &rings), rings)
    }
}

/// What a die became.
pub enum Step {
    Git(Git),
    Run(Vec<String>),
}

/// A step of git; branches and commits by their names.
#[derive(Debug)]
pub enum Git {
    Add(ImageName),
    Remove(ImageName, String),
    Unread,
    Branch { at: String },
    Switch(String),
    Merge(String),
    Squash(String),
    Pick(String),
    Revert(String),
}

struct Chooser<'a> {
    world: &'a World,
    numbers: [usize; 3],
    next: usize,
}

impl Chooser<'_> {
    /// The next number, below `n`.
    fn below(&mut self, n: usize) -> usize {
        let number = self.numbers[self.next % 3] / (1 + self.next / 3);
        self.next += 1;
        number % n
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())].clone())
    }

    fn image(&mut self) -> ImageName {
        let names: Vec<ImageName> = self.world.project.images.iter().map(|i| i.name.clone()).collect();
        self.one(&names).unwrap()
    }

    fn ring(&mut self) -> RingName {
        self.one(&self.world.state().chain).unwrap()
    }

    /// A ring of which `likely` is true, where there is one; now and then any.
    fn ring_where(&mut self, likely: impl Fn(&State, usize) -> bool) -> RingName {
        let state = self.world.state();
        let places = (0..state.chain.len()).filter(|place| likely(state, *place));
        let likely: Vec<RingName> = places.map(|place| state.chain[place].clone()).collect();
        match self.below(8) {
            0 => self.ring(),
            _ => self.one(&likely).unwrap_or_else(|| self.ring()),
        }
    }

    fn branch(&mut self) -> String {
        let names: Vec<String> = self.world.project.branches.keys().cloned().collect();
        self.one(&names).unwrap()
    }

    /// A commit, more often a late one.
    fn label(&mut self) -> String {
        let mut labels: Vec<(usize, &String)> = self
            .world
            .project
            .labels
            .keys()
            .map(|l| (l[1..].parse().unwrap(), l))
            .collect();
        labels.sort_unstable();
        let late = labels.len().saturating_sub(6);
        let from = if self.below(3) == 0 { 0 } else { late };
        self.one(&labels[from..]).unwrap().1.clone()
    }

    /// The version of a release that some ring knows.
    fn version(&mut self) -> Option<Version> {
        let known = self.world.state().rings.values().flat_map(|ring| ring.known());
        let known: BTreeSet<Version> = known.map(|release| release.version.clone()).collect();
        self.one(&known.into_iter().collect::<Vec<_>>())
    }

    /// What a ring holds, as an override would name it; most often none.
    fn overrides(&mut self, ring: &RingName) -> Vec<String> {
        let held = self.world.state().release(ring).map(|r| r.version.to_string());
        let flag = match self.below(9) {
            0 => "--contains",
            1 => "--drop",
            _ => return Vec::new(),
        };
        held.map(|v| vec![flag.into(), v, "--reason".into(), "x".into()])
            .unwrap_or_default()
    }
}

/// The steps that a die stands for in this world; none where nothing could be done.
pub fn steps(world: &World, die: &Die) -> Vec<Step> {
    let mut choose = Chooser {
        world,
        numbers: [die.1, die.2, die.3],
        next: 0,
    };
    match die.0 {
        58..=60 => hotfix(&mut choose),
        _ => step(choose, die.0).into_iter().collect(),
    }
}

fn step(mut choose: Chooser<'_>, die: u8) -> Option<Step> {
    let world = choose.world;
    let run = |args: Vec<String>| Some(Step::Run(args));
    match die {
        0..=17 => Some(Step::Git(Git::Add(choose.image()))),
        18..=20 => {
            let image = choose.image();
            let tokens = world.project.tokens(&image, world.project.head());
            let token = choose.one(&tokens.into_iter().collect::<Vec<_>>())?;
            Some(Step::Git(Git::Remove(image, token)))
        }
        21 => Some(Step::Git(Git::Unread)),
        22..=24 => Some(Step::Git(Git::Branch { at: choose.label() })),
        25..=27 => Some(Step::Git(Git::Switch(choose.branch()))),
        28..=31 => Some(Step::Git(Git::Merge(choose.branch()))),
        32 => Some(Step::Git(Git::Squash(choose.branch()))),
        33..=34 => Some(Step::Git(Git::Pick(choose.label()))),
        35 => Some(Step::Git(Git::Revert(choose.label()))),
        36..=55 => run(front(&mut choose)),
        56..=60 => run(behind(&mut choose)),
        61..=64 => run(words(&["build", "--ring", "ante", choose.image().as_str()])),
        65..=67 => run(words(&["shift", world.state().chain[0].as_str()])),
        68..=79 => {
            let ring = choose.ring_where(|state, place| {
                let source = place.checked_sub(1).and_then(|p| state.release(&state.chain[p]));
                source.is_some() && source != state.release(&state.chain[place])
            });
            let overrides = choose.overrides(&ring);
            run([words(&["shift", ring.as_str()]), overrides].concat())
        }
        80..=84 => run(words(&["shift", "--all"])),
        85..=93 => run(back(&mut choose)?),
        94..=95 => run(words(&[
            "freeze",
            &choose.version()?.to_string(),
            "--reason",
            "x",
        ])),
        96..=97 => run(words(&["unfreeze", &choose.version()?.to_string()])),
        _ => {
            let (version, fix) = (choose.version()?.to_string(), choose.version()?.to_string());
            run(words(&["unfreeze", &version, "--fixed-in", &fix]))
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn front(choose: &mut Chooser<'_>) -> Vec<String> {
    let mut args = words(&["build"]);
    match choose.below(10) {
        0 => args.push(choose.image().to_string()),
        1 => {
            let image = choose.image().to_string();
            args.extend([image.clone(), "--major".into(), image]);
        }
        2 => args.extend(["--commit".into(), format!("@{}", choose.label())]),
        _ => {}
    }
    let first = choose.world.state().chain[0].clone();
    args.extend(choose.overrides(&first));
    args
}

fn behind(choose: &mut Chooser<'_>) -> Vec<String> {
    let ring = choose.ring();
    let mut args = words(&["build", "--ring", ring.as_str()]);
    match choose.below(3) {
        0 => args.push("--all-changes".into()),
        _ => args.push(choose.image().to_string()),
    }
    args.extend(choose.overrides(&ring));
    args
}

/// A branch from what a ring holds, a change there, and a build for that ring.
fn hotfix(choose: &mut Chooser<'_>) -> Vec<Step> {
    let ring = choose.ring_where(|state, place| place > 0 && state.release(&state.chain[place]).is_some());
    let image = choose.image();
    let Some(release) = choose.world.state().release(&ring) else {
        return Vec::new();
    };
    let commit = oid(&choose.world.record_of(release).commit);
    let mut labels = choose.world.project.labels.iter();
    let Some((at, _)) = labels.find(|(_, id)| **id == commit) else {
        return Vec::new();
    };
    vec![
        Step::Git(Git::Branch { at: at.clone() }),
        Step::Git(Git::Add(image.clone())),
        Step::Run(words(&["build", "--ring", ring.as_str(), image.as_str()])),
        Step::Git(Git::Switch("main".into())),
    ]
}

fn back(choose: &mut Chooser<'_>) -> Option<Vec<String>> {
    let ring = choose.ring_where(|state, place| !state.rings[&state.chain[place]].history.is_empty());
    let ring = ring.to_string();
    Some(match choose.below(12) {
        0 => words(&["unshift", "--all"]),
        1 => words(&["unshift", "ante"]),
        2 => words(&["unshift", &ring, "--empty"]),
        3..=5 => words(&["unshift", &ring, "--to", &choose.version()?.to_string()]),
        _ => words(&["unshift", &ring]),
    })
}
