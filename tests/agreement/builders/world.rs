//! Builds with a base from the store, whose parts a test chooses: files, secrets, what is said, what it comes to.

use super::machine::Machine;
use ringshift::builder::{Base, BuildError, Builder, Built, Job, Native, Progress, Session};
use ringshift::containerfile::ignore::Ignore;
use ringshift::containerfile::recipe::Recipe;
use ringshift::containerfile::{ResolveError, parse, resolve};
use ringshift::model::{Digest, ImageName, Platform, ProjectName, RepoPath};
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{Registry, Repository};
use ringshift::revision::manifest::Manifest;
use ringshift::revision::{ContextTree, Contexts, Limits, select};
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A store with the image `busybox`.
pub struct World {
    place: tempfile::TempDir,
    pub registry: LayoutRegistry,
    bases: BTreeMap<ImageName, Base>,
}

/// A build of one container file in a world.
pub struct Build<'a> {
    pub world: &'a World,
    pub text: String,
    /// A path that begins with `@extra/` stands in the named context `extra`.
    pub files: Vec<(&'static str, String)>,
    pub session: Session,
}

/// The build context, and the named context `extra`.
#[derive(Default)]
struct Trees {
    main: MemoryTree,
    extra: MemoryTree,
}

/// What was said while it was built.
#[derive(Default)]
pub struct Said(Mutex<Vec<Progress>>);

impl Said {
    pub fn all(&self) -> String {
        let said = self.0.lock().unwrap();
        let text = |progress: &Progress| match progress {
            Progress::Line(line) => line.clone(),
            Progress::Step { line, text } => format!("step {line} {text}"),
            Progress::Layer { .. } => String::new(),
        };
        said.iter().map(text).collect::<Vec<_>>().join("\n")
    }
}

