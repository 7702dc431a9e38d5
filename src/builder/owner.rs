//! `--chown` and USER: names are looked up in the stage's own /etc/passwd and /etc/group (rule 51).

use super::StepError;
use super::content::Contents;
use super::rootfs::{Body, Rootfs};
use crate::model::RepoPath;

/// How large these files may be.
const LIMIT: u64 = 10 << 20;

/// A user and a group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u64,
    pub(crate) gid: u64,
}

/// Whether a name that stands in neither file is an error (`--chown`), or means root (WORKDIR's USER).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Refused,
    Root,
}

/// The owner that `text` names: `user`, `user:group`, by name or number. `5` is `5:5`; a user by name brings
/// its own group.
///
/// # Errors
/// [`StepError::Flag`] for a name that stands nowhere.
pub(crate) fn find(
    text: &str,
    unknown: Unknown,
    rootfs: &Rootfs,
    contents: &mut Contents<'_>,
) -> Result<Owner, StepError> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let missing = |kind: &str, name: &str, file: &str| match unknown {
        Unknown::Root => Ok(0),
        Unknown::Refused => Err(StepError::Flag {
            flag: "chown",
            value: text.into(),
            reason: format!("no {kind} `{name}` in {file} of this stage"),
        }),
    };
    let mut owner = match number(user) {
        Some(id) => Owner { uid: id, gid: id },
        None => {
            let file = read("/etc/passwd", rootfs, contents)?;
            match field(&file, user, [2, 3]) {
                Some([uid, gid]) => Owner { uid, gid },
                None => Owner {
                    uid: missing("user", user, "/etc/passwd")?,
                    gid: 0,
                },
            }
        }
    };
    if let Some(group) = group {
        owner.gid = match number(group) {
            Some(id) => id,
            None => {
                let file = read("/etc/group", rootfs, contents)?;
                match field(&file, group, [2]) {
                    Some([gid]) => gid,
                    None => missing("group", group, "/etc/group")?,
                }
            }
        };
    }
    Ok(owner)
}

/// Whether `text` needs no file to be understood.
pub(crate) fn is_numeric(text: &str) -> bool {
    text.splitn(2, ':').all(|word| number(word).is_some())
}

/// The number that a word is without any file; nothing at all and `root` are 0.
fn number(word: &str) -> Option<u64> {
    match word {
        "" | "root" => Some(0),
        _ => word
            .parse::<u32>()
            .ok()
            .filter(|n| *n <= i32::MAX as u32)
            .map(u64::from),
    }
}

fn read(path: &str, rootfs: &Rootfs, contents: &mut Contents<'_>) -> Result<String, StepError> {
    let path = rootfs.resolve(&RepoPath::root(), path.as_bytes(), true)?;
    match rootfs.at(&path).map(|e| &e.body) {
        Some(Body::File { content, size }) => {
            let bytes = contents.small(content, *size, LIMIT)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => Ok(String::new()),
    }
}

/// The numbers in some columns of the line that begins with `name:`.
fn field<const N: usize>(file: &str, name: &str, columns: [usize; N]) -> Option<[u64; N]> {
    let line = file.lines().find(|line| {
        let line = line.trim();
        !line.starts_with('#') && line.split(':').next() == Some(name)
    })?;
    let words: Vec<&str> = line.trim().split(':').collect();
    let mut numbers = [0; N];
    for (slot, column) in numbers.iter_mut().zip(columns) {
        *slot = words.get(column).and_then(|w| w.parse().ok()).unwrap_or(0);
    }
    Some(numbers)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_line_are_found() {
        let file = "root:x:0:0:root:/root:/bin/sh\n# app:x:1:1\napp:x:1000:1001::/:/bin/false\n";
        assert_eq!(field(file, "app", [2, 3]), Some([1000, 1001]));
        assert_eq!(field(file, "ap", [2, 3]), None);
        assert_eq!(field("wheel:x:10:root,app\n", "wheel", [2]).unwrap(), [10]);
    }

    #[test]
    fn numbers_need_no_file() {
        assert_eq!(number("root"), Some(0));
        assert_eq!(number("65534"), Some(65534));
        assert_eq!(number("-1"), None);
        assert_eq!(number("app"), None);
    }
}
