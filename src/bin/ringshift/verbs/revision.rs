#![expect(
    clippy::disallowed_methods,
    reason = "edge: opens the folders that the command line names"
)]
//! `revision DIR`: the revision of one build context, outside any project.

use crate::args::RevisionArgs;
use crate::settings::Settings;
use crate::ui::Ui;
use ringshift::config;
use ringshift::containerfile::ignore::{Ignore, ignore_file_for};
use ringshift::containerfile::{
    self, Base, BaseFacts, Fault, Inputs, NamedContext, ProjectRef, ResolveError, World,
};
use ringshift::engine::Failure;
use ringshift::model::{Digest, Platform, Problem, Reference, RepoPath, Source, Span};
use ringshift::plan::Refusal;
use ringshift::registry::RegistryError;
use ringshift::registry::facts::Outside as _;
use ringshift::registry::remote::Registries;
use ringshift::revision::{self, ContextTree, Contexts, Limits, Plan};
use ringshift::tree::SourceTree;
use ringshift::tree::disk::DiskTree;
use ringshift::wire;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

/// Outside a project every image is an outside one: unlocked, or looked up when the user asks for that.
struct Outside {
    resolve: bool,
    registries: Registries,
    known: RefCell<BTreeMap<(String, String), BaseFacts>>,
    failure: RefCell<Option<Failure>>,
}

impl World for Outside {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn late(&self, reference: &Reference, platform: &Platform) -> Result<Option<Digest>, ResolveError> {
        let (reference, platform) = (reference.clone(), platform.clone());
        Ok(self.base(&Base::External { reference, platform })?.digest)
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let Base::External { reference, platform } = base else {
            return Ok(BaseFacts::unknown());
        };
        if !self.resolve {
            return Ok(BaseFacts::unknown());
        }
        let key = (reference.to_string(), platform.to_string());
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        match self.registries.facts(reference, platform) {
            Ok((digest, facts)) => {
                let facts = BaseFacts {
                    digest: Some(digest),
                    ..facts.base()
                };
                self.known.borrow_mut().insert(key, facts.clone());
                Ok(facts)
            }
            Err(error) => {
                let fault = Fault::new(error.to_string());
                *self.failure.borrow_mut() = Some(match error {
                    RegistryError::Remote(_) => error.into(),
                    // No store of ours is damaged.
                    other => Failure::Io {
                        action: format!("ask for the config of {reference}"),
                        source: std::io::Error::other(other),
                    },
                });
                Err(fault)
            }
        }
    }
}

/// Prints the revision, or the records it is the hash of.
pub fn run(settings: &Settings, ui: &Ui, request: &RevisionArgs) -> Result<u8, Failure> {
    let args = pairs(&request.build_arg, "--build-arg")?;
    let platform: Platform =
        request
            .platform
            .parse()
            .map_err(|e: ringshift::model::platform::PlatformError| {
                Failure::request(e.to_string(), "linux/amd64")
            })?;
    let tree = open(&settings.directory.join(&request.dir))?;
    let mut folders = BTreeMap::new();
    let mut contexts = BTreeMap::new();
    let mut images = BTreeMap::new();
    for (name, value) in pairs(&request.build_context, "--build-context")? {
        if let Some(reference) = value.strip_prefix("docker-image://") {
            let parsed: Reference =
                reference
                    .parse()
                    .map_err(|e: ringshift::model::reference::ReferenceError| {
                        Failure::request(e.to_string(), "docker-image://alpine:3.20")
                    })?;
            images.insert(name.clone(), parsed.to_string());
            contexts.insert(name, NamedContext::External(parsed));
        } else {
            folders.insert(name.clone(), open(&settings.directory.join(&value))?);
            contexts.insert(name, NamedContext::Folder);
        }
    }
    let (bytes, source, ignore) = container_file(settings, request, &tree)?;
    let world = Outside {
        resolve: request.resolve,
        registries: Registries::new(&settings.variables),
        known: RefCell::default(),
        failure: RefCell::default(),
    };
    let inputs = Inputs {
        args: &args,
        target: request.target.as_deref(),
        platform: &platform,
        contexts: &contexts,
        world: &world,
    };
    let recipe = containerfile::parse(&bytes)
        .and_then(|file| containerfile::resolve(&file, &inputs))
        .map_err(|fault| {
            let outside = world.failure.borrow_mut().take();
            outside.unwrap_or_else(|| wrong(&source, &fault))
        })?;
    let all = Contexts {
        main: context(&tree, ignore),
        named: folders
            .iter()
            .map(|(name, tree)| Ok((name.clone(), context(tree, own_ignore(tree)?))))
            .collect::<Result<_, Failure>>()?,
    };
    let manifest = revision::select(&recipe, &all, &Limits::default()).map_err(|error| {
        let problem = source.problem(Span::new(error.line, 1, u32::MAX), "source", error.message);
        Failure::Project(
            Problem {
                hint: error.hint,
                ..problem
            }
            .into(),
        )
    })?;
    for warning in recipe
        .warnings
        .iter()
        .chain(&revision::warnings(&recipe, &manifest))
    {
        // As for the images of a project, what nearly every file does is told only to those who ask.
        if warning.code == "run-not-reproducible" && ui.verbose == 0 {
            continue;
        }
        ui.warn(&format!(
            "{}:{}: {}",
            source.path(),
            warning.line,
            warning.message
        ));
    }
    let inputs = revision::Inputs {
        epoch: None,
        container_file: &bytes,
        args: args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        target: request.target.as_deref(),
        images: images.iter().map(|(k, v)| (k.as_str(), v.clone())).collect(),
    };
    let (revision, records) = revision::compute(
        &[Plan {
            recipe: &recipe,
            manifest: &manifest,
        }],
        &inputs,
    );
    if request.records {
        ui.print_raw(records.preimage().as_bytes());
    } else if ui.json {
        let records: Vec<Value> = records
            .iter()
            .map(|r| json!({"line": r.line, "kind": r.kind, "value": r.payload}))
            .collect();
        ui.print(&wire::line(
            "revision",
            &json!({"revision": revision, "records": records}),
        ));
    } else {
        ui.print(&revision.to_string());
    }
    Ok(0)
}

