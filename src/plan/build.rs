//! The plan of a build: what is rebuilt against a ring, why, and under which number (B1–B11).

use super::commits::Commits;
use super::guard::{self, Incoming, Replacement};
use super::known::{self, Known, Origin, Records};
use super::reason::Reason;
use super::refusal::Refusal;
use super::sources::{ImageSource, Sources};
use super::take::{HeldSource, differing, taken};
use super::transition::Overrides;
use crate::bump::{self, Bump, Question, Versioning};
use crate::model::{CommitId, Digest, ImageName, Revision, RingName, Version};
use crate::state::journal::JournalError;
use crate::state::release::content_key;
use crate::state::{ContentKey, ImageRecord, Numbers, Override, ReleaseRecord, ReleaseRef, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What a build is built against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The ante set (B9).
    Ante,
    /// A configured ring.
    Ring(RingName),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ante => f.write_str("ante"),
            Self::Ring(ring) => ring.fmt(f),
        }
    }
}

/// What is asked of a build.
#[derive(Debug, Clone)]
pub struct Request {
    /// Against which ring.
    pub target: Target,
    /// The named images; none: every image.
    pub names: BTreeSet<ImageName>,
    /// The images that get a new major.
    pub majors: BTreeSet<ImageName>,
    /// Take all changes of the commit, behind the front too (B10).
    pub all_changes: bool,
    /// What the first ring takes over from ante: the whole build is `shift FIRST` (B9).
    pub from_ante: bool,
    /// The overrides of M7.
    pub overrides: Overrides,
    /// How the order is read.
    pub versioning: Versioning,
    /// The first number of any image.
    pub initial: Version,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Runs a builder.
    Build,
    /// Emits the root anew over the same layers (B7).
    Relabel,
    /// Takes a version that is there (B5).
    Adopt,
}

/// One image that a plan gives a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub image: ImageName,
    /// The version that the target holds.
    pub from: Option<Version>,
    /// The version it gets.
    pub to: Version,
    /// The kind of step; `None` when adopted.
    pub bump: Option<Bump>,
    /// The rule that gave the number.
    pub rule: &'static str,
    /// Its revision.
    pub revision: Revision,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The versions of its direct dependencies.
    pub dependencies: BTreeMap<ImageName, Version>,
    /// Its content key.
    pub key: ContentKey,
    /// Built from changed files of the working copy.
    pub dirty: bool,
    /// A major was asked for.
    pub major: bool,
    /// Its number was reserved by an earlier run.
    pub reserved: bool,
    /// The manifest that is adopted or relabelled.
    pub digest: Option<Digest>,
    /// The commit whose sources are built; `None`: the build's own.
    pub sources: Option<CommitId>,
}

/// What must not have moved when a build is written (M10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// What the ring holds.
    pub release: Option<ReleaseRef>,
    /// The chain.
    pub chain: Vec<RingName>,
    /// The freezes.
    pub freezes: Vec<crate::state::Freeze>,
    /// Where ante is read: its set, and what the first ring holds.
    pub ante: Option<(BTreeMap<ImageName, crate::state::Prepared>, Option<ReleaseRef>)>,
}

/// A complete build, decided.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Against what.
    pub target: Target,
    /// The commit; of a working copy, the one it stands on.
    pub commit: CommitId,
    /// The release it is planned over.
    pub held: Option<ReleaseRef>,
    /// What must still be true when it is written.
    pub basis: Basis,
    /// What is done, dependencies first.
    pub steps: Vec<Step>,
    /// What stays.
    pub kept: BTreeMap<ImageName, Version>,
    /// Images of the commit that differ and are not taken (B10).
    pub not_taken: Vec<ImageName>,
    /// The ante set is taken over (B9).
    pub from_ante: bool,
    /// What is to be recorded.
    pub overrides: Vec<Override>,
    /// The records of all images of the result but for the digests of what is yet to be built.
    pub result: BTreeMap<ImageName, ImageRecord>,
    /// The images that the root names.
    pub explicit: Vec<ImageName>,
    /// The commit whose sources the root's layers hold.
    pub layers: Option<CommitId>,
    /// The root.
    pub root: ImageName,
    /// The known release that is adopted whole.
    pub adopted: Option<ReleaseRef>,
}

