//! Every `ringshift …` line in the documents and in `--help` is one that the program takes.

use crate::args::Cli;
use crate::pages::{self, blocks};
use crate::transcript::demo;
use clap::{CommandFactory, Parser};
use std::process::Command;

/// The words of a line as a shell would split them, up to a pipe, redirection or comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut inside) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => (quote, inside) = (Some(c), true),
            ('#' | '|' | '>', None) if word.is_empty() && !inside => break,
            (c, None) if c.is_whitespace() => {
                if inside {
                    words.push(std::mem::take(&mut word));
                }
                inside = false;
            }
            (c, None) => {
                word.push(c);
                inside = true;
            }
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    if inside {
        words.push(word);
    }
    words
}

/// The `ringshift` lines of the `sh` blocks of a text, with their line numbers.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for block in blocks(text) {
        for (at, line) in block.lines.iter().enumerate() {
            let command = match block.kind.as_str() {
                "sh" => Some(line.as_str()),
                "console" => line.strip_prefix("$ "),
                _ => None,
            };
            let Some(command) = command else { continue };
            if command.starts_with("ringshift ") {
                found.push((block.line + at, command.to_owned()));
            }
        }
    }
    found
}

fn parses(command: &str) -> Result<(), String> {
    Cli::try_parse_from(words(command))
        .map(|_| ())
        .map_err(|e| format!("{command}\n{e}"))
}

#[test]
fn every_command_line_in_the_documents_is_one() {
    let mut seen = 0;
    for page in pages::pages() {
        for (line, command) in lines(&page.text) {
            if let Err(error) = parses(&command) {
                panic!("{}:{line}: {error}", page.path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} command lines: are the blocks read?");
}

#[test]
fn every_example_in_the_help_is_one() {
    let cli = Cli::command();
    let mut seen = 0;
    let texts = std::iter::once(&cli).chain(cli.get_subcommands());
    for text in texts.filter_map(|c| c.get_after_help()).map(ToString::to_string) {
        for line in text.lines().filter_map(|l| l.strip_prefix("  ringshift ")) {
            let example = line.split("  ").next().unwrap();
            if let Err(error) = parses(&format!("ringshift {example}")) {
                panic!("{error}");
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} examples");
}

/// What a page of ours says in an `sh` block is run, one after the other, in the demo's project.
#[test]
fn the_commands_of_the_documents_run_in_the_demo() {
    for page in pages::pages() {
        let commands = lines(&page.text);
        let runs = blocks(&page.text).iter().any(|block| block.kind == "sh");
        if !runs || page.path.starts_with("docs/design") {
            continue;
        }
        let demo = demo();
        for (line, command) in commands.iter().filter(|(line, _)| in_shell(&page.text, *line)) {
            let mut words = words(command);
            let out = Command::new(env!("CARGO_BIN_EXE_ringshift"))
                .args(words.drain(1..))
                .current_dir(demo.project())
                .env_clear()
                .envs(demo.environment())
                .output()
                .unwrap();
            assert!(
                out.status.success(),
                "{}:{line}: {command}: {}\n{}",
                page.path.display(),
                out.status,
                String::from_utf8_lossy(&out.stderr)
            );
        }
    }
}

fn in_shell(text: &str, line: usize) -> bool {
    let within = |b: &pages::Block| b.kind == "sh" && (b.line..b.line + b.lines.len()).contains(&line);
    blocks(text).iter().any(within)
}
