//! From what a user writes to a commit, by rules of our own (SEC-A7): `HEAD`, a branch, a tag, a remote
//! branch, a full or abbreviated id; behind it any number of `~`, `~N`, `^`, `^N`.

use super::{GitError, Repository, id};
use crate::model::CommitId;
use git2::{ErrorCode, Oid};

/// Steps along first parents that one `~N` may take.
const FAR: usize = 1_000_000;

/// A step from a commit to an ancestor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `~N`: N times the first parent.
    Back(usize),
    /// `^N`: the Nth parent; `^0` the commit itself.
    Parent(usize),
}

impl Repository {
    /// The commit that the text names. A tag is followed to its commit. Names win over abbreviated
    /// ids, a full id over a name, as in git.
    ///
    /// # Errors
    /// [`GitError::UnknownRevision`], [`GitError::AmbiguousRevision`], [`GitError::Unborn`] for HEAD,
    /// [`GitError::MissingCommit`] for a full id or a parent that is not here.
    pub fn resolve_commit(&self, text: &str) -> Result<CommitId, GitError> {
        let unknown = || GitError::UnknownRevision(text.chars().take(100).collect());
        let (base, steps) = parse(text).ok_or_else(unknown)?;
        let mut at = self.resolve_base(base)?.ok_or_else(unknown)?;
        for step in steps {
            at = self.walk(&at, step)?.ok_or_else(unknown)?;
        }
        Ok(at)
    }

    fn resolve_base(&self, base: &str) -> Result<Option<CommitId>, GitError> {
        if matches!(base, "HEAD" | "@") {
            return self.head().map(Some);
        }
        if let Ok(full) = base.to_ascii_lowercase().parse::<CommitId>() {
            return self.peel(self.oid(&full)?).map_err(|e| match e {
                GitError::Objects(e) => self.missing(&full, e),
                e => e,
            });
        }
        if let Some(oid) = self.by_name(base)? {
            return self.peel(oid);
        }
        self.by_digits(base)
    }

    /// The places where git looks for a name, in git's order.
    fn by_name(&self, name: &str) -> Result<Option<Oid>, GitError> {
        let repo = self.lock();
        let places = [
            name.starts_with("refs/").then(|| name.to_owned()),
            Some(format!("refs/{name}")),
            Some(format!("refs/tags/{name}")),
            Some(format!("refs/heads/{name}")),
            Some(format!("refs/remotes/{name}")),
            Some(format!("refs/remotes/{name}/HEAD")),
        ];
        for place in places.into_iter().flatten() {
            match repo.refname_to_id(&place) {
                Ok(oid) => return Ok(Some(oid)),
                Err(e) if matches!(e.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(None)
    }

    fn by_digits(&self, text: &str) -> Result<Option<CommitId>, GitError> {
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex || !(4..40).contains(&text.len()) {
            return Ok(None);
        }
        match self.objects().by_prefix(&text.to_ascii_lowercase()) {
            Ok(Some(oid)) => self.peel(oid),
            Ok(None) => Ok(None),
            Err(e) if e.code() == ErrorCode::Ambiguous => Err(GitError::AmbiguousRevision(text.into())),
            Err(e) => Err(e.into()),
        }
    }

    /// The commit that a commit or tag object leads to; `None` for trees and blobs.
    fn peel(&self, oid: Oid) -> Result<Option<CommitId>, GitError> {
        let repo = self.lock();
        let object = repo.find_object(oid, None)?;
        match object.peel_to_commit() {
            Ok(commit) => id(commit.id()).map(Some),
            Err(e) if matches!(e.code(), ErrorCode::Peel | ErrorCode::InvalidSpec) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn walk(&self, from: &CommitId, step: Step) -> Result<Option<CommitId>, GitError> {
        let mut at = from.clone();
        let (times, nth) = match step {
            Step::Parent(0) => return Ok(Some(at)),
            Step::Parent(nth) => (1, nth),
            Step::Back(times) => (times, 1),
        };
        for _ in 0..times {
            let mut parents = self.parents(&at)?;
            if parents.is_empty() && self.is_boundary(&at) {
                return Err(GitError::CutOff(at));
            }
            if nth > parents.len() {
                return Ok(None);
            }
            at = parents.swap_remove(nth - 1);
        }
        Ok(Some(at))
    }
}

/// The base and the steps behind it.
fn parse(text: &str) -> Option<(&str, Vec<Step>)> {
    let end = text.find(['~', '^']).unwrap_or(text.len());
    let (base, mut tail) = text.split_at(end);
    if !is_plain(base) {
        return None;
    }
    let mut steps = Vec::new();
    while let Some(sign) = tail.chars().next() {
        let digits = tail[1..].bytes().take_while(u8::is_ascii_digit).count();
        let number = match &tail[1..=digits] {
            "" => 1,
            digits => digits.parse().ok().filter(|n| *n <= FAR)?,
        };
        steps.push(match sign {
            '~' => Step::Back(number),
            '^' => Step::Parent(number),
            _ => return None,
        });
        tail = &tail[1 + digits..];
    }
    (steps.len() <= 100).then_some((base, steps))
}

/// What may be a reference's name: nothing that git gives a meaning of its own, no option.
fn is_plain(name: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, ' ' | ':' | '?' | '*' | '[' | '\\');
    let bad = name.is_empty()
        || name.len() > 1024
        || name.starts_with('-')
        || name.contains("..")
        || name.contains("@{")
        || name.contains(odd);
    !bad
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_from_left_to_right() {
        let (base, steps) = parse("v1.0~2^^2~").unwrap();
        assert_eq!(base, "v1.0");
        assert_eq!(
            steps,
            [Step::Back(2), Step::Parent(1), Step::Parent(2), Step::Back(1)]
        );
        assert_eq!(parse("HEAD").unwrap(), ("HEAD", vec![]));
    }

    #[test]
    fn what_a_revision_parser_would_interpret_is_refused() {
        for bad in [
            "",
            "-n",
            "--all",
            "a..b",
            "a...b",
            "HEAD@{1}",
            "@{u}",
            ":/fix",
            "HEAD:file",
            "a b",
            "a\n",
            "HEAD^{tree}",
            "HEAD^@",
            "HEAD^!",
            "HEAD^-",
            "HEAD~x",
            "~99999999999999999999",
            "HEAD~2000000",
            "a*",
            "a[",
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
        assert!(parse(&format!("HEAD{}", "^".repeat(101))).is_none());
    }
}
