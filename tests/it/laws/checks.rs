//! Plays steps, and asks after each whether every law still holds.

use super::dice::{self, Die, Git, Start, Step};
use crate::model::git::{Project, oid};
use crate::model::world::{Done, World};
use git2::Oid;
use ringshift::model::{CommitId, ImageName, Revision, RingName, Version};
use ringshift::plan::Target;
use ringshift::state::{ContentKey, ReleaseRecord, ReleaseRef, State};
use std::collections::{BTreeMap, BTreeSet};

/// A release that was taken out of a ring, and not yet let back in.
struct Fault {
    ring: RingName,
    version: Version,
    key: ContentKey,
    commit: CommitId,
    fixes: Vec<CommitId>,
}

pub struct Game {
    world: World,
    /// What each number was given to.
    contents: BTreeMap<(ImageName, Version), (Revision, BTreeMap<ImageName, Version>)>,
    /// The tokens of each revision of an image.
    tokens: BTreeMap<(ImageName, Revision), BTreeSet<String>>,
    /// Which commit took which token away.
    removals: Vec<(Oid, ImageName, String)>,
    faults: Vec<Fault>,
    serial: usize,
    story: Vec<String>,
}

impl Game {
    pub fn new(start: &Start) -> Self {
        let mut game = Self {
            world: start.world(),
            contents: BTreeMap::new(),
            tokens: BTreeMap::new(),
            removals: Vec::new(),
            faults: Vec::new(),
            serial: 0,
            story: Vec::new(),
        };
        game.learn(game.world.project.head());
        game
    }

    /// Plays what the die stands for.
    pub fn roll(&mut self, die: &Die) {
        for step in dice::steps(&self.world, die) {
            match step {
                Step::Git(step) => self.git(&step),
                Step::Run(args) => self.run(&args),
            }
        }
    }

    fn law(&self, holds: bool, law: &str) {
        assert!(holds, "{law}\n{}", self.story.join("\n"));
    }

    fn git(&mut self, step: &Git) {
        self.serial += 1;
        let (label, token) = (format!("c{}", self.serial), format!("t{}", self.serial));
        let project = &mut self.world.project;
        let edit = |image: &ImageName, add: Vec<String>, remove: Vec<String>| {
            BTreeMap::from([(image.to_string(), (add, remove))])
        };
        let before = project.head();
        match step {
            Git::Add(image) => project.commit(&label, &edit(image, vec![token], vec![])),
            Git::Remove(image, token) => project.commit(&label, &edit(image, vec![], vec![token.clone()])),
            Git::Unread => project.commit(&label, &BTreeMap::new()),
            Git::Branch { at } => {
                project.branch_at(&label, at);
                project.switch(&label);
            }
            Git::Switch(branch) => project.switch(branch),
            Git::Merge(from) => drop(project.try_merge(from, &label, false)),
            Git::Squash(from) => drop(project.try_merge(from, &label, true)),
            Git::Pick(of) => drop(project.try_pick(of, &label, false)),
            Git::Revert(of) => drop(project.try_pick(of, &label, true)),
        }
        self.story.push(format!("{label}: {step:?}"));
        let head = self.world.project.head();
        if head != before {
            self.learn(head);
        }
    }

    /// What a commit holds, and what it took away.
    fn learn(&mut self, commit: Oid) {
        let project = &self.world.project;
        for image in &project.images {
            let tokens = project.tokens(&image.name, commit);
            if let Some(parent) = project.first_parent(commit) {
                let gone = project.tokens(&image.name, parent);
                let gone = gone.difference(&tokens);
                self.removals
                    .extend(gone.map(|t| (commit, image.name.clone(), t.clone())));
            }
            let revision = project.revision(&image.name, commit).unwrap();
            self.tokens.insert((image.name.clone(), revision), tokens);
        }
    }

