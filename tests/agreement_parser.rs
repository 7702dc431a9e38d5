//! The crate dockerfile-parser and ours read the same container files. Where the crate parses, both say the same, or
//! the difference is one of a few known kinds, each counted. The recorded files come with BuildKit's own answer, which
//! `tests/vectors.rs` holds ours to; the snippets are ordinary ones.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use dockerfile_parser::{Dockerfile, Instruction, ShellOrExecExpr};
use ringshift::containerfile::parse;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Stands between the flags of COPY and its words.
const BEHIND_FLAGS: &str = "|";

/// An instruction: its name, and its main arguments.
type Said = (String, Vec<String>);

fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn theirs(text: &str) -> Option<Vec<Said>> {
    let file = Dockerfile::parse(text).ok()?;
    Some(file.instructions.iter().map(their).collect())
}

fn their(instruction: &Instruction) -> Said {
    let (kind, words) = match instruction {
        Instruction::From(from) => {
            let alias = from.alias.iter().map(|a| a.content.to_lowercase());
            (
                "from",
                std::iter::once(from.image.content.clone()).chain(alias).collect(),
            )
        }
        Instruction::Arg(arg) => {
            let value = arg.value.iter().map(|v| v.content.clone());
            (
                "arg",
                std::iter::once(arg.name.content.clone()).chain(value).collect(),
            )
        }
        Instruction::Label(label) => {
            let pairs = label.labels.iter();
            (
                "label",
                pairs
                    .flat_map(|l| [l.name.content.clone(), l.value.content.clone()])
                    .collect(),
            )
        }
        Instruction::Env(env) => {
            let pairs = env.vars.iter();
            (
                "env",
                pairs
                    .flat_map(|v| [v.key.content.clone(), v.value.to_string()])
                    .collect(),
            )
        }
        Instruction::Run(run) => ("run", command(&run.expr)),
        Instruction::Cmd(cmd) => ("cmd", command(&cmd.expr)),
        Instruction::Entrypoint(entrypoint) => ("entrypoint", command(&entrypoint.expr)),
        Instruction::Copy(copy) => {
            let flags = copy.flags.iter();
            let flags = flags.map(|f| format!("--{}={}", f.name.content, f.value.content));
            let words = copy.sources.iter().chain([&copy.destination]);
            (
                "copy",
                flags
                    .chain([BEHIND_FLAGS.to_owned()])
                    .chain(words.map(|w| w.content.clone()))
                    .collect(),
            )
        }
        Instruction::Misc(other) => {
            let kind = other.instruction.content.to_lowercase();
            return (kind, split(&other.arguments.to_string()));
        }
    };
    (kind.to_owned(), words)
}

fn command(command: &ShellOrExecExpr) -> Vec<String> {
    match command {
        ShellOrExecExpr::Shell(text) => split(&text.to_string()),
        ShellOrExecExpr::Exec(array) => array.as_str_vec().into_iter().map(str::to_owned).collect(),
    }
}

fn ours(text: &str) -> Option<Vec<Said>> {
    let file = parse(text.as_bytes()).ok()?;
    Some(file.nodes.iter().map(|node| our(node, file.escape)).collect())
}

fn our(node: &parse::Node, escape: char) -> Said {
    let kind = node.command.to_lowercase();
    let words = match kind.as_str() {
        "from" => match node.args.as_slice() {
            [image, _, name] => vec![image.clone(), name.to_lowercase()],
            other => other.to_vec(),
        },
        "arg" => node
            .args
            .iter()
            .flat_map(|arg| name_and_value(arg, escape))
            .collect(),
        // Each pair stands with the sign between its halves.
        "label" | "env" => {
            let pairs = node.args.chunks(3).flat_map(|triple| &triple[..2]);
            pairs.map(|word| unquoted(word, escape)).collect()
        }
        "run" | "cmd" | "entrypoint" if node.json => node.args.clone(),
        "run" | "cmd" | "entrypoint" => node.args.iter().flat_map(|arg| split(arg)).collect(),
        // Of one word the crate says only what stands there.
        "copy" if node.args.len() > 1 => {
            let words = node.args.iter().map(|word| match node.json {
                true => word.clone(),
                false => unquoted(word, escape),
            });
            let flags = node.flags.iter().cloned();
            flags.chain([BEHIND_FLAGS.to_owned()]).chain(words).collect()
        }
        _ => split(&node.original).into_iter().skip(1).collect(),
    };
    (kind, words)
}

