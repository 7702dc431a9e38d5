//! The records of a revision: everything that enters the hash, in order, printable.
//!
//! The preimage is the concatenation of `<length>:<kind> <payload>\n`, where the length counts the bytes of
//! `<kind> <payload>`. The revision is its SHA-256, so `ringshift explain IMAGE --records | sha256sum` recomputes it.
//! Payloads are UTF-8 without control characters: text is escaped as paths are (`\xNN`, `\\`), lists are JSON.
//!
//! | kind | payload | why |
//! |---|---|---|
//! | `format` | `ringshift-revision/1` | a stored format is numbered |
//! | `platform` | `os/arch[/variant]` | begins the records of one platform (rules 29, 80) |
//! | `target` | stage number | which stage becomes the image (rule 21) |
//! | `epoch` | text | asks for a new build of the same sources (rule 72) |
//! | `syntax` | reference | the frontend that reads the file (rule 7) |
//! | `stage` | number, base | reachable stages, renumbered (rules 15, 20) |
//! | `stage-platform` | platform | only where it differs |
//! | `unresolved` | instruction | as written: a word names a variable that only an unlocked base could define |
//! | `copy`, `add` | destination | cleaned as BuildKit does (rule 44) |
//! | `from` | source | `--from`, when it is not the build context |
//! | `chown`, `chmod`, `checksum`, `exclude` | text | flags (rules 51, 54, 56) |
//! | `link`, `parents`, `keep-git-dir`, `unpack` | or a truth value | flags (rules 52, 53, 55, 57) |
//! | `reads` | | a word that reads a context, or a stage that begins with a folder (rule 78): its entries stand below as a `read` |
//! | `wildcard` | word | a later match must be seen (rules 37, 38) |
//! | `source` | path | a word that reads a stage or image, cleaned |
//! | `url`, `git` | text | content unknown here (rules 56, 57) |
//! | `heredoc` | name, body, more | bodies are content (rules 58, 59) |
//! | `run`, `run-exec` | command | verbatim (rule 10) |
//! | `arg` | name, value | ARGs that the RUN sees (rules 25 to 28) |
//! | `mount` | kind, target, options | (rules 70 to 72) |
//! | `network`, `security`, `device` | text | when not the default (rule 73) |
//! | `env` | name, value | before the RUN that sees it, or at the end of the stage (rules 32, 33) |
//! | `user`, `workdir`, `shell` | | they change what follows (rule 75) |
//! | `label`, `cmd`, `entrypoint`, `healthcheck`, `expose`, `volume`, `stopsignal`, `onbuild`, `maintainer` | | metadata of the image: at the end of the stage, last one wins, sorted; only stages that the target stands on (rules 23, 75) |
//! | `read` | number of the `reads` | begins what one word reads |
//! | `named` | name of a named context | what context that was (rule 78) |
//! | `folder` | | a folder whose contents are read; its name is no input (rule 36) |
//! | `as` | name | a file that was named, and its name |
//! | `file` | mode, SHA-256, path | the mode is 644 or 755 (rule 45) |
//! | `text` | SHA-256, path | a symbolic link and its text (rule 42) |
//! | `bare` | path | a folder that is kept with nothing in it |
//! | `whole` | what | the file is not understood: it and all contexts enter (containerfile 1) |
//! | `input` | kind, name, value | what the file could have used, when it is not understood |
//! | `environments` | `ringshift-pack/1` | begins what the environments read; the root image only, after everything else (releasing, D1) |
//! | `environment` | name, folder | an environment |
//! | `alias` | name, image | another name by which a manifest calls an image of the project |

mod env;
mod environments;
mod metadata;
mod plan;
mod reads;
mod run;
mod transfer;
mod words;

pub(super) use environments::environments;
pub(super) use plan::plan;
pub(super) use reads::{reads, whole_context};

use crate::model::Revision;
use crate::model::path::escape;
use std::fmt::Write;

/// The name and number of the format.
pub const FORMAT: &str = "ringshift-revision/1";

/// About what the framing of a record adds, in bytes.
const FRAME: usize = 8;

/// One thing that enters the revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line of the container file that it comes from, from 1. Not part of the hash.
    pub line: Option<u32>,
    /// What it is: a word of the table above.
    pub kind: &'static str,
    /// Its value: UTF-8 without control characters.
    pub payload: String,
}

/// All that enters a revision, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records(Vec<Record>);

impl Records {
    /// The records, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Record> {
        self.0.iter()
    }

    /// The bytes whose SHA-256 is the revision.
    pub fn preimage(&self) -> String {
        let length = |record: &Record| record.kind.len() + 1 + record.payload.len();
        let framed = self.0.iter().map(|record| length(record) + FRAME).sum();
        let mut out = String::with_capacity(framed);
        for record in &self.0 {
            let _ = write!(out, "{}:", length(record));
            out.push_str(record.kind);
            out.push(' ');
            out.push_str(&record.payload);
            out.push('\n');
        }
        out
    }

    /// The revision.
    pub fn revision(&self) -> Revision {
        Revision::of(self.preimage().as_bytes())
    }

    /// Adds a record whose payload is already printable.
    pub(super) fn push(&mut self, line: Option<u32>, kind: &'static str, payload: String) {
        debug_assert!(!payload.contains(char::is_control), "{payload:?}");
        self.0.push(Record { line, kind, payload });
    }

    /// Takes the last record back if `when` says so.
    pub(super) fn drop_last(&mut self, when: impl FnOnce(&Record) -> bool) {
        self.0.pop_if(|last| when(last));
    }

    /// Adds a record of free text.
    pub(super) fn text(&mut self, line: Option<u32>, kind: &'static str, text: &str) {
        self.push(line, kind, escape(text.as_bytes()));
    }

    /// Adds a record of several values.
    pub(super) fn list(&mut self, line: Option<u32>, kind: &'static str, values: &[&str]) {
        let values: Vec<String> = values.iter().map(|v| escape(v.as_bytes())).collect();
        self.push(line, kind, serde_json::Value::from(values).to_string());
    }
}

impl<'r> IntoIterator for &'r Records {
    type Item = &'r Record;
    type IntoIter = std::slice::Iter<'r, Record>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
