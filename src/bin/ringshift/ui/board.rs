//! The board (`status`).

use super::age::age;
use super::table::{Cell, render};
use super::{REFUSED, WAITS, count};
use ringshift::engine::board::Board;
use ringshift::model::{CommitId, ImageName};
use ringshift::state::{FreezeScope, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What a commit is called, where a clone knows it.
pub type Summaries = BTreeMap<CommitId, String>;

/// The board as text.
pub fn board(
    board: &Board,
    location: &str,
    summaries: &Summaries,
    now: Timestamp,
    width: Option<usize>,
) -> String {
    let head = match board.head {
        Some((seq, _)) => format!("entry {seq}"),
        None => "no entry yet".into(),
    };
    let mut out = format!("{} at {location}, {head}\n\n", board.project);
    let mut rows: Vec<Vec<Cell>> = vec![
        ["ring", "release", "since", "built from", "waiting"]
            .map(Cell::from)
            .to_vec(),
    ];
    let since = |name: &str| {
        board
            .since
            .get(name)
            .map(|then| age(*then, now))
            .unwrap_or_default()
    };
    rows.extend(ante(board, &since("ante"), summaries));
    let ante_waits = waiting_in_ante(board);
    for (place, ring) in board.rings.iter().enumerate() {
        let waiting = match (place, &ring.waiting) {
            (0, _) => ante_waits.clone(),
            (_, Some(version)) => match ring.refused {
                Some(why) => format!("{version}, {why}"),
                None => version.to_string(),
            },
            _ => String::new(),
        };
        let (version, from) = match &ring.held {
            Some((release, record)) => {
                let dirty = if record.is_dirty() { ", dirty" } else { "" };
                (
                    format!("{}{dirty}", release.version),
                    named(&record.commit, summaries),
                )
            }
            None => ("–".into(), String::new()),
        };
        rows.push(vec![
            ring.name.as_str().into(),
            version.into(),
            since(ring.name.as_str()).into(),
            from.into(),
            Cell::styled(waiting, if ring.refused.is_some() { REFUSED } else { WAITS }),
        ]);
    }
    rows.push(match &board.post {
        Some((release, record)) => vec![
            "post".into(),
            release.version.to_string().into(),
            since("post").into(),
            named(&record.commit, summaries).into(),
        ],
        None => vec!["post".into(), "–".into()],
    });
    out.push_str(&render(&rows, 2, width));
    let rest = frozen(board, now)
        .into_iter()
        .chain([next(board)])
        .filter(|line| !line.is_empty());
    let rest: Vec<String> = rest.map(|line| format!("  {line}")).collect();
    if !rest.is_empty() {
        out.push_str("\n\n");
        out.push_str(&rest.join("\n"));
    }
    out
}

fn named(commit: &CommitId, summaries: &Summaries) -> String {
    match summaries.get(commit) {
        Some(summary) => format!("{} {}", commit.short(), clip(summary, 40)),
        None => commit.short().into(),
    }
}

fn clip(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.into(),
    }
}

fn ante(board: &Board, since: &str, summaries: &Summaries) -> Option<Vec<Cell>> {
    let commits: BTreeSet<&CommitId> = board
        .state
        .ante
        .values()
        .filter_map(|p| p.commit.as_ref())
        .collect();
    let from = match commits.len() {
        0 => String::new(),
        1 => commits
            .first()
            .map(|commit| named(commit, summaries))
            .unwrap_or_default(),
        n => format!("{n} commits"),
    };
    let images: Vec<String> = board
        .state
        .ante
        .iter()
        .map(|(name, prepared)| format!("{name} {}", prepared.version))
        .collect();
    (!images.is_empty()).then(|| vec!["ante".into(), images.join(", ").into(), since.into(), from.into()])
}

fn waiting_in_ante(board: &Board) -> String {
    let first = board.rings.first().and_then(|ring| ring.held.as_ref());
    let held = |name: &ImageName| {
        first
            .and_then(|(_, record)| record.images.get(name))
            .map(|image| &image.version)
    };
    let images: Vec<String> = board
        .state
        .ante
        .iter()
        .filter(|(name, prepared)| held(name) != Some(&prepared.version))
        .map(|(name, prepared)| format!("{name} {}", prepared.version))
        .collect();
    if images.is_empty() {
        String::new()
    } else {
        let rebuilt = match standing_on_ante(board) {
            0 => String::new(),
            n => format!(", rebuilds {}", count(n as u64, "image", "images")),
        };
        format!("ante: {}{rebuilt}", images.join(", "))
    }
}