impl Plan {
    /// Whether carrying it out changes anything.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && !self.from_ante
    }
}

/// What stands under a reserved number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// Nothing yet.
    Nothing,
    /// The content that it was reserved for, with this manifest.
    Same(Digest),
    /// Other content: the number is lost.
    Other,
}

/// Images that were pushed under a reserved number.
pub trait Pushed {
    /// What stands under `image:version`, compared with the content key it was reserved for.
    ///
    /// # Errors
    /// [`JournalError`] when the registry cannot be read.
    fn pushed(&self, image: &ImageName, version: &Version, key: &ContentKey) -> Result<There, JournalError>;
}

/// The world that a build is planned in.
pub struct World<'a> {
    /// The state.
    pub state: &'a State,
    /// The records.
    pub records: &'a dyn Records,
    /// The sources of the build's commit.
    pub sources: &'a Sources,
    /// The clone.
    pub commits: &'a dyn Commits,
    /// The registry.
    pub pushed: &'a dyn Pushed,
}

/// Plans a build.
///
/// # Errors
/// [`Refusal`]: a wrong request, a lost fix, frozen content, or a release that an inner ring holds.
pub fn plan(world: &World<'_>, request: &Request) -> Result<Plan, Refusal> {
    check_request(world, request)?;
    let base = Base::load(world, &request.target)?;
    let chosen = base.choose(world, request)?;
    let mut planner = Planner {
        world,
        request,
        base: &base,
        chosen: &chosen,
        further: None,
        steps: Vec::new(),
        versions: BTreeMap::new(),
        adopted: None,
    };
    planner.walk()?;
    let (steps, versions, adopted) = (planner.steps, planner.versions, planner.adopted);
    let plan = assemble(world, request, &base, &chosen, steps, versions, adopted);
    refuse(world, request, &base, &chosen, plan)
}

fn check_request(world: &World<'_>, request: &Request) -> Result<(), Refusal> {
    let (state, sources) = (world.state, world.sources);
    let first = state.first();
    for name in request.names.iter().chain(&request.majors) {
        if !sources.images.contains_key(name) {
            let names: Vec<&str> = sources.images.keys().map(ImageName::as_str).collect();
            return Err(Refusal::request(
                format!("there is no image `{name}`"),
                format!("the images are {}", names.join(", ")),
            ));
        }
    }
    match &request.target {
        Target::Ring(ring) if state.place(ring).is_none() => {
            return Err(Refusal::no_such_ring(ring, &state.chain));
        }
        Target::Ring(ring) if !request.majors.is_empty() && first != Some(ring) => {
            return Err(Refusal::request(
                format!("a major is not made behind the front, and {ring} is"),
                "build it against the first ring or ante",
            ));
        }
        Target::Ante => {
            if request.names.is_empty() {
                return Err(Refusal::Usage {
                    message: "ante takes named images".into(),
                    hint: "ringshift build --ring ante IMAGE…".into(),
                });
            }
            if request.names.contains(&sources.root) {
                return Err(Refusal::request(
                    format!("ante takes no root image, and {} is", sources.root),
                    "name the images that are to be prepared; the root follows when the first ring takes them over",
                ));
            }
            if first.and_then(|ring| state.release(ring)).is_none() {
                return Err(Refusal::request(
                    "ante prepares images beside a running chain, and the first ring holds no release",
                    "run `ringshift build` first",
                ));
            }
        }
        Target::Ring(_) => {}
    }
    if let Some(stray) = request
        .majors
        .iter()
        .find(|m| !request.names.is_empty() && !request.names.contains(*m))
    {
        return Err(Refusal::request(
            format!("a major is asked for {stray}, which is not among the images to build"),
            format!("ringshift build {stray} --major {stray}"),
        ));
    }
    Ok(())
}

