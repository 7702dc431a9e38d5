//! What holds for folders alone: other tools read them, damage is seen, nothing leads out.

use ringshift::model::{Digest, ProjectName};
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{
    CONFIG, Created, Descriptor, LAYER_GZIP, MANIFEST, Registry, RegistryError, Repository,
};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

struct World {
    dir: tempfile::TempDir,
    registry: LayoutRegistry,
    api: Repository,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            registry: LayoutRegistry::new(dir.path()),
            api: Repository::new(&ProjectName::new("acme/shop").unwrap(), "api"),
            dir,
        }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("acme/shop/api")
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.folder().join("blobs/sha256").join(digest.hex())
    }

    fn image(&self) -> Descriptor {
        let mut gz = flate2_tar();
        let layer = self.registry.put_blob(&self.api, &gz).unwrap();
        gz.clear();
        let config = br#"{"architecture":"amd64","os":"linux","config":{"Labels":{"a":"b"}},"rootfs":{"type":"layers","diff_ids":[]}}"#;
        let config = self.registry.put_blob(&self.api, config).unwrap();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{}","size":{}}},"layers":[{{"mediaType":"{LAYER_GZIP}","digest":"{}","size":{}}}]}}"#,
            config.digest, config.size, layer.digest, layer.size
        );
        self.registry
            .put_manifest(&self.api, MANIFEST, manifest.as_bytes())
            .unwrap()
    }
}

/// An empty tar archive, compressed.
fn flate2_tar() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

fn skopeo(args: &[&str]) -> Option<String> {
    let out = Command::new("skopeo").args(args).output().ok()?;
    assert!(
        out.status.success(),
        "skopeo {args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(String::from_utf8(out.stdout).unwrap())
}

#[test]
fn skopeo_reads_and_copies_it_both_ways() {
    let world = World::new();
    let target = world.image();
    world.registry.create_tag(&world.api, "0.2.0", &target).unwrap();
    let source = format!("oci:{}:0.2.0", world.folder().display());
    let Some(inspected) = skopeo(&["inspect", &source]) else {
        return; // not installed
    };
    assert!(inspected.contains(&target.digest.to_string()), "{inspected}");
    let there = world.dir.path().join("copy");
    skopeo(&[
        "copy",
        "-q",
        "--insecure-policy",
        &source,
        &format!("oci:{}:x", there.display()),
    ]);
    // Back again, under another tag: our own stay.
    let copied = format!("oci:{}:x", there.display());
    skopeo(&[
        "copy",
        "-q",
        "--insecure-policy",
        &copied,
        &format!("oci:{}:0.3.0", world.folder().display()),
    ]);
    assert_eq!(world.registry.tags(&world.api).unwrap(), ["0.2.0", "0.3.0"]);
    assert_eq!(
        world
            .registry
            .resolve(&world.api, "0.3.0")
            .unwrap()
            .unwrap()
            .digest,
        target.digest
    );
    assert_eq!(
        world.registry.create_tag(&world.api, "0.4.0", &target).unwrap(),
        Created::New
    );
}

#[test]
fn damage_of_a_blob_is_seen_and_writing_it_again_heals() {
    let world = World::new();
    let stored = world.registry.put_blob(&world.api, b"content").unwrap();
    let path = world.blob_path(&stored.digest);
    for bad in [&b"contenT"[..], b"conten", b"content!", b""] {
        std::fs::write(&path, bad).unwrap();
        let mut out = Vec::new();
        let read = world
            .registry
            .blob(&world.api, &stored.digest)
            .unwrap()
            .read_to_end(&mut out);
        assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        assert!(world.registry.manifest(&world.api, &stored.digest).is_err());
        world.registry.put_blob(&world.api, b"content").unwrap();
        assert_eq!(
            world.registry.small_blob(&world.api, &stored.digest, 9).unwrap(),
            b"content"
        );
    }
}

#[test]
fn blobs_are_shared_by_hard_link_and_readable_by_others() {
    let world = World::new();
    let web = Repository::new(&ProjectName::new("acme/shop").unwrap(), "web");
    let stored = world.registry.put_blob(&world.api, b"layer").unwrap();
    world
        .registry
        .mount_blob(&web, &world.api, &stored.digest)
        .unwrap();
    let one = std::fs::metadata(world.blob_path(&stored.digest)).unwrap();
    let two = world
        .dir
        .path()
        .join("acme/shop/web/blobs/sha256")
        .join(stored.digest.hex());
    assert_eq!(one.ino(), std::fs::metadata(two).unwrap().ino());
    assert_eq!(one.permissions().mode() & 0o044, 0o044);
}

#[test]
fn a_newer_layout_is_refused_and_left_alone() {
    for (file, text) in [
        ("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#),
        (
            "index.json",
            r#"{"schemaVersion":2,"annotations":{"dev.ringshift.layout":"2"},"manifests":[]}"#,
        ),
    ] {
        let world = World::new();
        let target = world.image();
        std::fs::write(world.folder().join(file), text).unwrap();
        let answer = world.registry.create_tag(&world.api, "1.0.0", &target);
        assert!(matches!(answer, Err(RegistryError::Newer(_))), "{answer:?}");
        assert!(matches!(
            world.registry.tags(&world.api),
            Err(RegistryError::Newer(_))
        ));
        assert_eq!(std::fs::read_to_string(world.folder().join(file)).unwrap(), text);
    }
}

#[test]
fn names_never_lead_out_of_the_folder() {
    let world = World::new();
    let project = ProjectName::new("acme").unwrap();
    for bad in ["..", ".", "", "../x", "a/../../x", ".tmp", "a\0b", "a\nb", "/etc"] {
        let repository = Repository::new(&project, bad);
        assert!(world.registry.put_blob(&repository, b"x").is_err(), "{bad:?}");
        assert!(world.registry.tags(&repository).is_err(), "{bad:?}");
    }
    assert_eq!(std::fs::read_dir(world.dir.path()).unwrap().count(), 0);
}

#[test]
fn what_a_dead_run_left_goes_only_when_old_and_unlocked() {
    let world = World::new();
    let target = world.image();
    let temporary = world.folder().join(".tmp");
    let leftover = |name: &str, old: bool| {
        let path = temporary.join(name);
        let file = std::fs::File::create(&path).unwrap();
        if old {
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        (path, file)
    };
    let (dead, _) = leftover("w-dead", true);
    let (young, _) = leftover("w-young", false);
    let (held, file) = leftover("w-held", true);
    file.lock().unwrap();
    world.registry.create_tag(&world.api, "1.0.0", &target).unwrap();
    assert!(!dead.exists() && young.exists() && held.exists());
}

#[test]
fn no_temporary_file_stays_behind() {
    let world = World::new();
    let target = world.image();
    world.registry.create_tag(&world.api, "1.0.0", &target).unwrap();
    drop(world.registry.begin_blob(&world.api).unwrap());
    assert_eq!(std::fs::read_dir(world.folder().join(".tmp")).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let file: &Path = &dir.path().join("file");
    std::fs::write(file, "").unwrap();
    let api = Repository::new(&ProjectName::new("acme").unwrap(), "api");
    let error = LayoutRegistry::new(file).put_blob(&api, b"x").unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}
