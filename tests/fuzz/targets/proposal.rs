//! Compose and bake files, and the rings.yaml that is proposed from them.
//!
//! Fields: `compose`, `json` or `hcl`, the file, then container files, each as its path and what it refers to, parted by blanks.

use ringshift::config;
use ringshift::config::propose::{Found, Input, Outcome, RootChoice, bake, compose, propose};
use ringshift::model::RepoPath;
use std::collections::BTreeMap;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let kind = super::text(&mut fields);
    let bytes = fields.next().unwrap_or_default();
    let (folder, path) = (
        RepoPath::clean("deploy"),
        RepoPath::clean("deploy/docker-bake.hcl"),
    );
    let said = match kind.as_str() {
        "compose" => compose::hints(vec![RepoPath::clean("deploy/compose.yaml")], &|_| {
            Some(bytes.to_vec())
        }),
        "json" => bake::hints(bytes, &RepoPath::clean("docker-bake.json"), &RepoPath::root()),
        _ => bake::hints(bytes, &path, &folder),
    };
    said.notes.iter().for_each(|note| super::told(note));
    let files: Vec<Found> = fields.take(16).map(found).collect();
    let input = Input {
        repository: "Shop Front",
        files: &files,
        hints: &said.hints,
        wrong: &BTreeMap::new(),
        exists: &|context, source| context.as_bytes().len() % 2 == source.len() % 2,
        uses: &|_, _| None,
    };
    for root in [RootChoice::Guess, RootChoice::New] {
        let outcome = propose(&input, &root);
        assert_eq!(
            outcome,
            propose(&input, &root),
            "the same input gives the same text"
        );
        if let Outcome::Ready(proposal) = outcome {
            let read = config::read(proposal.text.as_bytes(), &RepoPath::clean("rings.yaml"));
            if let Err(problems) = read {
                panic!("{problems}\n{}", proposal.text);
            }
        }
    }
}

fn found(field: &[u8]) -> Found {
    let text = String::from_utf8_lossy(field).into_owned();
    let mut words = text.split_whitespace();
    let path = RepoPath::clean(words.next().unwrap_or("Dockerfile"));
    Found {
        path: if path.is_root() {
            RepoPath::clean("Dockerfile")
        } else {
            path
        },
        references: words.map(Into::into).collect(),
        sources: vec!["src".into()],
        ..Found::default()
    }
}