/// What the target holds before the build.
struct Base {
    behind_front: bool,
    release: Option<ReleaseRef>,
    record: Option<Arc<ReleaseRecord>>,
    images: BTreeMap<ImageName, ImageRecord>,
    moved_in_ante: BTreeSet<ImageName>,
}

impl Base {
    fn load(world: &World<'_>, target: &Target) -> Result<Self, Refusal> {
        let state = world.state;
        let ring = match target {
            Target::Ante => state.first(),
            Target::Ring(ring) => Some(ring),
        };
        let release = ring.and_then(|ring| state.release(ring)).cloned();
        let record = match ring {
            Some(ring) => known::held(state, world.records, ring)?,
            None => None,
        };
        let mut images = record
            .as_ref()
            .map(|record| record.images.clone())
            .unwrap_or_default();
        let mut moved_in_ante = BTreeSet::new();
        if *target == Target::Ante {
            for (name, prepared) in &state.ante {
                let image = of_prepared(prepared);
                let before = images.insert(name.clone(), image);
                if before.is_none_or(|before| before.version != prepared.version) {
                    moved_in_ante.insert(name.clone());
                }
            }
        }
        Ok(Self {
            behind_front: matches!(target, Target::Ring(ring) if state.first() != Some(ring)),
            release,
            record,
            images,
            moved_in_ante,
        })
    }

    /// The images that are taken from the commit, and how each image stands then.
    fn choose(&self, world: &World<'_>, request: &Request) -> Result<Chosen, Refusal> {
        let sources = world.sources;
        let all = || sources.images.keys().cloned().collect();
        let fix = self.behind_front && self.release.is_some() && !request.all_changes;
        let taken: BTreeSet<ImageName> = if request.target == Target::Ante {
            taken(sources, &request.names, &self.held_sources(), true)
        } else if self.release.is_none() {
            all()
        } else if fix && request.names.is_empty() {
            return Err(Refusal::Usage {
                message: format!("a fix of {} names the images that it takes", request.target),
                hint: format!(
                    "ringshift build --ring {} IMAGE…, or --all-changes to take everything from the commit",
                    request.target
                ),
            });
        } else if fix {
            request.names.clone()
        } else if request.names.is_empty() {
            all()
        } else {
            taken(sources, &request.names, &self.held_sources(), false)
        };
        Ok(Chosen::new(world, self, taken, request))
    }

    fn held_sources(&self) -> BTreeMap<ImageName, HeldSource<'_>> {
        self.images
            .iter()
            .map(|(name, image)| {
                let source = HeldSource {
                    revision: &image.revision,
                    moved_in_ante: self.moved_in_ante.contains(name),
                };
                (name.clone(), source)
            })
            .collect()
    }
}

fn of_prepared(prepared: &crate::state::Prepared) -> ImageRecord {
    ImageRecord {
        version: prepared.version.clone(),
        digest: prepared.digest,
        revision: prepared.revision,
        dependencies: prepared.dependencies.clone(),
        commit: prepared.commit.clone(),
        replaces: prepared.replaces.clone(),
        dirty: prepared.dirty,
    }
}

/// How every image of the result stands: taken from the commit, or as it is held.
struct Chosen {
    taken: BTreeSet<ImageName>,
    images: BTreeMap<ImageName, ImageSource>,
    order: Vec<ImageName>,
    root: ImageName,
    explicit: BTreeSet<ImageName>,
    removed: Vec<ImageName>,
}

