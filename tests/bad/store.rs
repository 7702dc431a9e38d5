//! Stores that are broken, closed, full, newer than we are, or held by another run.

use crate::sandbox::{Ran, World, may_mount};
use std::path::PathBuf;
use std::process::Stdio;

fn layout(world: &World, image: &str) -> PathBuf {
    world.store().join("acme/shop").join(image)
}

fn journal(world: &World) -> PathBuf {
    layout(world, "shop-state")
}

/// A project with a change to build.
fn changed() -> World {
    let world = World::built();
    world.write("images/api/app", "changed");
    world.commit("Change");
    world
}

/// Runs a command where `script` has prepared the mounts; they end with it.
fn mounted(world: &World, script: &str, args: &[&str]) -> Ran {
    let words = format!(
        "set -e; {script}; exec {} \"$@\"",
        env!("CARGO_BIN_EXE_ringshift")
    );
    let mut all = vec!["-m", "sh", "-c", &words, "sh"];
    all.extend(args);
    world.end(world.program("unshare", &all))
}

const READ_ONLY: &str = "mount --bind .git/ringshift .git/ringshift; mount -o remount,bind,ro .git/ringshift";

#[test]
fn a_store_that_is_read_only_can_be_read_and_is_not_written() {
    if !may_mount() {
        return;
    }
    let world = changed();
    let before = world.everything();
    assert_eq!(mounted(&world, READ_ONLY, &["status"]).code, 0);
    assert_eq!(mounted(&world, READ_ONLY, &["plan"]).code, 0);
    insta::assert_snapshot!(mounted(&world, READ_ONLY, &["build"]).shown(), @r#"
    [stderr]
    error: cannot write into …/repo/.git/ringshift/acme/shop/shop-state/.tmp
    caused by: Read-only file system (os error 30) at path "…/repo/.git/ringshift/acme/shop/shop-state/.tmp/w-…"
    hint: let this user write there, or name another store: --registry oci:PATH
    [exit 5]
    "#);
    insta::assert_snapshot!(mounted(&world, READ_ONLY, &["shift", "test"]).shown(), @r#"
    [stderr]
    error: cannot write into …/repo/.git/ringshift/acme/shop/shop-state/.tmp
    caused by: Read-only file system (os error 30) at path "…/repo/.git/ringshift/acme/shop/shop-state/.tmp/w-…"
    hint: let this user write there, or name another store: --registry oci:PATH
    [exit 5]
    "#);
    assert_eq!(before, world.everything());
    assert_eq!(
        world.run(&["build", "-q"]).shown(),
        "",
        "what was refused works where it may write"
    );
}

#[test]
fn a_store_that_is_full_keeps_what_it_has() {
    if !may_mount() {
        return;
    }
    let world = changed();
    let big = world.path("images/base/motd");
    std::fs::write(
        big,
        (0..600_000u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect::<Vec<u8>>(),
    )
    .unwrap();
    world.commit("Grow");
    let before = world.run(&["status", "--json"]).out;
    // A disk of 512 KiB that holds the store already. It is copied back as it was left.
    let script = "mkdir -p ../tmp/full; mount -t tmpfs -o size=512k none ../tmp/full; cp -a .git/ringshift/. ../tmp/full; \
                  mount --bind ../tmp/full .git/ringshift";
    let copy_back =
        "code=0; \"$RS\" \"$@\" || code=$?; rm -rf ../tmp/left; cp -a .git/ringshift ../tmp/left; exit $code";
    let words = format!(
        "set -e; {script}; RS={}; {copy_back}",
        env!("CARGO_BIN_EXE_ringshift")
    );
    let ran = world.end(world.program("unshare", &["-m", "sh", "-c", &words, "sh", "build"]));
    insta::assert_snapshot!(ran.shown(), @r#"
    [stderr]
       Planned 2 to build, 1 to relabel, against dev
      Building base 0.1.1
        Failed base 0.1.1: cannot write a layer to acme/shop/base
      the whole log: …/cache/ringshift/logs/acme/shop/base.log
       Skipped api 0.1.1: base is not built
       Skipped shop 0.1.1: api is not built
    error: base could not be built
      base: images/base/Dockerfile: cannot write a layer to acme/shop/base
    caused by: No space left on device (os error 28) at path "…/repo/.git/ringshift/acme/shop/base/.tmp/w-…"
    hint: what was built is kept; mend it and run the same command again
    [exit 5]
    "#);
    // What was left on the full disk is a whole store: it verifies, shows the same board, and builds when there is room.
    std::fs::remove_dir_all(world.store()).unwrap();
    let moved = world
        .program("cp", &["-a", "../tmp/left", ".git/ringshift"])
        .status()
        .unwrap();
    assert!(moved.success());
    assert_eq!(world.run(&["state", "verify"]).code, 0);
    let after = world.run(&["status", "--json"]).out;
    let rings = |text: &str| text.split("\"rings\":").nth(1).unwrap().to_owned();
    assert_eq!(rings(&after), rings(&before));
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
}

#[test]
fn a_file_in_the_place_of_the_store() {
    let world = World::project();
    std::fs::write(world.store(), "not a folder").unwrap();
    insta::assert_snapshot!(world.refused(&["build"]).shown(), @r"
    [stderr]
    error: cannot read …/repo/.git/ringshift/acme/shop/shop-state/oci-layout
    caused by: Not a directory (os error 20)
    hint: the store is a folder: move what stands in its place away, or name another: --registry oci:PATH
    [exit 5]
    ");
    insta::assert_snapshot!(world.refused(&["status"]).shown(), @r"
    [stderr]
    error: cannot read …/repo/.git/ringshift/acme/shop/shop-state/oci-layout
    caused by: Not a directory (os error 20)
    hint: the store is a folder: move what stands in its place away, or name another: --registry oci:PATH
    [exit 5]
    ");
}

#[test]
fn a_truncated_index_of_the_journal() {
    let world = changed();
    let path = journal(&world).join("index.json");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let told = world.refused(&["status"]).shown();
    insta::assert_snapshot!(told, @r"
    [stderr]
    error: …/repo/.git/ringshift/acme/shop/shop-state/index.json is damaged: expected JSON, found EOF while parsing a string at line 1 column 283
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    for args in [
        &["plan"][..],
        &["build"],
        &["shift", "test"],
        &["log"],
        &["state", "verify"],
    ] {
        assert_eq!(world.refused(args).code, 7, "{args:?}");
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(world.run(&["build", "-q"]).code, 0);
}

#[test]
fn an_index_of_any_length_is_an_error_or_whole() {
    let world = World::built();
    let path = journal(&world).join("index.json");
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len() - 2).step_by(97) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let ran = world.refused(&["status"]);
        assert_eq!(ran.code, 7, "{length}: {ran:?}");
    }
}

#[test]
fn a_missing_entry_record_and_layer() {
    let world = changed();
    let head = blob_with(&world, "\"seq\":2");
    let bytes = std::fs::read(&head).unwrap();
    std::fs::remove_file(&head).unwrap();
    insta::assert_snapshot!(masked(world.refused(&["status"])), @r"
    [stderr]
    error: acme/shop/shop-state@sha256:<digest> is not in the registry
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    insta::assert_snapshot!(masked(world.refused(&["build"])), @r"
    [stderr]
    error: acme/shop/shop-state@sha256:<digest> is not in the registry
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    insta::assert_snapshot!(masked(world.refused(&["state", "verify"])), @r"
    [stderr]
    error: acme/shop/shop-state@sha256:<digest> is not in the registry
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    std::fs::write(&head, &bytes[..bytes.len() / 2]).unwrap();
    insta::assert_snapshot!(masked(world.refused(&["status"])), @r"
    [stderr]
    error: cannot read sha256:<digest> of acme/shop/shop-state
    caused by: sha256:<digest> is damaged: its content has the digest sha256:<digest>
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&head, flipped).unwrap();
    insta::assert_snapshot!(masked(world.refused(&["shift", "test"])), @r"
    [stderr]
    error: cannot read sha256:<digest> of acme/shop/shop-state
    caused by: sha256:<digest> is damaged: its content has the digest sha256:<digest>
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    std::fs::write(&head, &bytes).unwrap();
    let record = blob_with(&world, "\"contains\"");
    std::fs::remove_file(&record).unwrap();
    insta::assert_snapshot!(masked(world.refused(&["status"])), @r"
    [stderr]
    error: acme/shop/shop-state@sha256:<digest> is not in the registry
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    insta::assert_snapshot!(masked(world.refused(&["shift", "test"])), @r"
    [stderr]
    error: acme/shop/shop-state@sha256:<digest> is not in the registry
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
}

/// The blob of the journal that holds a text.
fn blob_with(world: &World, text: &str) -> PathBuf {
    let blobs = World::files(&journal(world).join("blobs"));
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        String::from_utf8_lossy(&bytes).contains(text)
    };
    blobs
        .into_iter()
        .find(holds)
        .unwrap_or_else(|| panic!("no blob holds {text}"))
}

/// Digests differ with the time of an entry.
fn masked(ran: Ran) -> String {
    let digest = regex::Regex::new("[0-9a-f]{64}").unwrap();
    digest.replace_all(&ran.shown(), "<digest>").into_owned()
}

#[test]
fn a_missing_image_is_told_by_verify_and_export() {
    let world = World::built();
    let index = std::fs::read_to_string(layout(&world, "api").join("index.json")).unwrap();
    let digest = index.split("sha256:").nth(1).unwrap()[..64].to_owned();
    std::fs::remove_file(layout(&world, "api").join("blobs/sha256").join(digest)).unwrap();
    insta::assert_snapshot!(masked(world.refused(&["state", "verify"])), @r"
    2 entries, 1 release, 2 images: damaged
    [stderr]
    error: api:0.1.0: acme/shop/api@sha256:<digest> is not in the registry
    [exit 7]
    ");
    insta::assert_snapshot!(masked(world.refused(&["export", "api@0.1.0", "oci:../tmp/x"])), @r"
    [stderr]
    error: acme/shop/api@sha256:<digest> is not in the registry
    hint: `ringshift state verify` lists all that is damaged; restore the folder from a copy
    [exit 7]
    ");
    world.write("images/base/motd", "new");
    world.commit("Change the base");
    // An image below it is built anew, the lost one as well.
    assert_eq!(world.run(&["build", "-q"]).code, 0);
}

#[test]
fn an_entry_of_a_newer_format() {
    let world = changed();
    append(&world, r#"{"format":2,"seq":3,"anything":[]}"#);
    for args in [
        &["status"][..],
        &["plan"],
        &["build"],
        &["shift", "test"],
        &["log"],
    ] {
        let ran = world.refused(args);
        assert_eq!(ran.code, 7, "{args:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran.shown(), @r"
            [stderr]
            error: s.00000003 has format 2, this ringshift knows 1
            hint: use the newer ringshift that wrote it
            [exit 7]
            ");
        }
    }
}

#[test]
fn an_entry_that_is_half_written_or_none() {
    for entry in [
        r#"{"format":1,"seq":3,"li"#,
        r#"{"format":1,"seq":3}"#,
        r#"{"format":"one"}"#,
        "",
        "[[[[",
        r#"{"format":1,"seq":9}"#,
    ] {
        let world = changed();
        append(&world, entry);
        let ran = world.refused(&["status"]);
        assert_eq!(ran.code, 7, "{entry}: {ran:?}");
        assert!(
            ran.err.contains("s.00000003") && ran.err.contains("hint: "),
            "{entry}: {ran:?}"
        );
        assert_eq!(world.refused(&["build"]).code, 7, "{entry}");
    }
}

/// Appends bytes as the next entry, by the rules of layouts, whatever they are.
fn append(world: &World, entry: &str) {
    use ringshift::model::Digest;
    let place = journal(world);
    let put = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        std::fs::write(place.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    };
    let (config, layer) = (put(b"{}"), put(entry.as_bytes()));
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"x","digest":"{layer}","size":{}}}]}}"#,
        entry.len()
    );
    let digest = put(manifest.as_bytes());
    let path = place.join("index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    index["manifests"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest.to_string(),
            "size": manifest.len(),
            "annotations": {"org.opencontainers.image.ref.name": "s.00000003"},
        }));
    std::fs::write(&path, index.to_string()).unwrap();
}

#[test]
fn a_layout_of_a_newer_format() {
    let world = changed();
    std::fs::write(
        journal(&world).join("oci-layout"),
        r#"{"imageLayoutVersion":"2.0.0"}"#,
    )
    .unwrap();
    for args in [&["status"][..], &["build"], &["shift", "test"]] {
        let ran = world.refused(args);
        assert_eq!(ran.code, 7, "{args:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran.shown(), @r"
            [stderr]
            error: …/repo/.git/ringshift/acme/shop/shop-state/oci-layout is of a newer format than this ringshift knows
            hint: use the newer ringshift that wrote it
            [exit 7]
            ");
        }
    }
}

#[test]
fn a_store_that_another_run_holds() {
    let world = changed();
    let lock = journal(&world).join(".lock");
    // The other run: it holds the lock until its input ends.
    let mut other = world.program(
        "flock",
        &[lock.to_str().unwrap(), "sh", "-c", "echo held; read end"],
    );
    let mut other = other
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(other.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    assert_eq!(line, "held\n");
    assert_eq!(world.run(&["status", "-q"]).code, 0, "readers do not wait");
    let before = world.run(&["log", "--json"]).out;
    let ran = world.run(&["shift", "test"]);
    insta::assert_snapshot!(ran.shown(), @r"
    [stderr]
    error: …/repo/.git/ringshift/acme/shop/shop-state is held by another run
    hint: wait for the other run to end, then run this again
    [exit 4]
    ");
    assert_eq!(world.run(&["log", "--json"]).out, before);
    drop(other.stdin.take());
    other.wait().unwrap();
    assert_eq!(world.run(&["shift", "test", "-q"]).code, 0);
}

#[test]
fn leftovers_of_a_run_that_died_are_in_nobodys_way() {
    let world = changed();
    for image in ["api", "base", "shop", "shop-state"] {
        std::fs::write(layout(&world, image).join(".tmp/w-dead"), "half a blob").unwrap();
    }
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
    assert_eq!(world.run(&["state", "verify", "-q"]).code, 0);
}

#[test]
fn a_registry_folder_that_holds_no_such_project() {
    let world = World::bare_folder();
    let ran = world.refused(&["--registry", "oci:gone", "--project", "acme/shop", "status"]);
    insta::assert_snapshot!(ran.shown(), @r"
    [stderr]
    error: …/repo/gone holds no journal of acme/shop
    hint: check --registry and --project
    [exit 1]
    ");
}
