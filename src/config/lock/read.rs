//! rings.lock from its bytes, or everything that is wrong with it.

use super::{FILE, Facts, Lock, Locked};
use crate::config::walk::{Fields, Walk, shorten};
use crate::config::yaml::{self, Node, Value};
use crate::model::{Digest, Platform, Problems, Reference, RepoPath, Span};
use std::collections::BTreeMap;

const TOP: &[&str] = &["format", "images"];
const IMAGE: &[&str] = &["digest", "platforms"];
const PLATFORM: &[&str] = &["env", "onbuild", "user", "workdir", "labels"];

/// What to do about a file that nobody writes by hand.
const ANEW: &str = "`ringshift lock --update` writes it anew";

/// Reads rings.lock; `path` is what messages call it.
///
/// # Errors
/// All [`Problems`] of the file, each with its place.
pub fn read(bytes: &[u8], path: &str) -> Result<Lock, Problems> {
    let source = yaml::text(bytes, path)?;
    let tree = yaml::parse(&source).map_err(hinted)?;
    let mut walk = Walk::new(source, RepoPath::root());
    let images = images(&mut walk, &tree);
    match Problems::of(walk.problems) {
        None => Ok(Lock {
            images,
            source: Some(walk.source),
        }),
        Some(problems) => Err(hinted(problems)),
    }
}

/// The same problems; those that say nothing of what to do say how the file is written anew.
fn hinted(problems: Problems) -> Problems {
    let mut all = problems.into_vec();
    for problem in &mut all {
        problem.hint.get_or_insert_with(|| ANEW.to_owned());
    }
    Problems::of(all.clone()).unwrap_or_else(|| all.remove(0).into())
}

fn images(walk: &mut Walk, tree: &Node) -> BTreeMap<Reference, Locked> {
    let mut images = BTreeMap::new();
    if tree.value == Value::Null {
        walk.say_hint(Span::start(), "empty", "the file is empty", ANEW);
        return images;
    }
    let Some(fields) = walk.fields(tree, tree.span, FILE, TOP) else {
        return images;
    };
    format(walk, &fields);
    let Some(node) = fields.get("images") else {
        walk.say_hint(fields.span, "missing-key", "`images` is missing", ANEW);
        return images;
    };
    for (span, key, node) in walk.entries(node, "images") {
        let reference = reference(walk, span, key);
        let locked = locked(walk, span, key, node);
        if let (Some(reference), Some(locked)) = (reference, locked) {
            if let Some(written) = reference.digest().filter(|d| *d != locked.digest.to_string()) {
                let message = format!("the reference names {written}, and `digest` another one");
                walk.say_hint(span, "invalid-value", message, ANEW);
            }
            images.insert(reference, locked);
        }
    }
    images
}

/// A stored format is numbered.
fn format(walk: &mut Walk, fields: &Fields<'_>) {
    match fields.get("format") {
        None => walk.say_hint(fields.span, "missing-key", "`format` is missing", "format: 1"),
        Some(node) => match walk.count(node, "format") {
            Some(1) | None => {}
            Some(other) => {
                let message = format!("the format {other} is not known, only 1");
                let hint = "a newer ringshift wrote it: use that one";
                walk.say_hint(node.span, "invalid-value", message, hint);
            }
        },
    }
}

/// A reference in its normal form: what stands there otherwise would never be found.
fn reference(walk: &mut Walk, span: Span, text: &str) -> Option<Reference> {
    let message = format!("`{}` is not an image reference in full", shorten(text));
    let Ok(reference) = text.parse::<Reference>() else {
        let hint = "such as docker.io/library/alpine:3.20";
        walk.say_hint(span, "invalid-value", message, hint);
        return None;
    };
    let normal = reference.to_string();
    if normal != text {
        walk.say_hint(span, "invalid-value", message, format!("write {normal}"));
        return None;
    }
    Some(reference)
}

fn locked(walk: &mut Walk, span: Span, name: &str, node: &Node) -> Option<Locked> {
    let fields = walk.fields(node, span, name, IMAGE)?;
    let digest = match fields.get("digest") {
        Some(node) => digest(walk, node),
        None => {
            let message = format!("`{}` has no `digest`", shorten(name));
            walk.say_hint(span, "missing-key", message, ANEW);
            None
        }
    };
    let mut platforms = BTreeMap::new();
    match fields.get("platforms") {
        Some(node) => {
            for (span, key, node) in walk.entries(node, "platforms") {
                let platform = platform(walk, span, key);
                let facts = facts(walk, span, key, node);
                platforms.extend(platform.zip(facts));
            }
        }
        None => {
            let message = format!("`{}` has no `platforms`", shorten(name));
            walk.say_hint(span, "missing-key", message, ANEW);
        }
    }
    Some(Locked {
        digest: digest?,
        platforms,
        span,
    })
}

