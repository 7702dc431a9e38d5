//! Builds in memory by a builder that records what it is asked, and fails where it is told to.

use ringshift::builder::{BuildError, Builder, Built, Job, Native, Progress};
use ringshift::bump::Versioning;
use ringshift::cache::Remembered;
use ringshift::config::lock::Facts;
use ringshift::containerfile::recipe::Recipe;
use ringshift::engine::commits::Clone as Commits;
use ringshift::engine::execute::{self, Builders, Scrub, Site, Tools, Unusable};
use ringshift::engine::project::{Loaded, Origin};
use ringshift::engine::{Author, Committed, Event, Failure, Reporter, Store};
use ringshift::model::{BuilderKind, Digest, Platform, Reference, RepoPath, Version};
use ringshift::plan::Overrides;
use ringshift::plan::build::{Request, Target};
use ringshift::registry::memory::MemoryRegistry;
use ringshift::registry::{Registry, RegistryError, facts};
use ringshift::state::{State, Timestamp};
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const SECRET: &str = "canary-4711";

/// Makes every image natively, its RUNs left out of account; says a secret; fails for some.
struct Fake {
    fails: &'static str,
    check_fails: bool,
    asked: Mutex<Vec<String>>,
}

impl Fake {
    fn failure(what: &str) -> BuildError {
        let what = format!("{what} {SECRET}");
        BuildError::Program {
            builder: BuilderKind::Buildah,
            line: None,
            what,
        }
    }
}

impl Builder for Fake {
    fn kind(&self) -> BuilderKind {
        BuilderKind::Buildah
    }

    fn refuses(&self, _: &Recipe, _: bool) -> Option<BuildError> {
        None
    }

    fn build(&self, job: &Job<'_>, progress: &(dyn Fn(Progress) + Sync)) -> Result<Built, BuildError> {
        self.asked.lock().unwrap().push(job.image.to_string());
        (0..40).for_each(|n| progress(Progress::Line(format!("{n} {SECRET}"))));
        match self.fails == job.image.as_str() {
            true => Err(Self::failure("failed")),
            false => Native::new().build(job, progress),
        }
    }