impl Chosen {
    fn new(world: &World<'_>, base: &Base, taken: BTreeSet<ImageName>, request: &Request) -> Self {
        let sources = world.sources;
        let in_ante = request.target == Target::Ante;
        let root = match &base.record {
            Some(record) if !taken.contains(&sources.root) && !in_ante => record.root.image.clone(),
            _ => sources.root.clone(),
        };
        let root_taken = taken.contains(&root);
        let explicit = match (&base.record, sources.images.get(&root)) {
            (Some(record), _) if !root_taken => record.root.explicit.iter().cloned().collect(),
            (_, Some(source)) => source.dependencies.clone(),
            (_, None) => BTreeSet::new(),
        };
        let mut images: BTreeMap<ImageName, ImageSource> = BTreeMap::new();
        let mut removed = Vec::new();
        for (name, held) in &base.images {
            if root_taken && !sources.images.contains_key(name) {
                removed.push(name.clone());
                continue;
            }
            let dependencies = match *name == root {
                true => explicit.clone(),
                false => held.dependencies.keys().cloned().collect(),
            };
            let source = ImageSource {
                revision: held.revision,
                dependencies,
                dirty: held.dirty,
            };
            images.insert(name.clone(), source);
        }
        for name in &taken {
            images.extend(
                sources
                    .images
                    .get(name)
                    .map(|source| (name.clone(), source.clone())),
            );
        }
        if in_ante {
            images.remove(&root);
        }
        let order = topological(&images, &root);
        Self {
            taken,
            images,
            order,
            root,
            explicit,
            removed,
        }
    }
}

/// Dependencies before dependants, by name where free, the root last. What a cycle holds back (it
/// can only come from mixing definitions of several commits) follows by name.
fn topological(images: &BTreeMap<ImageName, ImageSource>, root: &ImageName) -> Vec<ImageName> {
    let mut order: Vec<ImageName> = Vec::new();
    let mut open: BTreeSet<&ImageName> = images.keys().filter(|name| *name != root).collect();
    while !open.is_empty() {
        let ready = open
            .iter()
            .find(|name| {
                images[**name]
                    .dependencies
                    .iter()
                    .all(|base| !open.contains(base) || base == **name)
            })
            .or(open.first())
            .copied();
        let Some(next) = ready else { break };
        open.remove(next);
        order.push(next.clone());
    }
    order.extend(images.contains_key(root).then(|| root.clone()));
    order
}

struct Planner<'a> {
    world: &'a World<'a>,
    request: &'a Request,
    base: &'a Base,
    chosen: &'a Chosen,
    further: Option<Vec<Arc<ReleaseRecord>>>,
    steps: Vec<Step>,
    versions: BTreeMap<ImageName, Version>,
    adopted: Option<ReleaseRef>,
}

