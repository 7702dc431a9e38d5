//! Our answers and those of the git program to the same questions.

use crate::sandbox::{Random, Sandbox, git_in, try_git};
use ringshift::git::{Difference, GitError, Repository};
use ringshift::model::{CommitId, RepoPath};
use std::collections::BTreeSet;
use std::path::Path;

fn id(text: &str) -> CommitId {
    text.parse().unwrap()
}

#[test]
fn revisions_are_resolved_as_git_does() {
    let world = Sandbox::new();
    for n in 0..4 {
        world.write("f", n.to_string());
        world.commit(&format!("c{n}"));
    }
    world.git(&["tag", "light", "HEAD~2"]);
    world.git(&["tag", "-a", "v1.0", "-m", "t", "HEAD~1"]);
    world.git(&["tag", "-a", "nested", "-m", "t", "v1.0"]);
    world.git(&["checkout", "-q", "-b", "team/topic", "HEAD~3"]);
    world.write("g", "x");
    world.commit("side");
    world.git(&["merge", "-q", "-m", "join", "main"]);
    world.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    world.git(&[
        "symbolic-ref",
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/main",
    ]);
    let head = world.git(&["rev-parse", "HEAD"]);
    world.git(&["tag", &head[..8], "main~1"]); // a name that looks like an id wins
    let repo = world.open();
    let short = &world.git(&["rev-parse", "main"])[..10];
    for text in [
        "HEAD",
        "@",
        "main",
        "light",
        "v1.0",
        "nested",
        "team/topic",
        "origin/main",
        "origin",
        "heads/main",
        "refs/heads/main",
        "tags/v1.0",
        "HEAD^2",
        "HEAD^1~1",
        "HEAD^^",
        "HEAD~",
        "@~2",
        "main^0",
        "v1.0~1",
        &head,
        &head.to_uppercase(),
        short,
        &head[..8],
    ] {
        let want = world.git(&["rev-parse", &format!("{text}^{{commit}}")]);
        assert_eq!(repo.resolve_commit(text).unwrap().as_str(), want, "{text}");
    }
    for text in [
        "nothing",
        "HEAD~99",
        "HEAD^3",
        "main:f",
        "HEAD^{tree}",
        "--all",
        "0000",
        "v1.0^{}",
        "HEAD@{0}",
    ] {
        assert!(
            matches!(repo.resolve_commit(text), Err(GitError::UnknownRevision(_))),
            "{text}"
        );
    }
    let tree = world.git(&["rev-parse", "HEAD^{tree}"]);
    assert!(repo.resolve_commit(&tree).is_err());
    let gone = "1".repeat(40);
    assert!(matches!(
        repo.resolve_commit(&gone),
        Err(GitError::MissingCommit { shallow: false, .. })
    ));
}

