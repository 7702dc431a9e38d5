use super::*;
use crate::builder::archive;
use crate::builder::{Session, relabel};
use crate::containerfile::ignore::Ignore;
use crate::containerfile::recipe::{Command, Healthcheck, Recipe, Run, Stage, Transfer, TransferSource};
use crate::model::{Digest, Platform, ProjectName};
use crate::registry::memory::MemoryRegistry;

use crate::revision::{ContextTree, Contexts, Limits, select};

use crate::tree::memory::MemoryTree;
use crate::tree::{Item, Kind, SourceTree, TreeError};
use std::io::Read;

fn repository(name: &str) -> Repository {
    Repository::new(&ProjectName::new("acme").unwrap(), name)
}

fn copy(from: Source, words: &[&str], to: &str) -> Transfer {
    Transfer {
        add: false,
        from,
        sources: words.iter().map(|w| TransferSource::Path((*w).into())).collect(),
        destination: to.into(),
        chown: None,
        chmod: None,
        link: false,
        parents: false,
        exclude: vec![],
        checksum: None,
        keep_git_dir: false,
        unpack: None,
    }
}

fn step(op: Op) -> Step {
    Step {
        line: 2,
        original: "AS WRITTEN".into(),
        trigger: false,
        unresolved: Default::default(),
        op,
    }
}

fn stage(base: Source, ops: Vec<Op>) -> Stage {
    Stage {
        line: 1,
        name: None,
        base,
        platform: None,
        workdir: None,
        steps: ops.into_iter().map(step).collect(),
    }
}

fn recipe(stages: Vec<Stage>) -> Recipe {
    Recipe {
        platform: Platform::default(),
        target: stages.len() - 1,
        stages,
        whole: None,
        syntax: None,
        facts: Default::default(),
        written: Default::default(),
        warnings: vec![],
    }
}

/// Everything that a build needs, kept.
struct World {
    registry: MemoryRegistry,
    bases: BTreeMap<ImageName, Base>,
    labels: BTreeMap<String, String>,
    native: Native,
}

impl World {
    fn new() -> Self {
        Self {
            registry: MemoryRegistry::new(),
            bases: BTreeMap::new(),
            labels: BTreeMap::new(),
            native: Native::new(),
        }
    }

    fn build(&self, name: &str, tree: &dyn SourceTree, recipe: &Recipe) -> Result<Built, BuildError> {
        self.build_from(name, tree, tree, recipe)
    }

    /// Selects in one tree and builds from another.
    fn build_from(
        &self,
        name: &str,
        hashed: &dyn SourceTree,
        tree: &dyn SourceTree,
        recipe: &Recipe,
    ) -> Result<Built, BuildError> {
        let contexts = |tree| Contexts {
            main: ContextTree {
                tree,
                root: RepoPath::root(),
                ignore: Ignore::none(),
                display: RepoPath::root(),
            },
            named: BTreeMap::new(),
        };
        let manifest = select(recipe, &contexts(hashed), &Limits::default()).unwrap();
        let job = Job {
            image: &ImageName::new(name).unwrap(),
            registry: &self.registry,
            repository: &repository(name),
            recipe,
            manifest: &manifest,
            contexts: &contexts(tree),
            bases: &self.bases,
            created: 1_700_000_000,
            labels: &self.labels,
            session: &Session::default(),
        };
        self.native.build(&job, &|_| {})
    }

    fn base(&mut self, name: &str, built: &Built) {
        let base = Base {
            repository: repository(name),
            digest: built.descriptor.digest,
        };
        self.bases.insert(ImageName::new(name).unwrap(), base);
    }

