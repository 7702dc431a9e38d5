//! What stands in a build context: links, FIFOs, submodules, names of any bytes (SEC-A1, A3, A5, A6).

use crate::sandbox::{World, os};

/// A project whose api copies its whole context.
fn all() -> World {
    let world = World::uncommitted();
    world.write("images/api/Dockerfile", "FROM acme/shop/base\nCOPY . /srv\n");
    world
}

/// A project whose api copies `word`.
fn copies(word: &str) -> World {
    let world = World::uncommitted();
    world.write(
        "images/api/Dockerfile",
        format!("FROM scratch\nCOPY {word} /srv/\n"),
    );
    world
}

#[test]
fn a_submodule_is_refused_where_it_is_copied() {
    let world = all();
    let other = world.root.path().join("other");
    std::fs::create_dir(&other).unwrap();
    world.git_in(&other, &["init", "-q", "-b", "main"]);
    std::fs::write(other.join("file"), "x").unwrap();
    world.git_in(&other, &["add", "-A"]);
    world.git_in(&other, &["commit", "-q", "-m", "Other"]);
    world.git(&[
        "submodule",
        "--quiet",
        "add",
        other.to_str().unwrap(),
        "images/api/lib",
    ]);
    world.commit("Add a submodule");
    for args in [["plan", "-q"], ["check", "-q"], ["plan", "--worktree"]] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(world.refused(&args).shown(), @r"
            [stderr]
            error: images/api/Dockerfile:2:6: lib is a git submodule, which is not read
              |
            2 | COPY . /srv
              |      ^
            hint: copy the files into the repository, or leave the submodule out in .dockerignore
            [exit 1]
            ");
        }
    }
    world.write("images/api/.dockerignore", "lib\n");
    world.commit("Leave it out");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
}

