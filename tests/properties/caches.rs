//! What is remembered and how many threads read changes nothing.

use crate::cases;
use crate::places::committed;
use crate::project::{loaded, origin, project, revisions};
use crate::sandbox::temporary;
use proptest::prelude::*;
use ringshift::cache::{ContentIds, FileIds, Remembered};
use ringshift::git::Repository;
use ringshift::model::{ImageName, Revision};
use ringshift::tree::disk::WorkingCopy;
use ringshift::tree::git::GitTree;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Revisions = BTreeMap<ImageName, Revision>;

/// Reads the commit with the caches in a folder, and saves what is new.
fn with_cache(repository: &Arc<Repository>, cache: &Path) -> Revisions {
    let head = repository.head().unwrap();
    let contents = Arc::new(ContentIds::load(cache));
    let tree = GitTree::open(repository, &head)
        .unwrap()
        .with_contents(contents.clone());
    let mut origin = origin(Arc::new(tree));
    origin.identity = Some(repository.tree_id(&head).unwrap().to_string());
    origin.results = Remembered::new(cache, "projects.1");
    let found = revisions(&loaded(origin));
    contents.save().unwrap();
    found
}

/// Reads the working copy with the caches in a folder.
fn working_copy(repository: &Arc<Repository>, cache: &Path) -> Revisions {
    let ids = Arc::new(FileIds::load(cache));
    let tree = WorkingCopy::open(repository.clone())
        .unwrap()
        .with_ids(ids.clone());
    let found = revisions(&loaded(origin(Arc::new(tree))));
    ids.save().unwrap();
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// Does to every file of the cache what a crash, a full disk or a broken one could.
fn damage(cache: &Path, how: u8, at: prop::sample::Index) {
    for file in files(cache) {
        let mut bytes = std::fs::read(&file).unwrap();
        let at = at.index(bytes.len().max(1));
        match how {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] ^= 1,
            2 => bytes = vec![0; bytes.len()],
            3 => bytes.extend_from_within(..at),
            _ => {
                std::fs::remove_file(&file).unwrap();
                continue;
            }
        }
        std::fs::write(&file, bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn caches_that_are_absent_warm_or_damaged_give_the_same(
        project in project(),
        at in any::<prop::sample::Index>(),
    ) {
        let wanted = project.revisions();
        let world = committed(&project);
        let repository = Arc::new(Repository::discover(&world.repo()).unwrap());
        let cache = temporary();
        for state in ["absent", "warm"] {
            prop_assert_eq!(&with_cache(&repository, cache.path()), &wanted, "{}", state);
            prop_assert_eq!(&working_copy(&repository, cache.path()), &wanted, "{}", state);
        }
        prop_assert!(!files(cache.path()).is_empty());
        for how in 0..5 {
            damage(cache.path(), how, at);
            for state in ["damaged", "mended"] {
                prop_assert_eq!(&with_cache(&repository, cache.path()), &wanted, "{} {}", state, how);
                prop_assert_eq!(&working_copy(&repository, cache.path()), &wanted, "{} {}", state, how);
            }
        }
    }

    #[test]
    fn a_cache_of_another_project_says_nothing_of_this_one(one in project(), other in project()) {
        let cache = temporary();
        for project in [&one, &other, &one] {
            let world = committed(project);
            let repository = Arc::new(Repository::discover(&world.repo()).unwrap());
            prop_assert_eq!(&with_cache(&repository, cache.path()), &project.revisions());
            prop_assert_eq!(&working_copy(&repository, cache.path()), &project.revisions());
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn one_thread_and_four_say_the_same(project in project()) {
        let said = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let loaded = project.loaded();
                let records = project.images().into_iter().map(|name| loaded.image(&name).unwrap().records);
                (revisions(&loaded), loaded.sources.order.clone(), loaded.warnings.clone(), records.collect::<Vec<_>>())
            })
        };
        prop_assert_eq!(said(1), said(4));
    }
}