    fn run(&mut self, args: &[String]) {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let (mark, old) = (self.world.mark(), self.world.state().clone());
        let singles = (words == ["shift", "--all"]).then(|| self.single_steps());
        let done = self.world.run(&words);
        self.story
            .push(format!("{words:?}: {} {}", done.exit(), self.world.board()));
        let moved = self.world.mark() > mark;
        let may_move = matches!(done, Done::Changed | Done::Partly(_));
        self.law(
            may_move || !moved,
            "what is refused, or is nothing to do, writes nothing",
        );
        if let Some(singles) = singles {
            let now = held(self.world.state());
            self.law(
                now == singles,
                "a train equals its single steps from the outside in",
            );
        }
        if !moved {
            return;
        }
        self.one_content_per_number();
        self.only_what_is_named_changes(&words, &old);
        let overridden = words.iter().any(|w| matches!(*w, "--contains" | "--drop"));
        let first = Some(old.chain[0].as_str()) == words.get(1).copied();
        match words[0] {
            "build" => self.after_build(args, &old),
            "shift" if first => self.after_build(args, &old),
            "shift" => self.unshift_restores(words[1], &old),
            "unfreeze" => self.lift(&words),
            _ => {}
        }
        let popped = words[0] == "unshift" && self.is_a_pop(&old);
        if words[0] != "freeze" && words[0] != "unfreeze" && !popped {
            self.faults_stay_out(words[0] == "build" || (words[0] == "shift" && first), &old);
            if !overridden {
                self.fixes_stay_in(&old);
            }
        }
        self.remember_withdrawn(&old);
    }

    /// The rings as the train's steps leave them when taken one by one.
    fn single_steps(&mut self) -> Held {
        let mark = self.world.mark();
        let rings: Vec<RingName> = self.world.state().chain.iter().skip(1).rev().cloned().collect();
        for ring in rings {
            self.world.run(&["shift", ring.as_str()]);
        }
        let singles = held(self.world.state());
        self.world.back_to(mark);
        singles
    }

    /// A number never gets a second content; the versions inside a release agree with each other.
    fn one_content_per_number(&mut self) {
        let state = self.world.state().clone();
        let mut found = Vec::new();
        for release in state.rings.values().flat_map(|ring| ring.known()) {
            let record = self.world.record_of(release);
            for (name, image) in &record.images {
                for (on, version) in &image.dependencies {
                    self.law(
                        record.images[on].version == *version,
                        "in a release every dependency label equals the release's version",
                    );
                }
                let content = (image.revision, image.dependencies.clone());
                found.push(((name.clone(), image.version.clone()), content));
            }
        }
        for (name, image) in &state.ante {
            let content = (image.revision, image.dependencies.clone());
            found.push(((name.clone(), image.version.clone()), content));
        }
        for (number, content) in found {
            let known = self
                .contents
                .entry(number)
                .or_insert_with(|| content.clone())
                .clone();
            self.law(known == content, "no two contents share a number");
        }
    }

    /// A verb changes only the rings that it names.
    fn only_what_is_named_changes(&self, words: &[&str], old: &State) {
        let now = self.world.state();
        let first = old.chain[0].as_str();
        let last = old.chain.last().unwrap().as_str();
        let flag = |name: &str| words.iter().position(|w| *w == name).map(|at| words[at + 1]);
        let named: Vec<&str> = match (words[0], words.get(1)) {
            ("build", _) => vec![flag("--ring").unwrap_or(first)],
            ("shift", Some(&"--all")) => old.chain.iter().skip(1).map(RingName::as_str).collect(),
            ("unshift", Some(&"--all")) => old.chain.iter().map(RingName::as_str).collect(),
            ("unshift", None) => vec![last],
            ("shift" | "unshift", Some(ring)) => vec![*ring],
            _ => vec![],
        };
        for ring in &old.chain {
            let kept = named.contains(&ring.as_str()) || old.rings[ring] == now.rings[ring];
            self.law(kept, "a verb changes only the rings that it names");
        }
        let takes_ante = words[0] == "shift" && named == [first];
        self.law(
            !takes_ante || now.ante.is_empty(),
            "the shift out of ante empties it",
        );
        let ante = named == ["ante"] || takes_ante || old.ante == now.ante;
        self.law(ante, "ante changes only by what names it");
        let freezes = matches!(words[0], "freeze" | "unfreeze" | "unshift") || old.freezes == now.freezes;
        self.law(freezes, "moving outwards changes no freeze");
    }

