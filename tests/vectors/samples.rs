//! `fixtures/revision`: the format `ringshift-revision/1`, frozen. A sample whose preimage differs asks for a new number of
//! the format, not for a new sample. `FREEZE=1` writes the preimage of a sample that has none.

use super::world;
use ringshift::revision::Records;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn samples() -> Vec<(PathBuf, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/revision");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let sample = serde_json::from_str(&text).unwrap();
        (path, sample)
    };
    paths.into_iter().map(read).collect()
}

fn records(path: &std::path::Path, sample: &Value) -> Records {
    world::records(&sample["world"]).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn the_samples_of_the_format_are_frozen() {
    let samples = samples();
    assert!(samples.len() >= 15);
    for (path, mut sample) in samples {
        let records = records(&path, &sample);
        let lines: Value = records.preimage().lines().collect();
        if sample["preimage"].is_null() && std::env::var("FREEZE").is_ok() {
            sample["preimage"] = lines;
            sample["revision"] = records.revision().to_string().into();
            std::fs::write(&path, format!("{sample:#}\n")).unwrap();
            continue;
        }
        assert_eq!(sample["preimage"], lines, "{}", path.display());
        assert_eq!(
            sample["revision"],
            records.revision().to_string(),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_kind_of_record_has_a_sample() {
    let table = include_str!("../../src/revision/records.rs");
    let rows = table.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let kinds: BTreeSet<&str> = rows
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|names| names.split(['`', ',', ' ']))
        .filter(|name| !name.is_empty())
        .collect();
    let samples = samples();
    let seen: Vec<String> = samples
        .iter()
        .flat_map(|(path, sample)| {
            let all = records(path, sample);
            all.iter()
                .map(|record| record.kind.to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let seen: BTreeSet<&str> = seen.iter().map(String::as_str).collect();
    assert!(kinds.len() > 40, "{kinds:?}");
    assert_eq!(seen, kinds);
}
