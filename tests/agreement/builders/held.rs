//! What holds for every builder that is a program: nothing stale, nothing secret, nothing left.

use super::machine::Machine;
use super::world::{Build, Said, World, repository};
use ringshift::builder::{BuildError, Cancel, Secret, SecretSource, Session};
use ringshift::model::Digest;
use ringshift::registry::Registry;
use std::io::Write;

fn build<'a>(world: &'a World, text: &str, files: &[(&'static str, &str)]) -> Build<'a> {
    Build {
        world,
        text: text.into(),
        files: files
            .iter()
            .map(|(path, text)| (*path, (*text).to_owned()))
            .collect(),
        session: Session::default(),
    }
}

/// A word that no earlier run has seen.
fn fresh() -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"x").unwrap();
    Digest::of(file.path().to_string_lossy().as_bytes()).short()
}

/// Containerfile 0.4: a file of the same size and time as before is not taken for the same.
pub fn a_changed_file_is_built_anew(machine: &Machine) {
    let world = World::new();
    for letter in ["a", "b", "a"] {
        let one = build(
            &world,
            "FROM busybox\nCOPY f /f\nRUN cat /f /f > /g\n",
            &[("f", letter)],
        );
        let said = Said::default();
        let built = one
            .by(machine, &said)
            .unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
        assert_eq!(world.file(&built, "f").as_deref(), Some(letter));
        assert_eq!(world.file(&built, "g"), Some(letter.repeat(2)));
    }
}

/// What did not change is taken from the builder's own cache, though ports and words are others; and is not with
/// `--no-cache`. buildah and podman have none that could be trusted.
pub fn the_cache_serves_what_did_not_change(machine: &Machine) {
    let world = World::new();
    let word = fresh();
    let mut one = build(
        &world,
        "FROM busybox\nCOPY f /f\nRUN cat /f > /g\n",
        &[("f", &word)],
    );
    let cached = |one: &Build<'_>| {
        let said = Said::default();
        one.by(machine, &said)
            .unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
        let all = said.all();
        let run = all
            .lines()
            .find(|line| line.starts_with('#') && line.contains("] RUN cat"));
        let number = run.and_then(|line| line.split(' ').next()).unwrap_or("none");
        let kit = format!("{number} CACHED");
        all.lines()
            .any(|line| line == kit || line.contains("Using cache"))
    };
    assert!(!cached(&one));
    assert_eq!(cached(&one), machine.family == "buildkit");
    one.session.no_cache = true;
    assert!(!cached(&one));
}

/// Containerfile 0.8: what a mount holds counts, whatever the cache thinks.
pub fn a_changed_mount_is_built_anew(machine: &Machine) {
    let world = World::new();
    for letter in ["a", "b", "a"] {
        let text = "FROM busybox\nRUN --mount=type=bind,source=d,target=/m cat /m/f > /g\n";
        let one = build(&world, text, &[("d/f", letter)]);
        let said = Said::default();
        match one.by(machine, &said) {
            Ok(built) => assert_eq!(world.file(&built, "g").as_deref(), Some(letter)),
            Err(BuildError::Refused { .. }) => return,
            Err(error) => panic!("{error}\n{}", said.all()),
        }
    }
}

/// A named context is a folder of its own, with its own times.
pub fn a_named_folder_is_read(machine: &Machine) {
    let world = World::new();
    for letter in ["a", "b"] {
        let text = "FROM busybox\nCOPY --from=extra d /d\nRUN cat /d/f > /g\n";
        let one = build(&world, text, &[("@extra/d/f", letter), ("f", "main")]);
        let said = Said::default();
        match one.by(machine, &said) {
            Ok(built) => assert_eq!(world.file(&built, "g").as_deref(), Some(letter)),
            Err(BuildError::Refused { .. }) => return,
            Err(error) => panic!("{error}\n{}", said.all()),
        }
    }
}

/// A file that the rules missed is an error of the build, though an image with it was built before.
pub fn a_missed_file_is_an_error(machine: &Machine) {
    let world = World::new();
    let text = "FROM busybox\nCOPY a /a\nCOPY d/x d/y /d/\nRUN cat /a /d/x /d/y > /all\n";
    let files = [("a", "1"), ("d/x", "2"), ("d/y", "3")];
    let whole = build(&world, text, &files);
    let said = Said::default();
    whole
        .by(machine, &said)
        .unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
    for (path, _) in files {
        let missed = whole.without(machine, &Said::default(), path);
        assert!(
            matches!(missed, Err(BuildError::Program { .. })),
            "{path}: {missed:?}"
        );
    }
}

/// SEC-C1, rule 72: a secret reaches the RUN that mounts it, in the place of an older one, and nothing else.
pub fn a_secret_is_found_nowhere(machine: &Machine) {
    let world = World::new();
    for canary in ["canary", "cuckoo"].map(|bird| format!("{bird}-{}", fresh())) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(canary.as_bytes()).unwrap();
        let text = "FROM busybox\nRUN --mount=type=secret,id=token sha256sum /run/secrets/token > /sum\n";
        let mut one = build(&world, text, &[]);
        one.session.secrets = vec![Secret {
            id: "token".into(),
            source: SecretSource::File(file.path().into()),
        }];
        let said = Said::default();
        let built = match one.by(machine, &said) {
            Ok(built) => built,
            Err(BuildError::Refused { .. }) => return,
            Err(error) => panic!("{error}\n{}", said.all()),
        };
        let sum = world.file(&built, "sum").unwrap();
        assert_eq!(
            sum.split(' ').next().unwrap(),
            Digest::of(canary.as_bytes()).hex()
        );
        let has = |bytes: &[u8]| bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
        assert!(!has(&world.bytes(&built)), "in the image");
        assert!(!has(said.all().as_bytes()), "in the log");
    }
}

