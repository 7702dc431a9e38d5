//! What of a RUN makes its result depend on more than its inputs (rules 26 and 74): a guess from its words, good enough
//! to ask people to look.

use super::warn;
use crate::containerfile::recipe::{Command, Run, Warning};

/// Programs that answer as the network does, with the words after them that make them do so; none: always.
const FETCH: [(&str, &[&str]); 27] = [
    ("apk", &["add", "upgrade"]),
    ("apt", &["install", "upgrade"]),
    ("apt-get", &["install", "upgrade", "dist-upgrade", "source"]),
    ("aptitude", &["install", "upgrade"]),
    ("cargo", &["install"]),
    ("conda", &["install", "create", "update"]),
    ("curl", &[]),
    ("dnf", &["install", "update", "upgrade"]),
    ("gem", &["install"]),
    ("git", &["clone", "fetch", "pull"]),
    ("go", &["get", "install"]),
    ("mamba", &["install", "create", "update"]),
    ("microdnf", &["install", "update", "upgrade"]),
    ("npm", &["install", "i", "add", "update"]),
    ("pacman", &[]),
    ("pip", &["install", "download"]),
    ("pip3", &["install", "download"]),
    ("pipx", &["install"]),
    ("pnpm", &["install", "i", "add", "update"]),
    ("rsync", &[]),
    ("svn", &["checkout", "co", "export"]),
    ("tdnf", &["install", "update", "upgrade"]),
    ("uv", &["pip", "add", "sync"]),
    ("wget", &[]),
    ("yarn", &["install", "add", "up"]),
    ("yum", &["install", "update", "upgrade"]),
    ("zypper", &["install", "in", "update", "up"]),
];

/// Programs whose answer is another each time.
const CHANCE: [&str; 6] = ["date", "hostname", "mktemp", "shuf", "ssh-keygen", "uuidgen"];

const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// The warnings that the text of a RUN on `line` deserves.
pub(super) fn doubts(line: u32, run: &Run) -> Vec<Warning> {
    let texts = texts(run);
    let offline = run.network.as_deref() == Some("none");
    let all: Vec<&str> = texts.iter().flat_map(|text| words(text)).collect();
    let unsure = (0..all.len()).find_map(|at| program(&all[at..], offline));
    let proxy = texts.iter().find_map(|text| proxy(text, &run.args));
    let mut out = Vec::new();
    out.extend(unsure.map(|what| warn::run_not_reproducible(line, &what)));
    out.extend(proxy.map(|name| warn::proxy_in_run(line, name)));
    out
}

fn texts(run: &Run) -> Vec<&str> {
    let command = match &run.command {
        Command::Shell(text) => vec![text.as_str()],
        Command::Exec(words) => words.iter().map(String::as_str).collect(),
    };
    let bodies = run.heredocs.iter().map(|heredoc| heredoc.body.as_str());
    command.into_iter().chain(bodies).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let separates =
        |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '`' | '"' | '\'' | '{');
    text.split(separates).filter(|word| !word.is_empty())
}

/// What the words begin with, when it is a program whose answer is not a function of the image's inputs.
fn program(words: &[&str], offline: bool) -> Option<String> {
    let name = words.first()?.rsplit('/').next()?;
    if CHANCE.contains(&name) {
        return Some(name.to_owned());
    }
    let (_, verbs) = FETCH.iter().find(|(program, _)| *program == name && !offline)?;
    if verbs.is_empty() {
        return Some(name.to_owned());
    }
    let verb = words[1..].iter().find(|word| !word.starts_with('-'))?;
    verbs.contains(verb).then(|| format!("{name} {verb}"))
}

/// A proxy variable that a text asks for and no ARG declares.
fn proxy(text: &str, args: &[(String, String)]) -> Option<&'static str> {
    let declared = |name: &str| args.iter().any(|(arg, _)| arg.eq_ignore_ascii_case(name));
    let upper = text.to_uppercase();
    PROXIES.into_iter().find(|name| {
        let asked = upper.contains(&format!("${name}")) || upper.contains(&format!("${{{name}"));
        asked && !declared(name)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes;

    fn doubtful(run: &str) -> bool {
        codes(&format!("FROM locked\n{run}")).contains(&"run-not-reproducible")
    }

    #[test]
    fn what_the_network_or_chance_decides_is_told() {
        assert!(doubtful("RUN apt-get update && apt-get -y install curl"));
        assert!(doubtful("RUN [\"/usr/bin/pip\", \"install\", \"x\"]"));
        assert!(doubtful("RUN echo $(date) > /built"));
        assert!(doubtful("RUN <<E\nwget http://example.com\nE"));
    }

    #[test]
    fn what_the_inputs_decide_is_not() {
        assert!(!doubtful("RUN npm ci && make install"));
        assert!(!doubtful("RUN apt-get clean && git status"));
        assert!(!doubtful("RUN --network=none curl x"));
        assert!(!doubtful("RUN echo update the candidate"));
    }

    #[test]
    fn a_proxy_that_nobody_declares_is_told() {
        let told = |text: &str| codes(text).contains(&"proxy-in-run");
        assert!(told("FROM locked\nRUN echo $http_proxy"));
        assert!(told("FROM locked\nRUN echo ${HTTPS_PROXY:-none}"));
        assert!(!told("FROM locked\nARG http_proxy=x\nRUN echo $http_proxy"));
        assert!(!told("FROM locked\nRUN echo proxy"));
    }
}
