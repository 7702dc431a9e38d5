//! `doctor` on real registries, and on ones that are late, half-hearted, or behind a cache.

use crate::front::{Answer, Front};
use crate::server::{Kind, Server};
use crate::world::image;
use ringshift::registry::remote::{Access, Finding, Probe, RemoteRegistry, Verdict, worst};
use ringshift::registry::{Registry, Repository};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

fn probe() -> Probe {
    Probe {
        repository: Repository::single("acme/shop/shop-doctor"),
        journal: Some(Repository::single("acme/shop/shop-state")),
        patience: Duration::from_millis(250),
        mark: "probe-1".into(),
        tries: 5,
        read_only: false,
    }
}

fn open(address: &str) -> RemoteRegistry {
    RemoteRegistry::open(Access::anonymous(address)).unwrap()
}

/// Each step with its verdict and what was seen.
fn table(findings: &[Finding], address: &str) -> Vec<String> {
    let line = |f: &Finding| {
        format!(
            "{} {:?}: {}",
            f.step,
            f.verdict,
            f.said.replace(address, "REGISTRY")
        )
    };
    findings.iter().map(line).collect()
}

fn changed(base: &[&str], changes: Changes<'_>) -> Vec<String> {
    let changes: BTreeMap<&str, &str> = changes.iter().copied().collect();
    let line = |line: &&str| {
        let step = line.split(' ').next().unwrap();
        (*changes.get(step).unwrap_or(line)).to_owned()
    };
    base.iter().map(line).collect()
}

/// Steps that come out otherwise, with their lines.
type Changes<'a> = &'a [(&'a str, &'a str)];

const GOOD: [&str; 13] = [
    "reachable Works: http://REGISTRY answers (registry/2.0)",
    "login Works: reading needs no login",
    "push Works: a blob and a manifest can be pushed to acme/shop/shop-doctor",
    "pull Works: what was pushed comes back, byte for byte",
    "list Works: each of 5 new tags was in the list at once",
    "pages Works: long lists come in pages",
    "overwrite Works: a tag can be moved",
    "conditions Works: conditional writes are not known; the journal does without",
    "half-created Works: there is no acme/shop/shop-state yet",
    "delete Works: a tag can be removed",
    "referrers Works: no referrers API; the fallback tag is used",
    "limits Works: a manifest of 1 MiB is taken",
    "cache Works: nothing says that it stands in between (Via, Age, X-Cache)",
];
const GONE: &str = "clean-up Works: tags and manifests of the probe are gone; its few bytes of blobs go when \
                    acme/shop/shop-doctor is collected";

const IMMUTABLE: [&str; 3] = [
    "overwrite Limited: tags cannot be moved: http://REGISTRY does not allow to tag acme/shop/shop-doctor:probe-1-moved \
     (DENIED requested access to the resource is denied: cannot overwrite tag)",
    "delete Limited: tags cannot be removed: http://REGISTRY does not allow to remove the tag \
     acme/shop/shop-doctor:probe-1-0 (DENIED requested access to the resource is denied: tag deletion not permitted)",
    "clean-up Limited: 6 tags and 1 manifests of the probe stay in acme/shop/shop-doctor, since the registry did not \
     remove them",
];

