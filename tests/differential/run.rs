//! Random RUN. Each writes what it sees below `/o`, where all users may write.

use super::copy::{body, copy};
use super::dice::Dice;
use super::scene::Scene;
use super::words::path;

pub fn run(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    if !scene.now.shell {
        return copy(dice, scene);
    }
    let number = scene.number();
    match dice.below(16) {
        0..7 => mounted(dice, scene, number),
        7 => format!("RUN envs > /o/env{number}"),
        8 => format!("RUN echo \"v=$V w=${{W}} g=$G u=$U $B0 $B1\" > /o/echo{number}"),
        9 => format!("RUN [\"/bin/sh\", \"-c\", \"echo $V $(id -u) $(pwd) > /o/id{number}\"]"),
        10 => format!("RUN see /d0 /d1 /h1 > /o/see{number}; id > /o/id{number}; pwd >> /o/id{number}"),
        11 => "RUN ln -s d0 /ld 2>/dev/null; ln -s /d1 /d2 2>/dev/null; true".into(),
        12 => "RUN rm -rf /d0/x /d1 2>/dev/null; true".into(),
        _ => scripted(dice, number),
    }
}

/// RUN with heredocs (rule 59).
fn scripted(dice: &mut Dice, number: usize) -> String {
    let quote = dice.pick(&["", "", "\"", "'"]);
    match dice.below(5) {
        0 => format!(
            "RUN <<{quote}E{quote}\necho $V \"$W\" > /o/doc{number}\n# {}\ntrue\nE",
            dice.pick(&["one", "two"])
        ),
        1 => format!("RUN <<-E\n\techo $V > /o/doc{number}\n\ttrue\n\tE"),
        2 => format!("RUN <<E\n#!/bin/sh\necho $0 $V > /o/doc{number}; true\nE"),
        3 => format!("RUN cat <<{quote}E{quote} > /o/doc{number}\n{}E", body(dice, "")),
        _ => format!(
            "RUN cat <<A > /o/one{number} && cat <<-B > /o/two{number}\n{}A\n{}\tB",
            body(dice, ""),
            body(dice, "\t")
        ),
    }
}

/// RUN that prints what is mounted (rule 70).
fn mounted(dice: &mut Dice, scene: &Scene<'_>, number: usize) -> String {
    let count = dice.weighed(&[(85, 1), (15, 2)]);
    let mut mounts = String::new();
    let mut seen = String::new();
    for mount in 0..count {
        let target = format!("/m{mount}");
        mounts.push_str(&format!("--mount={} ", options(dice, scene, &target)));
        seen.push_str(&format!(" {target}"));
    }
    if dice.chance(8) {
        mounts.push_str("--mount=type=tmpfs,target=/tm ");
    }
    let write = dice.pick(&[
        "",
        "",
        "",
        "echo new > /m0/new 2>/dev/null; ",
        "rm -rf /m0/x 2>/dev/null; ",
    ]);
    if dice.chance(12) {
        return format!("RUN {mounts}true");
    }
    format!("RUN {mounts}{write}see{seen} > /o/seen{number}")
}

fn options(dice: &mut Dice, scene: &Scene<'_>, target: &str) -> String {
    let stages = scene.earlier();
    let folders = scene.folders();
    let (from, source) = match dice.below(10) {
        0..2 if !stages.is_empty() => {
            let (_, stage) = dice.one(&stages);
            let mut made = stage.made.clone();
            made.push("/".into());
            let source = dice.one(&made);
            let source = (source != "/" || stage.shell).then_some(source);
            (stage.name, source)
        }
        2..4 if !folders.is_empty() => {
            let (name, tree) = dice.one(&folders);
            let source = dice.chance(60).then(|| path(dice, tree));
            (Some(name.to_owned()), source)
        }
        4 => (Some("base".into()), Some("/etc".into())),
        5..8 => (None, Some(path(dice, scene.tree))),
        _ => (None, None),
    };
    let source = match (&from, source) {
        (Some(_), None) if dice.chance(50) => Some("/".to_owned()),
        (_, source) => source,
    };
    let mut words = vec![format!(
        "{}={target}",
        dice.pick(&["target", "dst", "destination"])
    )];
    if dice.chance(50) {
        words.push("type=bind".into());
    }
    words.extend(from.map(|from| format!("from={from}")));
    words.extend(source.map(|source| format!("{}={source}", dice.pick(&["source", "src"]))));
    if dice.chance(35) {
        words.push(dice.pick(&["rw", "readwrite", "rw=true", "ro"]).into());
    }
    let words: Vec<String> = dice.some(&words, words.len());
    let words = words.join(",");
    match words.contains(' ') {
        true => format!("target={target}"),
        false => words,
    }
}