    fn after_build(&mut self, args: &[String], old: &State) {
        let plan = self.world.planned.clone().unwrap();
        let behind = matches!(&plan.target, Target::Ring(ring) if old.first() != Some(ring));
        for step in plan.steps.iter().filter(|step| step.bump.is_some()) {
            let numbers = old.numbers.get(&step.image);
            let base = step.from.clone().or(numbers.and_then(|n| n.highest()));
            let minor = base.is_some_and(|base| base.series() != step.to.series());
            self.law(!(behind && minor), "behind the front no minor is opened");
        }
        if let (Target::Ring(ring), false) = (&plan.target, behind) {
            let of = |state: &State| state.release(ring).map(|r| self.world.record_of(r).clone());
            if let (Some(before), Some(after)) = (of(old), of(self.world.state())) {
                for (name, image) in &after.images {
                    let back = before.images.get(name).is_some_and(|b| b.version > image.version);
                    self.law(!back, "at the front no number goes back");
                }
            }
        }
        if args[0] == "build" && !args.contains(&"--major".to_owned()) {
            self.same_again_is_nothing(args);
            self.unread_files_change_nothing(args);
        }
    }

    fn same_again_is_nothing(&mut self, args: &[String]) {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let done = self.world.run(&words);
        let why = format!("the same plan right after a build is empty: {}", done.why());
        self.law(matches!(done, Done::Nothing), &why);
    }

    fn unread_files_change_nothing(&mut self, args: &[String]) {
        if args.contains(&"--commit".to_owned()) {
            return;
        }
        let project = &mut self.world.project;
        let (branch, head) = (project.branch.clone(), project.head());
        project.branches.insert("aside".into(), head);
        project.switch("aside");
        project.commit("c999999", &BTreeMap::new());
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let done = self.world.run(&words);
        let project = &mut self.world.project;
        project.switch(&branch);
        project.branches.remove("aside");
        project.labels.remove("c999999");
        self.law(
            matches!(done, Done::Nothing),
            "a file that no image reads changes nothing",
        );
    }

    fn unshift_restores(&mut self, moved: &str, old: &State) {
        let mark = self.world.mark();
        let ring = RingName::new(moved).ok();
        let mut back = vec!["unshift", moved];
        back.extend(ring.filter(|ring| old.release(ring).is_none()).map(|_| "--empty"));
        let done = self.world.run(&back);
        let same = held(self.world.state()) == held(old) && self.world.state().post() == old.post();
        self.law(
            same,
            &format!("unshift after shift restores ring and post: {}", done.why()),
        );
        self.world.back_to(mark);
    }

    /// Whether every ring that changed holds what it, or nothing, held below.
    fn is_a_pop(&self, old: &State) -> bool {
        let now = self.world.state();
        let changed = old
            .chain
            .iter()
            .filter(|ring| old.rings[*ring] != now.rings[*ring]);
        let mut changed = changed.filter(|ring| now.release(ring).is_some());
        changed.all(|ring| old.rings[ring].history.contains(now.release(ring).unwrap()))
    }

    /// Rings that hold another release than before: what they held, and what they hold.
    fn taken(&self, old: &State) -> Vec<(RingName, Option<ReleaseRef>, ReleaseRef)> {
        let now = self.world.state();
        let change = |ring: &RingName| {
            let (before, after) = (old.release(ring).cloned(), now.release(ring)?.clone());
            (before.as_ref() != Some(&after)).then(|| (ring.clone(), before, after))
        };
        old.chain.iter().filter_map(change).collect()
    }

