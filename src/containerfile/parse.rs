//! Bytes to nodes: one node for each instruction, its words not yet looked at.

use super::directive::{self, Key, Reader};
use super::error::{Fault, ParseError};
use super::heredoc::{self, Heredoc};
use super::line::{Lines, is_comment, text, without_continuation, without_newline};
use super::split::split;
use super::syntax::{self, Syntax};
use super::words::{self, Args};
use std::sync::Arc;

/// How deep ONBUILD may stand in ONBUILD before the text is given up; one level is legal.
const DEEPEST_TRIGGER: usize = 16;
/// How many instructions a file may have; what follows from each takes memory.
const MOST_INSTRUCTIONS: usize = 100_000;

/// A container file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its instructions, in order. None when [`File::foreign`].
    pub nodes: Vec<Node>,
    /// The escape character (rule 6).
    pub escape: char,
    /// The frontend that it asks for, if any (rule 7).
    pub syntax: Option<Syntax>,
    /// Lines that end a continuation in which blank lines were dropped (rule 9).
    pub empty_continuations: Vec<u32>,
    /// Its bytes, all of them.
    pub text: Arc<[u8]>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The command as written.
    pub command: String,
    /// Its arguments; none for ONBUILD, which has a [`Node::trigger`].
    pub args: Vec<String>,
    /// Whether the arguments were a JSON array.
    pub json: bool,
    /// The words that begin with `--` in front of the arguments, without quotes.
    pub flags: Vec<String>,
    /// The heredocs.
    pub heredocs: Vec<Heredoc>,
    /// The joined line, without heredoc bodies.
    pub original: String,
    /// The first line, from 1.
    pub start: u32,
    /// The last line, heredocs included.
    pub end: u32,
    /// The bytes before `original` on the first line, when the instruction stands on one line.
    pub indent: Option<usize>,
    /// What ONBUILD keeps for later.
    pub trigger: Option<Box<Node>>,
}

impl File {
    /// Whether another frontend reads the file, so that nobody here knows what it says.
    pub fn foreign(&self) -> Option<&Syntax> {
        self.syntax.as_ref().filter(|syntax| !syntax.is_ours())
    }
}

/// Reads a container file. Of one with a foreign frontend (rule 7) only what this dialect can read.
///
/// # Errors
/// [`ParseError`] at the first line that is not well formed.
pub fn parse(bytes: &[u8]) -> Result<File, ParseError> {
    let syntax = syntax::detect(bytes);
    let foreign = syntax.as_ref().is_some_and(|syntax| !syntax.is_ours());
    match parse_body(bytes) {
        Err(_) if foreign => Ok(File {
            nodes: Vec::new(),
            escape: '\\',
            syntax,
            empty_continuations: Vec::new(),
            text: bytes.into(),
        }),
        body => body.map(|file| File { syntax, ..file }),
    }
}

/// Reads a container file in this dialect, whatever frontend it names.
///
/// # Errors
/// [`ParseError`] at the first line that is not well formed.
pub fn parse_body(bytes: &[u8]) -> Result<File, ParseError> {
    let mut parser = Parser {
        lines: Lines::new(bytes),
        directives: Reader::new("#"),
        file: File {
            nodes: Vec::new(),
            escape: '\\',
            syntax: None,
            empty_continuations: Vec::new(),
            text: bytes.into(),
        },
    };
    while let Some(line) = parser.lines.take()? {
        parser.instruction(line)?;
    }
    if parser.file.nodes.is_empty() {
        return Err(Fault::new("the container file has no instructions")
            .at(parser.lines.number().max(1))
            .hint("it needs a FROM at least"));
    }
    Ok(parser.file)
}

struct Parser<'a> {
    lines: Lines<'a>,
    directives: Reader,
    file: File,
}