fn name_and_value(arg: &str, escape: char) -> Vec<String> {
    arg.splitn(2, '=').map(|half| unquoted(half, escape)).collect()
}

/// A word without its quotes; the crate takes them off while parsing, we when expanding.
fn unquoted(word: &str, escape: char) -> String {
    let (mut out, mut quote, mut chars) = (String::new(), None, word.chars().peekable());
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let escapes = match quote {
            None => next.is_some(),
            Some('"') => next.is_some_and(|next| matches!(next, '"' | '$') || next == escape),
            Some(_) => false,
        };
        match (c, quote) {
            (c, _) if c == escape && escapes => out.extend(chars.next()),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            (c, _) => out.push(c),
        }
    }
    out
}

const AGREE: &str = "both say the same";
const CRATE_FAILS: &str = "the crate fails";
const WE_REFUSE: &str = "BuildKit and we refuse, the crate takes it";
const FLAG_IS_COMMAND: &str = "the crate takes a flag of RUN for the command";
const FLAG_IS_SOURCE: &str = "the crate takes a flag without a value, or --, for a source";
const ESCAPED_ESCAPE: &str = "the crate continues a line after an escaped escape character";
const OTHER_ESCAPE: &str = "the crate does not know `# escape=`";
const NO_NAME: &str = "the crate takes `ARG =value` for a name";
const KEEPS_QUOTES: &str = "the crate keeps quotes or escapes inside a value";
const KEEPS_BLANKS: &str = "the crate keeps blanks behind a value";
const NEWLINE: &str = "the crate takes \\n in a value for a newline";
const HASH: &str = "the crate takes # behind an instruction for a comment";
const BLANK_LINE: &str = "the crate ends an instruction at a blank line";
const MARK_AT_END: &str = "the crate keeps a continuation mark at the end of the file";
const QUOTED_IMAGE: &str = "the crate does not know an image in quotes or brackets";
const NO_INSTRUCTION: &str = "the crate takes the front of a word for an instruction";
const SINGLE_QUOTES: &str = "the crate takes single quotes for JSON";

/// What became of one file; `Err` when the two differ in a way that is not known.
fn outcome(text: &str) -> Result<&'static str, String> {
    let (ours, theirs) = match (ours(text), theirs(text)) {
        (_, None) => return Ok(CRATE_FAILS),
        (None, Some(_)) => return Ok(WE_REFUSE),
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    difference(text, &ours, &theirs)
}

/// The kind of the first difference.
fn difference(text: &str, ours: &[Said], theirs: &[Said]) -> Result<&'static str, String> {
    if ours == theirs {
        return Ok(AGREE);
    }
    let first = ours.iter().zip(theirs).find(|(a, b)| a != b);
    let Some(((kind, own), (_, other))) = first else {
        return Err(format!("{text}\nours   {ours:?}\ntheirs {theirs:?}"));
    };
    let begins_with_flag = |words: &[String]| words.first().is_some_and(|w| w.starts_with("--"));
    let flag_behind = |words: &[String]| {
        let behind = words.iter().skip_while(|w| *w != BEHIND_FLAGS);
        behind.skip(1).any(|w| w.starts_with("--"))
    };
    match kind.as_str() {
        "run" if begins_with_flag(other) && !begins_with_flag(own) => Ok(FLAG_IS_COMMAND),
        "copy" if flag_behind(other) => Ok(FLAG_IS_SOURCE),
        "arg" if own.first().is_some_and(String::is_empty) => Ok(NO_NAME),
        "from" if same(&without_as(other), own) => Ok(QUOTED_IMAGE),
        "env" | "label" => value_difference(text, own, other),
        name if !name.chars().all(char::is_alphabetic) => Ok(NO_INSTRUCTION),
        _ => command_difference(text, own, other),
    }
    .map_err(|()| format!("ours   {kind} {own:?}\ntheirs {other:?}"))
}