impl Planner<'_> {
    fn walk(&mut self) -> Result<(), Refusal> {
        for name in &self.chosen.order {
            let source = &self.chosen.images[name];
            let dependencies = self.dependencies(name, source);
            let alone = self.request.target == Target::Ante && !self.chosen.taken.contains(name);
            if alone || self.stays_as_the_ring_holds_it(name) {
                self.keep(name);
                continue;
            }
            let reasons = self.reasons(name, source, &dependencies);
            if reasons.is_empty() {
                self.keep(name);
            } else {
                let step = self.step(name, source, dependencies, reasons)?;
                self.versions.insert(name.clone(), step.to.clone());
                self.steps.push(step);
            }
        }
        Ok(())
    }

    fn keep(&mut self, name: &ImageName) {
        if let Some(held) = self.base.images.get(name) {
            self.versions.insert(name.clone(), held.version.clone());
        }
    }

    /// "One that it holds already is left" (B9).
    fn stays_as_the_ring_holds_it(&self, name: &ImageName) -> bool {
        let prepared = self.world.state.ante.get(name).filter(|_| self.request.from_ante);
        let held = self.base.images.get(name);
        prepared.is_some_and(|p| held.is_some_and(|held| held.version == p.version))
    }

    fn dependencies(&self, name: &ImageName, source: &ImageSource) -> BTreeMap<ImageName, Version> {
        if *name == self.chosen.root {
            return self.versions.clone();
        }
        let version = |base: &ImageName| {
            let held = || self.base.images.get(base).map(|held| held.version.clone());
            self.versions.get(base).cloned().or_else(held)
        };
        source
            .dependencies
            .iter()
            .filter_map(|base| Some((base.clone(), version(base)?)))
            .collect()
    }

    fn reasons(
        &self,
        name: &ImageName,
        source: &ImageSource,
        dependencies: &BTreeMap<ImageName, Version>,
    ) -> Vec<Reason> {
        let major = self.request.majors.contains(name).then_some(Reason::Major);
        let Some(held) = self.base.images.get(name) else {
            return std::iter::once(Reason::Absent).chain(major).collect();
        };
        let mut reasons = Vec::new();
        if held.revision != source.revision {
            reasons.push(Reason::Revision {
                old: held.revision,
                new: source.revision,
            });
        }
        let is_root = *name == self.chosen.root;
        for (image, old, new) in differing(&held.dependencies, dependencies) {
            if is_root && self.chosen.removed.contains(&image) {
                reasons.push(Reason::Removed { image });
            } else {
                reasons.push(Reason::Dependency { image, old, new });
            }
        }
        reasons.extend((held.dirty && !source.dirty).then_some(Reason::Dirty));
        reasons.extend(major);
        reasons
    }

    fn step(
        &mut self,
        name: &ImageName,
        source: &ImageSource,
        dependencies: BTreeMap<ImageName, Version>,
        reasons: Vec<Reason>,
    ) -> Result<Step, Refusal> {
        let held = self.base.images.get(name);
        let key = content_key(&source.revision, &dependencies);
        let major = self.request.majors.contains(name);
        let taken = self.chosen.taken.contains(name);
        let mut step = Step {
            image: name.clone(),
            from: held.map(|held| held.version.clone()),
            to: self.request.initial.clone(),
            bump: None,
            rule: "B5",
            revision: source.revision,
            action: Action::Build,
            reasons,
            dependencies,
            key,
            dirty: source.dirty,
            major,
            reserved: false,
            digest: None,
            sources: if taken { None } else { self.own_commit(name) },
        };
        let mut adopted = false;
        for known in self.adoptable(&step)? {
            adopted = adopted || self.adopt(&mut step, known)?;
        }
        if !adopted {
            self.number(&mut step)?;
        }
        if step.action == Action::Build && self.only_labels_change(&step) {
            step.action = Action::Relabel;
            step.digest = held.map(|held| held.digest);
        }
        Ok(step)
    }

    /// The commit of the version that the ring holds; of the root, that of its layers (B10).
    fn own_commit(&self, name: &ImageName) -> Option<CommitId> {
        let record = self.base.record.as_ref();
        match record.filter(|record| record.root.image == *name) {
            Some(record) => record.root.layers.clone(),
            None => self.base.images.get(name).and_then(|held| held.commit.clone()),
        }
    }

    fn only_labels_change(&self, step: &Step) -> bool {
        let implicit = |reason: &Reason| match reason {
            Reason::Dependency { image, .. } => !self.chosen.explicit.contains(image),
            Reason::Removed { .. } | Reason::Major => true,
            Reason::Absent | Reason::Revision { .. } | Reason::Dirty => false,
        };
        step.image == self.chosen.root && step.reasons.iter().all(implicit)
    }

    /// The known versions that may be adopted, the highest first.
    fn adoptable(&self, step: &Step) -> Result<Vec<Known>, Refusal> {
        if let Some(prepared) = self
            .world
            .state
            .ante
            .get(&step.image)
            .filter(|_| self.request.from_ante)
        {
            let passed = step.from.as_ref().is_some_and(|held| *held > prepared.version);
            if !passed {
                return Ok(vec![Known {
                    version: prepared.version.clone(),
                    key: step.key,
                    dirty: prepared.dirty,
                    digest: Some(prepared.digest),
                    origin: Origin::Ante,
                }]);
            }
        }
        let fits = |known: &Known| {
            known.key == step.key
                && step.from.as_ref().is_none_or(|held| known.version > *held)
                && (step.dirty || !known.dirty)
                && (!step.major || known.origin == Origin::Reservation { major: true })
        };
        let mut found = known::versions(self.world.state, self.world.records, &step.image)?;
        found.retain(fits);
        found.sort_by(|a, b| (&b.version, b.digest.is_some()).cmp(&(&a.version, a.digest.is_some())));
        Ok(found)
    }

    /// Takes a known version; `false` when its number turns out to be lost.
    fn adopt(&mut self, step: &mut Step, known: Known) -> Result<bool, Refusal> {
        let there = match known.origin {
            Origin::Reservation { .. } => {
                self.world
                    .pushed
                    .pushed(&step.image, &known.version, &known.key)?
            }
            _ => known.digest.map_or(There::Other, There::Same),
        };
        (step.action, step.digest) = match there {
            There::Nothing => (Action::Build, None),
            There::Same(digest) => (Action::Adopt, Some(digest)),
            There::Other => return Ok(false),
        };
        step.reserved = matches!(known.origin, Origin::Reservation { .. });
        step.dirty = known.dirty;
        step.to = known.version;
        if let Origin::Release(release) = known.origin
            && step.image == self.chosen.root
        {
            self.adopted = Some(release);
        }
        Ok(true)
    }

    fn number(&mut self, step: &mut Step) -> Result<(), Refusal> {
        let further = self.further_out()?;
        let further: Vec<Option<Version>> = further
            .iter()
            .map(|record| record.images.get(&step.image).map(|image| image.version.clone()))
            .collect();
        let none = Numbers::default();
        let numbers = self.world.state.numbers.get(&step.image).unwrap_or(&none);
        let highest = numbers.highest();
        let (wanted, bump, rule) = bump::next(&Question {
            versioning: self.request.versioning,
            initial: &self.request.initial,
            held: step.from.as_ref(),
            highest: highest.as_ref(),
            front: !self.base.behind_front,
            major: step.major,
            further: &further,
        });
        step.to = numbers.free(wanted);
        step.bump = Some(bump);
        step.rule = rule;
        Ok(())
    }

    /// The releases of the rings further out, the next one first. post is no ring of its own here:
    /// it is the last ring's history.
    fn further_out(&mut self) -> Result<Vec<Arc<ReleaseRecord>>, Refusal> {
        if let Some(further) = &self.further {
            return Ok(further.clone());
        }
        let state = self.world.state;
        let from = match &self.request.target {
            Target::Ante => 0,
            Target::Ring(ring) => state.place(ring).map_or(0, |place| place + 1),
        };
        let further = state
            .chain
            .iter()
            .skip(from)
            .filter_map(|ring| state.release(ring))
            .map(|release| self.world.records.record(&release.record))
            .collect::<Result<Vec<_>, JournalError>>()?;
        self.further = Some(further.clone());
        Ok(further)
    }
}