/// SEC-C2: neither the arguments of a program nor its variables hold a secret.
pub fn no_argument_holds_a_secret(name: &str) {
    let (world, place) = (World::new(), tempfile::tempdir().unwrap());
    let Some(machine) = Machine::watched(name, place.path()) else {
        return;
    };
    let canary = format!("canary-{}", fresh());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(canary.as_bytes()).unwrap();
    let text = "FROM busybox\nRUN --mount=type=secret,id=token grep -q canary /run/secrets/token\n";
    let mut one = build(&world, text, &[]);
    one.session.secrets = vec![Secret {
        id: "token".into(),
        source: SecretSource::File(file.path().into()),
    }];
    let said = Said::default();
    one.by(&machine, &said)
        .unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
    let log = std::fs::read_to_string(place.path().join("log")).unwrap();
    assert!(log.contains("--secret\nid=token,src="), "{log}");
    assert!(!log.contains(&canary), "{log}");
    let variables = log
        .lines()
        .filter(|line| line.starts_with("CARGO") || line.starts_with("RUST"));
    assert_eq!(
        variables.collect::<Vec<_>>(),
        [""; 0],
        "few variables are handed on"
    );
}

/// A check runs in the image that was built, every time, and nothing of it is kept.
pub fn a_check_fails_or_passes(machine: &Machine) {
    let world = World::new();
    let one = build(&world, "FROM busybox\nRUN echo it works > /f\n", &[]);
    let said = Said::default();
    let built = one
        .by(machine, &said)
        .unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
    let said = Said::default();
    let word = fresh();
    let passed = one.check(machine, &built, &["cat", "/f"], &said);
    passed.unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
    assert!(said.all().contains("it works"), "{}", said.all());
    let command = format!("echo said-{word}; exit 3");
    for _ in 0..2 {
        let said = Said::default();
        let failed = one.check(machine, &built, &["sh", "-c", &command], &said);
        assert!(matches!(failed, Err(BuildError::Check)), "{failed:?}");
        assert!(
            said.all()
                .lines()
                .any(|line| line.ends_with(&format!("said-{word}"))),
            "{}",
            said.all()
        );
    }
    assert_eq!(world.registry.tags(&repository("ours")).unwrap(), [""; 0]);
}

/// The image has ringshift's labels and time, and names neither the port nor the words of the build.
pub fn the_image_is_plain(machine: &Machine) {
    let world = World::new();
    let one = build(&world, "FROM busybox\nLABEL mine=1\nRUN echo x > /f\n", &[]);
    let said = Said::default();
    let built = one
        .by(machine, &said)
        .unwrap_or_else(|e| panic!("{e}\n{}", said.all()));
    let bytes = world.bytes(&built);
    let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("\"org.opencontainers.image.version\":\"1.2.3\"") && has("\"mine\":\"1\""));
    assert!(has("\"created\":\"2023-11-14T22:13:20Z\""));
    for word in ["127.0.0.1", "io.buildah.version"] {
        let at = bytes.windows(word.len()).position(|part| part == word.as_bytes());
        let around =
            at.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..bytes.len().min(at + 200)]));
        assert_eq!(around, None, "{word}");
    }
    assert!(said.all().contains("RUN echo x > /f"), "{}", said.all());
    assert!(said.all().contains("step 3 RUN echo x > /f"), "{}", said.all());
    assert_eq!(world.registry.tags(&repository("ours")).unwrap(), [""; 0]);
}

/// A build that is told to stop ends, and takes its programs with it.
pub fn a_build_can_be_stopped(machine: &Machine) {
    let world = World::new();
    let word = fresh();
    let mut one = build(
        &world,
        &format!("FROM busybox\nRUN echo begun-{word}; sleep 1000\n"),
        &[],
    );
    let cancel = Cancel::default();
    one.session.cancel = cancel.clone();
    let said = Said::default();
    let ended = std::thread::scope(|scope| {
        let building = scope.spawn(|| one.by(machine, &said));
        let begun = |text: String| text.lines().any(|line| line.ends_with(&format!("begun-{word}")));
        while !building.is_finished() && !begun(said.all()) {
            std::thread::yield_now();
        }
        cancel.request();
        building.join().unwrap()
    });
    assert!(
        matches!(ended, Err(BuildError::Cancelled)),
        "{ended:?}\n{}",
        said.all()
    );
}

/// SEC-A8: nobody allowed it.
pub fn what_needs_permission_is_refused(machine: &Machine) {
    let world = World::new();
    for flag in ["--network=host", "--security=insecure"] {
        let one = build(&world, &format!("FROM busybox\n\nRUN {flag} echo x\n"), &[]);
        let refused = one.by(machine, &Said::default());
        let Err(BuildError::Refused { line: 3, what, .. }) = refused else {
            panic!("{refused:?}");
        };
        if machine.name == "buildctl" {
            assert_eq!(what, format!("RUN {flag} is not allowed"));
        }
    }
}