impl World {
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let registry = LayoutRegistry::new(place.path().join("store"));
        let world = Self {
            place,
            registry,
            bases: BTreeMap::new(),
        };
        let busybox = ["/bin/busybox", "/usr/bin/busybox"];
        let busybox = busybox.iter().find_map(|path| std::fs::read(path).ok()).unwrap();
        let mut tree = MemoryTree::new().executable("bin/busybox", &busybox);
        for applet in [
            "sh",
            "cat",
            "echo",
            "test",
            "sleep",
            "grep",
            "id",
            "touch",
            "sha256sum",
        ] {
            tree = tree.link(format!("bin/{applet}"), "busybox");
        }
        let trees = Trees {
            main: tree,
            ..Trees::default()
        };
        let text = "FROM scratch\nCOPY . /\nENV PATH=/bin\n";
        let base = world.carry_out(
            &Native::new(),
            "busybox",
            text,
            &trees,
            &Session::default(),
            &|_| {},
            &|m| m,
        );
        let name = ImageName::new("busybox").unwrap();
        let base = Base {
            repository: repository("busybox"),
            digest: base.unwrap().descriptor.digest,
        };
        Self {
            bases: BTreeMap::from([(name, base)]),
            ..world
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that a build is made of")]
    fn carry_out(
        &self,
        builder: &dyn Builder,
        image: &str,
        text: &str,
        trees: &Trees,
        session: &Session,
        progress: &(dyn Fn(Progress) + Sync),
        change: &dyn Fn(Manifest) -> Manifest,
    ) -> Result<Built, BuildError> {
        self.job(image, text, trees, session, change, &mut |job| {
            builder.build(job, progress)
        })
    }

    /// Hands the job of a build on.
    fn job<T>(
        &self,
        image: &str,
        text: &str,
        trees: &Trees,
        session: &Session,
        change: &dyn Fn(Manifest) -> Manifest,
        work: &mut dyn FnMut(&Job<'_>) -> T,
    ) -> T {
        let recipe = self.recipe(text);
        let context = |tree| ContextTree {
            tree,
            root: RepoPath::root(),
            ignore: Ignore::none(),
            display: RepoPath::root(),
        };
        let contexts = Contexts {
            main: context(&trees.main),
            named: BTreeMap::from([("extra".to_owned(), context(&trees.extra))]),
        };
        let manifest = change(select(&recipe, &contexts, &Limits::default()).unwrap());
        let image = ImageName::new(image).unwrap();
        work(&Job {
            image: &image,
            registry: &self.registry,
            repository: &repository(image.as_str()),
            recipe: &recipe,
            manifest: &manifest,
            contexts: &contexts,
            bases: &self.bases,
            created: 1_700_000_000,
            labels: &BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1.2.3".to_owned())]),
            session,
        })
    }

    fn recipe(&self, text: &str) -> Recipe {
        let platform = Platform::default();
        let inputs = resolve::Inputs {
            args: &BTreeMap::new(),
            target: None,
            platform: &platform,
            contexts: &BTreeMap::from([("extra".to_owned(), resolve::NamedContext::Folder)]),
            world: self,
        };
        resolve(&parse(text.as_bytes()).unwrap(), &inputs).unwrap()
    }

    /// The text of a file that a build wrote as its last layer.
    pub fn file(&self, built: &Built, path: &str) -> Option<String> {
        let layout = self.place.path().join("store/acme/ours");
        super::Image::of_layout(&layout, Some(&built.descriptor.digest.to_string())).text(path)
    }

    /// All bytes of an image but those of its base, which has one layer: manifest, config, and layers without compression.
    pub fn bytes(&self, built: &Built) -> Vec<u8> {
        let repository = repository("ours");
        let manifest = self
            .registry
            .manifest(&repository, &built.descriptor.digest)
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let mut all = manifest;
        let layers = json["layers"].as_array().unwrap().iter().skip(1);
        for entry in layers.chain([&json["config"]]) {
            let digest: Digest = entry["digest"].as_str().unwrap().parse().unwrap();
            let mut blob = Vec::new();
            let mut stream = self.registry.blob(&repository, &digest).unwrap();
            std::io::Read::read_to_end(&mut stream, &mut blob).unwrap();
            if blob.starts_with(&[0x1f, 0x8b]) {
                let mut plain = Vec::new();
                let mut gz = flate2::read::MultiGzDecoder::new(blob.as_slice());
                std::io::Read::read_to_end(&mut gz, &mut plain).unwrap();
                blob = plain;
            }
            all.extend(blob);
        }
        all
    }
}

impl Build<'_> {
    fn trees(&self) -> Trees {
        let mut trees = Trees::default();
        for (path, text) in &self.files {
            match path.strip_prefix("@extra/") {
                Some(path) => trees.extra = std::mem::take(&mut trees.extra).file(path, text.as_bytes()),
                None => trees.main = std::mem::take(&mut trees.main).file(path, text.as_bytes()),
            }
        }
        trees
    }

    pub fn by(&self, machine: &Machine, said: &Said) -> Result<Built, BuildError> {
        self.without(machine, said, "")
    }

    /// Builds as if the rules had missed the file of that path.
    pub fn without(&self, machine: &Machine, said: &Said, missed: &str) -> Result<Built, BuildError> {
        let progress = |progress: Progress| said.0.lock().unwrap().push(progress);
        let change = |mut manifest: Manifest| {
            for root in manifest
                .sections
                .iter_mut()
                .flat_map(|section| &mut section.roots)
            {
                let kept = root.entries.iter().filter(|read| read.path.to_string() != missed);
                root.entries = kept.cloned().collect();
            }
            manifest
        };
        let builder = &machine.command;
        self.world.carry_out(
            builder,
            "ours",
            &self.text,
            &self.trees(),
            &self.session,
            &progress,
            &change,
        )
    }

    /// Runs a command in the image.
    pub fn check(
        &self,
        machine: &Machine,
        built: &Built,
        command: &[&str],
        said: &Said,
    ) -> Result<(), BuildError> {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let progress = |progress: Progress| said.0.lock().unwrap().push(progress);
        let digest = built.descriptor.digest;
        let mut work = |job: &Job<'_>| machine.command.check(job, &digest, &command, &progress);
        self.world.job(
            "ours",
            &self.text,
            &self.trees(),
            &self.session,
            &|m| m,
            &mut work,
        )
    }
}

pub fn repository(image: &str) -> Repository {
    Repository::new(&ProjectName::new("acme").unwrap(), image)
}

impl resolve::World for World {
    fn project_image(&self, reference: &str) -> Result<Option<resolve::ProjectRef>, ResolveError> {
        let image = ImageName::new(reference)
            .ok()
            .filter(|name| self.bases.contains_key(name));
        Ok(image.map(|image| resolve::ProjectRef {
            image,
            tag: None,
            digest: None,
        }))
    }

    fn base(&self, _: &resolve::Base) -> Result<resolve::BaseFacts, ResolveError> {
        Ok(resolve::BaseFacts::default())
    }
}
