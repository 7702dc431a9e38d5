//! A world: all that a build is given. It can be written as JSON, so that it can be kept as a fixture.

use super::case;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

pub type Tree = BTreeMap<String, File>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum File {
    Plain(String),
    Script {
        executable: String,
    },
    Link {
        link: String,
    },
    /// `tar`, `tar gzip` …, with members as the agreement cases write them.
    Archive {
        archive: String,
        members: String,
    },
}

impl File {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Plain(text) | Self::Script { executable: text } | Self::Link { link: text } => {
                text.clone().into_bytes()
            }
            Self::Archive { archive, members } => case::pack(members, archive),
        }
    }

    pub fn is_executable(&self) -> bool {
        matches!(self, Self::Script { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    Folder(Tree),
    /// One of the images that are made before.
    Image(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// Where the container file stands.
    pub name: String,
    /// Its instructions, directives and comments, each of one line or more.
    pub container: Vec<String>,
    /// The context, without the container file.
    #[serde(default)]
    pub files: Tree,
    #[serde(default)]
    pub contexts: BTreeMap<String, Named>,
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    #[serde(default)]
    pub target: Option<String>,
    pub platform: String,
    /// Whether nothing is known of the image `base`: the lock does not have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlocked: bool,
}

impl World {
    /// The whole container file.
    pub fn text(&self) -> String {
        self.container.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The escape character of the container file.
    pub fn escape(&self) -> char {
        match self.container.first() {
            Some(line) if line.starts_with("# escape=`") => '`',
            _ => '\\',
        }
    }

    /// The context with the container file in it.
    pub fn tree(&self) -> Tree {
        let mut tree = self.files.clone();
        tree.insert(self.name.clone(), File::Plain(self.text()));
        tree
    }
}

/// Microseconds; every file that is written gets one of its own. BuildKit takes files of the same size and time for
/// the same (rule 46), so that times that come twice would build old bytes.
static CLOCK: AtomicI64 = AtomicI64::new(0);

pub fn start_clock(now: std::time::Duration) {
    CLOCK.store(i64::try_from(now.as_micros()).unwrap(), Ordering::Relaxed);
}

/// Writes a tree as git would: two modes for files, one for folders.
pub fn write(tree: &Tree, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder, 0o755);
    for (path, file) in tree {
        let path = folder.join(path);
        let parent = path.parent().unwrap();
        std::fs::create_dir_all(parent).unwrap();
        for above in parent.ancestors().take_while(|above| *above != folder) {
            mode(above, 0o755);
        }
        if let File::Link { link } = file {
            symlink(link, &path).unwrap();
        } else {
            std::fs::write(&path, file.bytes()).unwrap();
            mode(&path, if file.is_executable() { 0o755 } else { 0o644 });
        }
        touch(&path);
    }
}

fn touch(path: &Path) {
    let now = CLOCK.fetch_add(1, Ordering::Relaxed);
    let time = Timespec {
        tv_sec: now / 1_000_000,
        tv_nsec: now % 1_000_000 * 1000,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}