/// How many images of the first ring stand on what ante prepared, the root left out.
fn standing_on_ante(board: &Board) -> usize {
    let Some((_, record)) = board.rings.first().and_then(|ring| ring.held.as_ref()) else {
        return 0;
    };
    let mut moved: BTreeSet<&ImageName> = board.state.ante.keys().collect();
    loop {
        let next: Vec<&ImageName> = record
            .images
            .iter()
            .filter(|(name, image)| {
                **name != board.root
                    && !moved.contains(name)
                    && image.dependencies.keys().any(|on| moved.contains(on))
            })
            .map(|(name, _)| name)
            .collect();
        if next.is_empty() {
            return moved.len() - board.state.ante.len();
        }
        moved.extend(next);
    }
}

fn frozen(board: &Board, now: Timestamp) -> Vec<String> {
    let line = |freeze: &ringshift::state::Freeze| {
        let place = match &freeze.scope {
            FreezeScope::All => "every ring".to_owned(),
            FreezeScope::From(ring) => match board.state.chain.last() == Some(ring) {
                true => ring.to_string(),
                false => format!("{ring} and further out"),
            },
        };
        let why = freeze
            .reason
            .as_ref()
            .map(|why| format!(": \"{why}\""))
            .unwrap_or_default();
        let version = freeze.named(&board.root);
        let who = format!("{}, {}{why}", freeze.actor, age(freeze.at, now));
        format!("{REFUSED}frozen{REFUSED:#} for {place}: {version} ({who})")
    };
    board.state.freezes.iter().map(line).collect()
}

/// The command that would move something next: from the outer end inwards.
fn next(board: &Board) -> String {
    let first = board.rings.first().map(|ring| &ring.name);
    if board.rings.iter().all(|ring| ring.held.is_none()) {
        return "next: ringshift build".into();
    }
    let outermost = board
        .rings
        .iter()
        .skip(1)
        .rev()
        .filter(|ring| ring.refused.is_none())
        .find_map(|ring| Some((&ring.name, ring.waiting.as_ref()?)));
    match (outermost, first) {
        (Some((ring, version)), _) => format!("next: ringshift shift {ring}        {version}"),
        (None, Some(first)) if !board.state.ante.is_empty() => format!("next: ringshift shift {first}"),
        _ => String::new(),
    }
}

/// Per ring the version of every image.
pub fn images(board: &Board, width: Option<usize>) -> String {
    let names: BTreeSet<&ImageName> = board
        .rings
        .iter()
        .filter_map(|ring| ring.held.as_ref())
        .flat_map(|(_, record)| record.images.keys())
        .chain(board.state.ante.keys())
        .collect();
    if names.is_empty() {
        return "no image yet".into();
    }
    let mut header: Vec<Cell> = vec!["image".into()];
    let with_ante = !board.state.ante.is_empty();
    header.extend(with_ante.then(|| "ante".into()));
    header.extend(board.rings.iter().map(|ring| Cell::from(ring.name.as_str())));
    header.push("post".into());
    let mut rows = vec![header];
    for name in names {
        let version = |record: Option<&ringshift::state::ReleaseRecord>| -> Cell {
            let image = record.and_then(|record| record.images.get(name));
            image.map_or_else(|| "–".into(), |image| image.version.to_string().into())
        };
        let mut row: Vec<Cell> = vec![name.as_str().into()];
        let prepared = board
            .state
            .ante
            .get(name)
            .map_or("–".into(), |p| p.version.to_string());
        row.extend(with_ante.then(|| prepared.into()));
        row.extend(
            board
                .rings
                .iter()
                .map(|ring| version(ring.held.as_ref().map(|(_, r)| r.as_ref()))),
        );
        row.push(version(board.post.as_ref().map(|(_, r)| r.as_ref())));
        rows.push(row);
    }
    render(&rows, 2, width)
}
