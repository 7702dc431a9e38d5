//! What the code knows is generated: `docs/reference/{cli.md,rings.schema.json,revision-records.md}`.

use crate::args::Cli;
use crate::pages::root;
use clap::{Command, CommandFactory};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Compares, or with `UPDATE` writes.
fn current(path: &str, wanted: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{} is not what the code says: UPDATE=1 cargo test --test docs",
        path.display()
    );
}

#[test]
fn the_reference_of_verbs_is_current() {
    let mut cli = Cli::command().term_width(100);
    cli.build();
    let mut text = String::from(
        "# Verbs\n\nWhat `ringshift --help` and `ringshift VERB --help` print.\nThe flags under *Everywhere* stand in every verb and are told once. Exit codes: [their page](exit-codes.md).\n",
    );
    section(&mut text, &mut cli, 2);
    current("docs/reference/cli.md", &text);
}

fn section(text: &mut String, command: &mut Command, depth: usize) {
    let name = command.get_bin_name().unwrap_or("ringshift").to_owned();
    let help = command.render_help().to_string();
    // The flags of every verb are told once.
    let help = match depth {
        2 => help.as_str(),
        _ => help.split("\nEverywhere:").next().unwrap(),
    };
    let examples = command.get_after_help().map(ToString::to_string);
    let examples = examples.filter(|_| depth > 2 && !help.contains("Examples:"));
    let mut body = help.trim_end().to_owned();
    if let Some(examples) = examples {
        let _ = write!(body, "\n\n{}", examples.trim_end());
    }
    let body: Vec<&str> = body.lines().map(str::trim_end).collect();
    let _ = write!(
        text,
        "\n{} {name}\n\n```text\n{}\n```\n",
        "#".repeat(depth),
        body.join("\n")
    );
    for sub in command.get_subcommands_mut().filter(|s| !s.is_hide_set()) {
        section(text, sub, 3);
    }
}

#[test]
fn the_schema_of_rings_yaml_is_current() {
    let schema = serde_json::to_string_pretty(&ringshift::config::schema()).unwrap();
    current("docs/reference/rings.schema.json", &format!("{schema}\n"));
}

#[test]
fn the_table_of_records_is_current() {
    let source = std::fs::read_to_string(root().join("src/revision/records.rs")).unwrap();
    let head = source.lines().map_while(|line| line.strip_prefix("//!"));
    let head: Vec<&str> = head.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let text = format!(
        "# Records of a revision\n\n{}\n\nThe rules are those of [the revision](../concepts/revision.md).\n",
        head.join("\n").trim_end()
    );
    current("docs/reference/revision-records.md", &text);
}

#[test]
fn every_warning_has_its_section() {
    let files = [
        "src/containerfile/resolve/warn.rs",
        "src/revision/warn.rs",
        "src/engine/project/stale.rs",
        "src/render/findings/images.rs",
        "src/render/findings/names.rs",
        "src/render/findings/references.rs",
        "src/render/findings/selectors.rs",
        "src/render/findings/versions.rs",
    ];
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let source: String = files.into_iter().map(read).collect();
    let code = regex::Regex::new(r#""([a-z]+(?:-[a-z]+)+)""#).unwrap();
    let told: BTreeSet<&str> = code
        .captures_iter(&source)
        .map(|c| c.get(1).unwrap().as_str())
        .collect();
    let page = std::fs::read_to_string(root().join("docs/reference/warnings.md")).unwrap();
    let row = regex::Regex::new(r"(?m)^## `([a-z-]+)`$").unwrap();
    let rows: BTreeSet<&str> = row
        .captures_iter(&page)
        .map(|c| c.get(1).unwrap().as_str())
        .collect();
    assert!(told.len() > 5, "the codes are read");
    let known = ringshift::config::codes();
    let silenced: BTreeSet<&str> = known.into_iter().chain(["numeric-from"]).collect();
    assert_eq!(silenced, told);
    assert_eq!(rows, told);
}

#[test]
fn every_exit_code_of_the_help_has_its_row() {
    let help = Cli::command().get_after_help().unwrap().to_string();
    let codes = help.split("Exit codes:").nth(1).unwrap();
    let number = regex::Regex::new(r"(?m)(?:^ *|  )(\d+) ").unwrap();
    let page = std::fs::read_to_string(root().join("docs/reference/exit-codes.md")).unwrap();
    let codes: Vec<&str> = number
        .captures_iter(codes)
        .map(|c| c.get(1).unwrap().as_str())
        .collect();
    assert!(codes.len() >= 10, "{codes:?}");
    for code in codes {
        assert!(page.contains(&format!("\n| {code} | ")), "{code} has no row");
    }
}