fn digest(walk: &mut Walk, node: &Node) -> Option<Digest> {
    let text = walk.text(node, "digest")?;
    let digest = text.parse().ok();
    if digest.is_none() {
        let message = format!("`{}` is not a digest", shorten(text));
        let hint = format!("sha256: and 64 lower-case hex digits; {ANEW}");
        walk.say_hint(node.span, "invalid-value", message, hint);
    }
    digest
}

fn platform(walk: &mut Walk, span: Span, text: &str) -> Option<Platform> {
    let platform = text.parse().ok();
    if platform.is_none() {
        let message = format!("`{}` is not a platform", shorten(text));
        walk.say_hint(span, "invalid-value", message, "such as linux/amd64");
    }
    platform
}

fn facts(walk: &mut Walk, span: Span, name: &str, node: &Node) -> Option<Facts> {
    let fields = walk.fields(node, span, name, PLATFORM)?;
    let env = texts(walk, &fields, "env");
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text, String::new()),
    };
    let one = |walk: &mut Walk, key: &str| {
        let node = fields.get(key)?;
        walk.text(node, key).map(str::to_owned)
    };
    Some(Facts {
        env: env.into_iter().map(pair).collect(),
        onbuild: texts(walk, &fields, "onbuild"),
        user: one(walk, "user"),
        workdir: one(walk, "workdir").unwrap_or_else(|| "/".into()),
        labels: texts(walk, &fields, "labels"),
    })
}

/// A list of any texts: what a config holds has line ends, or is empty.
fn texts(walk: &mut Walk, fields: &Fields<'_>, key: &str) -> Vec<String> {
    let Some(node) = fields.get(key) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in walk.list(node, key) {
        match &item.value {
            Value::Text(text) => found.push(text.clone()),
            // It is no text: that is told.
            _ => drop(walk.text(item, key)),
        }
    }
    found
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The problems, a line each: place, message, hint.
    fn wrong(text: &str) -> Vec<String> {
        let problems = read(text.as_bytes(), "rings.lock").unwrap_err();
        let line = |p: &crate::model::Problem| {
            let hint = p.hint.as_deref().unwrap_or("NO HINT");
            format!("{}:{} {} | {hint}", p.place.line, p.place.column, p.message)
        };
        problems.as_slice().iter().map(line).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_its_place() {
        let text = "\
format: 2
image: {}
images:
  alpine:
    digest: sha256:ABC
    platforms: {linux: {}, linux/amd64: {enf: [], env: [1]}}
  docker.io/library/alpine:3.20:
    platform: {}
";
        let want = [
            "1:9 the format 2 is not known, only 1 | a newer ringshift wrote it: use that one",
            "2:1 unknown key `image` in rings.lock | did you mean `images`?",
            "4:3 `alpine` is not an image reference in full | write docker.io/library/alpine:latest",
            "5:13 `sha256:ABC` is not a digest | sha256: and 64 lower-case hex digits; `ringshift lock --update` writes it anew",
            "6:17 `linux` is not a platform | such as linux/amd64",
            "6:42 unknown key `enf` in linux/amd64 | did you mean `env`?",
            "6:57 `env` is a number, not a text | put it in quotes: \"1\"",
            "7:3 `docker.io/library/alpine:3.20` has no `digest` | `ringshift lock --update` writes it anew",
            "7:3 `docker.io/library/alpine:3.20` has no `platforms` | `ringshift lock --update` writes it anew",
            "8:5 unknown key `platform` in docker.io/library/alpine:3.20 | did you mean `platforms`?",
        ];
        assert_eq!(wrong(text), want);
    }

    #[test]
    fn what_is_no_lock_at_all_is_told_with_what_to_do() {
        for text in ["", "a: [", "<<<<<<< HEAD\nformat: 1\n", "[]", "format: 1\n"] {
            let told = wrong(text);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(!told[0].ends_with("NO HINT"), "{told:?}");
        }
    }

    #[test]
    fn a_digest_that_contradicts_the_reference_is_told() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let text =
            format!("format: 1\nimages: {{\"x.y/a@{one}\": {{digest: \"{other}\", platforms: {{}}}}}}\n");
        let want = format!("2:10 the reference names {one}, and `digest` another one | {ANEW}");
        assert_eq!(wrong(&text), [want]);
    }
}
