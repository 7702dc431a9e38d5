//! Names, versions, references, paths: what was read and printed is read as the same.

use ringshift::model::path::escape;
use ringshift::model::{
    CommitId, Digest, EnvironmentName, ImageName, Platform, ProjectName, Reference, RepoPath, Revision,
    RingName, SiteName, Version,
};
use ringshift::state::Timestamp;
use std::fmt::{Debug, Display};
use std::str::FromStr;

pub fn run(data: &[u8]) {
    path(data);
    let text = String::from_utf8_lossy(data);
    let text = text.as_ref();
    printed::<CommitId>(text);
    printed::<Digest>(text);
    printed::<Platform>(text);
    printed::<Reference>(text);
    printed::<Revision>(text);
    printed::<Timestamp>(text);
    printed::<Version>(text);
    let names = [
        ImageName::new(text).map(|name| name.to_string()),
        RingName::new(text).map(|name| name.to_string()),
        SiteName::new(text).map(|name| name.to_string()),
        ProjectName::new(text).map(|name| name.to_string()),
        EnvironmentName::new(text).map(|name| name.to_string()),
    ];
    for name in names {
        match name {
            Ok(name) => assert_eq!(name, text),
            Err(error) => super::told(&error.to_string()),
        }
    }
}

fn printed<T: FromStr<Err: Display> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let shown = read.to_string();
        assert_eq!(shown.parse().ok(), Some(read), "{text:?} is shown as {shown:?}");
    }
}

fn path(data: &[u8]) {
    let path = RepoPath::clean(data);
    assert_eq!(
        RepoPath::clean(path.as_bytes()),
        path,
        "cleaning twice changes nothing"
    );
    assert!(path.components().all(|name| name != b"." && name != b".."));
    let joined = path
        .components()
        .fold(RepoPath::root(), |at, name| at.child(name));
    assert_eq!(joined, path, "a path is its components");
    assert_eq!(
        unescape(&escape(data)),
        Some(data.to_vec()),
        "what is escaped can be read back"
    );
    if let Some(relative) = RepoPath::relative(data) {
        assert_eq!(relative, path);
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                out.push(b'\\');
                tail
            }
            (b'\\', [b'x', high, low, tail @ ..]) => {
                let digits = [*high, *low];
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                tail
            }
            (b'\\', _) => return None,
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    Some(out)
}