#[test]
fn a_fifo_is_refused_and_never_opened() {
    let world = all();
    world.commit("First");
    let made = world.program("mkfifo", &["images/api/pipe"]).status().unwrap();
    assert!(made.success());
    // Git has no FIFOs: neither the commit nor the untracked files hold it.
    assert_eq!(world.run(&["check"]).code, 0);
    // In the place of a tracked file it stands in the way.
    std::fs::remove_file(world.path("images/api/app")).unwrap();
    let made = world.program("mkfifo", &["images/api/app"]).status().unwrap();
    assert!(made.success());
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: app is a FIFO, a socket or a device
      |
    2 | COPY . /srv
      |      ^
    hint: only files, folders and symbolic links can be copied
    [exit 1]
    ");
    insta::assert_snapshot!(world.refused(&["plan", "--worktree"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: app is a FIFO, a socket or a device
      |
    2 | COPY . /srv
      |      ^
    hint: only files, folders and symbolic links can be copied
    [exit 1]
    ");
}

#[test]
fn a_link_out_of_the_repository_is_followed_inside_the_context_only() {
    let world = copies("passwd");
    world.link("images/api/passwd", "/etc/passwd");
    world.commit("First");
    insta::assert_snapshot!(world.refused(&["build"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `passwd`, which leads to `etc/passwd`, does not exist in the context `images/api`
      |
    2 | COPY passwd /srv/
      |      ^^^^^^
    hint: links are followed inside the context only, as if it were the whole disk
    [exit 1]
    ");
    let world = copies("up/secret");
    std::fs::write(world.root.path().join("secret"), "s").unwrap();
    world.link("images/api/up", "../../..");
    world.commit("First");
    insta::assert_snapshot!(world.refused(&["build"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `up/secret`, which leads to `secret`, does not exist in the context `images/api`
      |
    2 | COPY up/secret /srv/
      |      ^^^^^^^^^
    hint: links are followed inside the context only, as if it were the whole disk
    [exit 1]
    ");
}

#[test]
fn a_link_out_of_the_repository_is_copied_as_a_link() {
    let world = all();
    world.link("images/api/passwd", "/etc/passwd");
    world.commit("First");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
    let read = world.run(&["explain", "api", "--json"]).out;
    assert!(
        read.contains(r#"{"path":"images/api/passwd","mode":"120000""#),
        "{read}"
    );
}

#[test]
fn a_folder_that_is_a_link_out_of_the_repository_is_no_context() {
    let world = World::uncommitted();
    std::fs::remove_file(world.path("images/api/app")).unwrap();
    std::fs::remove_file(world.path("images/api/Dockerfile")).unwrap();
    std::fs::remove_dir(world.path("images/api")).unwrap();
    let outside = world.root.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("Dockerfile"), "FROM scratch\n").unwrap();
    world.link("images/api", outside.to_str().unwrap());
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: rings.yaml:5:8: `api` has no container file in `images/api`
      |
    5 |   api: images/api
      |        ^^^^^^^^^^
    hint: looked for Dockerfile, dockerfile and Containerfile; another one is named by `file`
    [exit 1]
    ");
}

#[test]
fn a_loop_of_links_is_an_error_where_it_is_copied_by_name() {
    let world = copies("one");
    world.link("images/api/one", "two");
    world.link("images/api/two", "one");
    world.commit("First");
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: one: the symbolic links run in a circle, or in a chain of more than 255
      |
    2 | COPY one /srv/
      |      ^^^
    hint: let the link lead to a file or folder of the context
    [exit 1]
    ");
}

#[test]
fn a_chain_of_links_is_followed_to_its_end() {
    let world = copies("l0");
    for n in 0..40 {
        world.link(&format!("images/api/l{n}"), &format!("l{}", n + 1));
    }
    world.write("images/api/l40", "end\n");
    world.commit("First");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
}

#[test]
fn names_of_any_bytes_work() {
    let world = all();
    for name in [
        b"new\nline".as_slice(),
        b"bad\xff\xfeutf8",
        b" ",
        b"-rf",
        b"a\tb",
        b"\"quoted\"",
        b"\x1b[31m",
    ] {
        world.write(os(&[b"images/api/", name].concat()), "x");
    }
    world.write("images/api/case", "1");
    world.write("images/api/CASE", "2");
    world.commit("First");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
    assert!(world.run(&["plan"]).out.contains("Nothing to do"));
    for args in [
        &["explain", "api"][..],
        &["explain", "api", "--json"],
        &["explain", "api", "--records"],
    ] {
        let ran = world.run(args);
        assert_eq!(ran.code, 0);
        assert!(!ran.out.contains('\u{1b}'), "{ran:?}");
    }
    // Each of them counts.
    world.write(os(b"images/api/bad\xff\xfeutf8"), "y");
    world.commit("Second");
    let plan = world.run(&["plan"]).shown();
    insta::assert_snapshot!(plan, @r#"
    Against dev (0.1.0) at d056f5f "Second"

      api   0.1.0 → 0.1.1  patch  images/api/bad\xff\xfeutf8 changed
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 1 unchanged. Reasons in full: ringshift plan -v
    "#);
}

#[test]
fn folders_deeper_than_the_limit_are_refused() {
    let world = all();
    let deep = "d/".repeat(140);
    world.write(format!("images/api/{deep}f"), "x");
    world.commit("First");
    insta::assert_snapshot!(world.refused(&["plan"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: images/api/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d: folders deeper than 128
      |
    2 | COPY . /srv
      |      ^
    hint: leave out what the image does not need, in .dockerignore
    [exit 1]
    ");
}

#[test]
fn a_mistaken_word_is_told_with_what_was_meant() {
    let said = |word: &str| {
        let world = copies(word);
        world.refused(&["check"]).shown()
    };
    insta::assert_snapshot!(said("images/api/app"), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `images/api/app` does not exist in the context `images/api`
      |
    2 | COPY images/api/app /srv/
      |      ^^^^^^^^^^^^^^
    hint: sources are relative to the context: write `app`
    [exit 1]
    ");
    insta::assert_snapshot!(said("APP"), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `APP` does not exist in the context `images/api`
      |
    2 | COPY APP /srv/
      |      ^^^
    hint: there is `app`
    [exit 1]
    ");
    insta::assert_snapshot!(said("../base/motd"), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `../base/motd` does not exist in the context `images/api`
      |
    2 | COPY ../base/motd /srv/
      |      ^^^^^^^^^^^^
    hint: `..` does not lead out of the context: choose a wider one in rings.yaml, or name the folder there under `contexts`
    [exit 1]
    ");
    insta::assert_snapshot!(said("a["), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `a[` is not a valid wildcard
      |
    2 | COPY a[ /srv/
      |      ^^
    hint: close every `[`, or put a backslash before it
    [exit 1]
    ");
}

#[test]
fn a_file_that_the_ignore_file_leaves_out_is_told_with_the_line() {
    let world = copies("target/app");
    world.write("images/api/target/app", "x");
    world.write("images/api/.dockerignore", "# built things\n\n**/target\n");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `target/app` is left out by images/api/.dockerignore
      |
    2 | COPY target/app /srv/
      |      ^^^^^^^^^^ ignored by images/api/.dockerignore:3 (`**/target`)
    hint: add `!target/app` below that line, or build it in a stage of this file
    [exit 1]
    ");
}