#[test]
fn every_real_registry_is_told_as_it_is() {
    let told: [(Kind, Changes<'_>, &str); 4] = [
        (
            Kind::Second,
            &[
                (
                    "pages",
                    "pages Works: lists come whole, since pages are not known",
                ),
                (
                    "delete",
                    "delete Limited: tags cannot be removed: http://REGISTRY cannot remove the tag acme/shop/shop-doctor:probe-1-0",
                ),
            ],
            GONE,
        ),
        (Kind::Third, &[], GONE),
        (
            Kind::Memory,
            &[("referrers", "referrers Works: the referrers API is there")],
            GONE,
        ),
        (
            Kind::Immutable,
            &[
                ("overwrite", IMMUTABLE[0]),
                ("delete", IMMUTABLE[1]),
                ("referrers", "referrers Works: the referrers API is there"),
            ],
            IMMUTABLE[2],
        ),
    ];
    for (kind, changes, clean) in told {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let registry = open(&server.address);
        let findings = registry.probe(&probe(), &mut |_| ());
        let mut wanted = changed(&GOOD, changes);
        wanted.push(clean.into());
        assert_eq!(table(&findings, &server.address), wanted, "{kind:?}");
        let left = registry.tags(&probe().repository).unwrap().len();
        assert_eq!(left, if kind == Kind::Immutable { 6 } else { 0 }, "{kind:?}");
    }
}

/// The tags that a page lists.
fn listed(answer: &Answer) -> Vec<String> {
    let page: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let tags = page["tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

/// Before a registry whose lists show each tag one list too late.
fn late(server: &Server) -> Front {
    let known = Mutex::new(Vec::<String>::new());
    Front::to(
        &server.address,
        |_| None,
        move |request, mut answer| {
            if request.path.contains("/tags/list") && answer.status == 200 {
                let now = listed(&answer);
                let mut known = known.lock().unwrap();
                answer.body = json!({"name": "x", "tags": *known}).to_string().into_bytes();
                *known = now;
            }
            answer
        },
    )
}

#[test]
fn a_registry_whose_lists_are_late_is_refused() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let front = late(&server);
    let findings = open(&front.address).probe(&probe(), &mut |_| ());
    assert_eq!(worst(&findings), Verdict::Unsafe);
    let list = findings.iter().find(|finding| finding.step == "list").unwrap();
    let wanted = "5 of 5 new tags were missing in the list right after they were made (";
    assert!(list.said.starts_with(wanted), "{}", list.said);
    assert!(list.hint.as_ref().unwrap().contains("no cache, no replica"));
}

#[test]
fn a_list_that_never_shows_a_tag_is_told_after_three() {
    let Some(server) = Server::start(Kind::Memory) else {
        return;
    };
    let front = Front::to(
        &server.address,
        |_| None,
        |request, mut answer| {
            if request.path.contains("/tags/list") && answer.status == 200 {
                answer.body = br#"{"name": "x", "tags": []}"#.to_vec();
            }
            answer
        },
    );
    let findings = open(&front.address).probe(&probe(), &mut |_| ());
    let list = findings.iter().find(|finding| finding.step == "list").unwrap();
    assert_eq!(
        list.said,
        "3 of 5 new tags were missing in the list right after they were made (3 of them not within 0.25 s)"
    );
}

#[test]
fn tags_that_are_listed_and_not_there_are_told_and_so_is_what_stands_in_between() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let journal = probe().journal.unwrap();
    let registry = open(&server.address);
    let (entry, _) = image(&registry, &journal, b"entry");
    for tag in ["s.00000001", "s.00000002"] {
        registry.create_tag(&journal, tag, &entry).unwrap();
    }
    let half = |asked: crate::front::Asked<'_>| {
        asked
            .0
            .path
            .ends_with("/manifests/s.00000002")
            .then(|| Answer::of(404))
    };
    let front = Front::to(&server.address, half, |_, answer| {
        answer.with("Via", "1.1 cache").with("Age", "7")
    });
    let findings = open(&front.address).probe(&probe(), &mut |_| ());
    let mut wanted = changed(
        &GOOD,
        &[
            (
                "half-created",
                "half-created Limited: tags of acme/shop/shop-state are listed and not there: 1 of 2 (s.00000002)",
            ),
            (
                "cache",
                "cache Limited: something stands in between (age: 7, via: 1.1 cache)",
            ),
        ],
    );
    wanted.push(GONE.into());
    assert_eq!(table(&findings, &front.address), wanted);
    assert_eq!(worst(&findings), Verdict::Limited);
    // The journal is looked at, and nothing else.
    assert_eq!(registry.tags(&journal).unwrap().len(), 2);
}

#[test]
fn nothing_is_written_where_only_looking_is_allowed() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let front = Front::to(&server.address, |_| None, |_, answer| answer);
    let looking = Probe {
        read_only: true,
        ..probe()
    };
    let findings = open(&front.address).probe(&looking, &mut |_| ());
    let steps: Vec<&str> = findings.iter().map(|finding| finding.step).collect();
    assert_eq!(steps, ["reachable", "login", "half-created"]);
    let seen = front.seen();
    assert!(
        seen.iter()
            .all(|request| matches!(request.method.as_str(), "GET" | "HEAD")),
        "{seen:?}"
    );
}

fn run(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_ringshift"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("HOME", "/nonexistent")
        .env("RINGSHIFT_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn the_program_tells_a_person_and_a_program_and_exits_with_what_it_found() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let at = |address: &str, more: &[&str]| {
        run(
            dir.path(),
            &[&["doctor", "--registry", address, "--project", "acme/shop"], more].concat(),
        )
    };
    let (code, out, _) = at(&server.address, &[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.contains("\n  list        works  each of 20 new tags was in the list at once\n"),
        "{out}"
    );
    assert!(out.ends_with("\nit can keep a journal\n"), "{out}");
    let front = late(&server);
    let (code, out, _) = at(&front.address, &["--json"]);
    let shape: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &shape["store"]["verdict"]), (Some(8), &json!("unsafe")));
    let step = shape["store"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["step"] == "list");
    assert_eq!(step.unwrap()["verdict"], "unsafe");
    drop(server);
    let (code, out, _) = at("127.0.0.1:1", &["--json"]);
    let shape: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &shape["store"]["verdict"]), (Some(5), &json!("fails")));
    assert_eq!(shape["store"]["steps"].as_array().unwrap().len(), 1);
}