    /// What was withdrawn does not come back: by a build its content, by a shift nothing that carries
    /// its fault.
    fn faults_stay_out(&self, built: bool, old: &State) {
        let project = &self.world.project;
        for (ring, _, after) in self.taken(old) {
            let record = self.world.record_of(&after);
            let contains = |commit: &CommitId| project.stands_on(oid(&record.commit), oid(commit));
            let place = |ring: &RingName| old.place(ring);
            for fault in self.faults.iter().filter(|f| place(&f.ring) <= place(&ring)) {
                let fixed = fault.fixes.iter().any(contains);
                let content = record.root().unwrap().key() == fault.key;
                let carries = content || (!built && contains(&fault.commit));
                self.law(
                    !carries || fixed,
                    &format!("{} came back to {ring} with {}", fault.version, after.version),
                );
            }
        }
    }

    /// Every token that a ring had is still there, or a commit of what it got took it away.
    fn fixes_stay_in(&self, old: &State) {
        for (ring, before, after) in self.taken(old) {
            let Some(before) = before else { continue };
            let (before, after) = (self.world.record_of(&before), self.world.record_of(&after));
            for (name, image) in &before.images {
                let of = |record: &ReleaseRecord| {
                    let image = record.images.get(name)?;
                    self.tokens.get(&(name.clone(), image.revision))
                };
                let had = &self.tokens[&(name.clone(), image.revision)];
                let none = BTreeSet::new();
                for token in had.difference(of(after).unwrap_or(&none)) {
                    let gone = self.was_removed(after, name, token);
                    self.law(
                        gone,
                        &format!("{ring} lost {token} of {name}, and nobody said so"),
                    );
                }
            }
        }
    }

    fn was_removed(&self, record: &ReleaseRecord, name: &ImageName, token: &str) -> bool {
        let project: &Project = &self.world.project;
        let own = record.images.get(name).and_then(|image| image.commit.as_ref());
        let mut places: Vec<Oid> = own.into_iter().chain([&record.commit]).map(oid).collect();
        places.push(project.head());
        let removals = self.removals.iter().filter(|(_, n, t)| n == name && t == token);
        removals
            .into_iter()
            .any(|(at, ..)| places.iter().any(|place| project.stands_on(*place, *at)))
    }

    fn remember_withdrawn(&mut self, old: &State) {
        let now = self.world.state();
        let mut found = Vec::new();
        for ring in &old.chain {
            let fresh = now.rings[ring]
                .withdrawn
                .iter()
                .filter(|w| !old.rings[ring].withdrawn.contains(w));
            for release in fresh {
                let record = self.world.record_of(release);
                found.push(Fault {
                    ring: ring.clone(),
                    version: release.version.clone(),
                    key: record.root().unwrap().key(),
                    commit: record.commit.clone(),
                    fixes: Vec::new(),
                });
            }
        }
        self.faults.extend(found);
    }

    fn lift(&mut self, words: &[&str]) {
        let version: Version = words[1].parse().unwrap();
        let Some(fix) = words.get(3) else {
            self.faults.retain(|fault| fault.version != version);
            return;
        };
        let fix: Version = fix.parse().unwrap();
        let known = self.world.state().rings.values().flat_map(|ring| ring.known());
        let commits: Vec<CommitId> = known
            .filter(|release| release.version == fix)
            .map(|release| self.world.record_of(release).commit.clone())
            .collect();
        for fault in self.faults.iter_mut().filter(|fault| fault.version == version) {
            fault.fixes.extend(commits.iter().cloned());
        }
    }
}

type Held = BTreeMap<RingName, (Option<ReleaseRef>, Vec<ReleaseRef>)>;

/// What every ring holds, and what lies below.
fn held(state: &State) -> Held {
    let ring = |name: &RingName| {
        let ring = &state.rings[name];
        (name.clone(), (ring.release.clone(), ring.history.clone()))
    };
    state.chain.iter().map(ring).collect()
}