impl Parser<'_> {
    /// The instruction that begins on `line`, if one does.
    fn instruction(&mut self, line: &[u8]) -> Result<(), ParseError> {
        let start = self.lines.number();
        if is_comment(line) {
            return self.directive(line, start);
        }
        let line = text(without_newline(line), start)?;
        let stripped = line.trim_start();
        let indent = line.len() - stripped.len();
        self.directives.read(stripped).map_err(|e| e.at(start))?;
        let (first, continued) = without_continuation(stripped, self.file.escape);
        if first.is_empty() && !continued {
            return Ok(());
        }
        if self.file.nodes.len() == MOST_INSTRUCTIONS {
            let fault = Fault::new(format!(
                "the container file has more than {MOST_INSTRUCTIONS} instructions"
            ));
            return Err(fault.at(start).hint("split it, or move text into files"));
        }
        let joined = match continued {
            true => self.joined(first)?,
            false => first.to_owned(),
        };
        let mut node = node(&joined, self.file.escape, 0).map_err(|e| e.at(start))?;
        self.heredocs(&mut node, start)?;
        node.start = start;
        node.end = self.lines.number();
        node.indent = (!continued).then_some(indent);
        self.file.nodes.push(node);
        Ok(())
    }

    /// A comment, which may be a directive.
    fn directive(&mut self, line: &[u8], number: u32) -> Result<(), ParseError> {
        if self.directives.is_done() {
            return Ok(());
        }
        let Ok(line) = text(without_newline(line), number) else {
            self.directives = Reader::finished();
            return Ok(());
        };
        let directive = self
            .directives
            .read(line.trim_start())
            .map_err(|e| e.at(number))?;
        if let Some(directive) = directive.filter(|d| d.key == Key::Escape) {
            self.file.escape = directive::escape(&directive.value).map_err(|e| e.at(number))?;
        }
        Ok(())
    }

    /// `first` and the lines that continue it (rule 9).
    fn joined(&mut self, first: &str) -> Result<String, ParseError> {
        let mut joined = first.to_owned();
        let mut dropped_blank = false;
        while let Some(line) = self.lines.take()? {
            if is_comment(line) {
                continue;
            }
            let line = text(without_newline(line), self.lines.number())?;
            if line.trim_start().is_empty() {
                dropped_blank = true;
                continue;
            }
            let (part, continued) = without_continuation(line, self.file.escape);
            joined.push_str(part);
            if !continued {
                break;
            }
        }
        if dropped_blank {
            self.file.empty_continuations.push(self.lines.number());
        }
        Ok(joined)
    }

    /// Takes the bodies of the heredocs that a node announces (rule 58).
    fn heredocs(&mut self, node: &mut Node, start: u32) -> Result<(), ParseError> {
        if !node.can_have_heredocs() || !node.original.contains("<<") {
            return Ok(());
        }
        for mut heredoc in heredoc::announced(&node.original).map_err(|e| e.at(start))? {
            loop {
                let Some(line) = self.lines.take()? else {
                    return Err(unterminated(&heredoc, start));
                };
                if heredoc.is_end(line) {
                    break;
                }
                heredoc.body.push_str(text(line, self.lines.number())?);
            }
            node.heredocs.push(heredoc);
        }
        Ok(())
    }
}

fn unterminated(heredoc: &Heredoc, line: u32) -> ParseError {
    Fault::new(format!("the heredoc `{}` is not closed", heredoc.name))
        .at(line)
        .hint(format!(
            "end it with a line that is `{}` and nothing else",
            heredoc.name
        ))
}

impl Node {
    /// The command in lower case.
    pub fn name(&self) -> String {
        lower(&self.command)
    }

    /// What follows the command and its flags, as written.
    pub fn rest(&self, escape: char) -> String {
        split(&self.original, escape).rest
    }

    fn can_have_heredocs(&self) -> bool {
        let node = match &self.trigger {
            Some(trigger) => trigger,
            None => self,
        };
        matches!(node.name().as_str(), "add" | "copy" | "run") && !node.json
    }
}

/// Lower case, character by character.
pub(super) fn lower(text: &str) -> String {
    text.chars().filter_map(|c| c.to_lowercase().next()).collect()
}

