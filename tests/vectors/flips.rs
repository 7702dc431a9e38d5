//! `flips.jsonl`: one input flipped. Whatever changes the image changes the revision, and what must be absent from
//! it leaves it alone.

use super::world::revision;
use serde_json::Value;
use std::collections::BTreeMap;

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
const OTHER: [(&str, &str, &str); 3] = [
    ("meta.fifo", "ok->err", "rule 45: special files are refused"),
    (
        "from.numeric-is-image",
        "change",
        "rule 16: an image named 0, which no registry has",
    ),
    ("copy.dir-over-file", "change", "rule 44: only a build shows it"),
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

/// What a flip is counted as.
fn kind(id: &str, measured: &str) -> &'static str {
    let is = |(known, _): &(&str, &str)| *known == id;
    match measured {
        _ if OTHER.iter().any(|(known, ..)| *known == id) => "other, safe",
        _ if UNSEEN.iter().any(is) => "changed, excepted",
        _ if NEEDLESS.iter().any(is) => "same, needless",
        "same" => "same",
        "fs" | "cfg" | "fs+cfg" => "changed",
        _ => "error",
    }
}

#[test]
fn every_flip_moves_the_revision_as_it_must() {
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
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
        let measured = case["buildkit"].as_str().unwrap_or_default();
        let want = wanted(id, measured);
        *counts.entry(kind(id, measured)).or_default() += 1;
        if ours != want {
            wrong.push(format!("{id}: {ours} {why}, not {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    // The counts, for the page that `tests/exactness/run` writes.
    if let Ok(path) = std::env::var("EXACTNESS") {
        std::fs::write(path, serde_json::to_string(&counts).unwrap()).unwrap();
    }
}
