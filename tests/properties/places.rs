//! The same content in another place is the same revision.

use crate::cases;
use crate::project::{Entry, Project, origin, project, read, revisions};
use crate::sandbox::Sandbox;
use proptest::prelude::*;
use ringshift::git::Repository;
use ringshift::model::{ImageName, Revision};
use ringshift::tree::disk::{DiskTree, WorkingCopy};
use ringshift::tree::git::GitTree;
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

type Revisions = BTreeMap<ImageName, Revision>;

/// Writes a project's entries into a folder.
pub fn lay(project: &Project, folder: &Path) {
    for (path, entry) in &project.entries {
        let place = folder.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        match entry {
            Entry::Link(target) => symlink(target, place).unwrap(),
            Entry::File { executable, bytes } => {
                std::fs::write(&place, bytes).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

/// A repository whose one commit holds the project.
pub fn committed(project: &Project) -> Sandbox {
    let world = Sandbox::new();
    lay(project, &world.repo());
    world.git(&["config", "core.autocrlf", "false"]);
    world.commit("All");
    world
}

fn at_commit(folder: &Path) -> Revisions {
    let repository = Repository::discover(folder).unwrap();
    let head = repository.head().unwrap();
    let tree = GitTree::open(&repository, &head).unwrap();
    revisions(&read(Arc::new(tree.with_working_copy(repository.workdir()))))
}

fn working_copy(folder: &Path) -> Revisions {
    let repository = Arc::new(Repository::discover(folder).unwrap());
    let mut origin = origin(Arc::new(WorkingCopy::open(repository.clone()).unwrap()));
    origin.repository = Some(repository);
    revisions(&crate::project::loaded(origin))
}

/// Gives every file another time and, where root runs this, another owner.
fn estrange(project: &Project, folder: &Path) {
    let root = is_roots(folder);
    for (number, (path, entry)) in (1..).zip(&project.entries) {
        let place = folder.join(path);
        if let Entry::File { .. } = entry {
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 * number);
            let file = std::fs::File::options().append(true).open(&place).unwrap();
            file.set_modified(then).unwrap();
            if root {
                chown(&place, Some(1234), Some(5678)).unwrap();
            }
        }
    }
}

/// Whether what is made here belongs to root.
fn is_roots(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).unwrap().uid() == 0
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn a_commit_and_its_checkouts_have_the_revisions_of_the_content(project in project()) {
        let wanted = project.revisions();
        let world = committed(&project);
        prop_assert_eq!(&at_commit(&world.repo()), &wanted, "commit");
        prop_assert_eq!(&working_copy(&world.repo()), &wanted, "working copy");
        let (clone, beside) = (world.outside().join("elsewhere/clone"), world.outside().join("beside"));
        let (clone_text, beside_text) = (clone.to_str().unwrap(), beside.to_str().unwrap());
        world.git(&["clone", "-q", "-c", "core.autocrlf=false", ".", clone_text]);
        prop_assert_eq!(&at_commit(&clone), &wanted, "commit in a clone");
        prop_assert_eq!(&working_copy(&clone), &wanted, "clone");
        world.git(&["worktree", "add", "-q", "--detach", beside_text]);
        prop_assert_eq!(&at_commit(&beside), &wanted, "commit in a worktree");
        prop_assert_eq!(&working_copy(&beside), &wanted, "worktree");
        let plain = DiskTree::open(&clone).unwrap();
        prop_assert_eq!(&revisions(&read(Arc::new(plain))), &wanted, "folder");
    }

    #[test]
    fn other_times_and_owners_move_no_revision(project in project()) {
        let world = committed(&project);
        let wanted = project.revisions();
        estrange(&project, &world.repo());
        prop_assert_eq!(&working_copy(&world.repo()), &wanted);
        prop_assert_eq!(&at_commit(&world.repo()), &wanted);
    }

    #[test]
    fn a_working_copy_that_differs_from_its_commit_has_the_revisions_of_what_it_holds(
        project in project(),
        edits in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let world = committed(&project);
        let before = at_commit(&world.repo());
        let mut edited = project.clone();
        let files: Vec<&String> = project.entries.keys().filter(|path| path.contains("/src/") && !path.ends_with("/back")).collect();
        for edit in edits {
            edited.put(files[edit.index(files.len())], "edited");
        }
        for path in files {
            if edited.entries[path] != project.entries[path] {
                // The mode goes with the content.
                std::fs::remove_file(world.repo().join(path)).unwrap();
                world.write(path, "edited");
            }
        }
        prop_assert_eq!(&working_copy(&world.repo()), &edited.revisions());
        prop_assert_eq!(&at_commit(&world.repo()), &before, "the commit stays what it is");
    }
}
