//! `graph`, `affected` and `explain`.

use crate::story::{built, fresh, say};

#[test]
fn the_graph_in_every_format() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["graph"]), @r"
    shop (root)
    ├─ api (root)
    │  └─ base (from)
    └─ web (root)
    ");
    insta::assert_snapshot!(say(&world, &["graph", "--format", "dot"]), @r#"
    digraph images {
      rankdir = BT;
      node [shape = box];
      "base";
      "api";
      "web";
      "shop" [style = bold];
      "api" -> "base" [label = "from"];
      "shop" -> "api" [label = "root", style = dotted];
      "shop" -> "web" [label = "root", style = dotted];
    }
    "#);
    insta::assert_snapshot!(say(&world, &["graph", "--format", "mermaid"]), @r#"
    graph BT
      n0["base"]
      n1["api"]
      n2["web"]
      n3(["shop"])
      n1 -- from --> n0
      n3 -.-> n1
      n3 -.-> n2
    "#);
    assert_eq!(
        say(&world, &["graph", "--format", "json"]),
        say(&world, &["graph", "--json"])
    );
    let svg = say(&world, &["graph", "--format", "svg"]);
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
    for name in ["base", "api", "web", "shop"] {
        assert!(svg.contains(&format!(">{name}<")), "{svg}");
    }
}

#[test]
fn who_reads_a_file_and_who_is_rebuilt() {
    let world = fresh();
    let paths = [
        "images/base/motd",
        "images/api/src/new.rs",
        "images/web/notes",
        "images/base/Dockerfile",
    ];
    let flags: Vec<&str> = paths.iter().flat_map(|path| ["--path", path]).collect();
    let ask = |more: &[&str]| say(&world, &[&["affected"], &flags[..], more].concat());
    insta::assert_snapshot!(ask(&[]), @"
    images/api/src/new.rs
      read by  api
    images/base/Dockerfile
      read by  base
      with it  api
    images/base/motd
      read by  base
      with it  api
    images/web/notes
      no image reads it

    2 images rebuilt
    ");
    insta::assert_snapshot!(ask(&["--json"]), @r#"{"kind":"affected","format":1,"paths":{"images/api/src/new.rs":{"direct":["api"],"rebuilt":["api"]},"images/base/Dockerfile":{"direct":["base"],"rebuilt":["api","base"]},"images/base/motd":{"direct":["base"],"rebuilt":["api","base"]},"images/web/notes":{"direct":[],"rebuilt":[]}}}"#);
    insta::assert_snapshot!(say(&world, &["affected", "--path", "images/web/notes"]), @"
    images/web/notes
      no image reads it

    nothing is rebuilt
    ");
    insta::assert_snapshot!(say(&world, &["affected", "--path", "../elsewhere"]), @"
    [stderr]
    error: ../elsewhere lies outside the repository
    hint: name paths of the repository, relative to the working directory
    [exit 1]
    ");
    insta::assert_snapshot!(say(&world, &["affected"]), @"
    [stderr]
    error: the following required arguments were not provided:
      <--path <P>|--since <COMMIT>>

    Usage: ringshift affected <--path <P>|--since <COMMIT>>

    For more information, try '--help'.
    [exit 2]
    ");
    insta::assert_snapshot!(say(&world, &["-C", "images/web", "affected", "--path", "index.html"]), @"
    images/web/index.html
      read by  web

    1 image rebuilt
    ");
}

#[test]
fn a_link_on_the_way_is_read_too() {
    let world = fresh();
    world.link("images/web/current", "index.html");
    world.write(
        "images/web/Dockerfile",
        "FROM scratch\nCOPY current /index.html\n",
    );
    world.commit("Go by a link");
    insta::assert_snapshot!(say(&world, &["affected", "--path", "images/web/current"]), @"
    images/web/current
      read by  web

    1 image rebuilt
    ");
}

#[test]
fn what_a_commit_changed_concerns_whose_revision_differs() {
    let world = fresh();
    world.write(
        "images/base/Dockerfile",
        "# a comment\nFROM scratch\nCOPY motd /etc/motd\n",
    );
    world.write("README.md", "nobody reads it\n");
    world.commit("Explain");
    insta::assert_snapshot!(say(&world, &["affected", "--since", "main~1"]), @"nothing that an image reads changed since main~1");
    world.write(
        "images/base/Dockerfile",
        "FROM scratch\nENV DIR=src\nCOPY motd /etc/motd\n",
    );
    world.write(
        "images/api/Dockerfile",
        "FROM acme/shop/base\nCOPY $DIR /src\nCOPY app /app\n",
    );
    world.commit("Name the folder in the base");
    world.write(
        "images/base/Dockerfile",
        "FROM scratch\nENV DIR=app\nCOPY motd /etc/motd\n",
    );
    world.write("images/web/index.html", "<h1>new</h1>\n");
    world.commit("Another folder");
    insta::assert_snapshot!(say(&world, &["affected", "--since", "main~1"]), @"
    images/api/src/main.rs
      read by  api
    images/api/src/search.rs
      read by  api
    images/base/Dockerfile
      read by  base
      with it  api
    images/web/index.html
      read by  web

    3 images rebuilt
    ");
    insta::assert_snapshot!(say(&world, &["affected", "--since", "main~2", "--commit", "main~1", "--json"]), @r#"{"kind":"affected","format":1,"paths":{"images/base/Dockerfile":{"direct":["base"],"rebuilt":["api","base"]}}}"#);
    world.write("images/web/index.html", "<h1>newer</h1>\n");
    insta::assert_snapshot!(say(&world, &["affected", "--since", "HEAD", "--worktree"]), @"
    images/web/index.html
      read by  web

    1 image rebuilt
    ");
    insta::assert_snapshot!(say(&world, &["affected", "--since", "nothing"]), @"
    [stderr]
    error: `nothing` names no commit
    hint: give a commit id, a branch or a tag, with `~2` or `^` behind it if you like; or `git fetch`
    [exit 1]
    ");
}

#[test]
fn why_a_revision_is_what_it_is() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["explain", "api"]), @r"
    api  revision HEX64
    images/api/Dockerfile

         format    ringshift-revision/1
         platform  linux/amd64
         target    0
      1  stage     0 dep:base
      2  copy      /src
      2  reads
      3  copy      /app
      3  reads
      2  read      0
      2  folder
      2  file      644 HEX64 main.rs
      2  file      644 HEX64 search.rs
      3  read      1
      3  as        app
      3  file      644 HEX64

    stands on base

    3 files read
    ");
    insta::assert_snapshot!(say(&world, &["explain", "base", "--records"]), @r"
    27:format ringshift-revision/1
    20:platform linux/amd64
    8:target 0
    15:stage 0 scratch
    14:copy /etc/motd
    6:reads 
    6:read 0
    7:as motd
    74:file 644 HEX64
    ");
    world.write("images/api/app", "changed\n");
    world.commit("Change the api");
    insta::assert_snapshot!(say(&world, &["explain", "api", "--against", "0.1.0"]), @"
    api 0.1.0 (4c6c71ad) → f33bf326

    images/api/app changed
    ");
    insta::assert_snapshot!(say(&world, &["explain", "web", "--against", "web@0.1.0"]), @"web 0.1.0 has the same revision, HEX64");
}

#[test]
fn what_differs_from_a_version_is_told_as_a_diff() {
    let world = built();
    world.write(
        "images/api/Dockerfile",
        "# quick\nFROM acme/shop/base\nENV MODE=fast\nCOPY --chmod=750 src /src\nCOPY app /app\n",
    );
    world.write("images/api/src/new.rs", "");
    world.commit("Be quick");
    insta::assert_snapshot!(say(&world, &["explain", "api", "--against", "0.1.0"]), @"
    api 0.1.0 (4c6c71ad) → a1392c6e

    images/api/Dockerfile changed
      -   2  COPY src /src
      +   3  ENV MODE=fast
      +   4  COPY --chmod=750 src /src
    images/api/src/new.rs added
    ");
    insta::assert_snapshot!(say(&world, &["plan", "-v"]), @r#"
    Against dev (0.1.0) at 74a9de9 "Be quick"

      api   0.1.0 → 0.1.1  patch  images/api/Dockerfile changed in lines 3, 4
                                  images/api/src/new.rs added
                                  revision a1392c6e, rule B4.4
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 0.1.1
                                  revision 1b613400, rule B4.4

    1 to build, 1 to relabel, 2 unchanged.
    "#);
}

#[test]
fn what_an_argument_changes_is_told_by_what_it_comes_to() {
    let world = fresh();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    let with = |mode: &str| {
        let web = format!("web: {{context: images/web, args: {{MODE: {mode}}}}}");
        rings.replace("web: images/web", &web)
    };
    world.write("rings.yaml", with("slow"));
    world.write(
        "images/web/Dockerfile",
        "FROM scratch\nARG MODE\nLABEL mode=$MODE\nCOPY index.html /\n",
    );
    world.commit("Label");
    assert_eq!(world.run(&["build", "-q"]).code, 0);
    world.write("rings.yaml", with("fast"));
    world.commit("Be quick");
    insta::assert_snapshot!(say(&world, &["explain", "web", "--against", "0.1.0"]), @r#"
    web 0.1.0 (cae8d7aa) → ed55dc64

    rings.yaml changed
    images/web/Dockerfile:3: label was ["mode","slow"], is ["mode","fast"]
    "#);
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.1.0) at 4347b89 "Be quick"

      web   0.1.0 → 0.1.1  patch  rings.yaml changed
      shop  0.1.0 → 0.1.1  patch  web 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
}

#[test]
fn a_file_that_is_only_no_longer_read_is_not_said_to_be_removed() {
    use std::os::unix::fs::PermissionsExt;
    let world = built();
    world.write("images/api/.dockerignore", "# later\nsrc/main.rs\n");
    let app = world.path("images/api/app");
    std::fs::set_permissions(&app, std::fs::Permissions::from_mode(0o755)).unwrap();
    world.commit("Ignore");
    insta::assert_snapshot!(say(&world, &["explain", "api", "--against", "0.1.0"]), @"
    api 0.1.0 (4c6c71ad) → 9786952f

    images/api/app made executable
    images/api/src/main.rs no longer read (left out by images/api/.dockerignore:2)
    ");
    insta::assert_snapshot!(say(&world, &["plan", "-v"]), @r#"
    Against dev (0.1.0) at e9c6395 "Ignore"

      api   0.1.0 → 0.1.1  patch  images/api/app made executable
                                  images/api/src/main.rs no longer read (left out by images/api/.dockerignore:2)
                                  revision 9786952f, rule B4.4
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 0.1.1
                                  revision 1b613400, rule B4.4

    1 to build, 1 to relabel, 2 unchanged.
    "#);
    world.write("images/api/Dockerfile", "FROM acme/shop/base\nCOPY src /src\n");
    world.write("images/web/Dockerfile", "FROM scratch\nCOPY index.html notes /\n");
    world.write("images/web/notes", "");
    world.commit("Copy less and more");
    insta::assert_snapshot!(say(&world, &["explain", "api", "--against", "0.1.0"]), @"
    api 0.1.0 (4c6c71ad) → 1914b2b2

    images/api/Dockerfile changed
      -   3  COPY app /app
    images/api/app no longer read
    images/api/src/main.rs no longer read (left out by images/api/.dockerignore:2)
    ");
    assert_eq!(world.run(&["build", "-q"]).code, 0);
    world.write("images/api/.dockerignore", "");
    world.commit("Ignore nothing");
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.1.1) at bf15527 "Ignore nothing"

      api   0.1.1 → 0.1.2  patch  images/api/src/main.rs read now
      shop  0.1.1 → 0.1.2  patch  api 0.1.1 → 0.1.2; labels only

    1 to build, 1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(say(&world, &["explain", "api", "--against", "0.1.1", "--json"]), @r#"{"kind":"explain-against","format":1,"image":"api","against":"0.1.1","old":"HEX64","new":"HEX64","changed":[{"path":"images/api/src/main.rs","change":"now-read","lines":[]}],"records":[]}"#);
}

#[test]
fn a_path_that_says_what_images_are_made_of_gets_a_note() {
    let world = fresh();
    let ask = |path: &str, more: &[&str]| say(&world, &[&["affected", "--path", path], more].concat());
    insta::assert_snapshot!(ask("rings.yaml", &[]), @"
    rings.yaml
      no image reads it

    nothing is rebuilt
    [stderr]
    note: rings.yaml says what images are made of: once it is changed, `ringshift affected --since HEAD` tells which are rebuilt
    ");
    insta::assert_snapshot!(ask("images/api/.dockerignore", &["--json"]), @r#"{"kind":"affected","format":1,"paths":{"images/api/.dockerignore":{"direct":[],"rebuilt":[]}},"indirect":["images/api/.dockerignore"]}"#);
    insta::assert_snapshot!(ask("images/api/Dockerfile.dockerignore", &[]), @"
    images/api/Dockerfile.dockerignore
      no image reads it

    nothing is rebuilt
    [stderr]
    note: images/api/Dockerfile.dockerignore says what images are made of: once it is changed, `ringshift affected --since HEAD` tells which are rebuilt
    ");
}
