//! Sources that git does not hold (B8): ignored files, LFS pointers, a rings.yaml that is not committed.

use crate::sandbox::World;

const POINTER: &str = "\
version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
";

fn copies(word: &str) -> World {
    let world = World::uncommitted();
    world.write(
        "images/api/Dockerfile",
        format!("FROM scratch\nCOPY {word} /srv/\n"),
    );
    world.write(".gitignore", "target/\n*.jar\n");
    world
}

#[test]
fn an_ignored_file_is_an_error_of_its_own() {
    let world = copies("target/app.bin");
    world.write("images/api/target/app.bin", "built");
    world.commit("First");
    let told = world.refused(&["plan"]).shown();
    insta::assert_snapshot!(told, @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `images/api/target/app.bin` is ignored by git, so no commit holds it
      |
    2 | COPY target/app.bin /srv/
      |      ^^^^^^^^^^^^^^
    hint: build it in a stage of this file, or have its folder read from disk, in rings.yaml
          contexts: {NAME: {path: images/api/target, generated: true}}
          and here COPY --from=NAME app.bin …
    [exit 1]
    ");
    for args in [&["check"][..], &["plan", "--worktree"], &["build"]] {
        assert_eq!(world.refused(args).shown(), told, "{args:?}");
    }
}

#[test]
fn an_ignored_folder_and_one_behind_a_pattern() {
    let world = copies("target");
    world.write("images/api/target/app", "built");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `images/api/target` is ignored by git, so no commit holds it
      |
    2 | COPY target /srv/
      |      ^^^^^^
    hint: build it in a stage of this file, or have its folder read from disk, in rings.yaml
          contexts: {NAME: {path: images/api/target, generated: true}}
          and here COPY --from=NAME . …
    [exit 1]
    ");
    let world = copies("app.jar");
    world.write("images/api/app.jar", "built");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `images/api/app.jar` is ignored by git, so no commit holds it
      |
    2 | COPY app.jar /srv/
      |      ^^^^^^^
    hint: build it in a stage of this file, or have its folder read from disk, in rings.yaml
          contexts: {NAME: {path: images/api, generated: true}}
          and here COPY --from=NAME app.jar …
    [exit 1]
    ");
}

#[test]
fn an_ignored_file_that_is_not_there_is_just_missing() {
    let world = copies("target/app");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `target/app` does not exist in the context `images/api`
      |
    2 | COPY target/app /srv/
      |      ^^^^^^^^^^
    [exit 1]
    ");
}

#[test]
fn a_file_that_is_not_committed_is_told_with_the_working_copy() {
    let world = copies("new");
    world.commit("First");
    world.write("images/api/new", "n");
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `new` does not exist in the context `images/api`
      |
    2 | COPY new /srv/
      |      ^^^
    hint: the working copy has it: commit it, or add --worktree
    [exit 1]
    ");
    assert_eq!(world.run(&["plan", "--worktree", "-q"]).code, 0);
    assert_eq!(world.run(&["check"]).code, 0);
}

#[test]
fn a_generated_context_is_the_remedy() {
    let world = copies("--from=jar app.bin");
    let rings = crate::sandbox::RINGS.replace(
        "api: images/api",
        "api: {context: images/api, contexts: {jar: {path: images/api/target, generated: true}}}",
    );
    world.write("rings.yaml", rings);
    world.commit("First");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: rings.yaml:5:41: images/api/target, a generated context of api, is not there
      |
    5 |   api: {context: images/api, contexts: {jar: {path: images/api/target, generated: true}}}
      |                                         ^^^
    hint: run what generates it first
    [exit 1]
    ");
    world.write("images/api/target/app.bin", "built");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
    assert!(world.run(&["plan"]).out.contains("Nothing to do"));
    world.write("images/api/target/app.bin", "built anew");
    insta::assert_snapshot!(world.run(&["plan"]).shown(), @r#"
    Against dev (0.1.0) at 0fd5d49 "First"

      api   0.1.0 → 0.1.1  patch  revision 7816c7fb → 7b6799a0
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 1 unchanged. Reasons in full: ringshift plan -v
    "#);
}

#[test]
fn an_lfs_pointer_is_no_content() {
    let world = World::uncommitted();
    world.write("images/api/app", POINTER);
    world.commit("First");
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: images/api/app is a Git LFS pointer, not the file itself
      |
    2 | COPY app /app
      | ^^^^^^^^^^^^^
    hint: git holds no content of it: `git lfs pull`, and build with --worktree or give its folder as a named context (`generated: true`), which is read from disk
    [exit 1]
    ");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: images/api/app is a Git LFS pointer, not the file itself
      |
    2 | COPY app /app
      | ^^^^^^^^^^^^^
    hint: git holds no content of it: `git lfs pull`, and build with --worktree or give its folder as a named context (`generated: true`), which is read from disk
    [exit 1]
    ");
    world.write("images/api/Dockerfile", "FROM scratch\nCOPY . /srv\n");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: images/api/app is a Git LFS pointer, not the file itself
      |
    2 | COPY . /srv
      | ^^^^^^^^^^^
    hint: git holds no content of it: `git lfs pull`, and build with --worktree or give its folder as a named context (`generated: true`), which is read from disk
    [exit 1]
    ");
}

#[test]
fn what_only_talks_of_lfs_is_content() {
    let world = World::uncommitted();
    world.write("images/api/app", format!("# notes\n{POINTER}"));
    world.write(
        "images/base/motd",
        "version https://git-lfs.github.com/spec/v1\nand nothing else\n",
    );
    world.commit("First");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
}

#[test]
fn a_rings_yaml_that_is_not_committed_is_planned_with_a_note_and_not_built() {
    let world = World::uncommitted();
    world.git(&["add", "-A"]);
    world.git(&["reset", "-q", "rings.yaml"]);
    world.git(&["commit", "-q", "-m", "First"]);
    insta::assert_snapshot!(world.run(&["plan"]).shown(), @r#"
    Against dev at 4de940e "First"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    3 to build. Reasons in full: ringshift plan -v
    [stderr]
    note: rings.yaml is not committed yet; the working copy's is used
    "#);
    insta::assert_snapshot!(world.refused(&["build"]).shown(), @r#"
    [stderr]
    error: rings.yaml is not committed
    hint: git add rings.yaml && git commit -m "Add rings.yaml"
    [exit 1]
    "#);
    for args in [&["graph"][..], &["explain", "api"]] {
        assert!(world.run(args).err.contains("not committed"), "{args:?}");
    }
}

#[test]
fn changes_that_are_not_committed_are_told() {
    let world = World::built();
    world.write("images/api/app", "changed");
    world.write("images/base/unread", "nobody reads this");
    insta::assert_snapshot!(world.run(&["plan"]).shown(), @r#"
    Against dev (0.1.0) at 0553c59 "First"

    Nothing to do: 3 images unchanged.
    [stderr]
    note: not in this commit, but different in the working copy: images/api/app; --worktree reads them
    "#);
    insta::assert_snapshot!(world.run(&["plan", "--worktree"]).shown(), @r#"
    Against dev (0.1.0) at 0553c59 "First"

      api   0.1.0 → 0.1.1  patch, dirty  images/api/app changed
      shop  0.1.0 → 0.1.1  patch         api 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 1 unchanged. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(world.refused(&["build", "--worktree", "--ring", "users", "api"]).shown(), @r"
    [stderr]
    error: a working copy is built against ante or the first ring, not against users
    hint: commit first, or say --allow-dirty
    [exit 8]
    ");
}