fn assemble(
    world: &World<'_>,
    request: &Request,
    base: &Base,
    chosen: &Chosen,
    steps: Vec<Step>,
    versions: BTreeMap<ImageName, Version>,
    adopted: Option<ReleaseRef>,
) -> Plan {
    let state = world.state;
    let stepped: BTreeMap<&ImageName, &Step> = steps.iter().map(|step| (&step.image, step)).collect();
    let mut result = BTreeMap::new();
    let mut kept = BTreeMap::new();
    for (name, version) in &versions {
        let held = base.images.get(name);
        let mut image = match (stepped.get(name), held) {
            (Some(step), _) => of_step(step, held),
            (None, Some(held)) => {
                kept.insert(name.clone(), version.clone());
                held.clone()
            }
            (None, None) => continue,
        };
        image.commit = holding_commit(world.sources, name, &image, held);
        result.insert(name.clone(), image);
    }
    let differs = |name: &&ImageName| {
        let there = chosen.images.get(*name).map(|source| source.revision);
        !chosen.taken.contains(*name) && there != Some(world.sources.images[*name].revision)
    };
    let not_taken = world.sources.images.keys().filter(differs).cloned().collect();
    let reads_ante = request.target == Target::Ante || request.from_ante;
    let first = || state.first().and_then(|ring| state.release(ring)).cloned();
    let layers = match stepped.get(&chosen.root) {
        Some(step) if step.action == Action::Build => step
            .sources
            .clone()
            .or_else(|| Some(world.sources.commit.clone())),
        Some(_) if result.get(&chosen.root).is_some_and(|root| root.commit.is_some()) => {
            layers_of_relabelled(base, world, chosen)
        }
        _ => base.record.as_ref().and_then(|record| record.root.layers.clone()),
    };
    Plan {
        target: request.target.clone(),
        commit: world.sources.commit.clone(),
        held: base.release.clone(),
        basis: Basis {
            release: base.release.clone(),
            chain: state.chain.clone(),
            freezes: state.freezes.clone(),
            ante: reads_ante.then(|| (state.ante.clone(), first())),
        },
        kept,
        not_taken,
        from_ante: request.from_ante,
        overrides: Vec::new(),
        result,
        explicit: chosen.explicit.iter().cloned().collect(),
        layers,
        root: chosen.root.clone(),
        adopted,
        steps,
    }
}