    fn check(
        &self,
        _: &Job<'_>,
        _: &Digest,
        command: &[String],
        _: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), BuildError> {
        self.asked.lock().unwrap().push(command.join(" "));
        if self.check_fails {
            Err(Self::failure("failed"))
        } else {
            Ok(())
        }
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<Event>>);

impl Reporter for Heard {
    fn report(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// The triggers of the one image outside; none: nobody answers.
#[derive(Default)]
struct Outside(Mutex<Option<Vec<&'static str>>>);

impl facts::Outside for Outside {
    fn digest(&self, _: &Reference) -> Result<Option<Digest>, RegistryError> {
        Ok(None)
    }

    fn facts(&self, reference: &Reference, _: &Platform) -> Result<(Digest, Facts), RegistryError> {
        let triggers = self.0.lock().unwrap().clone();
        let triggers = triggers.ok_or_else(|| RegistryError::Missing(reference.to_string()))?;
        let onbuild = triggers.into_iter().map(str::to_owned).collect();
        Ok((
            Digest::of(b"outside"),
            Facts {
                onbuild,
                ..Facts::default()
            },
        ))
    }
}

struct World {
    site: Site,
    registry: Arc<MemoryRegistry>,
    logs: tempfile::TempDir,
    looked: Arc<AtomicUsize>,
    heard: Arc<Heard>,
    outside: Arc<Outside>,
}

/// `images` are lines of rings.yaml; each image of `names` copies one file.
fn world(images: &str, names: &[String]) -> World {
    let rings = format!("project: acme/shop\nrings: [dev]\nimages:\n{images}");
    let mut tree = MemoryTree::new().file("rings.yaml", rings);
    for name in names {
        let from = match name.as_str() {
            "api" => "acme/shop/base",
            "out" => "x.y/outside:1",
            _ => "scratch",
        };
        tree = tree.file(
            format!("{name}/Dockerfile"),
            format!("FROM {from}\nCOPY f /{name}\n"),
        );
        tree = tree.file(format!("{name}/f"), name);
    }
    let origin = Origin {
        tree: Arc::new(tree),
        identity: None,
        commit: "1".repeat(40).parse().unwrap(),
        committed: 0,
        stands_on: None,
        config: RepoPath::clean("rings.yaml"),
        workdir: None,
        repository: None,
        results: Remembered::nothing(),
        helm: None,
    };
    let project = Arc::new(Loaded::read(origin).unwrap());
    let registry = Arc::new(MemoryRegistry::new());
    let root = project.project.root.clone();
    let store = Store::new(
        registry.clone(),
        project.project.name.clone(),
        root,
        "memory".into(),
    );
    let rings = project
        .project
        .rings
        .iter()
        .map(|ring| ring.name.clone())
        .collect();
    let author = Author {
        actor: "ada".into(),
        at: Timestamp(0),
        reason: None,
        operation: "0".repeat(32),
    };
    let site = Site {
        store,
        project,
        author,
        empty: State::new(rings, Vec::new()),
    };
    World {
        site,
        registry,
        logs: tempfile::tempdir().unwrap(),
        looked: Arc::default(),
        heard: Arc::default(),
        outside: Arc::default(),
    }
}

impl World {
    fn build(
        &self,
        asked: Option<BuilderKind>,
        fake: Option<&Arc<Fake>>,
    ) -> Result<Option<Committed>, Failure> {
        let (looked, fake) = (self.looked.clone(), fake.cloned());
        let look = move |kind| {
            looked.fetch_add(1, Ordering::SeqCst);
            match (&fake, kind) {
                (Some(fake), BuilderKind::Buildah) => Ok(fake.clone() as Arc<dyn Builder>),
                _ => Err(Unusable {
                    why: "not here".into(),
                    hint: "install it".into(),
                }),
            }
        };
        let tools = Arc::new(Tools {
            builders: Builders::new(asked, Arc::new(Native::new()), Box::new(look)),
            jobs: 2,
            session: Default::default(),
            scrub: Scrub::new([SECRET.as_bytes()].into_iter()),
            logs: self.logs.path().into(),
            outside: self.outside.clone(),
            reporter: self.heard.clone(),
        });
        let request = Request {
            target: Target::Ring("dev".parse().unwrap()),
            names: BTreeSet::new(),
            majors: BTreeSet::new(),
            all_changes: false,
            from_ante: false,
            overrides: Overrides::default(),
            versioning: Versioning::Guarded,
            initial: Version::new(0, 1, 0),
        };
        let none = || Failure::Bug("no other commit is read".into());
        let commits = Commits::new(None, Box::new(move |_| Err(none())));
        let head = self.site.store.journal.head()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(execute::run(
            &self.site,
            &tools,
            &commits,
            &request,
            &move |_| Err(none()),
            head,
        ))
    }

    fn tags(&self, image: &str) -> Vec<String> {
        self.registry
            .tags(&self.site.store.repository(&image.parse().unwrap()))
            .unwrap()
    }
}

const FOUR: &str = "  base: base\n  api: {context: api, checks: [{run: [make, test]}]}\n  web: web\n  shop: {context: shop, root: true}\n";

fn four() -> World {
    world(FOUR, &["base", "api", "web", "shop"].map(String::from))
}

fn fake(fails: &'static str, check_fails: bool) -> Arc<Fake> {
    let asked = Mutex::default();
    Arc::new(Fake {
        fails,
        check_fails,
        asked,
    })
}

#[test]
fn an_image_that_no_builder_makes_is_told_before_any_number_is_taken() {
    let world = four();
    let Err(Failure::Build(unbuilt)) = world.build(None, None) else {
        panic!("it was built")
    };
    assert_eq!(unbuilt.len(), 1, "only api has a check");
    assert_eq!(
        (unbuilt[0].image.as_str(), unbuilt[0].file.as_str()),
        ("api", "api/Dockerfile")
    );
    assert!(unbuilt[0].hint.as_ref().unwrap().contains("ringshift doctor"));
    assert_eq!(
        world.looked.load(Ordering::SeqCst),
        5,
        "each builder is looked for once"
    );
    assert!(
        world.site.store.journal.head().unwrap().is_none(),
        "nothing is reserved"
    );
}

#[test]
fn a_failed_image_stops_its_dependants_and_no_secret_of_it_is_told() {
    let world = four();
    let Err(Failure::Build(unbuilt)) = world.build(Some(BuilderKind::Buildah), Some(&fake("base", false)))
    else {
        panic!("it was built")
    };
    assert_eq!(unbuilt[0].error.to_string(), "buildah failed ***");
    assert_eq!(
        (
            world.tags("web").len(),
            world.tags("api").len(),
            world.tags("shop").len()
        ),
        (1, 0, 0)
    );
    let heard = world.heard.0.lock().unwrap();
    let last = heard.iter().find_map(|event| match event {
        Event::Failed { last, .. } => Some(last.clone()),
        _ => None,
    });
    let last = last.unwrap();
    assert_eq!((last.len(), last[29].as_str()), (30, "39 ***"));
    assert!(!format!("{heard:?}").contains(SECRET));
    let log = std::fs::read_to_string(unbuilt[0].log.as_ref().unwrap()).unwrap();
    assert!(log.lines().count() == 40 && !log.contains(SECRET));
    drop(heard);
    let again = fake("", false);
    world.build(Some(BuilderKind::Buildah), Some(&again)).unwrap();
    let asked = again.asked.lock().unwrap();
    assert!(
        !asked.contains(&"web".to_owned()),
        "what was built is adopted: {asked:?}"
    );
}

#[test]
fn an_image_whose_check_fails_bears_no_version() {
    let world = four();
    let failing = fake("", true);
    let Err(Failure::Build(unbuilt)) = world.build(None, Some(&failing)) else {
        panic!("it was built")
    };
    assert_eq!(unbuilt[0].check.as_deref(), Some("make test"));
    assert_eq!(
        *failing.asked.lock().unwrap(),
        ["api", "make test"],
        "the others are made natively"
    );
    assert_eq!((world.tags("api").len(), world.tags("shop").len()), (0, 0));
    world.build(None, Some(&fake("", false))).unwrap().unwrap();
    assert_eq!(world.tags("api"), ["0.1.0"]);
}

#[test]
fn a_build_of_two_hundred_images_with_nothing_to_do_looks_for_no_builder() {
    let names: Vec<String> = (0..200).map(|n| format!("i{n}")).collect();
    let line = |name: &String| match name.as_str() {
        "i0" => "  i0: {context: i0, root: true}\n".to_owned(),
        name => format!("  {name}: {name}\n"),
    };
    let world = world(&names.iter().map(line).collect::<String>(), &names);
    world.build(None, None).unwrap().unwrap();
    world.heard.0.lock().unwrap().clear();
    assert!(world.build(None, None).unwrap().is_none());
    assert_eq!(world.looked.load(Ordering::SeqCst), 0);
    assert_eq!(*world.heard.0.lock().unwrap(), []);
}

#[test]
fn an_unlocked_base_whose_triggers_read_stops_the_build_before_any_number_is_taken() {
    let names = ["out", "shop"].map(String::from);
    let world = world("  out: out\n  shop: {context: shop, root: true}\n", &names);
    let answers = |triggers: &[&'static str]| *world.outside.0.lock().unwrap() = Some(triggers.to_vec());
    for trigger in [
        "COPY . /src",
        "ADD f /",
        "RUN --mount=target=/m make",
        "ARG VERSION",
        "no instruction",
    ] {
        answers(&["ENV A=1", trigger]);
        let Err(Failure::Build(unbuilt)) = world.build(None, Some(&fake("", false))) else {
            panic!("it was built over {trigger}")
        };
        let want = format!(
            "line 1: x.y/outside:1 has ONBUILD triggers that read (`{trigger}`), and it is not locked"
        );
        assert_eq!(unbuilt[0].error.to_string(), want);
        assert!(unbuilt[0].hint.as_ref().unwrap().starts_with("`ringshift lock`"));
    }
    assert!(
        world.site.store.journal.head().unwrap().is_none(),
        "nothing is reserved"
    );
    // What it does to itself alone is as unknown as all of it; the fake makes nothing from outside.
    for triggers in [&[][..], &["ENV A=1", "RUN ls", "USER me"]] {
        answers(triggers);
        let Err(Failure::Build(unbuilt)) = world.build(None, Some(&fake("", false))) else {
            panic!("a base from outside was built natively")
        };
        assert!(
            unbuilt[0].error.to_string().contains("FROM x.y/outside:1"),
            "{}",
            unbuilt[0].error
        );
    }
}

#[test]
fn a_base_that_nobody_can_look_at_is_told() {
    let names = ["out", "shop"].map(String::from);
    let world = world("  out: out\n  shop: {context: shop, root: true}\n", &names);
    let _ = world.build(None, Some(&fake("", false)));
    let heard = world.heard.0.lock().unwrap();
    let want = "cannot see whether x.y/outside:1 has ONBUILD triggers: x.y/outside:1 is not in the registry";
    assert!(heard.contains(&Event::Note { message: want.into() }), "{heard:?}");
}
