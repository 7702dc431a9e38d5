//! COPY and ADD.

use super::plan::State;
use super::{Records, words};
use crate::containerfile::glob;
use crate::containerfile::recipe::{Heredoc, Source, Transfer, TransferSource};
use crate::model::RepoPath;

/// Writes the records of one COPY or ADD; what it reads of contexts stands elsewhere. `folders`: it copies the
/// contents of folders only.
pub(super) fn write(transfer: &Transfer, state: &State, folders: bool, line: Option<u32>, out: &mut Records) {
    let kind = if transfer.add { "add" } else { "copy" };
    let destination = words::destination(state.workdir.as_ref(), &transfer.destination);
    match destination.strip_suffix('/') {
        Some(bare) if folders && !bare.is_empty() => out.text(line, kind, bare),
        _ => out.text(line, kind, &destination),
    }
    if transfer.from != Source::Context {
        out.text(line, "from", &words::source(&transfer.from));
    }
    flags(transfer, line, out);
    let context = matches!(transfer.from, Source::Context | Source::Named(_));
    for source in &transfer.sources {
        match source {
            TransferSource::Path(word) if context => read(transfer, word, line, out),
            TransferSource::Path(word) => out.text(line, "source", &stage_word(transfer, word)),
            TransferSource::Heredoc(heredoc) => file(heredoc, line, out),
            TransferSource::Url(url) => out.text(line, "url", url),
            TransferSource::Git(repository) => out.text(line, "git", repository),
        }
    }
}

fn flags(transfer: &Transfer, line: Option<u32>, out: &mut Records) {
    let texts = [
        ("chown", transfer.chown.as_deref().map(words::chown)),
        ("chmod", transfer.chmod.as_deref().map(words::chmod)),
        ("checksum", transfer.checksum.clone()),
        ("unpack", transfer.unpack.map(|u| u.to_string())),
    ];
    for (kind, text) in texts {
        if let Some(text) = text {
            out.text(line, kind, &text);
        }
    }
    let switches = [
        ("link", transfer.link),
        ("parents", transfer.parents),
        ("keep-git-dir", transfer.keep_git_dir),
    ];
    for (kind, _) in switches.iter().filter(|(_, on)| *on) {
        out.push(line, kind, String::new());
    }
    for pattern in &transfer.exclude {
        out.text(line, "exclude", pattern);
    }
}

/// A word that reads a context: literal words are absent, wildcards stay (containerfile 1, record 3).
fn read(transfer: &Transfer, word: &str, line: Option<u32>, out: &mut Records) {
    out.push(line, "reads", String::new());
    if glob::has_wildcard(word.as_bytes()) {
        out.text(line, "wildcard", &stage_word(transfer, word));
    }
}

/// A source word, cleaned from the root (rule 35); under `--parents` as written, since `/./` has a meaning there.
fn stage_word(transfer: &Transfer, word: &str) -> String {
    if transfer.parents {
        return word.into();
    }
    words::absolute(&RepoPath::clean(word))
}

/// A file that stands in the container file. `chomp` matters as long as the body has tabs to lose.
fn file(heredoc: &Heredoc, line: Option<u32>, out: &mut Records) {
    let tabs = heredoc.chomp && heredoc.body.lines().any(|l| l.starts_with('\t'));
    let chomp = if tabs { "chomp" } else { "" };
    out.list(line, "heredoc", &[&heredoc.name, &heredoc.body, chomp]);
}