#[test]
fn special_repositories_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Repository::discover(dir.path()),
        Err(GitError::NotARepository(_))
    ));
    let empty = Sandbox::new();
    assert!(matches!(empty.open().head(), Err(GitError::Unborn)));
    assert!(matches!(
        empty.open().resolve_commit("HEAD"),
        Err(GitError::Unborn)
    ));
    let world = Sandbox::new();
    world.write("a/f", "1");
    let head = world.commit("c");
    let bare = dir.path().join("bare.git");
    git_in(
        world.path(),
        &["clone", "-q", "--bare", ".", bare.to_str().unwrap()],
    );
    let opened = Repository::discover(&bare).unwrap();
    assert_eq!(opened.head().unwrap().as_str(), head);
    assert!(matches!(opened.changes(&id(&head)), Err(GitError::Bare)));
    let linked = dir.path().join("linked");
    world.git(&["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    let opened = Repository::discover(&linked.join("a")).unwrap();
    assert_eq!(
        opened.workdir().unwrap().canonicalize().unwrap(),
        linked.canonicalize().unwrap()
    );
    assert_eq!(
        opened.common_dir().canonicalize().unwrap(),
        world.path().join(".git").canonicalize().unwrap()
    );
    assert_eq!(opened.branch().as_deref(), Some("other"));
}

#[test]
fn a_shallow_clone_never_guesses() {
    let world = Sandbox::new();
    let ids: Vec<_> = (0..6)
        .map(|n| {
            world.write("f", n.to_string());
            id(&world.commit(&format!("c{n}")))
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let clone = dir.path().join("clone");
    let url = format!("file://{}", world.path().display());
    git_in(
        dir.path(),
        &["clone", "-q", "--depth", "3", &url, clone.to_str().unwrap()],
    );
    let repo = Repository::discover(&clone).unwrap();
    assert!(repo.is_shallow());
    assert!(repo.is_ancestor(&ids[3], &ids[5]).unwrap());
    assert!(!repo.is_ancestor(&ids[5], &ids[4]).unwrap());
    assert!(matches!(
        repo.is_ancestor(&ids[1], &ids[5]),
        Err(GitError::MissingCommit { shallow: true, .. })
    ));
    assert_eq!(
        repo.commits_not_in(&ids[5], &ids[4], 9).unwrap(),
        [ids[5].clone()]
    );
    assert!(matches!(repo.patch_id(&ids[3]), Err(GitError::CutOff(_))));
    assert!(matches!(repo.resolve_commit("HEAD~3"), Err(GitError::CutOff(_))));
    // A branch that leaves before the boundary: what it lacks cannot be told.
    git_in(&clone, &["checkout", "-q", "--orphan", "island"]);
    git_in(&clone, &["commit", "-q", "-m", "island"]);
    let island = repo.head().unwrap();
    assert!(matches!(
        repo.is_ancestor(&island, &ids[5]),
        Err(GitError::CutOff(_))
    ));
    assert!(matches!(
        repo.commits_not_in(&ids[5], &island, 9),
        Err(GitError::CutOff(_))
    ));
}

#[test]
fn info_parents_and_configuration_are_read() {
    let world = Sandbox::new();
    world.write("f", "1");
    let first = world.commit("Subject line\n\nbody");
    let second = world.commit("two");
    let repo = world.open();
    let info = repo.info(&id(&first)).unwrap();
    assert_eq!(
        (info.time, info.author.as_str(), info.email.as_str()),
        (1_767_323_045, "A", "a@example.com")
    );
    assert_eq!(info.summary, "Subject line");
    assert_eq!(repo.parents(&id(&second)).unwrap(), [id(&first)]);
    assert_eq!(
        repo.tree_id(&id(&first)).unwrap().to_string(),
        world.git(&["rev-parse", "HEAD^{tree}"])
    );
    world.git(&["config", "user.email", "me@example.com"]);
    assert_eq!(repo.user_email().as_deref(), Some("me@example.com"));
}

#[test]
fn changes_name_every_kind_of_difference() {
    let world = Sandbox::new();
    for path in ["kept", "edited", "gone", "mode", "kind", "staged"] {
        world.write(path, path);
    }
    world.write(".gitignore", "*.log\nout/\n");
    let head = id(&world.commit("c"));
    world.write("edited", "other!");
    std::fs::remove_file(world.path().join("gone")).unwrap();
    world.git(&["update-index", "--chmod=+x", "mode"]);
    std::fs::remove_file(world.path().join("kind")).unwrap();
    std::os::unix::fs::symlink("kept", world.path().join("kind")).unwrap();
    world.write("staged", "st");
    world.write("added", "a");
    world.git(&["add", "staged", "added"]);
    world.write("new/deep/file", "n");
    world.write("x.log", "ignored");
    world.write("out/y", "ignored");
    let repo = world.open();
    let found: Vec<_> = repo
        .changes(&head)
        .unwrap()
        .into_iter()
        .map(|c| (c.path.to_string(), c.difference))
        .collect();
    let want = [
        ("added", Difference::Added),
        ("edited", Difference::Changed),
        ("gone", Difference::Deleted),
        ("kind", Difference::Changed),
        ("new/deep/file", Difference::Untracked),
        ("staged", Difference::Changed),
    ];
    let found: Vec<_> = found
        .iter()
        .map(|(p, d)| (p.as_str(), *d))
        .filter(|(p, _)| *p != "mode")
        .collect();
    assert_eq!(found, want);
    let below = repo
        .status(&head, &[RepoPath::clean("new"), RepoPath::clean("kept")])
        .unwrap();
    assert_eq!(below.len(), 1);
    assert!(repo.is_ignored(&RepoPath::clean("x.log"), false).unwrap());
    assert!(repo.is_ignored(&RepoPath::clean("out"), true).unwrap());
    assert!(!repo.is_ignored(&RepoPath::clean("kept"), false).unwrap());
}

#[test]
fn a_change_within_the_clock_tick_of_the_index_is_seen() {
    let world = Sandbox::new();
    for round in 0..20 {
        world.write("f", format!("a{round:02}"));
        let head = id(&world.commit("c"));
        world.write("f", format!("b{round:02}"));
        assert_eq!(world.open().changes(&head).unwrap().len(), 1, "round {round}");
    }
}

/// Writes a history with branches that pick from one another, in all the ways patches can be equal or nearly.
fn random_history(seed: u64) -> (Sandbox, Vec<String>) {
    let world = Sandbox::new();
    let mut random = Random(seed);
    let lines = |random: &mut Random| {
        (0..30)
            .map(|_| format!("line {}\n", random.below(6)))
            .collect::<String>()
    };
    for name in ["a", "b b", "d/c"] {
        let text = lines(&mut random);
        world.write(name, text);
    }
    world.write("bin", [0, 1, 2, 3]);
    world.commit("base");
    let branches: Vec<String> = ["main", "one", "two"].map(String::from).into();
    for branch in &branches[1..] {
        world.git(&["branch", branch]);
    }
    for step in 0..14 {
        let branch = &branches[usize::try_from(random.below(3)).unwrap()];
        world.git(&["checkout", "-q", branch]);
        let other = &branches[usize::try_from(random.below(3)).unwrap()];
        match random.below(12) {
            0 | 1 if other != branch => {
                let picked = try_git(
                    world.path(),
                    &["cherry-pick", "--allow-empty", "--keep-redundant-commits", other],
                );
                if !picked.status.success() {
                    try_git(world.path(), &["cherry-pick", "--abort"]);
                    world.git(&["reset", "-q", "--hard"]);
                }
                continue;
            }
            2 if other != branch => {
                if !try_git(world.path(), &["merge", "-q", "-m", "m", other])
                    .status
                    .success()
                {
                    world.git(&["merge", "--abort"]);
                }
                continue;
            }
            3 => world.write("bin", [0, u8::try_from(random.below(3)).unwrap()]),
            4 => world.write(&format!("n{}", random.below(3)), lines(&mut random)),
            5 => {
                let _ = std::fs::remove_file(world.path().join("a"));
            }
            6 => {
                world.git(&["add", "-A"]);
                let sign = ["--chmod=+x", "--chmod=-x"][usize::try_from(random.below(2)).unwrap()];
                world.git(&["update-index", sign, "b b"]);
                world.git(&["commit", "-q", "--allow-empty", "-m", "mode"]);
                world.git(&["reset", "-q", "--hard"]);
                continue;
            }
            7 => {
                let link = world.path().join("link");
                let _ = std::fs::remove_file(&link);
                if random.below(3) > 0 {
                    std::os::unix::fs::symlink(format!("t{}", random.below(2)), link).unwrap();
                } else {
                    std::fs::write(link, "t0").unwrap();
                }
            }
            8 => world.write(
                "end",
                ["x", "x\n", "x \n", "\tx"][usize::try_from(random.below(4)).unwrap()],
            ),
            _ => edit(&world, &mut random),
        }
        world.commit(&format!("step {step}"));
    }
    (world, branches)
}

fn edit(world: &Sandbox, random: &mut Random) {
    let path = world.path().join("d/c");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().map(String::from).collect();
    let at = usize::try_from(random.below(lines.len() as u64)).unwrap();
    match random.below(4) {
        0 => lines.insert(at, format!("line {}", random.below(6))),
        1 => drop(lines.remove(at)),
        2 => lines[at] = format!("  {}", lines[at].replace(' ', "\t")),
        _ => lines[at] = "changed".into(),
    }
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// `git cherry` in terms of our own answers: the commits of `head`, each with whether `upstream` has its patch.
fn our_cherry(repo: &Repository, upstream: &CommitId, head: &CommitId) -> Vec<String> {
    let theirs: BTreeSet<_> = repo
        .commits_not_in(upstream, head, 1000)
        .unwrap()
        .iter()
        .map(|c| repo.patch_id(c).unwrap())
        .collect();
    let mine = repo.commits_not_in(head, upstream, 1000).unwrap();
    let sign = |c: &CommitId| {
        if theirs.contains(&repo.patch_id(c).unwrap()) {
            '-'
        } else {
            '+'
        }
    };
    mine.iter().map(|c| format!("{} {c}", sign(c))).collect()
}

fn agree_on(world: &Sandbox, branches: &[String]) -> usize {
    let repo = world.open();
    let mut same = 0;
    for a in branches {
        for b in branches {
            let (left, right) = (repo.resolve_commit(a).unwrap(), repo.resolve_commit(b).unwrap());
            let ancestor = try_git(world.path(), &["merge-base", "--is-ancestor", a, b])
                .status
                .success();
            assert_eq!(repo.is_ancestor(&left, &right).unwrap(), ancestor);
            let mut want: Vec<_> = world.git(&["cherry", a, b]).lines().map(String::from).collect();
            let mut got = our_cherry(&repo, &left, &right);
            same += want.iter().filter(|line| line.starts_with('-')).count();
            want.sort();
            got.sort();
            assert_eq!(got, want, "{a} {b} in {}", keep(world.path()));
        }
    }
    same
}

fn keep(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn patches_are_equal_exactly_when_git_cherry_says_so() {
    let mut same = 0;
    for seed in 0..12 {
        let (world, branches) = random_history(seed);
        same += agree_on(&world, &branches);
    }
    assert!(same > 5, "the histories held equal patches: {same}");
}

#[test]
fn commits_not_in_come_parents_first_and_are_bounded() {
    let (world, branches) = random_history(99);
    let repo = world.open();
    for a in &branches {
        for b in &branches {
            let (left, right) = (repo.resolve_commit(a).unwrap(), repo.resolve_commit(b).unwrap());
            let found = repo.commits_not_in(&left, &right, 1000).unwrap();
            let range = format!("{b}..{a}");
            let text = world.git(&["rev-list", "--no-merges", &range]);
            let want: BTreeSet<_> = text.lines().map(id).collect();
            assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), want);
            for (at, commit) in found.iter().enumerate() {
                let later: BTreeSet<_> = found[at..].iter().collect();
                assert!(repo.parents(commit).unwrap().iter().all(|p| !later.contains(p)));
            }
            if found.len() > 1 {
                let answer = repo.commits_not_in(&left, &right, found.len() - 1);
                assert!(matches!(answer, Err(GitError::TooMany(_))));
            }
        }
    }
}

#[test]
fn of_binary_files_the_whole_content_counts() {
    let world = Sandbox::new();
    let text = |first: &str, last: &str| format!("{first}\0\n{}{last}\n", "line\n".repeat(40));
    world.write("f", text("a", "z"));
    world.commit("base");
    world.git(&["branch", "side"]);
    world.write("f", text("a", "other"));
    world.commit("far away");
    world.write("f", text("b", "other"));
    world.commit("the edit");
    world.git(&["checkout", "-q", "side"]);
    world.write("f", text("b", "z"));
    world.commit("the same edit");
    assert_eq!(agree_on(&world, &["main".into(), "side".into()]), 0);
}