fn layers_of_relabelled(base: &Base, world: &World<'_>, chosen: &Chosen) -> Option<CommitId> {
    let held = base.images.get(&chosen.root);
    let same =
        held.is_some_and(|held| Some(held.revision) == chosen.images.get(&chosen.root).map(|s| s.revision));
    match &base.record {
        Some(record) if same => record.root.layers.clone(),
        _ => Some(world.sources.commit.clone()),
    }
}

fn of_step(step: &Step, held: Option<&ImageRecord>) -> ImageRecord {
    ImageRecord {
        version: step.to.clone(),
        digest: step.digest.unwrap_or(Digest::of(b"")),
        revision: step.revision,
        dependencies: step.dependencies.clone(),
        commit: held
            .filter(|held| held.revision == step.revision)
            .and_then(|held| held.commit.clone()),
        replaces: step.from.clone(),
        dirty: step.dirty,
    }
}

/// The commit that a release's record gives an image (M7): the build's, wherever the image's
/// revision is the same there; a dirty version has none.
fn holding_commit(
    sources: &Sources,
    name: &ImageName,
    image: &ImageRecord,
    held: Option<&ImageRecord>,
) -> Option<CommitId> {
    if image.dirty {
        return None;
    }
    match sources.images.get(name) {
        Some(source) if source.revision == image.revision && !source.dirty => Some(sources.commit.clone()),
        _ => held.and_then(|held| held.commit.clone()),
    }
}

/// The last word: what a planned build may not do.
fn refuse(
    world: &World<'_>,
    request: &Request,
    base: &Base,
    chosen: &Chosen,
    mut plan: Plan,
) -> Result<Plan, Refusal> {
    if request.from_ante {
        same_as_in_ante(world, base, &plan)?;
    }
    if plan.steps.is_empty() {
        return Ok(plan);
    }
    plan.overrides = keeps_what_the_ring_has(world, request, base, chosen, &plan)?;
    not_frozen(world, request, base, &plan)?;
    not_inside(world, request, &plan)?;
    Ok(plan)
}

