//! `copytree.jsonl`: what stands in `/d/` after `COPY WORD /d/`, by way of ignore file, links, `--parents` and `--exclude`.

use super::compare;
use ringshift::containerfile::BaseFacts;
use ringshift::containerfile::ignore::Ignore;
use ringshift::containerfile::recipe::{Op, Recipe, Source, Stage, Step, Transfer, TransferSource};
use ringshift::model::{Platform, RepoPath};
use ringshift::revision::manifest::{Read, Root};
use ringshift::revision::{ContextTree, Contexts, Limits, select};
use ringshift::tree::memory::MemoryTree;
use ringshift::tree::{Kind, SourceTree};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn tree(files: &Value) -> MemoryTree {
    let files = files.as_object().cloned().unwrap_or_default();
    files.iter().fold(MemoryTree::new(), |tree, (path, spec)| {
        match spec["link"].as_str() {
            Some(target) => tree.link(path, target),
            None => tree.file(path, spec.as_str().unwrap_or_default()),
        }
    })
}

fn recipe(case: &Value) -> Recipe {
    let excludes = case["exclude"].as_array().into_iter().flatten();
    let transfer = Transfer {
        add: false,
        from: Source::Context,
        sources: vec![TransferSource::Path(
            case["word"].as_str().unwrap_or_default().into(),
        )],
        destination: "/d/".into(),
        chown: None,
        chmod: None,
        link: false,
        parents: case["parents"] == true,
        exclude: excludes.filter_map(Value::as_str).map(Into::into).collect(),
        checksum: None,
        keep_git_dir: false,
        unpack: None,
    };
    let step = Step {
        line: 2,
        original: String::new(),
        trigger: false,
        unresolved: false,
        op: Op::Transfer(transfer),
    };
    Recipe {
        platform: Platform::default(),
        target: 0,
        stages: vec![Stage {
            line: 1,
            name: None,
            base: Source::Scratch,
            platform: None,
            workdir: None,
            steps: vec![step],
        }],
        whole: None,
        warnings: Vec::new(),
        syntax: None,
        facts: BaseFacts::default(),
        written: Default::default(),
    }
}

/// Carries out a copy into an empty folder: paths with the text of files and links; folders end in `/`.
fn carry_out(tree: &MemoryTree, roots: &[Root]) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (root, read) in roots
        .iter()
        .flat_map(|root| root.entries.iter().map(move |read| (root, read)))
    {
        let target = match read.target.is_root() {
            true => RepoPath::clean(&root.name),
            false => read.target.clone(),
        };
        let above = std::iter::successors(target.parent(), RepoPath::parent);
        out.extend(
            above
                .filter(|p| !p.is_root())
                .map(|p| (format!("{p}/"), String::new())),
        );
        let (name, text) = placed(tree, read, &target);
        out.insert(name, text);
    }
    out
}

fn placed(tree: &MemoryTree, read: &Read, target: &RepoPath) -> (String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the vectors are text");
    match read.kind {
        Kind::Directory => (format!("{target}/"), String::new()),
        Kind::Link => {
            let link = SourceTree::link(tree, &read.path).expect("a link");
            (target.to_string(), format!("->{}", text(link)))
        }
        _ => {
            let content = tree.read(&read.path, 1 << 20).expect("a file");
            (target.to_string(), text(content))
        }
    }
}

fn answer(case: &Value) -> Value {
    let tree = tree(&case["files"]);
    let ignore = Ignore::parse(case["ignore"].as_str().unwrap_or_default().as_bytes());
    let contexts = Contexts {
        main: ContextTree {
            tree: &tree,
            root: RepoPath::root(),
            ignore: ignore.expect("the vectors' ignore files are good"),
            display: RepoPath::root(),
        },
        named: BTreeMap::new(),
    };
    match select(&recipe(case), &contexts, &Limits::default()) {
        Ok(manifest) => json!({ "copied": carry_out(&tree, &manifest.sections[0].roots) }),
        Err(e) => json!({ "err": e.message }),
    }
}

#[test]
fn every_copy_brings_what_buildkit_copies() {
    compare::all(
        include_str!("../../fixtures/vectors/copytree.jsonl"),
        answer,
        |ours, theirs| ours["copied"] == theirs["copied"],
    );
}
