//! From plans to a revision.

use super::manifest::Manifest;
use super::records::{self, FORMAT, Records};
use crate::containerfile::recipe::Recipe;
use crate::model::{Digest, Revision};
use crate::pack::Pack;
use std::collections::BTreeMap;

/// One platform's plan and what it reads.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// What is done.
    pub recipe: &'a Recipe,
    /// What is read; the outcome of [`select`](super::select) for `recipe`.
    pub manifest: &'a Manifest,
}

/// What enters a revision besides plans.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// The image's `epoch` of rings.yaml.
    pub epoch: Option<&'a str>,
    /// The bytes of the container file. They enter only when a recipe is not exact.
    pub container_file: &'a [u8],
    /// The image's arguments. They enter as a whole only when a recipe is not exact; else by what they become.
    pub args: BTreeMap<&'a str, &'a str>,
    /// The image's `target`, likewise.
    pub target: Option<&'a str>,
    /// The named contexts that are images, each with its reference, likewise.
    pub images: BTreeMap<&'a str, String>,
}

/// The revision of an image, and the records it is the hash of. One plan for each platform, in the order of
/// rings.yaml.
pub fn compute(plans: &[Plan<'_>], inputs: &Inputs<'_>) -> (Revision, Records) {
    let mut out = Records::default();
    out.text(None, "format", FORMAT);
    for plan in plans {
        out.text(None, "platform", &plan.recipe.platform.to_string());
        if plan.recipe.whole.is_none() {
            out.push(None, "target", plan.recipe.target.to_string());
        }
        if let Some(epoch) = inputs.epoch {
            out.text(None, "epoch", epoch);
        }
        match &plan.recipe.whole {
            None => exact(plan, &mut out),
            Some(reason) => whole(plan, inputs, reason.line, &mut out),
        }
    }
    (out.revision(), out)
}

/// The revision of the root image with what the environments read, which stands behind its own records (D1).
pub fn with_environments(mut records: Records, pack: &Pack) -> (Revision, Records) {
    records::environments(pack, &mut records);
    (records.revision(), records)
}

fn exact(plan: &Plan<'_>, out: &mut Records) {
    if let Some(reference) = &plan.recipe.syntax {
        out.text(None, "syntax", reference);
    }
    records::plan(plan.recipe, plan.manifest, out);
    records::reads(plan.recipe, plan.manifest, out);
}

/// The raw file, all that it could have been given, and all contexts.
fn whole(plan: &Plan<'_>, inputs: &Inputs<'_>, line: u32, out: &mut Records) {
    let line = Some(line);
    out.text(line, "whole", &Digest::of(inputs.container_file).to_string());
    if let Some(target) = inputs.target {
        out.list(line, "input", &["target", target]);
    }
    for (name, value) in &inputs.args {
        out.list(line, "input", &["arg", name, value]);
    }
    for (name, reference) in &inputs.images {
        out.list(line, "input", &["context", name, reference]);
    }
    for (reference, digest) in &plan.recipe.written.locked {
        out.list(
            line,
            "input",
            &["image", &reference.to_string(), &digest.to_string()],
        );
    }
    for section in &plan.manifest.whole {
        records::whole_context(section, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{bind, copy, excluding, over, recipe, records, transfer};
    use crate::containerfile::recipe::{Command, Op, Recipe, Source, Stage, Transfer};
    use crate::model::Revision;
    use crate::tree::memory::MemoryTree;
    use proptest::prelude::*;

    fn tree() -> MemoryTree {
        MemoryTree::new()
            .file("a.txt", "A")
            .file("s/x", "x")
            .file("s/y", "y")
            .file("t/x", "x")
            .file("t/y", "y")
    }

    fn of(ops: Vec<Op>) -> Revision {
        in_tree(&recipe(ops), &tree())
    }

    fn in_tree(recipe: &Recipe, tree: &MemoryTree) -> Revision {
        records(recipe, tree, "").revision()
    }

    fn label(key: &str, value: &str) -> Op {
        Op::Label(vec![(key.into(), value.into())])
    }

    fn cmd(text: &str) -> Op {
        Op::Cmd(Command::Shell(text.into()))
    }

    fn to(destination: &str, change: impl Fn(&mut Transfer)) -> Op {
        let mut transfer = transfer(&["s"], destination);
        change(&mut transfer);
        Op::Transfer(transfer)
    }

    #[test]
    fn only_what_is_read_counts() {
        let copy = recipe(vec![copy(&["s"])]);
        let before = in_tree(&copy, &tree());
        assert_eq!(before, in_tree(&copy, &tree().file("t/x", "other")));
        assert_ne!(before, in_tree(&copy, &tree().file("s/x", "other")));
        assert_ne!(before, in_tree(&copy, &tree().executable("s/x", "x")));
        assert_ne!(before, in_tree(&copy, &tree().link("s/x", "x")));
        assert_ne!(before, in_tree(&copy, &tree().file("s/z", "")));
    }

    #[test]
    fn a_literal_word_is_absent_and_a_wildcard_is_not() {
        assert_eq!(of(vec![copy(&["s"])]), of(vec![copy(&["./t/"])]));
        assert_ne!(of(vec![copy(&["s*"])]), of(vec![copy(&["t*"])]));
        assert_ne!(of(vec![copy(&["s*"])]), of(vec![copy(&["s"])]));
        assert_eq!(of(vec![copy(&["./s*"])]), of(vec![copy(&["/s*"])]));
    }

    #[test]
    fn a_copied_file_has_its_name() {
        let tree = MemoryTree::new().file("a", "1").file("b", "1");
        let name = |word| in_tree(&recipe(vec![copy(&[word])]), &tree);
        assert_ne!(name("a"), name("b"));
    }

    #[test]
    fn flags_and_destinations_have_one_form() {
        let same = |a, b| assert_eq!(of(vec![a]), of(vec![b]));
        same(to("/a/../d", |_| ()), to("//d", |_| ()));
        same(
            to("/d", |t| t.chown = Some("5".into())),
            to("/d", |t| t.chown = Some("5:5".into())),
        );
        same(
            to("/d", |t| t.chmod = Some("0755".into())),
            to("/d", |t| t.chmod = Some("755".into())),
        );
        assert_ne!(of(vec![to("/d", |_| ())]), of(vec![to("/d", |t| t.link = true)]));
        assert_ne!(of(vec![copy(&["s"])]), of(vec![excluding("s", &["nothing"])]));
    }

    #[test]
    fn a_relative_destination_stands_below_the_working_directory() {
        let workdir = |text: &str| Op::Workdir(text.into());
        let below = of(vec![workdir("/w"), workdir("x/"), to("d", |_| ())]);
        assert_eq!(
            below,
            of(vec![workdir("/w/"), workdir("/w/x"), to("/w/x/d", |_| ())])
        );
    }

    #[test]
    fn an_octal_mode_makes_file_modes_irrelevant() {
        let with = |mode: &str| recipe(vec![to("/d", |t| t.chmod = Some(mode.into()))]);
        let executable = tree().executable("s/x", "x");
        assert_eq!(in_tree(&with("644"), &tree()), in_tree(&with("644"), &executable));
        assert_ne!(in_tree(&with("u+w"), &tree()), in_tree(&with("u+w"), &executable));
    }

    #[test]
    fn metadata_is_free_of_position_and_the_last_word_wins() {
        let a = of(vec![
            label("b", "1"),
            cmd("old"),
            copy(&["s"]),
            label("a", "2"),
            cmd("new"),
        ]);
        let b = of(vec![
            copy(&["s"]),
            cmd("new"),
            label("a", "2"),
            label("b", "0"),
            label("b", "1"),
        ]);
        assert_eq!(a, b);
        assert_ne!(of(vec![cmd("new")]), of(vec![cmd("old")]));
        let ports = |ports: &[&str]| of(vec![Op::Expose(ports.iter().map(|p| (*p).into()).collect())]);
        assert_eq!(ports(&["80", "53/udp"]), ports(&["53/UDP", "80/tcp"]));
    }

    #[test]
    fn a_shell_before_cmd_is_part_of_it() {
        let shell = || Op::Shell(vec!["/bin/bash".into(), "-c".into()]);
        assert_ne!(of(vec![shell(), cmd("x")]), of(vec![cmd("x"), shell()]));
    }

    #[test]
    fn metadata_of_a_stage_that_is_only_copied_from_is_absent() {
        let two = |value: &str| {
            let builder = recipe(vec![label("k", value)]).stages.remove(0);
            let from = Op::Transfer(Transfer {
                from: Source::Stage(0),
                ..transfer(&["/x/"], "/d/")
            });
            let last: Stage = recipe(vec![from]).stages.remove(0);
            in_tree(&over(vec![builder, last]), &tree())
        };
        assert_eq!(two("1"), two("2"));
    }

    #[test]
    fn an_env_stands_before_the_run_that_sees_it() {
        let env = |name: &str, value: &str| Op::Env(vec![(name.into(), value.into())]);
        let same = |a, b| assert_eq!(of(a), of(b));
        let differ = |a, b| assert_ne!(of(a), of(b));
        same(
            vec![env("K", "v"), copy(&["s"])],
            vec![copy(&["s"]), env("K", "v")],
        );
        differ(vec![env("K", "v"), bind("s")], vec![bind("s"), env("K", "v")]);
        differ(
            vec![env("K", "v"), env("L", "v")],
            vec![env("L", "v"), env("K", "v")],
        );
        same(
            vec![env("K", "0"), env("L", "v"), env("K", "v")],
            vec![env("K", "v"), env("L", "v")],
        );
        let after = |names: [&str; 2]| {
            let mut ops = vec![env("K", "0"), env("L", "0"), bind("s")];
            ops.extend(names.map(|name| env(name, "1")));
            ops
        };
        same(after(["K", "L"]), after(["L", "K"]));
    }

    #[test]
    fn an_absolute_working_directory_enters_as_it_is_written() {
        let workdir = |text: &str| Op::Workdir(text.into());
        assert_ne!(of(vec![workdir("/w")]), of(vec![workdir("/w/")]));
        assert_ne!(of(vec![workdir("/w")]), of(vec![workdir("//w")]));
        assert_eq!(of(vec![workdir("w")]), of(vec![workdir("./w/")]));
    }

    #[test]
    fn a_user_keeps_its_position() {
        let user = || Op::User("u".into());
        assert_ne!(of(vec![user(), bind("s")]), of(vec![bind("s"), user()]));
    }

    #[test]
    fn a_slash_after_the_destination_of_folders_says_nothing() {
        let file = |d: &str| of(vec![Op::Transfer(transfer(&["a.txt"], d))]);
        let folder = |d: &str| of(vec![Op::Transfer(transfer(&["s"], d))]);
        let both = |d: &str| of(vec![Op::Transfer(transfer(&["s", "a.txt"], d))]);
        assert_ne!(file("/d"), file("/d/"));
        assert_eq!(folder("/d"), folder("/d/"));
        assert_ne!(both("/d"), both("/d/"));
    }

    #[test]
    fn a_working_directory_below_the_one_before_stands_for_both() {
        let workdir = |text: &str| Op::Workdir(text.into());
        assert_eq!(of(vec![workdir("/a"), workdir("b")]), of(vec![workdir("/a/b")]));
        assert_ne!(of(vec![workdir("/a"), workdir("/b")]), of(vec![workdir("/b")]));
        assert_ne!(of(vec![workdir("/a"), workdir("/ab")]), of(vec![workdir("/ab")]));
    }

    #[test]
    fn every_record_of_an_instruction_names_its_line() {
        let records = records(&recipe(vec![copy(&["a.txt"])]), &tree(), "");
        let lines: Vec<_> = records.iter().map(|r| (r.kind, r.line)).collect();
        assert_eq!(
            lines,
            [
                ("format", None),
                ("platform", None),
                ("target", None),
                ("stage", Some(1)),
                ("copy", Some(2)),
                ("reads", Some(2)),
                ("read", Some(2)),
                ("as", Some(2)),
                ("file", Some(2)),
            ]
        );
    }

    #[test]
    fn the_format_is_a_promise() {
        let records = records(&recipe(vec![copy(&["a.txt"]), label("k", "é\n")]), &tree(), "");
        let digest = crate::model::Digest::of(b"A").hex();
        let want = format!(
            "27:format ringshift-revision/1\n20:platform linux/amd64\n8:target 0\n15:stage 0 scratch\n\
             8:copy /d/\n6:reads \n21:label [\"k\",\"é\\\\x0a\"]\n6:read 0\n8:as a.txt\n\
             74:file 644 {digest} \n"
        );
        assert_eq!(records.preimage(), want);
    }

    /// Reads a preimage back, by its framing alone.
    fn unframe(mut text: &str) -> Option<Vec<(String, String)>> {
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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn framing_can_be_read_back(texts in prop::collection::vec("\\PC*|[\n:0-9 ]*", 0..6)) {
            let ops = texts.iter().map(|t| Op::User(t.clone())).collect();
            let records = records(&recipe(ops), &tree(), "");
            let want: Vec<_> = records.iter().map(|r| (r.kind.to_owned(), r.payload.clone())).collect();
            prop_assert_eq!(unframe(&records.preimage()), Some(want));
            let users = records.iter().filter(|r| r.kind == "user").count();
            prop_assert_eq!(users, texts.len());
        }

        #[test]
        fn different_texts_have_different_revisions(a in "[\\\\x0a\n ]{0,6}", b in "[\\\\x0a\n ]{0,6}") {
            let of = |text: &String| of(vec![Op::User(text.clone())]);
            prop_assert_eq!(a == b, of(&a) == of(&b));
        }

        #[test]
        fn a_byte_moves_the_revision_exactly_when_it_is_read(
            path in r"[st]/[xy]|a\.txt",
            word in r"s|t|a\.txt|[st]/[xy]|\*|\*/x",
        ) {
            let recipe = recipe(vec![copy(&[&word])]);
            let read = super::super::testing::manifest(&tree(), "", vec![copy(&[&word])]);
            let read = read.is_ok_and(|m| {
                let roots = m.sections.iter().flat_map(|s| &s.roots);
                roots.flat_map(|r| r.entries.iter()).any(|e| e.path.as_bytes() == path.as_bytes())
            });
            let moved = in_tree(&recipe, &tree()) != in_tree(&recipe, &tree().file(&path, "flipped"));
            prop_assert_eq!(read, moved);
        }
    }
}