fn open(path: &Path) -> Result<DiskTree, Failure> {
    DiskTree::open(path).map_err(|_| {
        Failure::request(
            format!("{} is not a folder that can be read", path.display()),
            "name a build context",
        )
    })
}

fn pairs(texts: &[String], flag: &str) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Refusal::Usage {
            message: format!("`{text}` is not NAME=VALUE"),
            hint: format!("{flag} NAME=VALUE"),
        }
        .into()),
    };
    texts.iter().map(pair).collect()
}

fn context(tree: &DiskTree, ignore: Ignore) -> ContextTree<'_> {
    ContextTree {
        tree,
        root: RepoPath::root(),
        ignore,
        display: RepoPath::root(),
    }
}

fn own_ignore(tree: &DiskTree) -> Result<Ignore, Failure> {
    let path = RepoPath::clean(".dockerignore");
    match tree.kind(&path)? {
        Some(ringshift::tree::Kind::File { .. }) => {
            parse_ignore(&tree.read(&path, 8 << 20)?, ".dockerignore")
        }
        _ => Ok(Ignore::none()),
    }
}

fn parse_ignore(bytes: &[u8], name: &str) -> Result<Ignore, Failure> {
    Ignore::parse(bytes).map_err(|error| {
        let source = Source::new(name, String::from_utf8_lossy(bytes).into_owned());
        let problem = source.problem(Span::new(error.line, 1, u32::MAX), "ignore-file", error.message);
        Failure::Project(problem.hint(error.hint).into())
    })
}

/// The container file's bytes, its text for messages, and the ignore file that goes with it.
fn container_file(
    settings: &Settings,
    request: &RevisionArgs,
    tree: &DiskTree,
) -> Result<(Vec<u8>, Source, Ignore), Failure> {
    let none = || {
        Failure::request(
            "there is no container file",
            "name it with -f, or add a Dockerfile",
        )
    };
    let Some(file) = &request.file else {
        let path = config::default_file(tree, &RepoPath::root())?.ok_or_else(none)?;
        let bytes = tree.read(&path, 16 << 20)?;
        let ignore = match ignore_file_for(&path, &RepoPath::root(), tree)? {
            Some(beside) => parse_ignore(&tree.read(&beside, 8 << 20)?, &beside.to_string())?,
            None => Ignore::none(),
        };
        return Ok((
            bytes.clone(),
            Source::new(path.to_string(), lossy(&bytes)),
            ignore,
        ));
    };
    let path = settings.directory.join(file);
    let io = |source| Failure::Io {
        action: format!("read {}", path.display()),
        source,
    };
    let found = std::fs::metadata(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::request(
            format!("there is no {}", path.display()),
            "-f names the container file, relative to the working directory",
        ),
        _ => io(error),
    })?;
    if found.len() > 16 << 20 {
        return Err(Failure::request(
            format!("{} is larger than 16 MiB", path.display()),
            "make it smaller",
        ));
    }
    let bytes = std::fs::read(&path).map_err(io)?;
    let mut beside = path.clone().into_os_string();
    beside.push(".dockerignore");
    let ignore = match std::fs::read(&beside) {
        Ok(bytes) => parse_ignore(&bytes, &beside.to_string_lossy())?,
        Err(_) => own_ignore(tree)?,
    };
    Ok((
        bytes.clone(),
        Source::new(file.display().to_string(), lossy(&bytes)),
        ignore,
    ))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn wrong(source: &Source, fault: &Fault) -> Failure {
    let span = Span::new(fault.line.max(1), 1, u32::MAX);
    let mut problem = source.problem(span, "container-file", fault.message.clone());
    problem.hint.clone_from(&fault.hint);
    Failure::Project(problem.into())
}
