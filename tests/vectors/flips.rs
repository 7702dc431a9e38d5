//! `flips.jsonl`: one input flipped. Whatever changes the image changes the revision, and what must be absent from
//! it leaves it alone.

use ringshift::containerfile::ignore::{Ignore, ignore_file_for};
use ringshift::containerfile::{
    Base, BaseFacts, Inputs, NamedContext, ProjectRef, ResolveError, World, parse, resolve,
};
use ringshift::model::{Platform, RepoPath, Revision};
use ringshift::revision::{self, ContextTree, Contexts, Limits, Plan};
use ringshift::tree::SourceTree;
use ringshift::tree::memory::MemoryTree;
use serde_json::Value;
use std::collections::BTreeMap;

/// The base images of the vectors, as a lock would hold them.
struct Locked;

impl World for Locked {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let Base::External { reference, .. } = base else {
            return Ok(BaseFacts::unknown());
        };
        let second = reference.tag() == Some("2");
        let triggers = [
            "ARG OBARG=dflt",
            "COPY ob.txt /ob.txt",
            "RUN echo \"onbuild $OBARG\" > /ob.run",
        ];
        let env = [
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ),
            ("BASEENV", if second { "second" } else { "fromBase" }),
        ];
        Ok(BaseFacts {
            env: env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            onbuild: match reference.name().ends_with("/ob") {
                true => triggers.iter().map(|t| (*t).into()).collect(),
                false => Vec::new(),
            },
            ..BaseFacts::default()
        })
    }
}

fn tree(files: &Value) -> MemoryTree {
    let files = files.as_object().cloned().unwrap_or_default();
    files.iter().fold(MemoryTree::new(), |tree, (path, spec)| {
        let text = |key: &str| spec[key].as_str().map(str::to_owned);
        if let Some(text) = spec.as_str() {
            tree.file(path, text)
        } else if let Some(target) = text("link") {
            tree.link(path, target)
        } else if spec["fifo"].as_bool() == Some(true) {
            tree.special(path)
        } else if spec["dir"].as_bool() == Some(true) {
            tree.directory(path)
        } else if let Some(other) = text("hardlink") {
            tree.file(path, files[&other].as_str().unwrap_or_default())
        } else if let Some(base64) = text("base64") {
            tree.file(path, base64)
        } else if spec["mode"].as_u64().is_some_and(|mode| mode & 0o111 != 0) {
            tree.executable(path, text("data").unwrap_or_default())
        } else {
            tree.file(path, text("data").unwrap_or_default())
        }
    })
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().cloned().unwrap_or_default();
    pairs
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
        .collect()
}

fn context(tree: &MemoryTree, ignore: Option<RepoPath>) -> Result<ContextTree<'_>, String> {
    let ignore = match ignore {
        Some(path) => Ignore::parse(&tree.read(&path, 1 << 20).map_err(|e| e.to_string())?),
        None => Ok(Ignore::none()),
    };
    Ok(ContextTree {
        tree,
        root: RepoPath::root(),
        ignore: ignore.map_err(|e| e.to_string())?,
        display: RepoPath::root(),
    })
}

/// The revision of one world.
fn revision(world: &Value) -> Result<Revision, String> {
    let files = tree(&world["files"]);
    let name = RepoPath::clean(world["dockerfile"].as_str().unwrap_or("Dockerfile"));
    let bytes = files.read(&name, 1 << 20).map_err(|e| e.to_string())?;
    let folders: BTreeMap<String, MemoryTree> = world["contexts"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, files)| (name.clone(), tree(files)))
        .collect();
    let args = strings(&world["args"]);
    let platform: Platform = world["platform"]
        .as_str()
        .unwrap_or("linux/amd64")
        .parse()
        .map_err(|_| "platform")?;
    let recipe = parse(&bytes)
        .and_then(|file| {
            let inputs = Inputs {
                args: &args,
                target: world["target"].as_str(),
                platform: &platform,
                contexts: &folders
                    .keys()
                    .map(|name| (name.clone(), NamedContext::Folder))
                    .collect(),
                world: &Locked,
            };
            resolve(&file, &inputs)
        })
        .map_err(|e| e.to_string())?;
    let ignore = ignore_file_for(&name, &RepoPath::root(), &files).map_err(|e| e.to_string())?;
    let mut contexts = Contexts {
        main: context(&files, ignore)?,
        named: BTreeMap::new(),
    };
    for (name, tree) in &folders {
        let own = RepoPath::clean(".dockerignore");
        let own = tree.kind(&own).ok().flatten().map(|_| own);
        contexts.named.insert(name.clone(), context(tree, own)?);
    }
    let manifest = revision::select(&recipe, &contexts, &Limits::default()).map_err(|e| e.to_string())?;
    let plan = Plan {
        recipe: &recipe,
        manifest: &manifest,
    };
    let inputs = revision::Inputs {
        container_file: &bytes,
        args: args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        ..revision::Inputs::default()
    };
    Ok(revision::compute(&[plan], &inputs).0)
}

