//! Every registry driver.

use crate::server::{self, Kind, Server};
use ringshift::model::{Digest, ProjectName};
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::memory::MemoryRegistry;
use ringshift::registry::remote::{Access, RemoteRegistry};
use ringshift::registry::{CONFIG, Created, Descriptor, MANIFEST, Registry, RegistryError, Repository};
use serde_json::json;
use std::io::{Read, Write};

fn repository(name: &str) -> Repository {
    Repository::new(&ProjectName::new("acme/shop").unwrap(), name)
}

fn for_all(check: fn(&dyn Registry)) {
    for_those(&server::ALL, check);
}

/// Memory, a folder, and the real registries of these kinds.
fn for_those(kinds: &[Kind], check: fn(&dyn Registry)) {
    check(&MemoryRegistry::new());
    let dir = tempfile::tempdir().unwrap();
    check(&LayoutRegistry::new(dir.path().join("made/when/written")));
    for kind in kinds {
        if let Some(server) = Server::start(*kind) {
            check(&RemoteRegistry::open(Access::anonymous(&server.address)).unwrap());
        }
    }
}

/// A manifest that registries take, other for every text.
fn image(registry: &dyn Registry, repository: &Repository, text: &str) -> Descriptor {
    let config = registry.put_blob(repository, b"{}").unwrap();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [],
        "annotations": {"text": text},
    });
    registry
        .put_manifest(repository, MANIFEST, manifest.to_string().as_bytes())
        .unwrap()
}

#[test]
fn nothing_is_there_before_it_is_written() {
    for_all(|registry| {
        let (api, digest) = (repository("api"), Digest::of(b"x"));
        assert!(registry.tags(&api).unwrap().is_empty());
        assert_eq!(registry.resolve(&api, "1.0.0").unwrap(), None);
        assert!(!registry.has_blob(&api, &digest).unwrap());
        assert!(matches!(
            registry.blob(&api, &digest),
            Err(RegistryError::Missing(_))
        ));
        assert!(matches!(
            registry.manifest(&api, &digest),
            Err(RegistryError::Missing(_))
        ));
        assert!(!registry.mount_blob(&api, &repository("web"), &digest).unwrap());
        registry.remove_tag(&api, "1.0.0").unwrap();
    });
}

#[test]
fn a_blob_comes_back_as_it_was_written() {
    for_all(|registry| {
        let api = repository("api");
        let mut writer = registry.begin_blob(&api).unwrap();
        for part in [&b"ab"[..], b"", b"c"] {
            writer.write_all(part).unwrap();
        }
        assert!(!registry.has_blob(&api, &Digest::of(b"abc")).unwrap());
        let stored = writer.finish().unwrap();
        assert_eq!((stored.digest, stored.size), (Digest::of(b"abc"), 3));
        let mut back = Vec::new();
        registry
            .blob(&api, &stored.digest)
            .unwrap()
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, b"abc");
        assert_eq!(registry.put_blob(&api, b"abc").unwrap(), stored);
        assert_eq!(registry.small_blob(&api, &stored.digest, 3).unwrap(), b"abc");
        assert!(registry.small_blob(&api, &stored.digest, 2).is_err());
        assert!(!registry.has_blob(&repository("web"), &stored.digest).unwrap());
    });
}

#[test]
fn an_unfinished_blob_is_never_seen() {
    for_all(|registry| {
        let api = repository("api");
        let mut writer = registry.begin_blob(&api).unwrap();
        writer.write_all(b"abc").unwrap();
        drop(writer);
        assert!(!registry.has_blob(&api, &Digest::of(b"abc")).unwrap());
    });
}

#[test]
fn mounted_blobs_are_there_and_the_empty_blob_too() {
    for_all(|registry| {
        let (api, web) = (repository("api"), repository("web"));
        for bytes in [&b"layer"[..], b""] {
            let digest = registry.put_blob(&api, bytes).unwrap().digest;
            assert!(registry.mount_blob(&web, &api, &digest).unwrap());
            assert!(registry.mount_blob(&web, &api, &digest).unwrap());
            assert_eq!(registry.small_blob(&web, &digest, 9).unwrap(), bytes);
        }
    });
}

