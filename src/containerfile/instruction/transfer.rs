//! COPY and ADD: flags, sources, destination.

use super::flags::{Flags, Kind};
use super::{Instruction, command};
use crate::containerfile::error::Fault;
use crate::containerfile::heredoc;
use crate::containerfile::parse::Node;
use crate::containerfile::recipe;

/// COPY or ADD as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferWords {
    /// ADD.
    pub add: bool,
    /// `--from`.
    pub from: Option<String>,
    /// Sources that are paths or URLs.
    pub paths: Vec<String>,
    /// Sources that stand in the container file, without the tabs of `<<-`; they come after the paths.
    pub heredocs: Vec<recipe::Heredoc>,
    /// The last word.
    pub destination: String,
    /// `--chown`.
    pub chown: Option<String>,
    /// `--chmod`.
    pub chmod: Option<String>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--checksum`.
    pub checksum: Option<String>,
    /// `--keep-git-dir`.
    pub keep_git_dir: Option<bool>,
    /// `--unpack`.
    pub unpack: Option<bool>,
}

const COPY: [(&str, Kind); 6] = [
    ("chown", Kind::Text),
    ("from", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Switch),
    ("exclude", Kind::List),
    ("parents", Kind::Switch),
];

const ADD: [(&str, Kind); 7] = [
    ("chown", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Switch),
    ("keep-git-dir", Kind::Switch),
    ("checksum", Kind::Text),
    ("unpack", Kind::Switch),
    ("exclude", Kind::List),
];

/// COPY or ADD with its flags.
pub(super) fn read(node: &Node, add: bool) -> Result<(Instruction, Flags), Fault> {
    let name = if add { "ADD" } else { "COPY" };
    let [sources @ .., destination] = node.args.as_slice() else {
        return Err(no_destination(name));
    };
    if sources.is_empty() {
        return Err(no_destination(name));
    }
    let flags = Flags::read(&node.flags, if add { &ADD[..] } else { &COPY[..] })?;
    if announces(destination).is_some() {
        return Err(Fault::new(format!("a heredoc cannot be where {name} writes to"))
            .hint("the last word is the destination"));
    }
    let (paths, heredocs) = split(node, sources);
    let words = TransferWords {
        add,
        from: flags.text("from"),
        paths,
        heredocs,
        destination: destination.clone(),
        chown: flags.text("chown"),
        chmod: flags.text("chmod"),
        link: flags.switch("link").unwrap_or_default(),
        parents: flags.switch("parents").unwrap_or_default(),
        exclude: flags.list("exclude"),
        checksum: flags.text("checksum"),
        keep_git_dir: flags.switch("keep-git-dir"),
        unpack: flags.switch("unpack"),
    };
    Ok((Instruction::Transfer(words), flags))
}

fn no_destination(name: &str) -> Fault {
    Fault::new(format!("{name} needs a source and a destination")).hint(format!("{name} SOURCE… DESTINATION"))
}

fn announces(word: &str) -> Option<heredoc::Heredoc> {
    heredoc::parse(word).ok().flatten()
}

/// Paths and heredocs apart. Of several heredocs of one name the last body counts for all.
fn split(node: &Node, sources: &[String]) -> (Vec<String>, Vec<recipe::Heredoc>) {
    let (mut paths, mut heredocs) = (Vec::new(), Vec::new());
    for source in sources {
        let Some(mut announced) = announces(source) else {
            paths.push(source.clone());
            continue;
        };
        let named = |h: &&heredoc::Heredoc| h.name == announced.name;
        if let Some(found) = node.heredocs.iter().rfind(named) {
            announced.body.clone_from(&found.body);
        }
        heredocs.push(recipe::Heredoc {
            body: announced.chomped(),
            ..command::heredoc(&announced)
        });
    }
    (paths, heredocs)
}