    fn json(&self, name: &str, digest: &Digest) -> Value {
        let bytes = self.registry.manifest(&repository(name), digest).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn config(&self, name: &str, built: &Built) -> Value {
        let manifest = self.json(name, &built.descriptor.digest);
        let digest = base::descriptor(&manifest["config"]).unwrap().digest;
        let bytes = self.registry.small_blob(&repository(name), &digest, 1 << 20);
        serde_json::from_slice(&bytes.unwrap()).unwrap()
    }

    /// The members of each layer: name, octal mode, text.
    fn layers(&self, name: &str, built: &Built) -> Vec<Vec<String>> {
        let manifest = self.json(name, &built.descriptor.digest);
        let layers = manifest["layers"].as_array().unwrap();
        let config = self.config(name, built);
        assert_eq!(layers.len(), built.layers);
        let one = |(number, layer): (usize, &Value)| {
            let digest = base::descriptor(layer).unwrap().digest;
            let mut blob = self.registry.blob(&repository(name), &digest).unwrap();
            let mut plain = Vec::new();
            archive::plain(&mut blob)
                .unwrap()
                .read_to_end(&mut plain)
                .unwrap();
            let diff_id = Digest::of(&plain).to_string();
            assert_eq!(config["rootfs"]["diff_ids"][number], json!(diff_id));
            let mut members = Vec::new();
            archive::for_each(&mut plain.as_slice(), &mut |_, header, bytes| {
                let mut text = String::new();
                bytes.read_to_string(&mut text)?;
                let name = String::from_utf8_lossy(&header.name).into_owned();
                members.push(format!("{name} {:o} {text}", header.meta.mode));
                Ok(())
            })
            .unwrap();
            members
        };
        layers.iter().enumerate().map(one).collect()
    }
}

fn tree() -> MemoryTree {
    MemoryTree::new()
        .file("src/a", "A")
        .executable("src/bin/run", "R")
        .link("src/l", "../a")
        .file("other", "O")
}

#[test]
fn a_copy_becomes_a_layer_with_gits_modes() {
    let world = World::new();
    let recipe = recipe(vec![stage(
        Source::Scratch,
        vec![Op::Transfer(copy(Source::Context, &["src"], "/app/"))],
    )]);
    let built = world.build("api", &tree(), &recipe).unwrap();
    let want = [
        "app/ 755 ",
        "app/a 644 A",
        "app/bin/ 755 ",
        "app/bin/run 755 R",
        "app/l 777 ",
    ];
    assert_eq!(world.layers("api", &built), [want]);
}

#[test]
fn the_same_job_gives_the_same_bytes_and_another_commit_the_same_layers() {
    let recipe = recipe(vec![stage(
        Source::Scratch,
        vec![Op::Transfer(copy(Source::Context, &["."], "/"))],
    )]);
    let one = World::new();
    let two = World::new();
    let built = one.build("api", &tree(), &recipe).unwrap();
    assert_eq!(built, two.build("api", &tree(), &recipe).unwrap());
    assert_eq!(
        one.config("api", &built)["created"],
        json!("2023-11-14T22:13:20Z")
    );
}

#[test]
fn labels_are_written_and_stand_as_annotations() {
    let mut world = World::new();
    world.labels.insert("dependency.base".into(), "1.2.3".into());
    let label = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let labels = vec![label("mine", "1"), label("dev.ringshift.dirty", "true")];
    let recipe = recipe(vec![stage(Source::Scratch, vec![Op::Label(labels)])]);
    let built = world.build("api", &tree(), &recipe).unwrap();
    let want = json!({"mine": "1", "dependency.base": "1.2.3"});
    assert_eq!(world.config("api", &built)["config"]["Labels"], want);
    let manifest = world.json("api", &built.descriptor.digest);
    assert_eq!(manifest["annotations"], json!({"dependency.base": "1.2.3"}));
}

#[test]
fn a_project_base_brings_its_layers_config_and_files() {
    let mut world = World::new();
    let base = recipe(vec![stage(
        Source::Scratch,
        vec![
            Op::Transfer(copy(Source::Context, &["src"], "/app/")),
            Op::Env(vec![("A".into(), "1".into())]),
            Op::OnBuild("RUN x".into()),
        ],
    )]);
    let built = world.build("base", &tree(), &base).unwrap();
    world.base("base", &built);
    let name = ImageName::new("base").unwrap();
    let child = recipe(vec![
        stage(
            Source::Project(name.clone()),
            vec![Op::Workdir("/app/bin".into())],
        ),
        stage(
            Source::Stage(0),
            vec![
                Op::Transfer(copy(Source::Context, &["other"], ".")),
                Op::Transfer(copy(Source::Project(name), &["app/bin/*"], "/tools/")),
            ],
        ),
    ]);
    let built = world.build("api", &tree(), &child).unwrap();
    let layers = world.layers("api", &built);
    assert_eq!(layers[1], ["app/ 755 ", "app/bin/ 755 ", "app/bin/other 644 O"]);
    assert_eq!(layers[2], ["tools/ 755 ", "tools/run 755 R"]);
    let config = world.config("api", &built);
    assert_eq!(config["config"]["WorkingDir"], json!("/app/bin"));
    assert_eq!(config["config"].get("OnBuild"), None);
    assert_eq!(config["history"].as_array().unwrap().len(), 5);
}

#[test]
fn a_changed_file_stops_the_build() {
    let world = World::new();
    let recipe = recipe(vec![stage(
        Source::Scratch,
        vec![Op::Transfer(copy(Source::Context, &["other"], "/"))],
    )]);
    for now in ["X", "longer", ""] {
        let changed = MemoryTree::new().file("other", now);
        let got = world.build_from("api", &tree(), &changed, &recipe);
        let Err(BuildError::Instruction { line: 2, source }) = got else {
            panic!("{got:?}")
        };
        assert!(matches!(source, StepError::Changed(_)), "{source}");
    }
}

#[test]
fn a_tree_that_grows_while_it_is_read_stops_the_build() {
    /// Says that a file is smaller than it is.
    struct Growing(MemoryTree);
    impl SourceTree for Growing {
        fn kind(&self, path: &RepoPath) -> Result<Option<Kind>, TreeError> {
            self.0.kind(path)
        }
        fn list(&self, path: &RepoPath) -> Result<Vec<Item>, TreeError> {
            self.0.list(path)
        }
        fn open(&self, path: &RepoPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
            self.0.open(path)
        }
        fn link(&self, path: &RepoPath) -> Result<Vec<u8>, TreeError> {
            SourceTree::link(&self.0, path)
        }
        fn content(&self, path: &RepoPath) -> Result<Digest, TreeError> {
            self.0.content(path)
        }
        fn size(&self, path: &RepoPath) -> Result<u64, TreeError> {
            Ok(self.0.size(path)? - 1)
        }
    }
    let recipe = recipe(vec![stage(
        Source::Scratch,
        vec![Op::Transfer(copy(Source::Context, &["other"], "/"))],
    )]);
    let got = World::new().build("api", &Growing(tree()), &recipe);
    let Err(BuildError::Instruction { source, .. }) = got else {
        panic!("{got:?}")
    };
    assert!(matches!(source, StepError::Changed(_)), "{source}");
}

#[test]
fn a_remembered_layer_is_not_read_again_and_is_the_same() {
    let cache = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.native = Native::remembering(Remembered::new(cache.path(), "layers.1"));
    let recipe = recipe(vec![stage(
        Source::Scratch,
        vec![Op::Transfer(copy(Source::Context, &["other"], "/"))],
    )]);
    let first = world.build("api", &tree(), &recipe).unwrap();
    let unreadable = MemoryTree::new().file("other", "X");
    let second = world.build_from("api", &tree(), &unreadable, &recipe).unwrap();
    assert_eq!(first, second);
    world.registry = MemoryRegistry::new();
    assert!(world.build_from("api", &tree(), &unreadable, &recipe).is_err());
    assert_eq!(world.build("api", &tree(), &recipe).unwrap(), first);
}

#[test]
fn what_must_run_or_comes_from_outside_needs_a_builder() {
    let run = Op::Run(Run {
        command: Command::Shell("true".into()),
        heredocs: vec![],
        mounts: vec![],
        network: None,
        security: None,
        devices: vec![],
        args: vec![],
    });
    let outside = Source::External("debian".parse().unwrap());
    let mut url = copy(Source::Context, &[], "/");
    url.sources = vec![TransferSource::Url("https://x/y".into())];
    for (stage, want) in [
        (stage(Source::Scratch, vec![run]), (2, "RUN")),
        (
            stage(outside.clone(), vec![]),
            (1, "FROM docker.io/library/debian:latest"),
        ),
        (
            stage(Source::Scratch, vec![Op::Transfer(copy(outside, &["x"], "/"))]),
            (2, "COPY --from=docker.io/library/debian:latest"),
        ),
        (
            stage(Source::Scratch, vec![Op::Transfer(url)]),
            (2, "ADD https://x/y"),
        ),
    ] {
        let got = support::unsupported(&recipe(vec![stage]));
        assert_eq!(got, Some((want.0, want.1.to_owned())));
    }
}

#[test]
fn a_stage_for_another_platform_needs_a_builder() {
    let mut world = World::new();
    let mut entries = Vec::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        let mut own = recipe(vec![stage(Source::Scratch, vec![])]);
        own.platform = platform.parse().unwrap();
        let built = world.build("base", &tree(), &own).unwrap().descriptor;
        entries.push(json!({
            "mediaType": MANIFEST, "digest": built.digest.to_string(), "size": built.size,
            "platform": {"os": "linux", "architecture": own.platform.architecture},
        }));
    }
    let index = json!({"manifests": entries}).to_string();
    let put = world
        .registry
        .put_manifest(&repository("base"), MANIFEST, index.as_bytes());
    let (descriptor, layers) = (put.unwrap(), 0);
    world.base("base", &Built { descriptor, layers });
    let name = ImageName::new("base").unwrap();
    let mut child = recipe(vec![stage(Source::Project(name), vec![])]);
    let built = world.build("api", &tree(), &child).unwrap();
    assert_eq!(world.config("api", &built)["architecture"], json!("amd64"));
    child.stages[0].platform = Some("linux/arm64".parse().unwrap());
    let Err(BuildError::NeedsBuilder { line, what }) = world.build("api", &tree(), &child) else {
        panic!("it was built");
    };
    assert_eq!((line, what.as_str()), (1, "FROM --platform=linux/arm64"));
}