fn same(left: &[String], right: &[String]) -> bool {
    !left.is_empty() && left == right
}

fn without_as(words: &[String]) -> Vec<String> {
    match words {
        [image, word, name] if word.eq_ignore_ascii_case("as") => vec![image.clone(), name.to_lowercase()],
        _ => Vec::new(),
    }
}

/// Names and values that differ.
fn value_difference(text: &str, own: &[String], other: &[String]) -> Result<&'static str, ()> {
    let escape = parse(text.as_bytes()).map_or('\\', |file| file.escape);
    let fits = |change: &dyn Fn(&str) -> String| {
        let mut pairs = own.iter().zip(other);
        own.len() == other.len() && pairs.all(|(a, b)| a == b || *a == change(b))
    };
    match () {
        () if fits(&|word| word.trim_end().to_owned()) => Ok(KEEPS_BLANKS),
        () if fits(&|word| unquoted(word, escape)) => Ok(KEEPS_QUOTES),
        () if fits(&|word| word.replace('\n', &format!("{escape}n"))) => Ok(NEWLINE),
        () => ended_early(text, own, other),
    }
}

/// Words of a command that differ.
fn command_difference(text: &str, own: &[String], other: &[String]) -> Result<&'static str, ()> {
    let begins = |words: &[String], with: &str| words.first().is_some_and(|w| w.starts_with(with));
    match other {
        [] if begins(own, "#") => Ok(HASH),
        [before @ .., mark] if mark == "\\" && before == own => Ok(MARK_AT_END),
        _ if begins(own, "['") && !begins(other, "[") => Ok(SINGLE_QUOTES),
        _ => ended_early(text, own, other),
    }
}

/// Instructions of which one reads more than the other.
fn ended_early(text: &str, own: &[String], other: &[String]) -> Result<&'static str, ()> {
    let ends = |words: &[String], with: &str| words.last().is_some_and(|w| w.ends_with(with));
    let blank_lines = parse(text.as_bytes()).is_ok_and(|file| !file.empty_continuations.is_empty());
    match () {
        () if text.contains("escape=") && (ends(own, "\\") || ends(other, "`")) => Ok(OTHER_ESCAPE),
        () if ends(own, "\\") => Ok(ESCAPED_ESCAPE),
        () if blank_lines && own.starts_with(other) => Ok(BLANK_LINE),
        () => Err(()),
    }
}

fn count<'t>(files: impl Iterator<Item = &'t str>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for file in files {
        let outcome = outcome(file).unwrap_or_else(|unknown| panic!("{unknown}"));
        *counts.entry(outcome).or_insert(0) += 1;
    }
    counts
}

#[test]
fn recorded_files_are_read_alike_or_the_kind_of_difference_is_known() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/vectors/parse.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let file = |case: &Value| case["in"]["dockerfile"].as_str().unwrap().to_owned();
    for case in &cases {
        if outcome(&file(case)) == Ok(WE_REFUSE) {
            assert!(case["out"].get("err").is_some(), "BuildKit takes {case}");
        }
    }
    let files: Vec<String> = cases.iter().map(file).collect();
    let counts = count(files.iter().map(String::as_str));
    assert_eq!(counts, BTreeMap::from(RECORDED));
}

#[test]
fn ordinary_snippets_are_read_alike_or_the_kind_of_difference_is_known() {
    let counts = count(SNIPPETS.iter().copied());
    assert_eq!(counts, BTreeMap::from(ORDINARY));
}

