//! Typed instructions: what a node says, with its flags, before variables are replaced (rules 12 and 13).

mod command;
mod csv;
mod flags;
mod health;
pub mod mount;
mod transfer;

use super::error::Fault;
use super::parse::Node;
use super::recipe;
use flags::{Flags, Kind};
pub use transfer::TransferWords;

/// An instruction whose words are as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// FROM.
    From(FromWords),
    /// ARG: names, each with or without a value.
    Arg(Vec<(String, Option<String>)>),
    /// ENV.
    Env(Vec<(String, String)>),
    /// LABEL.
    Label(Vec<(String, String)>),
    /// COPY and ADD.
    Transfer(TransferWords),
    /// RUN.
    Run(RunWords),
    /// CMD.
    Cmd(recipe::Command),
    /// ENTRYPOINT.
    Entrypoint(recipe::Command),
    /// HEALTHCHECK.
    Healthcheck(recipe::Healthcheck),
    /// SHELL.
    Shell(Vec<String>),
    /// EXPOSE.
    Expose(Vec<String>),
    /// VOLUME.
    Volume(Vec<String>),
    /// USER.
    User(String),
    /// WORKDIR.
    Workdir(String),
    /// STOPSIGNAL.
    StopSignal(String),
    /// ONBUILD: the trigger as the config keeps it, heredocs included.
    OnBuild(String),
    /// MAINTAINER.
    Maintainer(String),
}

/// FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromWords {
    /// The image or stage.
    pub base: String,
    /// The name after AS, lower-cased.
    pub name: Option<String>,
    /// `--platform`.
    pub platform: Option<String>,
}

/// RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunWords {
    /// The command.
    pub command: recipe::Command,
    /// The heredocs, bodies verbatim.
    pub heredocs: Vec<recipe::Heredoc>,
    /// The texts of `--mount`.
    pub mounts: Vec<String>,
    /// `--network`.
    pub network: Option<String>,
    /// `--security`.
    pub security: Option<String>,
    /// `--device`.
    pub devices: Vec<String>,
}

/// A typed instruction, and the flags on it that this dialect does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// What it says.
    pub instruction: Instruction,
    /// The first flag that is not known: what it does to the context is not known either.
    pub unknown_flag: Option<String>,
}

/// The instruction of a node.
///
/// # Errors
/// [`Fault`] with the node's line when it is none, or its arguments or flags are wrong.
pub fn typed(node: &Node) -> Result<Typed, Fault> {
    read(node).map_err(|e| e.at(node.start))
}

fn read(node: &Node) -> Result<Typed, Fault> {
    use Instruction::{
        Arg, Cmd, Entrypoint, Env, Expose, Label, Maintainer, OnBuild, Shell, StopSignal, User, Volume,
        Workdir,
    };
    let name = node.name();
    let none = || Flags::read(&node.flags, &[]);
    let (instruction, flags) = match name.as_str() {
        "from" => from(node)?,
        "copy" | "add" => transfer::read(node, name == "add")?,
        "run" => command::run(node)?,
        "healthcheck" => health::read(node)?,
        "arg" => (Arg(arguments(node)?), Flags::default()),
        "stopsignal" => (StopSignal(one(node)?), Flags::default()),
        "env" => (Env(pairs(node)?), none()?),
        "label" => (Label(pairs(node)?), none()?),
        "cmd" => (Cmd(command::of(&node.args, node.json)), none()?),
        "entrypoint" => (Entrypoint(command::of(&node.args, node.json)), none()?),
        "shell" => (Shell(command::shell(node)?), none()?),
        "expose" => (Expose(at_least_one(node)?), none()?),
        "volume" => (Volume(volumes(node)?), none()?),
        "user" => (User(one(node)?), none()?),
        "workdir" => (Workdir(one(node)?), none()?),
        "maintainer" => (Maintainer(one(node)?), none()?),
        "onbuild" => (OnBuild(command::trigger(node)?), none()?),
        _ => return Err(unknown(node)),
    };
    Ok(Typed {
        instruction,
        unknown_flag: flags.unknown().map(str::to_owned),
    })
}

