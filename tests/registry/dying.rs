//! Writers that die at every named place, registries that die under them, and many writers at once.

use crate::sandbox::Ran;
use crate::server::{Kind, Server};
use crate::team::{Team, ran};
use crate::world::{open, repository};
use ringshift::registry::Registry;
use ringshift::state::journal::{Journal, TagJournal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Lets a command die at a place; what the place was about to write.
fn dies(team: &Team, place: &str, args: &[&str]) -> String {
    let mut command = team.command(args);
    let died = ran(command.env("RINGSHIFT_CRASH", place).output().unwrap());
    assert_eq!(died.code, None, "{place} {args:?}: {died:?}");
    let name = place.split(':').next().unwrap();
    let said = died.err.lines().last().unwrap_or_default();
    let what = said.strip_prefix(&format!("died at {name}"));
    what.unwrap_or_else(|| panic!("{place}: {died:?}"))
        .trim()
        .to_owned()
}

/// Makes a tag that is listed and answers 404, as a registry that dies leaves it.
fn half(server: &Server, tag: &str) {
    let folder = server
        .folder("acme/shop/shop-state")
        .join("_manifests/tags")
        .join(tag);
    std::fs::create_dir_all(folder).unwrap();
    let registry = open(server);
    let journal = repository("shop-state");
    assert!(registry.tags(&journal).unwrap().contains(&tag.to_owned()));
    assert_eq!(registry.resolve(&journal, tag).unwrap(), None);
}

/// Lets a build die at its first and at its second entry, and a shift; each given again comes to its end.
fn dies_thrice(kind: Kind, place: &str, halves: bool) {
    let Some(server) = Server::start(kind) else { return };
    let team = Team::new(&server);
    team.ok(&["build"]);
    let twice = format!("{place}:2");
    for (n, (at, args)) in [
        (place, ["build"].as_slice()),
        (&twice, &["build"]),
        (place, &["shift", "test"]),
    ]
    .into_iter()
    .enumerate()
    {
        if args[0] == "build" {
            team.change("base", &format!("t{n}"));
        }
        let tag = dies(&team, at, args);
        if halves {
            half(&server, &tag);
        }
        team.ok(args);
        team.whole();
        let again = team.json(args);
        assert_eq!(again["entry"], Value::Null, "{place}: {args:?} is done");
    }
    let all = |version: &str| serde_json::json!({"base": version, "shop": version});
    let rings = &team.board()["rings"];
    assert_eq!(rings["dev"], all("0.1.2"), "{place}");
    assert_eq!(rings["test"], all("0.1.2"), "{place}");
    // No operation stands twice, and the chain is one.
    chain(&server);
}

/// Every entry from the head back, by its tag; no operation wrote two of the same kind.
fn chain(server: &Server) -> BTreeMap<u64, String> {
    let journal = TagJournal::new(Arc::new(open(server)), repository("shop-state"));
    let mut next = journal.head().unwrap();
    let (mut entries, mut operations) = (BTreeMap::new(), Vec::new());
    while let Some(stored) = next {
        entries.insert(stored.entry.seq, stored.digest.to_string());
        operations.push((stored.entry.operation.clone(), stored.entry.verb.to_string()));
        next = journal.parent(&stored).unwrap();
        if let Some(parent) = &next {
            assert_eq!(
                stored.entry.parent,
                Some(parent.digest),
                "entry {}",
                stored.entry.seq
            );
        }
    }
    let all = operations.len();
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), all, "an operation stands twice");
    entries
}

#[test]
fn whoever_dies_after_reading_is_as_if_it_had_not_run() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    for args in [
        ["build"].as_slice(),
        &["shift", "test"],
        &["freeze", "0.1.0", "--reason", "x"],
    ] {
        let before = chain(&server);
        dies(&team, "read", args);
        assert_eq!(chain(&server), before, "{args:?}");
        team.ok(args);
        team.whole();
    }
}

#[test]
fn a_claim_that_was_sent_stops_nobody() {
    dies_thrice(Kind::Third, "claimed", false);
}

#[test]
fn a_vote_that_is_half_there_counts_as_absent() {
    dies_thrice(Kind::Second, "voting", true);
    dies_thrice(Kind::Third, "voting", true);
}

#[test]
fn a_vote_that_landed_is_helped_through() {
    dies_thrice(Kind::Second, "voted", false);
    dies_thrice(Kind::Third, "voted", false);
}

#[test]
fn what_was_decided_and_not_published_is_published_by_the_next() {
    dies_thrice(Kind::Third, "publishing", false);
}