/// Where `RINGSHIFT_CORPORA` names a folder of checkouts (see `tests/exactness`), their container files too; says how
/// often each kind was met. Without it nothing is asked.
#[test]
fn the_corpora_are_read_alike_or_the_kind_of_difference_is_known() {
    let Some(folder) = std::env::var_os("RINGSHIFT_CORPORA") else {
        return;
    };
    let mut counts = BTreeMap::new();
    let mut unknown = Vec::new();
    for (path, text) in container_files(Path::new(&folder)) {
        match outcome(&text) {
            Ok(kind) => *counts.entry(kind).or_insert(0) += 1,
            Err(difference) => unknown.push(format!("{}\n{difference}", path.display())),
        }
    }
    let total: usize = counts.values().sum();
    let mut out = std::io::stdout().lock();
    for (kind, count) in &counts {
        writeln!(out, "{count:6} {kind}").unwrap();
    }
    writeln!(out, "{:6} of no known kind", unknown.len()).unwrap();
    assert!(total > 0, "no container files in {}", folder.display());
    assert!(unknown.is_empty(), "{}", unknown.join("\n\n"));
}

/// Every distinct text below a folder whose file name is that of a container file.
fn container_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![folder.to_owned()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let (path, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
            if kind.is_dir() && name != ".git" {
                folders.push(path);
            } else if kind.is_file() && is_container_file(&name) {
                files.insert(
                    String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned(),
                    path,
                );
            }
        }
    }
    files.into_iter().map(|(text, path)| (path, text)).collect()
}

/// As `tests/exactness/parse.py` picks them; `name` is in lower case.
fn is_container_file(name: &str) -> bool {
    const OTHER: [&str; 15] = [
        "dockerignore",
        "md",
        "go",
        "py",
        "sh",
        "yaml",
        "yml",
        "j2",
        "jinja",
        "jinja2",
        "tmpl",
        "tpl",
        "template",
        "erb",
        "in",
    ];
    let names = ["dockerfile", "containerfile"];
    let behind = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-', '_']);
    let first = names.iter().any(|n| name.strip_prefix(n).is_some_and(behind));
    let last = |ends: &[&str]| name.rsplit_once('.').is_some_and(|(_, end)| ends.contains(&end));
    (first && !last(&OTHER)) || last(&names)
}

#[test]
fn a_difference_of_no_known_kind_is_an_error() {
    let said = |user: &str| vec![("user".to_owned(), split(user))];
    assert!(difference("FROM a\nUSER a\n", &said("a"), &said("b")).is_err());
    assert!(difference("FROM a\n", &said("a"), &[]).is_err());
}

/// `fixtures/vectors/parse.jsonl`.
const RECORDED: [(&str, usize); 8] = [
    (AGREE, 173),
    (CRATE_FAILS, 518),
    (WE_REFUSE, 48),
    (FLAG_IS_COMMAND, 13),
    (FLAG_IS_SOURCE, 21),
    (ESCAPED_ESCAPE, 6),
    (OTHER_ESCAPE, 10),
    (NO_NAME, 4),
];

/// [`SNIPPETS`].
const ORDINARY: [(&str, usize); 14] = [
    (AGREE, 45),
    (CRATE_FAILS, 5),
    (FLAG_IS_COMMAND, 2),
    (FLAG_IS_SOURCE, 1),
    (OTHER_ESCAPE, 1),
    (KEEPS_QUOTES, 3),
    (KEEPS_BLANKS, 1),
    (NEWLINE, 1),
    (HASH, 1),
    (BLANK_LINE, 1),
    (MARK_AT_END, 1),
    (QUOTED_IMAGE, 1),
    (NO_INSTRUCTION, 1),
    (SINGLE_QUOTES, 1),
];

