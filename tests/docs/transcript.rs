//! What the documents quote in `console` blocks is what `ringshift demo` prints.

use crate::pages::{blocks, pages, root};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// A demo that was played in a folder of its own.
pub struct Demo {
    home: PathBuf,
    printed: String,
}

/// The demo, played once; nothing of this machine's settings reaches it.
pub fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(play)
}

fn play() -> Demo {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("documents");
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&home).unwrap();
    let log = home.join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut demo = Demo {
        home,
        printed: String::new(),
    };
    let status = Command::new(env!("CARGO_BIN_EXE_ringshift"))
        .args(["demo", "shop"])
        .current_dir(&demo.home)
        .env_clear()
        .envs(demo.environment())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    demo.printed = std::fs::read_to_string(&log).unwrap();
    assert!(status.success(), "{}", demo.printed);
    demo
}

impl Demo {
    pub fn project(&self) -> PathBuf {
        self.home.join("shop")
    }

    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let home = self.home.display().to_string();
        vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", home.clone()),
            ("TMPDIR", home),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ]
    }

    /// Each command with the lines that it printed, as a reader of the documents sees them.
    fn commands(&self) -> Vec<(String, Vec<String>)> {
        let place = self.project().display().to_string();
        let mut commands: Vec<(String, Vec<String>)> = Vec::new();
        let mut told = true;
        for line in self.printed.lines() {
            let line = line.replace(&place, "/home/ada/shop");
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push((command.to_owned(), Vec::new()));
                told = false;
                continue;
            }
            told |= is_told(&line);
            if let (false, Some((_, printed))) = (told, commands.last_mut()) {
                printed.push(line);
            }
        }
        for (_, printed) in &mut commands {
            while printed.last().is_some_and(String::is_empty) {
                printed.pop();
            }
        }
        commands
    }
}

/// Whether a line begins what the demo says between commands.
fn is_told(line: &str) -> bool {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = number.len() < line.len()
        && number
            .strip_prefix(". ")
            .is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    numbered || line.starts_with("What happened") || line.starts_with("The project is yours")
}

/// A line without what differs from run to run: ids, times, the widths of columns.
fn masked(line: &str) -> String {
    let word = |word: &str| {
        let hex = word.len() >= 7 && word.len() <= 8 && word.chars().all(|c| c.is_ascii_hexdigit());
        if hex { "ID".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    let ages = regex::Regex::new(r"\b\d+ (s|min|h|d)\b").unwrap();
    let digests = regex::Regex::new(r"@(sha256:[0-9a-f]{64}|[0-9a-f]{12})\b").unwrap();
    let text = digests.replace_all(&words.join(" "), "@DIGEST").into_owned();
    ages.replace_all(&text, "AGE").into_owned()
}

/// Lines in an order of their own: images are built side by side.
fn in_order(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = lines
        .iter()
        .map(|l| masked(l))
        .filter(|l| !l.is_empty())
        .collect();
    lines.sort();
    lines
}

/// A quoted command: where it stands, and the lines below it.
struct Quote {
    line: usize,
    command: String,
    printed: Vec<String>,
}

fn quotes(text: &str) -> Vec<Quote> {
    let mut quotes: Vec<Quote> = Vec::new();
    for block in blocks(text).into_iter().filter(|b| b.kind == "console") {
        for (at, line) in block.lines.into_iter().enumerate() {
            match (line.strip_prefix("$ "), quotes.last_mut()) {
                (Some(command), _) => quotes.push(Quote {
                    line: block.line + at,
                    command: command.to_owned(),
                    printed: Vec::new(),
                }),
                (None, Some(quote)) => quote.printed.push(line),
                (None, None) => panic!("line {}: a quote begins with `$ `", block.line + at),
            }
        }
    }
    quotes
}

#[test]
fn what_the_documents_quote_is_printed() {
    let demo = demo();
    let commands = demo.commands();
    let update = std::env::var_os("UPDATE").is_some();
    for page in pages() {
        let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
        let mut end = commands.len();
        for quote in quotes(&page.text).into_iter().rev() {
            let place = format!("{}:{}: {}", page.path.display(), quote.line, quote.command);
            // Quotes are in the order of the story; the last of several equal commands is meant.
            let found = commands[..end]
                .iter()
                .rposition(|(command, _)| masked(command) == masked(&quote.command));
            let Some(found) = found else {
                panic!("{place}: the demo does not run this");
            };
            end = found;
            let printed = &commands[found].1;
            if update && in_order(&quote.printed) != in_order(printed) {
                lines.splice(
                    quote.line..quote.line + quote.printed.len(),
                    printed.iter().cloned(),
                );
            } else {
                assert_eq!(in_order(&quote.printed), in_order(printed), "{place}");
            }
        }
        let text = lines.join("\n") + "\n";
        if text != page.text {
            std::fs::write(root().join(&page.path), text).unwrap();
        }
    }
}