fn same_as_in_ante(world: &World<'_>, base: &Base, plan: &Plan) -> Result<(), Refusal> {
    let mut details = Vec::new();
    for (name, prepared) in &world.state.ante {
        let held = base.images.get(name);
        if held.is_some_and(|held| held.version >= prepared.version) {
            continue;
        }
        let Some(source) = world.sources.images.get(name) else {
            details.push(format!("{name}: the commit has no such image"));
            continue;
        };
        if source.revision != prepared.revision {
            details.push(format!(
                "{name} {}: its sources here are not those that ante built",
                prepared.version
            ));
        }
        let planned = plan.result.get(name).map(|image| &image.dependencies);
        let now = planned.unwrap_or(&prepared.dependencies);
        for (on, old, new) in differing(&prepared.dependencies, now) {
            let word = |v: Option<Version>| v.map_or("nothing".into(), |v| v.to_string());
            details.push(format!(
                "{name} {}: stands on {on} {}, here on {}",
                prepared.version,
                word(old),
                word(new)
            ));
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    Err(Refusal::Rule {
        message: "ante was built from other sources than this commit's".into(),
        details,
        hint: Some(
            "check out the commit that ante was built from, or build ante again: ringshift build --ring ante IMAGE…"
                .into(),
        ),
    })
}

/// B11: M7 for every image that the build takes.
fn keeps_what_the_ring_has(
    world: &World<'_>,
    request: &Request,
    base: &Base,
    chosen: &Chosen,
    plan: &Plan,
) -> Result<Vec<Override>, Refusal> {
    let Some(release) = &base.release else {
        return Ok(Vec::new());
    };
    let of_ring = |name: &ImageName| {
        let standing_in = request.target == Target::Ante && !world.state.ante.contains_key(name);
        if standing_in { None } else { base.images.get(name) }
    };
    let asked = chosen.taken.iter().chain(&chosen.removed);
    let held = asked
        .filter_map(|name| Some((name.clone(), of_ring(name)?)))
        .collect();
    let incoming = |name: &ImageName| Incoming {
        version: plan.result.get(name).map(|image| image.version.clone()),
        revision: plan.result.get(name).map(|image| image.revision),
        commit: Some(world.sources.commit.clone()),
    };
    let incoming = chosen
        .taken
        .iter()
        .chain(&chosen.removed)
        .map(|n| (n.clone(), incoming(n)))
        .collect();
    let replacement = Replacement {
        ring: &request.target.to_string(),
        held: &release.version,
        incoming: &format!("commit {}", world.sources.commit.short()),
        head: None,
    };
    guard::no_lost_fixes(&replacement, &held, &incoming, &request.overrides, world.commits)
}

/// No build produces frozen content (B11).
fn not_frozen(world: &World<'_>, request: &Request, base: &Base, plan: &Plan) -> Result<(), Refusal> {
    let ring = match &request.target {
        Target::Ring(ring) => ring,
        Target::Ante => return not_frozen_in_ante(world, plan),
    };
    let contents = plan
        .result
        .iter()
        .map(|(name, image)| (name.clone(), (image.version.clone(), image.key())))
        .collect();
    let found = guard::frozen_content(world.state, ring, &plan.root, &contents, base.record.as_deref());
    found.map_or(Ok(()), |freeze| Err(frozen(&request.target, plan, freeze)))
}

fn not_frozen_in_ante(world: &World<'_>, plan: &Plan) -> Result<(), Refusal> {
    let everywhere = |freeze: &&crate::state::Freeze| {
        world
            .state
            .first()
            .is_some_and(|first| freeze.covers(first, &world.state.chain))
    };
    let hit = world.state.freezes.iter().filter(everywhere).find(|freeze| {
        plan.steps
            .iter()
            .any(|s| s.image == freeze.image && s.to == freeze.version)
    });
    hit.map_or(Ok(()), |freeze| Err(frozen(&Target::Ante, plan, freeze)))
}

fn frozen(target: &Target, plan: &Plan, freeze: &crate::state::Freeze) -> Refusal {
    let version = plan.result.get(&freeze.image).map(|image| image.version.clone());
    Refusal::Frozen {
        ring: target.to_string(),
        what: format!(
            "{} {}",
            freeze.image,
            version.unwrap_or_else(|| freeze.version.clone())
        ),
        freeze: Box::new(freeze.clone()),
    }
}

/// B10: a release that an inner ring holds is shifted, not built.
fn not_inside(world: &World<'_>, request: &Request, plan: &Plan) -> Result<(), Refusal> {
    let (Target::Ring(ring), Some(adopted)) = (&request.target, &plan.adopted) else {
        return Ok(());
    };
    let state = world.state;
    let inner: Vec<&RingName> = state.chain.iter().take_while(|r| *r != ring).collect();
    let Some(holder) = inner.iter().rev().find(|r| state.release(r) == Some(adopted)) else {
        return Ok(());
    };
    let way = state
        .chain
        .iter()
        .skip_while(|r| r != holder)
        .skip(1)
        .take_while(|r| *r != ring)
        .chain([ring]);
    let shifts: Vec<String> = way.map(|r| format!("ringshift shift {r}")).collect();
    Err(Refusal::Rule {
        message: format!("the result would be {}, which {holder} holds", adopted.version),
        details: Vec::new(),
        hint: Some(format!("shift it: {}", shifts.join(", then "))),
    })
}
