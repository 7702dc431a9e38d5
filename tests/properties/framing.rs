//! The preimage says exactly which records there are.

use crate::cases;
use crate::project::project;
use proptest::prelude::*;
use ringshift::containerfile::{Base, BaseFacts, Inputs, ProjectRef, ResolveError, World, parse, resolve};
use ringshift::model::Platform;
use ringshift::revision::{self, Manifest, Plan, Records};
use std::collections::BTreeMap;

struct Nobody;

impl World for Nobody {
    fn project_image(&self, _: &str) -> Result<Option<ProjectRef>, ResolveError> {
        Ok(None)
    }

    fn base(&self, _: &Base) -> Result<BaseFacts, ResolveError> {
        Ok(BaseFacts::default())
    }
}

/// The records of an image that reads nothing: words of any text, which end up in records of several kinds.
fn records(words: &[(u8, String)], epoch: &str) -> Records {
    let mut text = String::from("FROM scratch\n");
    for (kind, word) in words {
        let json = serde_json::to_string(word).unwrap();
        text += &match kind % 5 {
            0 => format!("CMD [{json}]\n"),
            1 => format!("SHELL [{json}, {json}]\n"),
            2 => format!("ENTRYPOINT [\"a\", {json}]\n"),
            3 => format!("RUN [{json}]\n"),
            _ => format!("HEALTHCHECK CMD [{json}]\n"),
        };
    }
    let inputs = Inputs {
        args: &BTreeMap::new(),
        target: None,
        platform: &Platform::default(),
        contexts: &BTreeMap::new(),
        world: &Nobody,
    };
    let recipe = parse(text.as_bytes()).and_then(|file| resolve(&file, &inputs));
    let recipe = recipe.unwrap_or_else(|fault| panic!("{fault}: {text}"));
    let inputs = revision::Inputs {
        epoch: Some(epoch),
        ..revision::Inputs::default()
    };
    let plan = Plan {
        recipe: &recipe,
        manifest: &Manifest::default(),
    };
    revision::compute(&[plan], &inputs).1
}

/// What enters, without the lines, which do not.
fn pairs(records: &Records) -> Vec<(String, String)> {
    records
        .iter()
        .map(|record| (record.kind.to_owned(), record.payload.clone()))
        .collect()
}

/// Reads a preimage back, by its framing alone.
fn unframed(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    while !text.is_empty() {
        let (length, rest) = text.split_once(':')?;
        let (record, rest) = rest.split_at_checked(length.parse().ok()?)?;
        let (kind, payload) = record.split_once(' ')?;
        out.push((kind.into(), payload.into()));
        text = rest.strip_prefix('\n')?;
    }
    Some(out)
}

/// Words that look like framing, and any others.
fn words() -> impl Strategy<Value = Vec<(u8, String)>> {
    let word = prop_oneof![
        "[0-9:\n cmd\\\\x\"\\[\\]]{1,12}",
        "\\PC{1,8}",
        Just("8:cmd [\"a\"]\n".into())
    ];
    prop::collection::vec((any::<u8>(), word), 0..5)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn the_records_can_be_read_back_from_what_is_hashed(words in words(), epoch in "[0-9:\n a]{1,12}") {
        let records = records(&words, &epoch);
        prop_assert_eq!(unframed(&records.preimage()), Some(pairs(&records)));
    }

    #[test]
    fn other_records_have_another_preimage(a in words(), b in words(), x in "[0-9:\n]{1,4}", y in "[0-9:\n]{1,4}") {
        let (a, b) = (records(&a, &x), records(&b, &y));
        prop_assert_eq!(pairs(&a) == pairs(&b), a.preimage() == b.preimage());
        prop_assert_eq!(pairs(&a) == pairs(&b), a.revision() == b.revision());
    }

    #[test]
    fn another_word_is_another_revision(words in words(), kind in any::<u8>(), a in "\\PC{1,6}|[\n\\\\x0a ]{1,6}", b in "\\PC{1,6}|[\n\\\\x0a ]{1,6}") {
        let with = |word: &str| {
            let mut words = words.clone();
            words.push((kind, word.to_owned()));
            records(&words, "e").revision()
        };
        prop_assert_eq!(a == b, with(&a) == with(&b));
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn the_records_of_a_project_can_be_read_back(project in project()) {
        let loaded = project.loaded();
        for name in project.images() {
            let records = loaded.image(&name).unwrap().records;
            prop_assert_eq!(unframed(&records.preimage()), Some(pairs(&records)));
        }
    }
}
