//! Repositories that are odd: none, empty, bare, shallow, damaged.

use crate::sandbox::World;

#[test]
fn no_repository() {
    let world = World::bare_folder();
    for verb in ["plan", "build", "status", "check", "log", "init"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(world.refused(&[verb]).shown(), @r"
            [stderr]
            error: …/repo is not in a git repository
            hint: run it in a git repository, or make one with `git init`
            [exit 1]
            ");
        }
    }
}

#[test]
fn no_repository_but_a_rings_yaml() {
    let world = World::bare_folder();
    world.write("rings.yaml", crate::sandbox::RINGS);
    for verb in ["plan", "build", "status", "check"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(world.refused(&[verb]).shown(), @r"
            [stderr]
            error: …/repo is not in a git repository
            hint: run it in a git repository, or make one with `git init`
            [exit 1]
            ");
        }
    }
}

#[test]
fn an_empty_repository() {
    let world = World::empty();
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: there is no rings.yaml here or in a folder above
    hint: ringshift init proposes one; ringshift demo shows one
    [exit 1]
    ");
    insta::assert_snapshot!(world.refused(&["init"]).shown(), @r"
    [stderr]
    error: there is no container file in this repository
    hint: add one, or see a whole project with `ringshift demo`
    [exit 1]
    ");
}

#[test]
fn a_repository_without_a_commit() {
    let world = World::uncommitted();
    insta::assert_snapshot!(world.run(&["check"]).shown(), @"acme/shop: 3 images, 3 rings, nothing wrong");
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r#"
    [stderr]
    error: the repository has no commit yet
    hint: git add . && git commit -m "First commit" (rings.yaml included)
    [exit 1]
    "#);
    insta::assert_snapshot!(world.refused(&["build"]).shown(), @r#"
    [stderr]
    error: the repository has no commit yet
    hint: git add . && git commit -m "First commit" (rings.yaml included)
    [exit 1]
    "#);
    insta::assert_snapshot!(world.run(&["status"]).shown(), @r"
    acme/shop at oci:…/repo/.git/ringshift, no entry yet

      ring   release  since  built from  waiting
      dev    –
      test   –
      users  –
      post   –

      next: ringshift build
    ");
}

#[test]
fn a_bare_repository() {
    let world = World::built();
    let bare = world.root.path().join("bare.git");
    world.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let bare = bare.to_str().unwrap();
    insta::assert_snapshot!(world.run(&["-C", bare, "plan"]).shown(), @r#"
    Against dev at 0553c59 "First"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    3 to build. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(world.run(&["-C", bare, "check"]).shown(), @"acme/shop: 3 images, 3 rings, nothing wrong");
    insta::assert_snapshot!(world.run(&["-C", bare, "plan", "--worktree"]).shown(), @r"
    [stderr]
    error: the repository is bare: it has no working copy
    hint: name a commit, or run it in a working copy
    [exit 1]
    ");
    insta::assert_snapshot!(world.run(&["-C", bare, "build", "-q"]).shown(), @"");
    insta::assert_snapshot!(world.run(&["-C", bare, "init"]).shown(), @r"
    [stderr]
    error: the repository is bare: it has no working copy
    hint: name a commit, or run it in a working copy
    [exit 1]
    ");
}

#[test]
fn a_shallow_clone_plans_and_refuses_what_needs_history() {
    let world = World::built();
    assert_eq!(world.run(&["shift", "test", "-q"]).code, 0);
    for n in 0..3 {
        world.write("images/api/app", format!("{n}"));
        world.commit(&format!("Change {n}"));
    }
    let shallow = world.root.path().join("shallow");
    let url = format!("file://{}", world.repo().display());
    world.git(&["clone", "-q", "--depth", "1", &url, shallow.to_str().unwrap()]);
    let at = shallow.to_str().unwrap();
    // A store of its own knows nothing that history must answer.
    insta::assert_snapshot!(world.run(&["-C", at, "plan"]).shown(), @r#"
    Against dev at 8cc8db0 "Change 2"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    3 to build. Reasons in full: ringshift plan -v
    "#);
    // The real store was built from a commit that the clone lacks.
    let registry = format!("oci:{}", world.store().display());
    insta::assert_snapshot!(world.refused(&["-C", at, "--registry", &registry, "plan"]).shown(), @r"
    [stderr]
    error: cannot tell whether commit 8cc8db0 keeps the fixes that api has
    caused by: commit 0553c59a70c66f96b2586f00c7fbe27d416b0bac is not in this clone
    hint: git fetch --unshallow
    [exit 8]
    ");
    insta::assert_snapshot!(world.refused(&["-C", at, "--registry", &registry, "build"]).shown(), @r"
    [stderr]
    error: cannot tell whether commit 8cc8db0 keeps the fixes that api has
    caused by: commit 0553c59a70c66f96b2586f00c7fbe27d416b0bac is not in this clone
    hint: git fetch --unshallow
    [exit 8]
    ");
    insta::assert_snapshot!(world.run(&["-C", at, "--registry", &registry, "status"]).shown().replace("0 s", "1 s"), @r"
    acme/shop at oci:…/repo/.git/ringshift, entry 3

      ring   release  since  built from  waiting
      dev    0.1.0    1 s    0553c59
      test   0.1.0    1 s    0553c59
      users  –                           0.1.0
      post   –

      next: ringshift shift users        0.1.0
    ");
    let override_ = ["-C", at, "--registry", &registry, "plan", "--contains", "0.1.0"];
    assert_eq!(world.run(&override_).code, 0);
}

#[test]
fn a_linked_worktree_shares_the_store() {
    let world = World::built();
    let linked = world.root.path().join("linked");
    world.git(&["worktree", "add", "-q", "-b", "fix", linked.to_str().unwrap()]);
    let ran = world.run(&["-C", linked.to_str().unwrap(), "plan"]);
    insta::assert_snapshot!(ran.shown(), @r#"
    Against dev (0.1.0) at 0553c59 "First"

    Nothing to do: 3 images unchanged.
    "#);
}

#[test]
fn a_sparse_checkout_reads_what_is_not_checked_out() {
    let world = World::built();
    world.git(&["sparse-checkout", "set", "--no-cone", "/rings.yaml"]);
    assert!(!world.path("images").exists());
    insta::assert_snapshot!(world.run(&["check"]).shown(), @"acme/shop: 3 images, 3 rings, nothing wrong");
    insta::assert_snapshot!(world.run(&["plan", "--worktree"]).shown(), @r#"
    Against dev (0.1.0) at 0553c59 "First"

    Nothing to do: 3 images unchanged.
    "#);
}

#[test]
fn missing_objects_are_told() {
    let world = World::project();
    let blob = world.git(&["rev-parse", "HEAD:images/api/app"]);
    let (folder, name) = blob.split_at(2);
    std::fs::remove_file(world.path(format!(".git/objects/{folder}/{name}"))).unwrap();
    // While the working copy holds the very bytes of the blob, they are read there.
    assert_eq!(world.run(&["plan"]).code, 0);
    std::fs::remove_file(world.path("images/api/app")).unwrap();
    // The cache of contents would answer as well.
    std::fs::remove_dir_all(world.cache()).unwrap();
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: cannot read images/api/app: its object is not in this clone (a partial clone lacks some: git fetch --refetch)
      |
    2 | COPY app /app
      | ^^^^^^^^^^^^^
    [exit 1]
    ");
    let tree = world.git(&["rev-parse", "HEAD:images/api"]);
    let (folder, name) = tree.split_at(2);
    std::fs::remove_file(world.path(format!(".git/objects/{folder}/{name}"))).unwrap();
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: cannot read images/api
    caused by: its object is not in this clone (a partial clone lacks some: git fetch --refetch)
    [exit 1]
    ");
}

#[test]
fn a_commit_that_nobody_knows() {
    let world = World::project();
    let said = |rev: &str| world.refused(&["plan", &format!("--commit={rev}")]).shown();
    insta::assert_snapshot!(said("mian"), @r"
    [stderr]
    error: `mian` names no commit
    hint: give a commit id, a branch or a tag, with `~2` or `^` behind it if you like; or `git fetch`
    [exit 1]
    ");
    insta::assert_snapshot!(said("0123456789abcdef0123456789abcdef01234567"), @r"
    [stderr]
    error: commit 0123456 is not in this clone
    hint: fetch it: git fetch --all
    [exit 8]
    ");
    insta::assert_snapshot!(said("--all"), @r"
    [stderr]
    error: `--all` names no commit
    hint: give a commit id, a branch or a tag, with `~2` or `^` behind it if you like; or `git fetch`
    [exit 1]
    ");
    insta::assert_snapshot!(said("HEAD~7"), @r"
    [stderr]
    error: `HEAD~7` names no commit
    hint: give a commit id, a branch or a tag, with `~2` or `^` behind it if you like; or `git fetch`
    [exit 1]
    ");
    insta::assert_snapshot!(said("HEAD:rings.yaml"), @r"
    [stderr]
    error: `HEAD:rings.yaml` names no commit
    hint: give a commit id, a branch or a tag, with `~2` or `^` behind it if you like; or `git fetch`
    [exit 1]
    ");
}