#[test]
fn an_entry_that_is_half_published_heals() {
    dies_thrice(Kind::Second, "publishing", true);
    dies_thrice(Kind::Third, "publishing", true);
}

#[test]
fn what_was_published_and_not_acknowledged_is_done() {
    dies_thrice(Kind::Third, "published", false);
}

/// A build and a shift settle once each.
#[test]
fn ring_tags_that_were_not_written_are_written_by_the_same_command_again() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.change("base", "t1");
    for args in [
        ["build"].as_slice(),
        &["shift", "test"],
        &["unshift", "test", "--empty"],
    ] {
        dies(&team, "settling", args);
        let again = team.run(args);
        assert!(matches!(again.code, Some(0 | 6)), "{args:?}: {again:?}");
        if again.code == Some(6) {
            // It says that there is nothing to take back; the ring tags are mended by whoever writes next, or by this.
            team.ok(&["state", "repair"]);
        }
        team.whole();
    }
}

#[test]
fn a_build_that_died_anywhere_is_finished_under_the_numbers_that_it_took() {
    for place in ["reserved", "pushed", "untagged", "tagged"] {
        let Some(server) = Server::start(Kind::Third) else {
            return;
        };
        let team = Team::new(&server);
        for n in 0..3 {
            team.change("base", &format!("t{n}"));
            dies(&team, place, &["build"]);
            team.ok(&["build"]);
            team.whole();
            let version = format!("0.1.{n}");
            let wanted = serde_json::json!({"base": version, "shop": version});
            assert_eq!(team.board()["rings"]["dev"], wanted, "{place}");
        }
        chain(&server);
    }
}

#[test]
fn a_number_whose_tag_holds_other_content_gives_way_to_the_next() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    dies(&team, "reserved", &["build"]);
    let registry = open(&server);
    let (foreign, _) = crate::world::image(&registry, &repository("base"), b"foreign");
    registry.move_tag(&repository("base"), "0.1.0", &foreign).unwrap();
    let taken = team.run(&["build"]);
    if taken.code != Some(0) {
        assert_eq!(taken.code, Some(4), "{taken:?}");
        team.ok(&["build"]);
    }
    team.whole();
    let there = registry.resolve(&repository("base"), "0.1.0").unwrap().unwrap();
    assert_eq!(there.digest, foreign.digest, "what is there is not overwritten");
    assert_eq!(team.board()["rings"]["dev"]["base"], "0.1.1");
}

#[test]
fn a_slow_writer_does_not_leave_an_older_ring_tag() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    team.change("base", "t1");
    team.ok(&["build"]);
    // It dies before it writes the tag of test; another moves test on and back, and writes it.
    dies(&team, "settling", &["shift", "test"]);
    let other = team.member("other", &["unshift", "test"]).output().unwrap();
    assert_eq!(other.status.code(), Some(0), "{other:?}");
    team.whole();
    // The first comes again: what it writes is what holds now.
    let again = team.run(&["shift", "test"]);
    assert_eq!(again.code, Some(8), "what was unshifted is frozen: {again:?}");
    team.whole();
}

#[test]
fn a_registry_that_died_while_it_overwrote_a_ring_tag_is_mended() {
    let Some(mut server) = Server::start(Kind::Second) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    // The link is empty, as a registry leaves it that dies after it opened the file.
    let link = server
        .folder("acme/shop/shop")
        .join("_manifests/tags/test/current/link");
    std::fs::write(link, "").unwrap();
    server.die_and_rise();
    team.ok(&["status"]);
    team.change("base", "t1");
    team.ok(&["build"]);
    team.ok(&["shift", "test"]);
    team.whole();
}

/// A small source of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// What all writers were told.
#[derive(Default)]
struct Told {
    acknowledged: Vec<(u64, String)>,
    kills: u32,
    codes: BTreeMap<Option<i32>, u32>,
}