#[test]
fn owners_by_name_are_looked_up_in_the_stage() {
    let world = World::new();
    let tree = MemoryTree::new()
        .file("passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n")
        .file("f", "F");
    let with = |owner: &str| {
        let mut owned = copy(Source::Context, &["f"], "/f");
        owned.chown = Some(owner.into());
        recipe(vec![stage(
            Source::Scratch,
            vec![
                Op::Transfer(copy(Source::Context, &["passwd"], "/etc/")),
                Op::Transfer(owned),
            ],
        )])
    };
    let built = world.build("api", &tree, &with("app:7")).unwrap();
    let image = base::load(
        &world.registry,
        &Base {
            repository: repository("api"),
            digest: built.descriptor.digest,
        },
        &Platform::default(),
    )
    .unwrap();
    let files = base::files(&world.registry, &repository("api"), &image.layers).unwrap();
    let meta = &files.at(&RepoPath::clean("f")).unwrap().meta;
    assert_eq!((meta.uid, meta.gid), (1000, 7));
    let error = world
        .build("api", &tree, &with("nobody"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "line 2: --chown=nobody: no user `nobody` in /etc/passwd of this stage"
    );
}

#[test]
fn a_relabelled_image_keeps_its_layers() {
    let mut world = World::new();
    world.labels.insert("dependency.a".into(), "1.0.0".into());
    let check = Op::Healthcheck(Healthcheck::None);
    let copy = Op::Transfer(copy(Source::Context, &["other"], "/"));
    let recipe = recipe(vec![stage(Source::Scratch, vec![copy, check])]);
    let built = world.build("root", &tree(), &recipe).unwrap();
    let labels = BTreeMap::from([("dependency.b".to_owned(), "2.0.0".to_owned())]);
    let old = &built.descriptor.digest;
    let new = relabel(&world.registry, &repository("root"), old, &labels, 5).unwrap();
    let (old, new) = (world.json("root", old), world.json("root", &new.digest));
    assert_eq!(old["layers"], new["layers"]);
    assert_eq!(new["annotations"], json!({"dependency.b": "2.0.0"}));
    let digest = base::descriptor(&new["config"]).unwrap().digest;
    let config = world
        .registry
        .small_blob(&repository("root"), &digest, 1 << 20)
        .unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["config"]["Labels"], json!({"dependency.b": "2.0.0"}));
    assert_eq!(config["config"]["Healthcheck"], json!({"Test": ["NONE"]}));
    assert_eq!(config["created"], json!("1970-01-01T00:00:05Z"));
}

#[test]
fn hard_links_of_a_stage_stay_hard_links() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(1);
    archive.append_data(&mut header, "a", &b"x"[..]).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Link);
    header.set_mode(0o644);
    header.set_size(0);
    archive.append_link(&mut header, "b", "a").unwrap();
    let tree = MemoryTree::new().file("t.tar", archive.into_inner().unwrap());
    let mut add = copy(Source::Context, &["t.tar"], "/d/");
    add.add = true;
    let recipe = recipe(vec![
        stage(Source::Scratch, vec![Op::Transfer(add)]),
        stage(
            Source::Scratch,
            vec![Op::Transfer(copy(Source::Stage(0), &["/d"], "/e"))],
        ),
    ]);
    let world = World::new();
    let built = world.build("api", &tree, &recipe).unwrap();
    assert_eq!(
        world.layers("api", &built),
        [["e/ 755 ", "e/a 644 x", "e/b 644 "]]
    );
}