fn unknown(node: &Node) -> Fault {
    const ALL: [&str; 18] = [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    let upper = node.command.to_uppercase();
    let mut letters: Vec<char> = upper.chars().take(20).collect();
    letters.sort_unstable();
    let near = ALL.iter().find(|name| {
        let mut sorted: Vec<char> = name.chars().collect();
        sorted.sort_unstable();
        sorted == letters
    });
    let fault = Fault::new(format!(
        "{} is no instruction",
        super::error::quoted(&node.command)
    ));
    match near {
        Some(name) => fault.hint(format!("did you mean {name}?")),
        None => fault.hint("a line that continues the one before needs \\ at the end of that one"),
    }
}

fn from(node: &Node) -> Result<(Instruction, Flags), Fault> {
    let (base, name) = match node.args.as_slice() {
        [base] => (base, None),
        [base, word, name] if super::parse::lower(word) == "as" => (base, Some(stage_name(name)?)),
        _ => {
            return Err(Fault::new("FROM takes an image, or an image and AS NAME").hint("FROM image AS name"));
        }
    };
    let flags = Flags::read(&node.flags, &[("platform", Kind::Text)])?;
    let words = FromWords {
        base: base.clone(),
        name,
        platform: flags.text("platform"),
    };
    Ok((Instruction::From(words), flags))
}

/// Rule 13: lower-cased, and then of a small alphabet.
fn stage_name(name: &str) -> Result<String, Fault> {
    let lower = super::parse::lower(name);
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    if lower.starts_with(|c: char| c.is_ascii_lowercase()) && lower.bytes().all(good) {
        return Ok(lower);
    }
    let message = format!("{} cannot name a stage", super::error::quoted(name));
    Err(Fault::new(message).hint("begin with a letter, then letters, digits, `-`, `_` and `.`"))
}

fn arguments(node: &Node) -> Result<Vec<(String, Option<String>)>, Fault> {
    let words = at_least_one(node)?.into_iter();
    words
        .map(|word| match word.split_once('=') {
            Some(("", _)) => Err(blank_name(node)),
            Some((name, value)) => Ok((name.to_owned(), Some(value.to_owned()))),
            None => Ok((word, None)),
        })
        .collect()
}

fn pairs(node: &Node) -> Result<Vec<(String, String)>, Fault> {
    let words = at_least_one(node)?;
    words
        .chunks(3)
        .map(|pair| match pair {
            [name, value, _] if !name.is_empty() => Ok((name.clone(), value.clone())),
            _ => Err(blank_name(node)),
        })
        .collect()
}

fn volumes(node: &Node) -> Result<Vec<String>, Fault> {
    let words = at_least_one(node)?;
    let words: Vec<_> = words.iter().map(|word| word.trim().to_owned()).collect();
    if words.iter().any(String::is_empty) {
        return Err(Fault::new("a volume has no path").hint("remove the empty string"));
    }
    Ok(words)
}

fn blank_name(node: &Node) -> Fault {
    Fault::new(format!("{} has a value without a name", upper(node))).hint("write NAME=VALUE")
}

fn upper(node: &Node) -> String {
    node.name().to_uppercase()
}

fn at_least_one(node: &Node) -> Result<Vec<String>, Fault> {
    if node.args.is_empty() {
        return Err(Fault::new(format!("{} needs an argument", upper(node))));
    }
    Ok(node.args.clone())
}

fn one(node: &Node) -> Result<String, Fault> {
    match node.args.as_slice() {
        [word] => Ok(word.clone()),
        _ => Err(Fault::new(format!("{} takes one argument", upper(node)))),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::parse::parse_body;
    use super::*;

    fn read(line: &str) -> Result<Instruction, Fault> {
        let file = parse_body(line.as_bytes())?;
        typed(&file.nodes[0]).map(|t| t.instruction)
    }

    #[test]
    fn stage_names_are_lower_case() {
        let Instruction::From(from) = read("from a As B-1").unwrap() else {
            panic!("a FROM");
        };
        assert_eq!(from.name.as_deref(), Some("b-1"));
        for bad in ["FROM a AS 1", "FROM a AS é", "FROM a b", "FROM", "FROM a BS b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn missing_and_blank_arguments_are_errors() {
        for bad in [
            "CPOY a b",
            "ARG",
            "ARG =b",
            "ENV",
            "ENV =b",
            "USER",
            "VOLUME [\" \"]",
            "SHELL a",
            "SHELL []",
            "ONBUILD FROM a",
            "ONBUILD ONBUILD RUN a",
            "ONBUILD",
            "COPY a",
            "COPY a <<E\nE",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(read("CPOY a b").unwrap_err().hint.unwrap(), "did you mean COPY?");
    }

    #[test]
    fn an_unknown_flag_is_kept_in_mind() {
        let node = &parse_body(b"COPY --new=1 a b").unwrap().nodes[0];
        assert_eq!(typed(node).unwrap().unknown_flag.as_deref(), Some("--new"));
        assert!(read("COPY --link --link a b").is_err());
        assert!(read("COPY --link=maybe a b").is_err());
        assert!(read("COPY --chown a b").is_err());
    }

    #[test]
    fn a_trigger_keeps_its_heredocs() {
        let text = read("ONBUILD RUN <<E\nls\nE").unwrap();
        assert_eq!(text, Instruction::OnBuild("RUN <<E\nls\nE".into()));
    }
}