/// What people write.
const SNIPPETS: &[&str] = &[
    "FROM alpine\n",
    "FROM alpine:3.20 AS build\n",
    "FROM --platform=linux/amd64 alpine AS build\n",
    "FROM registry.example.com:5000/team/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
    "ARG VERSION=1\nFROM alpine:${VERSION}\n",
    "ARG VERSION\nFROM alpine\n",
    "FROM a\nARG NAME=\"two words\"\n",
    "FROM a\nENV A=1\n",
    "FROM a\nENV A=1 B=2 C=\"3 4\"\n",
    "FROM a\nENV A one two\n",
    "FROM a\nLABEL maintainer=\"Ada\"\n",
    "FROM a\nLABEL a=b \\\n  c=d\n",
    "FROM a\nLABEL \"quoted.key\"=\"value\"\n",
    "FROM a\nRUN echo hello\n",
    "FROM a\nRUN apt-get update && \\\n    apt-get install -y curl\n",
    "FROM a\nRUN apt-get update \\\n    # why\n    && true\n",
    "FROM a\nRUN [\"/bin/sh\", \"-c\", \"echo hello\"]\n",
    "FROM a\nRUN --mount=type=cache,target=/root/.cache make\n",
    "FROM a\nRUN --network=none make\n",
    "FROM a\nRUN <<EOF\necho one\necho two\nEOF\n",
    "FROM a\nCOPY . .\n",
    "FROM a\nCOPY package.json package-lock.json ./\n",
    "FROM a\nCOPY --from=build /out /usr/bin/\n",
    "FROM a\nCOPY --chown=1000:1000 --from=build /out /usr/bin/\n",
    "FROM a\nCOPY --link . /srv\n",
    "FROM a\nCOPY [\"with space\", \"/srv/\"]\n",
    "FROM a\nCOPY <<EOF /etc/motd\nhello\nEOF\n",
    "FROM a\nCOPY *.txt /srv/\n",
    "FROM a\nADD archive.tar.gz /\n",
    "FROM a\nADD https://example.com/a.tgz /tmp/\n",
    "FROM a\nCMD [\"serve\"]\n",
    "FROM a\nCMD serve --port 80\n",
    "FROM a\nENTRYPOINT [\"/bin/serve\", \"--port\", \"80\"]\n",
    "FROM a\nENTRYPOINT exec serve\n",
    "FROM a\nEXPOSE 80 443/tcp\n",
    "FROM a\nVOLUME /data\n",
    "FROM a\nVOLUME [\"/data\"]\n",
    "FROM a\nUSER 1000:1000\n",
    "FROM a\nWORKDIR /srv\n",
    "FROM a\nSTOPSIGNAL SIGTERM\n",
    "FROM a\nSHELL [\"/bin/bash\", \"-c\"]\n",
    "FROM a\nHEALTHCHECK --interval=5s CMD curl -f http://localhost/\n",
    "FROM a\nONBUILD COPY . /srv\n",
    "FROM a\nMAINTAINER Ada\n",
    "# a comment\nFROM a\n# another\nRUN true\n",
    "# syntax=docker/dockerfile:1\nFROM a\n",
    "# escape=`\nFROM a\nRUN one `\n  two\n",
    "\u{feff}FROM a\n",
    "FROM a\r\nRUN true\r\n",
    "from a\nrun true\ncopy a b\n",
    "FROM a\nRUN true",
    "FROM a AS one\nFROM one AS two\nCOPY --from=one /x /y\n",
    "FROM a\nCOPY \"$x\" \"/srv/\"\n",
    "FROM a\nENV GOPATH C:\\\\go\n",
    "FROM a\nENV PATH=${PATH}:\"${HOME}/bin\"\n",
    "FROM a\nLABEL base =\"ubuntu\"\n",
    "FROM a\nENV VERSION 1 \n",
    "FROM a\nLABEL software=\"one,\\n two\"\n",
    "FROM a\nRUN #mkdir /srv\n",
    "FROM a\nRUN one && \\\n    \n    mv a b\n",
    "FROM a\nRUN one \\",
    "FROM \"a:${X}\" AS b\n",
    "FROM a\nCMD ['serve', '-h']\n",
    "# escape=`\nFROM a\nRUN one; `\n  two three\n",
    "FROM a\nabout.tags=\"x\"\n",
];
