//! Folders that a ringshift which was killed left behind: they hold sources, and maybe secrets.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: looks through the folder for temporary files"
)]

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Once;

/// What the names of the folders begin with.
pub(super) const PREFIX: &str = "ringshift-";
/// The file in each that is locked as long as whoever made the folder lives.
const ALIVE: &str = "alive";

/// Marks a folder as one in use; it is until the file is closed.
pub(super) fn mark(folder: &Path) -> io::Result<File> {
    // It comes to its name with its lock, so that nobody finds it without.
    let (new, alive) = (folder.join("new"), folder.join(ALIVE));
    let file = File::create(&new)?;
    file.lock()?;
    std::fs::rename(new, alive)?;
    Ok(file)
}

/// Removes what was left behind in `temporary`, once in the life of a process. What cannot be removed stays.
pub(super) fn sweep_once(temporary: &Path) {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| sweep(temporary));
}

fn sweep(temporary: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        let is_folder = |meta: &std::fs::Metadata| meta.is_dir() && meta.uid() == own;
        if ours && entry.metadata().is_ok_and(|meta| is_folder(&meta)) && is_left(&entry.path()) {
            let _stays = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether it was marked, and whoever did that is gone.
fn is_left(folder: &Path) -> bool {
    File::open(folder.join(ALIVE)).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_marked_and_let_go_of_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = place.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            folder
        };
        let (left, alive) = (folder("ringshift-left"), folder("ringshift-alive"));
        let (unmarked, other) = (folder("ringshift-unmarked"), folder("other"));
        drop(mark(&left).unwrap());
        drop(mark(&other).unwrap());
        let kept = mark(&alive).unwrap();
        sweep(place.path());
        let there = [&left, &alive, &unmarked, &other].map(|folder| folder.exists());
        assert_eq!(there, [false, true, true, true]);
        drop(kept);
    }
}
