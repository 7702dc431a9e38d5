//! What a person sees. Standard output is data, standard error is talk.

pub mod age;
pub mod board;
pub mod diff;
pub mod log;
pub mod plan;
pub mod progress;
pub mod release;
pub mod table;

use crate::args::{Color, Global};
use anstream::{AutoStream, ColorChoice};
use ringshift::state::Timestamp;
use std::io::Write;

/// How to talk.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// JSON instead of text.
    pub json: bool,
    /// Only what is wrong.
    pub quiet: bool,
    /// How much more.
    pub verbose: u8,
    /// Now, for times as people say them.
    pub now: Timestamp,
    choice: ColorChoice,
}

/// A number with its noun.
pub fn count(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}

/// Yellow: it waits.
pub const WAITS: anstyle::Style = anstyle::AnsiColor::Yellow.on_default();
/// Red: it is refused.
pub const REFUSED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
/// What leads a line of talk.
pub const LEAD: anstyle::Style = anstyle::AnsiColor::Green.on_default().bold();

/// A text of somebody else's for the terminal, which no control character of it reaches.
pub fn plain(text: &str) -> String {
    ringshift::model::problem::printable(text)
}

impl Ui {
    /// As the flags say.
    pub fn new(global: &Global) -> Self {
        let choice = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            now: crate::settings::now(),
            choice,
        }
    }

    /// Data: text that may be coloured, to standard output.
    pub fn print(&self, text: &str) {
        let mut out = AutoStream::new(std::io::stdout(), self.choice);
        // A closed pipe is the reader's way to say that it has seen enough.
        let _ = writeln!(out, "{}", text.trim_end_matches('\n'));
    }

    /// Data: bytes exactly as they are, to standard output.
    pub fn print_raw(&self, bytes: &[u8]) {
        let mut out = std::io::stdout();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// Talk: a line led by a right-aligned verb, to standard error.
    pub fn say(&self, verb: &str, text: &str) {
        if !self.quiet && !self.json {
            self.talk(&format!("{LEAD}{verb:>10}{LEAD:#} {}", plain(text)));
        }
    }

    /// Talk: a note.
    pub fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            self.talk(&format!("note: {}", plain(text)));
        }
    }

    /// Talk: a warning; quiet or not.
    pub fn warn(&self, text: &str) {
        if !self.json {
            self.talk(&format!("{WAITS}warning{WAITS:#}: {}", plain(text)));
        }
    }

    /// What is drawn on a terminal's standard error, without an end of line.
    pub fn draw(&self, text: &str) {
        let mut err = AutoStream::new(std::io::stderr(), self.choice);
        let _ = write!(err, "{text}");
    }

    /// Takes the last lines off a terminal's standard error, coloured or not.
    pub fn erase(&self, lines: usize) {
        let _ = write!(std::io::stderr(), "\x1b[{lines}A\r\x1b[J");
    }

    /// A line on standard error.
    pub fn talk(&self, text: &str) {
        let mut err = AutoStream::new(std::io::stderr(), self.choice);
        let _ = writeln!(err, "{text}");
    }
}