#[test]
fn a_created_tag_is_never_overwritten() {
    for_all(|registry| {
        let api = repository("api");
        let (one, two) = (image(registry, &api, "{1}"), image(registry, &api, "{2}"));
        assert_eq!(registry.create_tag(&api, "1.0.0", &one).unwrap(), Created::New);
        for again in [&one, &two] {
            let answer = registry.create_tag(&api, "1.0.0", again).unwrap();
            assert_eq!(answer, Created::Exists(one.digest));
        }
        assert_eq!(registry.resolve(&api, "1.0.0").unwrap(), Some(one.clone()));
        let bytes = registry.manifest(&api, &one.digest).unwrap();
        assert_eq!(Digest::of(&bytes), one.digest);
    });
}

#[test]
fn of_many_that_create_a_tag_one_wins() {
    for_all(|registry| {
        let api = repository("api");
        let all: Vec<_> = (0..8)
            .map(|n| image(registry, &api, &format!("{{{n}}}")))
            .collect();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let create = |target| {
                scope.spawn(move || registry.create_tag(&repository("api"), "1.0.0", target).unwrap())
            };
            let running: Vec<_> = all.iter().map(create).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winner = registry.resolve(&api, "1.0.0").unwrap().unwrap().digest;
        assert_eq!(answers.iter().filter(|a| **a == Created::New).count(), 1);
        let lost = answers.iter().filter(|a| **a == Created::Exists(winner)).count();
        assert_eq!(lost, 7);
    });
}

#[test]
fn no_tag_is_lost_when_many_write() {
    for_all(|registry| {
        let api = repository("api");
        let target = image(registry, &api, "{}");
        std::thread::scope(|scope| {
            for n in 0..16 {
                let (api, target) = (&api, &target);
                scope.spawn(move || registry.create_tag(api, &format!("s.{n:02}"), target).unwrap());
            }
        });
        let want: Vec<_> = (0..16).map(|n| format!("s.{n:02}")).collect();
        assert_eq!(registry.tags(&api).unwrap(), want);
    });
}

#[test]
fn ring_tags_move_and_go() {
    // 2.8.2 removes no tags, and the fourth moves none.
    for_those(&[Kind::Third, Kind::Memory], |registry| {
        let api = repository("api");
        let (one, two) = (image(registry, &api, "{1}"), image(registry, &api, "{2}"));
        for target in [&one, &two, &one] {
            registry.move_tag(&api, "users", target).unwrap();
            assert_eq!(registry.resolve(&api, "users").unwrap().as_ref(), Some(target));
        }
        registry.create_tag(&api, "0.1.0", &two).unwrap();
        assert_eq!(registry.tags(&api).unwrap(), ["0.1.0", "users"]);
        registry.remove_tag(&api, "users").unwrap();
        registry.remove_tag(&api, "users").unwrap();
        assert_eq!(registry.tags(&api).unwrap(), ["0.1.0"]);
    });
}

#[test]
fn a_tag_never_points_at_nothing_or_at_another_size() {
    for_all(|registry| {
        let api = repository("api");
        let there = image(registry, &api, "{}");
        let absent = Descriptor {
            digest: Digest::of(b"absent"),
            ..there.clone()
        };
        let longer = Descriptor { size: 3, ..there };
        for target in [&absent, &longer] {
            assert!(registry.create_tag(&api, "1.0.0", target).is_err());
            assert!(registry.move_tag(&api, "users", target).is_err());
        }
        assert!(registry.tags(&api).unwrap().is_empty());
    });
}

#[test]
fn what_is_no_tag_is_refused() {
    for_all(|registry| {
        let api = repository("api");
        let target = image(registry, &api, "{}");
        let long = "a".repeat(129);
        for bad in ["", ".a", "-a", "a/b", "a b", "..", "a\n", "é", &long] {
            assert!(registry.create_tag(&api, bad, &target).is_err(), "{bad:?}");
            assert!(registry.move_tag(&api, bad, &target).is_err(), "{bad:?}");
            assert_eq!(registry.resolve(&api, bad).unwrap(), None);
        }
        registry.create_tag(&api, &long[..128], &target).unwrap();
    });
}

#[test]
fn repositories_inside_the_path_of_another_keep_apart() {
    for_all(|registry| {
        let outer = Repository::new(&ProjectName::new("acme").unwrap(), "shop");
        let inner = repository("api");
        let (a, b) = (image(registry, &outer, "{a}"), image(registry, &inner, "{b}"));
        registry.create_tag(&outer, "1.0.0", &a).unwrap();
        registry.create_tag(&inner, "1.0.0", &b).unwrap();
        assert_eq!(registry.resolve(&outer, "1.0.0").unwrap(), Some(a.clone()));
        assert_eq!(registry.resolve(&inner, "1.0.0").unwrap(), Some(b));
        assert!(!registry.has_blob(&inner, &a.digest).unwrap());
    });
}
