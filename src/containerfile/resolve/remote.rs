//! Sources of ADD that are no paths (rules 56 and 57): URLs and git repositories.

use crate::containerfile::error::{Fault, quoted};

/// What a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remote {
    /// A path.
    No,
    /// `http://` or `https://`.
    Url,
    /// A git repository.
    Git(Git),
}

/// What the URL of a git repository says beside the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Git {
    reference: String,
    pub(super) checksum: Option<String>,
    pub(super) keep_git_dir: Option<bool>,
}

impl Git {
    /// Whether what it names can change: neither a full commit nor a checksum is given.
    pub(super) fn is_moving(&self) -> bool {
        let full = |id: &str| matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
        !full(&self.reference) && !self.checksum.as_deref().is_some_and(full)
    }
}

/// What kind of source a word is.
pub(super) fn classify(source: &str) -> Result<Remote, Fault> {
    if source.starts_with("./") || source.starts_with("../") {
        return Ok(Remote::No);
    }
    let Some((scheme, rest)) = scheme(source) else {
        return match scp(source) {
            Some(tail) => git(source, tail).map(Remote::Git),
            None => Ok(Remote::No),
        };
    };
    let is_url = source.starts_with("http://") || source.starts_with("https://");
    let web = || if is_url { Remote::Url } else { Remote::No };
    match scheme.to_lowercase().as_str() {
        "http" | "https" => {
            let end = rest.find(['?', '#']).unwrap_or(rest.len());
            let path = rest[..end].find('/').map_or("", |at| &rest[at..end]);
            match path.ends_with(".git") {
                true => git(source, &rest[end..]).map(Remote::Git),
                false => Ok(web()),
            }
        }
        "git" | "ssh" => git(source, rest).map(Remote::Git),
        _ => Ok(Remote::No),
    }
}

fn scheme(source: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = source.split_once("://")?;
    let good = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    good.then_some((scheme, rest))
}

/// What follows `user@host:`.
fn scp(source: &str) -> Option<&str> {
    let (user, rest) = source.split_once('@')?;
    let (host, tail) = rest.split_once(':')?;
    let user_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let host_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let good =
        !user.is_empty() && user.bytes().all(user_good) && !host.is_empty() && host.bytes().all(host_good);
    good.then_some(tail)
}

/// Query and fragment of a git URL.
fn git(source: &str, tail: &str) -> Result<Git, Fault> {
    let bad = |what: &str| {
        Fault::new(format!("the git source {} {what}", quoted(source)))
            .hint("write …/repository.git?ref=NAME&checksum=COMMIT")
    };
    let (before, fragment) = tail.split_once('#').unwrap_or((tail, ""));
    let query = before.split_once('?').map_or("", |(_, query)| query);
    let mut git = Git {
        reference: fragment.split(':').next().unwrap_or_default().to_owned(),
        ..Git::default()
    };
    let mut name = |value: &str| {
        if !git.reference.is_empty() && git.reference != value {
            return Err(bad("names two commits"));
        }
        value.clone_into(&mut git.reference);
        Ok(())
    };
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if seen.contains(&key) {
            return Err(bad("has a key twice"));
        }
        seen.push(key);
        let truth = match value {
            "" => Some(true),
            value => super::super::instruction::mount::boolean(value),
        };
        match (key, value) {
            ("keep-git-dir", _) => git.keep_git_dir = Some(truth.ok_or_else(|| bad("is not understood"))?),
            ("submodules" | "fetch-by-commit", _) => drop(truth.ok_or_else(|| bad("is not understood"))?),
            (_, "") => return Err(bad("has a key without a value")),
            ("ref", value) => name(value)?,
            ("tag", value) => name(&format!("refs/tags/{}", value.trim_start_matches("refs/tags/")))?,
            ("branch", value) => name(&format!("refs/heads/{}", value.trim_start_matches("refs/heads/")))?,
            ("checksum" | "commit", value) => git.checksum = Some(value.to_owned()),
            ("subdir", _) | ("mtime", "checkout" | "commit") => {}
            _ => return Err(bad("has a key that is not known")),
        }
    }
    Ok(git)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_some_addresses_are_git() {
        for (source, want) in [
            ("https://g/r.git#v1", "git"),
            ("https://g/r.git?ref=v1", "git"),
            ("git@g:x", "git"),
            ("git://g/r", "git"),
            ("ssh://g/r", "git"),
            ("https://g/r", "url"),
            ("http://h/u.git/x", "url"),
            ("ftp://h/u", "path"),
            ("./git@g:x", "path"),
            ("github.com/a/b", "path"),
            ("a b@c:d", "path"),
        ] {
            let got = match classify(source).unwrap() {
                Remote::No => "path",
                Remote::Url => "url",
                Remote::Git(_) => "git",
            };
            assert_eq!(got, want, "{source}");
        }
    }

    #[test]
    fn a_full_commit_does_not_move() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        for (source, moving) in [
            (format!("https://g/r.git#{id}:dir"), false),
            (format!("https://g/r.git?ref=v1&checksum={id}"), false),
            ("https://g/r.git#v1".into(), true),
            ("https://g/r.git".into(), true),
        ] {
            let Remote::Git(git) = classify(&source).unwrap() else {
                panic!("{source} is git");
            };
            assert_eq!(git.is_moving(), moving, "{source}");
        }
    }

    #[test]
    fn odd_queries_are_refused() {
        for query in [
            "x=1",
            "ref=",
            "ref=a&ref=b",
            "keep-git-dir=perhaps",
            "ref=a&tag=b",
        ] {
            assert!(classify(&format!("https://g/r.git?{query}")).is_err(), "{query}");
        }
    }
}
