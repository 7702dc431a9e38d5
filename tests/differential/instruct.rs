//! Random instructions.

use super::copy::{add, copy, copy_from, heredoc};
use super::dice::Dice;
use super::run::run;
use super::scene::Scene;
use super::words::{NAMES, PLATFORM, value_of, value_word, variable};

type Make = fn(&mut Dice, &mut Scene<'_>) -> String;

/// The instructions by how often they come.
const ALL: [(usize, Make); 13] = [
    (26, copy),
    (9, add),
    (12, copy_from),
    (7, heredoc),
    (17, run),
    (7, arg),
    (7, env),
    (4, label),
    (4, workdir),
    (3, user),
    (6, metadata),
    (5, onbuild),
    (1, maintainer),
];

/// An instruction for where the scene stands.
pub fn instruction(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let text = dice.weighed(&ALL)(dice, scene);
    match dice.chance(7) {
        true => folded(dice, &text, scene.escape),
        false => text,
    }
}

/// The instruction with a continuation somewhere (rule 9).
pub fn folded(dice: &mut Dice, text: &str, escape: char) -> String {
    let odd = text.contains(['\n', '"', '\'']) || text.contains("<<") || text.contains(escape);
    let blanks: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    if odd || blanks.is_empty() {
        return text.into();
    }
    let at = dice.one(&blanks);
    let between = dice.pick(&["", "", "# said aside\n", "   # one\n# two\n"]);
    let blank = dice.pick(&["", "  "]);
    format!("{} {escape}{blank}\n{between}   {}", &text[..at], &text[at + 1..])
}

fn arg(dice: &mut Dice, _: &mut Scene<'_>) -> String {
    if dice.chance(20) {
        return format!("ARG {}", dice.pick(&PLATFORM));
    }
    let count = dice.weighed(&[(80, 1), (20, 2)]);
    let words: Vec<String> = dice
        .some(&NAMES, count)
        .iter()
        .map(|name| arg_word(dice, name))
        .collect();
    format!("ARG {}", words.join(" "))
}

/// `NAME`, or with a default.
pub fn arg_word(dice: &mut Dice, name: &str) -> String {
    match dice.below(10) {
        0..4 => name.into(),
        4..9 => format!("{name}={}", value_of(dice, name)),
        _ if matches!(name, "U" | "N") => name.into(),
        _ => format!("{name}={}", variable(dice)),
    }
}

fn env(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let name = dice.pick(&NAMES);
    match dice.below(10) {
        0..5 => format!("ENV {name}={}", value_of(dice, name)),
        5 => format!("ENV {name} {}", value_of(dice, name)),
        6 => format!("ENV {name}={} B=${name}", value_of(dice, name)),
        7 => "ENV PLAT=$TARGETARCH-${BUILDARCH:-none}-$TARGETSTAGE".into(),
        _ => format!("ENV B{}={}", dice.below(3), value_word(dice, scene.escape)),
    }
}

fn label(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let key = dice.pick(&["k", "l", "\"m n\"", "k"]);
    let mut text = format!("LABEL {key}={}", value_word(dice, scene.escape));
    if dice.chance(25) {
        text.push_str(&format!(" z={}", value_word(dice, scene.escape)));
    }
    text
}

fn workdir(dice: &mut Dice, _: &mut Scene<'_>) -> String {
    let path = match dice.below(10) {
        0..3 => "/w".into(),
        3..6 => dice.pick(&["w", "w/x/", "./y", ".."]).to_owned(),
        6 => "/d0".into(),
        7 => "/".into(),
        _ => format!("/w/{}", variable(dice)),
    };
    format!("WORKDIR {path}")
}

fn user(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    let names: &[&str] = match scene.now.shell {
        true => &["app", "5", "5:6", "app:grp", "root", "${U:-7}"],
        false => &["5", "5:6", "0", "${U:-7}"],
    };
    format!("USER {}", dice.pick(names))
}

fn metadata(dice: &mut Dice, _: &mut Scene<'_>) -> String {
    dice.pick(&[
        "CMD echo $V",
        "CMD [\"a\", \"$V\"]",
        "CMD []",
        "ENTRYPOINT [\"e\"]",
        "ENTRYPOINT exec e",
        "EXPOSE 80 53/udp",
        "EXPOSE 80/tcp 8${U:-1}",
        "VOLUME /v /v2",
        "VOLUME [\"/v/$G\"]",
        "STOPSIGNAL SIGTERM",
        "STOPSIGNAL 9",
        "HEALTHCHECK NONE",
        "HEALTHCHECK --interval=5s --retries=2 CMD test -e /a",
        "HEALTHCHECK CMD [\"x\"]",
        "SHELL [\"/bin/sh\", \"-ec\"]",
        "SHELL [\"/bin/sh\", \"-c\"]",
    ])
    .into()
}

/// A trigger (rule 77): it fires in the stage that stands on this one.
fn onbuild(dice: &mut Dice, scene: &mut Scene<'_>) -> String {
    const TRIGGERS: [(usize, Make); 9] = [
        (30, copy),
        (8, add),
        (10, copy_from),
        (6, heredoc),
        (16, run),
        (10, arg),
        (10, env),
        (5, label),
        (5, workdir),
    ];
    let made = scene.now.made.len();
    let text = dice.weighed(&TRIGGERS)(dice, scene);
    scene.now.made.truncate(made);
    format!("ONBUILD {text}")
}

fn maintainer(dice: &mut Dice, _: &mut Scene<'_>) -> String {
    format!("MAINTAINER {}", dice.pick(&["me", "you $V"]))
}