/// One writer: commands without an end, some of which are killed.
fn write(team: &Team, home: &str, mut random: Random, over: &AtomicBool, told: &Mutex<Told>) {
    let commands: [&[&str]; 8] = [
        &["freeze", "0.1.0", "--reason", "x"],
        &["unfreeze", "0.1.0"],
        &["freeze", "base@0.1.0", "--reason", "x"],
        &["unfreeze", "base@0.1.0"],
        &["shift", "test"],
        &["unshift", "test", "--empty"],
        &["shift", "users"],
        &["unshift", "users", "--empty"],
    ];
    while !over.load(Ordering::SeqCst) {
        let args = commands[random.below(8) as usize];
        let mut command = team.member(home, &[args, &["--json"]].concat());
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let killed = random.below(3) == 0;
        if killed {
            std::thread::sleep(Duration::from_millis(random.below(400)));
            let _ = child.kill();
        }
        let done: Ran = ran(child.wait_with_output().unwrap());
        assert!(
            matches!(done.code, None | Some(0 | 1 | 4 | 5 | 6 | 8)),
            "{args:?}: {done:?}"
        );
        let mut told = told.lock().unwrap();
        told.kills += u32::from(done.code.is_none());
        *told.codes.entry(done.code).or_default() += 1;
        let shape = done.shape().filter(|shape| shape["kind"] == "done");
        if let Some(entry) = shape
            .map(|shape| shape["entry"].clone())
            .filter(|entry| !entry.is_null())
        {
            let digest = entry["digest"].as_str().unwrap().to_owned();
            told.acknowledged.push((entry["seq"].as_u64().unwrap(), digest));
        }
    }
}

/// Seconds of writing; `RINGSHIFT_RACE_SECONDS` for more.
fn seconds() -> u64 {
    std::env::var("RINGSHIFT_RACE_SECONDS").map_or(12, |text| text.parse().unwrap())
}

fn race(kind: Kind, deaths: bool) {
    let Some(mut server) = Server::start(kind) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    let seed = {
        use std::hash::{BuildHasher, Hasher};
        std::hash::RandomState::new().build_hasher().finish()
    };
    let (over, told) = (AtomicBool::new(false), Mutex::<Told>::default());
    let started = Instant::now();
    let mut rises = 0;
    std::thread::scope(|scope| {
        let homes = ["a", "b", "c", "d", "e", "f"];
        for (home, n) in homes.into_iter().zip(0..) {
            let (team, over, told) = (&team, &over, &told);
            scope.spawn(move || write(team, home, Random(seed ^ n), over, told));
        }
        let mut random = Random(seed);
        while started.elapsed() < Duration::from_secs(seconds()) {
            std::thread::sleep(Duration::from_millis(500 + random.below(1500)));
            if deaths {
                server.die_and_rise();
                rises += 1;
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    let told = told.into_inner().unwrap();
    let chain = chain(&server);
    let lost = told
        .acknowledged
        .iter()
        .filter(|(seq, digest)| chain.get(seq) != Some(digest));
    let lost: Vec<_> = lost.collect();
    let mut by_place: BTreeMap<u64, Vec<&String>> = BTreeMap::new();
    for (seq, digest) in &told.acknowledged {
        by_place.entry(*seq).or_default().push(digest);
    }
    let doubled = by_place.values().filter(|all| all.len() > 1).count();
    let forks = by_place
        .values()
        .filter(|all| all.iter().any(|one| *one != all[0]))
        .count();
    eprintln!(
        "{kind:?}, seed {seed}: {} acknowledged under {} kills and {rises} deaths of the registry; {} lost, {doubled} doubled, {forks} forks; {} entries; exits {:?}",
        told.acknowledged.len(),
        told.kills,
        lost.len(),
        chain.len(),
        told.codes
    );
    assert!(lost.is_empty() && doubled == 0 && forks == 0, "{lost:?}");
    assert!(!told.acknowledged.is_empty(), "nobody was told anything");
    team.ok(&["state", "repair"]);
    let verified = team.json(&["state", "verify"]);
    assert_eq!(verified["problems"], serde_json::json!([]), "{verified}");
    // The second removes no tags, so that of a ring that is empty again stays.
    if kind != Kind::Second {
        team.whole();
    }
}

#[test]
fn what_any_of_six_writers_was_told_is_in_the_chain_though_they_and_the_registry_are_killed() {
    race(Kind::Second, true);
    race(Kind::Third, true);
}

#[test]
fn what_any_of_three_writers_was_told_is_in_the_chain_where_no_tag_can_be_moved() {
    let Some(server) = Server::start(Kind::Immutable) else {
        return;
    };
    let team = Team::new(&server);
    team.ok(&["build"]);
    let (over, told) = (AtomicBool::new(false), Mutex::<Told>::default());
    std::thread::scope(|scope| {
        for (home, n) in ["a", "b", "c"].into_iter().zip(0..) {
            let (team, over, told) = (&team, &over, &told);
            scope.spawn(move || write(team, home, Random(n), over, told));
        }
        std::thread::sleep(Duration::from_secs(seconds() / 3));
        over.store(true, Ordering::SeqCst);
    });
    let chain = chain(&server);
    for (seq, digest) in told.into_inner().unwrap().acknowledged {
        assert_eq!(chain.get(&seq), Some(&digest), "entry {seq}");
    }
}