/// Flips that change an image and leave its revision: what no git tree holds, or no builder's key has.
const UNSEEN: [(&str, &str); 6] = [
    ("copy.empty-dir-added", "rule 49: git holds no empty folders"),
    ("meta.umask-600", "rule 45: git holds two modes"),
    (
        "meta.mtime-visible-to-run",
        "rule 46: times do not count, and are set before a build",
    ),
    ("mount.secret", "rule 72: secrets are in no key"),
    ("mount.secret-env", "rule 72: secrets are in no key"),
    (
        "ign.dir-excluded-parent-created",
        "rule 67: modes of folders do not count",
    ),
];

/// Flips that leave an image and move its revision: a needless build, accepted.
const NEEDLESS: [(&str, &str); 20] = [
    (
        "glob.nothing",
        "rule 38: the wildcard enters, so that a later match is seen",
    ),
    (
        "stage.reachable-but-unused-file",
        "rule 24: what a reachable stage reads enters",
    ),
    ("arg.cli-declared-run-unused", "rule 27: a RUN sees the argument"),
    ("arg.not-across-copy-stage", "rule 27: a RUN sees the argument"),
    (
        "syn.continuation",
        "rule 9: the text of a RUN enters with its blanks",
    ),
    (
        "syn.continuation-blank",
        "rule 9: the text of a RUN enters with its blanks",
    ),
    (
        "syn.continuation-trailing-space",
        "rule 9: the text of a RUN enters with its blanks",
    ),
    (
        "syn.escape-directive",
        "rule 9: the text of a RUN enters with its blanks",
    ),
    (
        "syn.crlf-run-cont",
        "rule 9: the text of a RUN enters with its blanks",
    ),
    (
        "syn.directive-case-space",
        "rule 9: the text of a RUN enters with its blanks",
    ),
    ("link.flag", "rule 52: the flag enters"),
    ("add.tar-mtime-only", "rule 55: the bytes of an archive enter"),
    (
        "add.vs-copy-plain",
        "rule 55: whether a file is unpacked depends on its bytes",
    ),
    (
        "mount.bind-ctx-unread",
        "rule 70: what is mounted enters, read or not",
    ),
    ("mount.tmpfs", "rule 71: the text of a mount enters"),
    ("mount.cache", "rule 71: the text of a mount enters"),
    ("run.network-none", "rule 73: the text enters"),
    ("cfg.MAINTAINER", "rule 76: the author enters"),
    ("copy.same-name-two-dirs", "rule 43: both sources enter"),
    (
        "copy.symlink-dest-dir",
        "rule 44: the text of a destination enters",
    ),
];

/// Flips where our answer is of another kind, and why that is safe.
const OTHER: [(&str, &str, &str); 4] = [
    ("meta.fifo", "ok->err", "rule 45: special files are refused"),
    (
        "from.numeric-is-image",
        "change",
        "rule 16: an image named 0, which no registry has",
    ),
    ("copy.dir-over-file", "change", "rule 44: only a build shows it"),
    (
        "copy.dest-relative-workdir-of-base",
        "change",
        "rule 44: only the base knows where it leads",
    ),
];

/// What must come of a flip.
fn wanted(id: &str, measured: &str) -> &'static str {
    let is = |(known, _): &(&str, &str)| *known == id;
    if let Some((_, want, _)) = OTHER.iter().find(|(known, ..)| *known == id) {
        return want;
    }
    match measured {
        _ if UNSEEN.iter().any(is) => "same",
        _ if NEEDLESS.iter().any(is) => "change",
        "same" => "same",
        "fs" | "cfg" | "fs+cfg" => "change",
        "ok->err" => "ok->err",
        _ => "err",
    }
}

#[test]
fn every_flip_moves_the_revision_as_it_must() {
    let mut wrong = Vec::new();
    for line in include_str!("../../fixtures/vectors/flips.jsonl").lines() {
        let case: Value = serde_json::from_str(line).expect("a flip is JSON");
        let (base, flip) = (revision(&case["base"]), revision(&case["flip"]));
        let (ours, why) = match (&base, &flip) {
            (Ok(a), Ok(b)) if a == b => ("same", ""),
            (Ok(_), Ok(_)) => ("change", ""),
            (Ok(_), Err(e)) => ("ok->err", e.as_str()),
            (Err(e), _) => ("err", e.as_str()),
        };
        let id = case["id"].as_str().unwrap_or_default();
        let want = wanted(id, case["buildkit"].as_str().unwrap_or_default());
        if ours != want {
            wrong.push(format!("{id}: {ours} {why}, not {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
