//! Normal forms of words (containerfile 1, "normal forms").

use crate::containerfile::recipe::Source;
use crate::model::{Reference, RepoPath};

/// A source as a record holds it: an image that is pinned goes by its digest alone, wherever it is pulled from.
pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Scratch => "scratch".into(),
        Source::Stage(number) => format!("stage:{number}"),
        Source::Project(name) => format!("dep:{name}"),
        Source::External(reference) => format!("image:{}", image(reference)),
        Source::Named(name) => format!("context:{name}"),
        Source::Context => "context".into(),
    }
}

fn image(reference: &Reference) -> String {
    match reference.digest() {
        Some(digest) => digest.to_owned(),
        None => reference.to_string(),
    }
}

/// An absolute path, cleaned.
pub(super) fn absolute(path: &RepoPath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
}

/// A destination, cleaned; its trailing slash stays, since it says that this is a folder. A relative one is joined
/// to the working directory where that is known.
pub(super) fn destination(workdir: Option<&RepoPath>, text: &str) -> String {
    let folder = text.ends_with('/') || text.ends_with("/.") || matches!(text, "" | ".");
    let path = match workdir {
        _ if text.starts_with('/') => RepoPath::clean(text),
        Some(workdir) => workdir.resolve(text),
        None => return relative(text, folder),
    };
    let slash = if folder && !path.is_root() { "/" } else { "" };
    absolute(&path) + slash
}

/// A relative path below a working directory that only the base knows.
fn relative(text: &str, folder: bool) -> String {
    let cleaned = crate::containerfile::ignore::clean(text.as_bytes());
    let slash = if folder { "/" } else { "" };
    format!("./{}{slash}", String::from_utf8_lossy(&cleaned))
}

/// `--chown`: a user that is a number has the group of that number (rule 51).
pub(super) fn chown(text: &str) -> String {
    match text.parse::<u32>() {
        Ok(id) => format!("{id}:{id}"),
        Err(_) => text.into(),
    }
}

/// The bits of an octal `--chmod`; `None` when it is symbolic.
pub(super) fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|_| !text.starts_with('+'))
}

/// `--chmod`: octal without leading zeros.
pub(super) fn chmod(text: &str) -> String {
    octal(text).map_or_else(|| text.into(), |bits| format!("{bits:o}"))
}

/// A port of EXPOSE: `port/protocol`, in lower case, TCP when none is written (rule 75).
pub(super) fn port(text: &str) -> String {
    let text = text.to_lowercase();
    if text.contains('/') { text } else { text + "/tcp" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_cleaned_and_keep_their_slash() {
        let app = RepoPath::clean("app");
        for (text, want) in [
            ("/a//b/../c", "/a/c"),
            ("/a/", "/a/"),
            ("/a/.", "/a/"),
            ("/", "/"),
            (".", "/app/"),
            ("./", "/app/"),
            ("x", "/app/x"),
            ("../x/", "/x/"),
            ("..", "/"),
        ] {
            assert_eq!(destination(Some(&app), text), want, "{text}");
        }
        assert_eq!(destination(None, "x/../y/"), "./y/");
        assert_eq!(destination(None, "/y"), "/y");
    }

    #[test]
    fn owners_modes_and_ports_have_one_form() {
        assert_eq!(chown("5"), "5:5");
        assert_eq!(chown("05:5"), "05:5");
        assert_eq!(chown("www"), "www");
        assert_eq!(chmod("0755"), "755");
        assert_eq!(chmod("u+x"), "u+x");
        assert_eq!(port("80"), "80/tcp");
        assert_eq!(port("53/UDP"), "53/udp");
    }
}