/// The node of a joined line.
fn node(line: &str, escape: char, depth: usize) -> Result<Node, Fault> {
    let cut = split(line, escape);
    let name = lower(&cut.command);
    let mut trigger = None;
    let args = match name.as_str() {
        "from" | "expose" => words::list(&cut.rest),
        "add" | "copy" | "volume" => words::json_or_list(&cut.rest)?,
        "cmd" | "entrypoint" | "run" | "shell" => words::json_or_string(&cut.rest)?,
        "env" | "label" => words::pairs(&cut.rest, &name.to_uppercase(), escape)?,
        "arg" => words::names(&cut.rest, escape),
        "healthcheck" => words::healthcheck(&cut.rest)?,
        "maintainer" | "stopsignal" | "user" | "workdir" => words::string(&cut.rest),
        "onbuild" if cut.rest.is_empty() => Args::default(),
        "onbuild" if depth == DEEPEST_TRIGGER => {
            return Err(Fault::new("ONBUILD cannot hold another ONBUILD").hint("write ONBUILD once"));
        }
        "onbuild" => {
            trigger = Some(Box::new(node(&cut.rest, escape, depth + 1)?));
            Args::default()
        }
        // What is no command keeps one empty argument, and is an error later.
        _ => Args {
            words: vec![String::new()],
            json: false,
        },
    };
    Ok(Node {
        command: cut.command,
        args: args.words,
        json: args.json,
        flags: cut.flags,
        heredocs: Vec::new(),
        original: line.to_owned(),
        start: 0,
        end: 0,
        indent: None,
        trigger,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        parse(text.as_bytes()).unwrap()
    }

    fn fault(text: &[u8]) -> Fault {
        parse(text).unwrap_err()
    }

    #[test]
    fn joined_lines_keep_their_blanks_and_lose_comments() {
        let file = file("FROM a\nRUN echo a \\\n# c\n\n  b\nUSER u");
        assert_eq!(file.nodes[1].args, ["echo a   b"]);
        assert_eq!((file.nodes[1].start, file.nodes[1].end), (2, 5));
        assert_eq!(file.empty_continuations, [5]);
        assert_eq!(file.nodes[2].start, 6);
    }

    #[test]
    fn the_escape_directive_moves_continuations() {
        let file = file("# escape=`\nFROM a\nCOPY a `\n b");
        assert_eq!(file.escape, '`');
        assert_eq!(file.nodes[1].args, ["a", "b"]);
    }

    #[test]
    fn heredoc_bodies_keep_their_bytes() {
        let file = file("FROM a\nCOPY <<A <<-B /\r\n1\r\nA\r\n\t2\n\tB\nUSER u\n");
        let bodies: Vec<_> = file.nodes[1].heredocs.iter().map(|h| h.body.as_str()).collect();
        assert_eq!(bodies, ["1\r\n", "\t2\n"]);
        assert_eq!(file.nodes[2].start, 7);
    }

    #[test]
    fn triggers_take_heredocs_too() {
        let file = file("FROM a\nONBUILD RUN <<E\nls\nE\n");
        assert_eq!(file.nodes[1].trigger.as_ref().unwrap().args, ["<<E"]);
        assert_eq!(file.nodes[1].heredocs[0].body, "ls\n");
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(fault(b"FROM a\n\nCOPY <<E /\n").line, 3);
        assert_eq!(fault(b"FROM a\nRUN \xFF\n").line, 2);
        assert_eq!(fault(b"").line, 1);
        assert_eq!(fault(b"# c\n# d\n").line, 2);
        assert_eq!(fault(b"# escape=`\n# escape=`\nFROM a").line, 2);
    }

    #[test]
    fn comments_may_hold_any_bytes() {
        assert_eq!(
            parse(b"# gr\xFC\xDFe\n# escape=`\nFROM a\\\n").unwrap().escape,
            '\\'
        );
    }

    #[test]
    fn a_foreign_frontend_may_say_anything() {
        let foreign = parse(b"# syntax=x/y\n(anything)\nENV\nENV x").unwrap();
        assert!(foreign.foreign().is_some());
        assert!(foreign.nodes.is_empty());
        assert!(file("# syntax=docker/dockerfile:1\nFROM a").foreign().is_none());
    }

    #[test]
    fn instructions_are_counted() {
        let text = format!("FROM a\n{}", "RUN x\n".repeat(MOST_INSTRUCTIONS));
        assert_eq!(fault(text.as_bytes()).line as usize, MOST_INSTRUCTIONS + 1);
    }

    #[test]
    fn nested_triggers_end() {
        let mut text = String::from("FROM a\n");
        text.push_str(&"ONBUILD ".repeat(5000));
        assert_eq!(fault(text.as_bytes()).line, 2);
    }
}
